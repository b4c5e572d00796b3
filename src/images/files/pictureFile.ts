import { dirname, extname } from "node:path";
import { PushforwardError, shellQuoted } from "../../check/index.ts";
import { type ImageShape, imageSize } from "../../nn/index.ts";
import { IMAGES, importOptional } from "../../package/index.ts";
import { shapeText } from "./imageSet.ts";

/** A decoded picture. */
export interface Picture {
  /** [height, width, channels], with one channel for gray, three for red, green and blue. */
  readonly shape: ImageShape;
  /** The numbers of [height, width, channels], from 0 to 255. */
  readonly pixels: Uint8Array;
}

const loadPng = () => importOptional(IMAGES, () => import("fast-png"));
const loadJpeg = () => importOptional(IMAGES, async () => (await import("jpeg-js")).default);

const isPng = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47;
const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/** Whether bytes begin as PNG or JPEG does. */
export const isPicture = (bytes: Uint8Array): boolean => isPng(bytes) || isJpeg(bytes);

/**
 * Decodes PNG or JPEG with at most 8 bits per channel. A palette is converted to red, green and blue, an alpha channel without
 * transparent pixels is removed, and gray levels of fewer bits are scaled to 0 to 255. Pictures are rotated and mirrored by their EXIF orientation.
 *
 * @param isFile - Whether `name` is the path of a file, and not the name of a row of a table: hints then say how to convert it.
 * @throws FILE, with `name`, for other formats, 16 bits, transparent pixels and damaged bytes; DEPENDENCY if a decoder is not
 *   installed.
 */
export async function decodePicture(bytes: Uint8Array, name: string, isFile = true): Promise<Picture> {
  if (isPng(bytes)) return decodePng(bytes, name, isFile);
  if (isJpeg(bytes)) return decodeJpeg(bytes, name, isFile);
  if (bytes.length === 0) {
    throw new PushforwardError("FILE", `${name} is empty`, {
      expected: "PNG or JPEG",
      hint: rewriteHint(isFile),
    });
  }
  throw new PushforwardError("FILE", `${name} is not a picture that can be read`, {
    expected: "PNG or JPEG",
    received: "another format",
    hint: conversionHint("Convert it", name, isFile),
  });
}

const rewriteHint = (isFile: boolean): string =>
  isFile ? "Remove the file, or write it again." : "Leave the row out, or write the table again.";

const conversionHint = (action: string, name: string, isFile: boolean, options = ""): string =>
  isFile
    ? `${action}, for example by ImageMagick: magick ${shellQuoted(name)} ${options}picture.png`
    : `${action}, and write the table again.`;

async function decodePng(bytes: Uint8Array, name: string, isFile: boolean): Promise<Picture> {
  const { decode, convertIndexedToRgb } = await loadPng();
  const png = decoded(name, isFile, () => decode(bytes, { checkCrc: true }));
  const { width, height, depth, channels, data, transparency } = png;
  const unsupported = (what: string, received: string, hint: string) =>
    new PushforwardError("FILE", `${name} ${what}`, {
      expected: "8 bits per channel, opaque",
      received,
      hint,
    });
  if (depth > 8) {
    throw unsupported(
      `has ${depth} bits per channel`,
      `${depth} bits`,
      conversionHint("Convert it", name, isFile, "-depth 8 "),
    );
  }
  const size = width * height;
  // Gray levels of fewer than 8 bits are the indices of a palette of gray levels. The palette of an RGB picture is only a suggestion.
  const palette = channels === 1 ? (png.palette ?? (depth < 8 ? grayPalette(depth) : undefined)) : undefined;
  const colors = palette
    ? decoded(name, isFile, () => convertIndexedToRgb({ ...png, palette }))
    : (data as Uint8Array);
  const stored = colors.length / size;
  const isOpaque =
    stored === 2 || stored === 4
      ? !hasTransparentPixel(colors, stored)
      : !transparency?.length || !hasColor(colors, transparentColor(transparency, depth));
  if (!isOpaque) {
    throw unsupported(
      "has transparent pixels",
      "an alpha channel below 255, or a transparent color",
      conversionHint("Put it on a background", name, isFile, "-background white -flatten "),
    );
  }
  const kept = stored > 2 ? 3 : 1;
  return oriented(
    { shape: [height, width, kept], pixels: firstChannels(colors, stored, kept) },
    pngOrientation(bytes),
  );
}

/** The orientation of EXIF in the chunk eXIf of a PNG file, from 1 to 8. 1 if there is none. */
function pngOrientation(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Each chunk has its length, its type, its data and a checksum.
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "eXIf") return exifOrientation(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return 1;
}

/** The gray levels, from 0 to 255, of pixels of `depth` bits. */
const grayPalette = (depth: number): [number][] =>
  Array.from({ length: 2 ** depth }, (_, level) => [(255 * level) / (2 ** depth - 1)]);

/** The one color of a PNG file without an alpha channel that is transparent, with channels from 0 to 255. */
const transparentColor = (transparency: Uint16Array, depth: number): number[] =>
  Array.from(transparency, (level) => (255 * level) / (2 ** depth - 1));

function hasColor(colors: Uint8Array, color: readonly number[]): boolean {
  for (let i = 0; i < colors.length; i += color.length)
    if (color.every((level, c) => colors[i + c] === level)) return true;
  return false;
}

async function decodeJpeg(bytes: Uint8Array, name: string, isFile: boolean): Promise<Picture> {
  const { decode } = await loadJpeg();
  const { components, isRgb, orientation } = jpegHeader(bytes);
  const { width, height, data } = decoded(name, isFile, () =>
    decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      ...(isRgb && { colorTransform: false }),
    }),
  );
  const channels = components === 1 ? 1 : 3;
  return oriented(
    { shape: [height, width, channels], pixels: firstChannels(data, 3, channels) },
    orientation,
  );
}

/** What is read from the header of a JPEG file. */
interface JpegHeader {
  /** The number of components in the frame header, 1 for gray. */
  readonly components: number;
  /**
   * Whether three components are red, green and blue, by the rules of libjpeg: a JFIF file has luma and chroma; otherwise the marker of Adobe
   * states the transform; otherwise the identifiers of the components are R, G and B.
   */
  readonly isRgb: boolean;
  /** The orientation of EXIF, from 1 to 8. 1 if there is none. */
  readonly orientation: number;
}

function jpegHeader(bytes: Uint8Array): JpegHeader {
  const textAt = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
  let isJfif = false;
  let adobeTransform: number | undefined;
  let orientation = 1;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    if (marker === 0xe0 && textAt(at + 4, 4) === "JFIF") isJfif = true;
    if (marker === 0xee && textAt(at + 4, 5) === "Adobe") adobeTransform = bytes[at + 15];
    if (marker === 0xe1 && textAt(at + 4, 6) === "Exif\0\0")
      orientation = exifOrientation(bytes.subarray(at + 10));
    // The markers C0 to CF are those of frame headers, except for C4, C8 and CC.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const components = bytes[at + 9]!;
      const identifiers = [10, 13, 16].map((offset) => textAt(at + offset, 1)).join("");
      const isRgb = !isJfif && (adobeTransform === undefined ? identifiers === "RGB" : adobeTransform === 0);
      return { components, isRgb: components === 3 && isRgb, orientation };
    }
    at += marker === 0xff ? 1 : 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return { components: 3, isRgb: false, orientation };
}

/** The tag of the orientation in the first directory of EXIF, which is in the format of TIFF. */
const ORIENTATION_TAG = 0x0112;
/** The bytes of an entry of a TIFF directory. */
const ENTRY_SIZE = 12;

/** The orientation that EXIF states, from 1 to 8; 1 if it states none. */
function exifOrientation(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittleEndian = tiff[0] === 0x49;
  const numberAt = (at: number) => (at + 2 <= view.byteLength ? view.getUint16(at, isLittleEndian) : 0);
  const directory = view.byteLength >= 8 ? view.getUint32(4, isLittleEndian) : 0;
  const entries = numberAt(directory);
  for (let entry = directory + 2; entry < directory + 2 + entries * ENTRY_SIZE; entry += ENTRY_SIZE) {
    if (numberAt(entry) !== ORIENTATION_TAG) continue;
    const orientation = numberAt(entry + 8);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/** The picture that viewers show for a stored picture with an orientation of EXIF. */
function oriented(stored: Picture, orientation: number): Picture {
  if (orientation === 1) return stored;
  const [height, width, channels] = stored.shape;
  // Orientations 5 to 8 exchange rows and columns. The others, and these afterwards, are reflected.
  const isTransposed = orientation >= 5;
  const [shownHeight, shownWidth] = isTransposed ? [width, height] : [height, width];
  const fromBottom = [3, 4, 7, 8].includes(orientation);
  const fromRight = [2, 3, 6, 7].includes(orientation);
  const pixels = new Uint8Array(stored.pixels.length);
  for (let row = 0, to = 0; row < shownHeight; row++) {
    for (let column = 0; column < shownWidth; column++, to += channels) {
      const [down, right] = [
        fromBottom ? shownHeight - 1 - row : row,
        fromRight ? shownWidth - 1 - column : column,
      ];
      const from = channels * (isTransposed ? right * width + down : down * width + right);
      for (let c = 0; c < channels; c++) pixels[to + c] = stored.pixels[from + c]!;
    }
  }
  return { shape: [shownHeight, shownWidth, channels], pixels };
}

/** The error for a picture of a different shape from `expected`, the shape of `other`. See `decodePicture` for `isFile`. */
export function otherShape(
  name: string,
  [height, width, channels]: ImageShape,
  expected: ImageShape,
  other: string,
  isFile = true,
): PushforwardError {
  const isSize = height !== expected[0] || width !== expected[1];
  const areChannels = channels !== expected[2];
  const convert = [
    ...(isSize ? [`-resize ${expected[1]}x${expected[0]}!`] : []),
    ...(areChannels ? [expected[2] === 1 ? "-colorspace gray" : "-type TrueColor"] : []),
  ].join(" ");
  const differences = [
    ...(isSize ? ["a different size"] : []),
    ...(areChannels ? ["different channels"] : []),
  ].join(" and ");
  return new PushforwardError("DATA", `${name} has ${differences} from ${other}`, {
    expected: `${shapeText(expected)} (height, width, channels)`,
    received: shapeText([height, width, channels]),
    hint: isFile
      ? `Convert copies of the pictures to one form, for example by ImageMagick: mkdir converted && magick mogrify -path converted ${convert} ${shellQuoted(dirname(name))}/*${extname(name)}`
      : "Convert the pictures to one form, and write the table again.",
  });
}

function decoded<T>(name: string, isFile: boolean, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const { message } = cause as Error;
    if (/maxResolutionInMP|maxMemoryUsageInMB/.test(message)) {
      throw new PushforwardError("FILE", `${name} is too large to be decoded`, {
        hint: conversionHint("Make it smaller", name, isFile, "-resize 1024x1024 "),
        cause,
      });
    }
    // Decoders read damaged data as far as they can, until they fail somewhere.
    const reason = /^CRC/.test(message) ? "a checksum does not match its data" : "its data are not valid";
    throw new PushforwardError("FILE", `${name} is damaged: ${reason}`, { hint: rewriteHint(isFile), cause });
  }
}

const hasTransparentPixel = (colors: Uint8Array, channels: number): boolean => {
  for (let i = channels - 1; i < colors.length; i += channels) if (colors[i] !== 255) return true;
  return false;
};

/** The first `kept` of `channels` numbers of each pixel. */
function firstChannels(colors: Uint8Array, channels: number, kept: number): Uint8Array {
  if (channels === kept) return colors;
  const pixels = new Uint8Array((colors.length / channels) * kept);
  for (let i = 0, k = 0; k < pixels.length; i += channels)
    for (let c = 0; c < kept; c++) pixels[k++] = colors[i + c]!;
  return pixels;
}

/** Throws `ARGUMENT` unless images of this shape can be pictures: they need one channel, or three. */
export function checkPictureShape([, , channels]: ImageShape): void {
  if (channels === 1 || channels === 3) return;
  throw new PushforwardError("ARGUMENT", `Images with ${channels} channels cannot be written as pictures`, {
    expected: "one channel, which is gray, or three: red, green and blue",
    hint: "In TypeScript, ImageModel.sample returns the pixels of any number of channels.",
  });
}

/**
 * Encodes a picture as PNG. Throws `ARGUMENT` unless it has one channel or three and a number for each channel of each pixel, and `DEPENDENCY`
 * if the encoder is not installed.
 */
export async function encodePng({ shape, pixels }: Picture): Promise<Uint8Array> {
  checkPictureShape(shape);
  const [height, width, channels] = shape;
  if (pixels.length !== imageSize(shape)) {
    throw new PushforwardError(
      "ARGUMENT",
      `the number of pixels does not match the shape ${shape.join(" x ")}`,
      {
        expected: `${imageSize(shape)} numbers`,
        received: `${pixels.length}`,
      },
    );
  }
  const { encode } = await loadPng();
  return encode({ width, height, channels, depth: 8, data: pixels });
}
