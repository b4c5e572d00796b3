import { PushforwardError } from "../errors.ts";
import { type ImageShape, imageSize } from "../nn/image.ts";
import { IMAGES, importOptional } from "../optionalPackages.ts";

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
 * Decodes PNG or JPEG with 8 bits per channel. A palette is converted to red, green and blue, and an alpha channel without transparent
 * pixels is removed.
 *
 * @throws FILE, with `name`, for other formats, 16 bits, transparent pixels and damaged bytes; DEPENDENCY if a decoder is not
 *   installed.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Picture> {
  if (isPng(bytes)) return decodePng(bytes, name);
  if (isJpeg(bytes)) return decodeJpeg(bytes, name);
  throw new PushforwardError("FILE", `${name} is not a picture that can be read`, {
    expected: "PNG or JPEG",
    received: bytes.length === 0 ? "an empty file" : "another format",
    hint: `Convert it, for example by ImageMagick: magick ${name} picture.png`,
  });
}

async function decodePng(bytes: Uint8Array, name: string): Promise<Picture> {
  const { decode, convertIndexedToRgb } = await loadPng();
  const png = decoded(name, () => decode(bytes, { checkCrc: true }));
  const { width, height, depth, data, palette, transparency } = png;
  const unsupported = (what: string, received: string, hint: string) =>
    new PushforwardError("FILE", `${name} ${what}`, {
      expected: "8 bits per channel, opaque",
      received,
      hint,
    });
  if (depth !== 8 && !palette) {
    throw unsupported(
      `has ${depth} ${depth === 1 ? "bit" : "bits"} per channel`,
      `${depth} bits`,
      `Convert it, for example by ImageMagick: magick ${name} -depth 8 picture.png`,
    );
  }
  const size = width * height;
  const colors = palette ? decoded(name, () => convertIndexedToRgb(png)) : (data as Uint8Array);
  const stored = colors.length / size;
  const isOpaque =
    stored === 2 || stored === 4 ? !hasTransparentPixel(colors, stored) : !transparency?.length;
  if (!isOpaque) {
    throw unsupported(
      "has transparent pixels",
      "an alpha channel below 255",
      `Put it on a background, for example by ImageMagick: magick ${name} -background white -flatten picture.png`,
    );
  }
  const kept = stored > 2 ? 3 : 1;
  return { shape: [height, width, kept], pixels: firstChannels(colors, stored, kept) };
}

async function decodeJpeg(bytes: Uint8Array, name: string): Promise<Picture> {
  const { decode } = await loadJpeg();
  const { width, height, data } = decoded(name, () =>
    decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false }),
  );
  const channels = jpegComponents(bytes) === 1 ? 1 : 3;
  return { shape: [height, width, channels], pixels: firstChannels(data, 3, channels) };
}

/** The number of components in the frame header of a JPEG file: 1 for gray. */
function jpegComponents(bytes: Uint8Array): number {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    // The markers C0 to CF are those of frame headers, except for C4, C8 and CC.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return bytes[at + 9]!;
    at += marker === 0xff ? 1 : 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return 3;
}

function decoded<T>(name: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const reason = (cause as Error).message.replace(/[.:]$/, "");
    throw new PushforwardError("FILE", `${name} is damaged: ${reason}`, {
      hint: "Remove the file, or write it again.",
      cause,
    });
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
    throw new PushforwardError("ARGUMENT", `a picture of ${shape.join(" x ")} has not all its pixels`, {
      expected: `${imageSize(shape)} numbers`,
      received: `${pixels.length}`,
    });
  }
  const { encode } = await loadPng();
  return encode({ width, height, channels, depth: 8, data: pixels });
}
