import { promises as fs, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { describe, expect, test, vi } from "vitest";
import { skippedFilesText } from "../../src/images/files/imageSet.ts";
import { imageRows } from "../../src/images/files/index.ts";
import { openImages } from "../../src/open/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { pixelsOf, png, pngChunk, somePixels } from "./files.ts";

const { path, write, failure } = temporaryDirectory();

/** A directory of pictures, by their names in it. */
function directory(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(path(`${name}/${file}`).replace(/\/[^/]*$/, ""), { recursive: true });
    writeFileSync(path(`${name}/${file}`), bytes);
  }
  return path(name);
}

describe("directories of pictures", () => {
  test("are read in the order of their paths, and sub-directories are classes", async () => {
    const pixels = somePixels(3);
    const image = (i: number) => png(pixels.subarray(24 * i, 24 * i + 24));
    const root = directory("classes", {
      "cat/2.png": image(1),
      "cat/1.PNG": image(0),
      "dog/deep/3.png": image(2),
      "notes.txt": Buffer.from("x"),
      ".ipynb_checkpoints/1.png": image(0),
      "cat/.hidden/1.png": image(0),
    });
    const images = await openImages(root);
    expect(images.files?.map((file) => file.replace(`${root}/`, ""))).toEqual([
      "cat/1.PNG",
      "cat/2.png",
      "dog/deep/3.png",
    ]);
    expect(images.classes).toEqual({ names: ["cat", "dog"], indices: Int32Array.of(0, 0, 1) });
    expect(await pixelsOf(images)).toEqual([...pixels]);
  });

  test("are read through links, also if all classes are links, and a link to a parent is not followed", async () => {
    const pixels = somePixels(2);
    const [a, b] = [png(pixels.subarray(0, 24)), png(pixels.subarray(24))];
    directory("linked", { "cat/1.png": a, "dog/1.png": b });
    mkdirSync(path("links"));
    for (const name of ["cat", "dog"]) symlinkSync(`../linked/${name}`, path(`links/${name}`));
    symlinkSync("..", path("linked/dog/up"));
    const images = await openImages(path("links"));
    expect(images.classes).toEqual({ names: ["cat", "dog"], indices: Int32Array.of(0, 1, 1) });
    expect(images.files?.map((file) => file.replace(path("links/"), ""))).toEqual([
      "cat/1.png",
      "dog/1.png",
      "dog/up/cat/1.png",
    ]);
  });

  test("may have more pictures than a function can have arguments", async () => {
    const root = directory("countless", { "0.png": png(somePixels(1)) });
    const entry = (name: string) => ({ name, isSymbolicLink: () => false, isDirectory: () => false });
    const entries = Array.from({ length: 300_000 }, (_, i) => entry(`${i >> 1}.${i % 2 ? "png" : "gif"}`));
    const readdir = vi.spyOn(fs, "readdir").mockResolvedValueOnce(entries as never);
    syncBuiltinESMExports();
    const images = await openImages(root).finally(() => {
      readdir.mockRestore();
      syncBuiltinESMExports();
    });
    expect([images.count, images.skippedFiles?.length]).toEqual([150_000, 150_000]);
  });

  test("say which pictures they do not read", async () => {
    const [picture, other] = [png(somePixels(1)), Buffer.from("")];
    const none = await openImages(directory("png", { "a.png": picture }));
    expect(skippedFilesText(none)).toBeUndefined();
    const mixed = { "a.png": picture, "b/1.gif": other, "c.BMP": other, "d.webp": other, "e.gif": other };
    const text = skippedFilesText(await openImages(directory("mixed", mixed)))!;
    expect(text.replaceAll(`${path("mixed")}/`, "")).toMatchInlineSnapshot(
      `"4 pictures in other formats were not read: b/1.gif, c.BMP, d.webp ..."`,
    );
  });

  test("opaque alpha channels and palettes become gray or colors", async () => {
    const gray = somePixels(1);
    const withAlpha = Uint8Array.from({ length: 48 }, (_, i) => (i % 2 === 0 ? gray[i / 2]! : 255));
    expect(await pixelsOf(await openImages(write("alpha.png", png(withAlpha, 2))))).toEqual([...gray]);
    const palette = [
      [1, 2, 3],
      [250, 130, 7],
    ];
    const indices = Uint8Array.from({ length: 24 }, (_, i) => i % 2);
    const indexed = encodePng({ width: 6, height: 4, channels: 1, depth: 8, data: indices, palette });
    const colors = await pixelsOf(await openImages(write("palette.png", indexed)));
    expect(colors.slice(0, 6)).toEqual(palette.flat());
  });

  test("JPEG is decoded, and gray JPEG has one channel", async () => {
    const data = new Uint8Array(4 * 16 * 16);
    data.forEach((_, i) => {
      data[i] = i % 4 === 0 ? 200 : i % 4 === 3 ? 255 : 40;
    });
    const { data: bytes } = jpeg.encode({ width: 16, height: 16, data }, 95);
    const images = await openImages(write("red.jpg", bytes));
    expect(images.shape).toEqual([16, 16, 3]);
    const [r, g, b] = await pixelsOf(images);
    expect(Math.max(Math.abs(r! - 200), Math.abs(g! - 40), Math.abs(b! - 40))).toBeLessThan(4);
  });

  test("PNG is rotated by its EXIF orientation", async () => {
    const plain = png(Uint8Array.from({ length: 24 }, (_, i) => i));
    // A big-endian TIFF directory of one entry: the orientation 6, a quarter turn clockwise.
    const exif = Buffer.from("4d4d002a000000080001011200030000000100060000", "hex");
    const end = plain.length - 12;
    const rotated = Buffer.concat([plain.subarray(0, end), pngChunk("eXIf", exif), plain.subarray(end)]);
    const images = await openImages(write("rotated.png", rotated));
    expect(images.shape).toEqual([6, 4, 1]);
    const expected = Array.from({ length: 24 }, (_, i) => 6 * (3 - (i % 4)) + Math.floor(i / 4));
    expect(await pixelsOf(images)).toEqual(expected);
  });

  test("errors name the file and say how to convert it", async () => {
    const all = async (root: string) => pixelsOf(await openImages(root));
    // The header of a JPEG of 12000 x 9000 pixels.
    const huge = Buffer.from("ffd8ffc000110823282ee003012200021101031101ffd9", "hex");
    expect(await failure(all(directory("huge", { "a.jpg": huge })))).toMatchInlineSnapshot(`
      "FILE huge/a.jpg is too large to be decoded.
      Make it smaller, for example by ImageMagick: magick huge/a.jpg -resize 1024x1024 picture.png"
    `);
    const image = png(somePixels(1));
    expect(await failure(all(directory("empty", { "a.txt": Buffer.from("") })))).toMatchInlineSnapshot(`
      "FILE empty has no pictures: expected files that end in .png, .jpg or .jpeg, also in sub-directories, received other files only.
      Give the directory of the pictures."
    `);
    const sixteen = png(new Uint16Array(24), 1, 16);
    expect(await failure(all(directory("deep", { "a.png": sixteen })))).toMatchInlineSnapshot(`
      "FILE deep/a.png has 16 bits per channel: expected 8 bits per channel, opaque, received 16 bits.
      Convert it, for example by ImageMagick: magick deep/a.png -depth 8 picture.png"
    `);
    const transparent = png(new Uint8Array(48).fill(128), 2);
    expect(await failure(all(directory("alpha", { "a.png": transparent })))).toMatchInlineSnapshot(`
      "FILE alpha/a.png has transparent pixels: expected 8 bits per channel, opaque, received an alpha channel below 255, or a transparent color.
      Put it on a background, for example by ImageMagick: magick alpha/a.png -background white -flatten picture.png"
    `);
    const larger = encodePng({ width: 5, height: 5, channels: 1, depth: 8, data: new Uint8Array(25) });
    expect(
      await failure(all(directory("sizes", { "a.png": image, "b.png": larger }))),
    ).toMatchInlineSnapshot(`
      "DATA sizes/b.png has a different size from sizes/a.png: expected 4 x 6 x 1 (height, width, channels), received 5 x 5 x 1.
      Convert copies of the pictures to one form, for example by ImageMagick: mkdir converted && magick mogrify -path converted -resize 6x4! sizes/*.png"
    `);
    const colors = png(somePixels(1, 3), 3);
    expect(
      await failure(all(directory("channels", { "a.png": image, "b.png": colors }))),
    ).toMatchInlineSnapshot(`
      "DATA channels/b.png has different channels from channels/a.png: expected 4 x 6 x 1 (height, width, channels), received 4 x 6 x 3.
      Convert copies of the pictures to one form, for example by ImageMagick: mkdir converted && magick mogrify -path converted -colorspace gray channels/*.png"
    `);
    const damaged = Uint8Array.from(image);
    damaged[damaged.length - 20]! ^= 0xff;
    expect(await failure(all(directory("damaged", { "a.png": damaged })))).toMatchInlineSnapshot(`
      "FILE damaged/a.png is damaged: a checksum does not match its data.
      Remove the file, or write it again."
    `);
    expect(await failure(all(directory("cut", { "a.png": image.subarray(0, 40) })))).toMatchInlineSnapshot(`
      "FILE cut/a.png is damaged: its data are not valid.
      Remove the file, or write it again."
    `);
    expect(
      await failure(all(directory("cut2", { "a.jpg": Uint8Array.of(0xff, 0xd8, 0xff, 0xe0) }))),
    ).toMatchInlineSnapshot(`
      "FILE cut2/a.jpg is damaged: its data are not valid.
      Remove the file, or write it again."
    `);
    expect(await failure(all(directory("gif", { "a.png": Buffer.from("GIF89a") })))).toMatchInlineSnapshot(`
      "FILE gif/a.png is not a picture that can be read: expected PNG or JPEG, received another format.
      Convert it, for example by ImageMagick: magick gif/a.png picture.png"
    `);
    expect(await failure(all(directory("none", { "5.png": Buffer.from("") })))).toMatchInlineSnapshot(`
      "FILE none/5.png is empty: expected PNG or JPEG.
      Remove the file, or write it again."
    `);
    const animation = { "a.gif": Buffer.from("GIF89a") };
    expect(await failure(all(directory("gifs", animation)))).toMatchInlineSnapshot(`
      "FILE gifs has no pictures: expected files that end in .png, .jpg or .jpeg, also in sub-directories, received files such as gifs/a.gif.
      Convert copies of them, for example by ImageMagick: mkdir converted && magick mogrify -path converted -format png gifs/*.gif"
    `);
    expect(await failure(all(path("gifs/a.gif")))).toMatchInlineSnapshot(`
      "FILE gifs/a.gif is not a picture that can be read: expected PNG or JPEG, received another format.
      Convert it, for example by ImageMagick: magick gifs/a.gif picture.png"
    `);
    expect(await failure(openImages(path("missing")))).toMatchInlineSnapshot(`
      "FILE There is no file missing.
      Check the path."
    `);
    symlinkSync("nowhere", path("dangling.png"));
    expect(await failure(openImages(path("dangling.png")))).toMatchInlineSnapshot(`
      "FILE There is no file dangling.png.
      It is a link to a file that does not exist."
    `);
    expect(await failure(openImages(path("sizes"), { shape: [4, 6, 3] }))).toMatchInlineSnapshot(`
      "DATA sizes/a.png has different channels from the option shape: expected 4 x 6 x 3 (height, width, channels), received 4 x 6 x 1.
      Convert copies of the pictures to one form, for example by ImageMagick: mkdir converted && magick mogrify -path converted -type TrueColor sizes/*.png"
    `);
  });

  test("errors for classes name the file that has none", async () => {
    const stray = directory("stray", { "a/1.png": png(somePixels(1)), "2.png": png(somePixels(1)) });
    const single = await openImages(path("stray/2.png"));
    expect(await failure(imageRows(single))).toMatchInlineSnapshot(`
      "DATA stray/2.png has only one image: expected at least two images, one to train on and one for validation.
      Give more images."
    `);
    const withClasses = async (...paths: string[]) => imageRows(await openImages(paths), { classes: true });
    expect(await failure(withClasses(stray))).toMatchInlineSnapshot(`
      "DATA The images of stray have no classes: expected one directory with a sub-directory for each class, received stray/2.png, which is in no sub-directory.
      Move each image into the sub-directory of its class, or learn without classes."
    `);
    expect(await failure(withClasses(path("stray/a"), path("sizes")))).toMatchInlineSnapshot(`
      "DATA The images of stray/a and 1 more have no classes: expected one directory with a sub-directory for each class.
      Move each image into the sub-directory of its class, or learn without classes."
    `);
    const images = { "a/1.png": png(somePixels(1)), "b/2.png": png(somePixels(1)) };
    const classes = directory("labelled", images);
    expect(await failure(withClasses(path("labelled/a"), path("labelled/b")))).toContain(
      "Give the directory that contains the sub-directories, labelled, or learn without classes.",
    );
    expect((await openImages(classes)).classes?.names).toEqual(["a", "b"]);
  });
});

test("a pattern stands for the files that match it", async () => {
  write("many-1.csv", Buffer.from("p0,p1\n0,1\n"));
  write("many-2.csv", Buffer.from("p0,p1\n2,3\n"));
  const tables = await openImages(path("many-*.csv"), { shape: [1, 2, 1] });
  expect(await pixelsOf(tables)).toEqual([0, 1, 2, 3]);
  const pixels = somePixels(1);
  directory("many", { "a.png": png(pixels), "b.png": png(pixels) });
  expect(await pixelsOf(await openImages(path("many/?.png")))).toEqual([...pixels, ...pixels]);
  expect(await failure(openImages(path("none-*.png")))).toMatchInlineSnapshot(`
    "FILE No file matches none-*.png.
    Check the pattern."
  `);
});
