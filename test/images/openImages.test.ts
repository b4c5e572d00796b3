import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { withReflections } from "../../src/images/files/imageRows.ts";
import { classesOf } from "../../src/images/files/imageSet.ts";
import { imageRows } from "../../src/images/files/index.ts";
import { openImages } from "../../src/open/index.ts";
import { Random } from "../../src/random/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { idx, idxGz, npy, pixelsOf, somePixels } from "./files.ts";

const { path, write, failure } = temporaryDirectory();

/** A zip archive as `numpy.savez` writes it, stored or deflated. With `zip64`, all numbers are written as if they were above 4 GB. */
function zip(entries: Readonly<Record<string, Buffer>>, deflated: boolean, zip64 = false): Buffer {
  const parts: Buffer[] = [];
  const directories: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const data = deflated ? deflateRawSync(content) : content;
    const sizes = Buffer.alloc(20);
    sizes.writeUInt16LE(deflated ? 8 : 0, 0);
    sizes.writeUInt32LE(data.length, 10);
    sizes.writeUInt32LE(content.length, 14);
    sizes.writeUInt16LE(name.length, 18);
    // The local header has an extra field that the directory does not have.
    const local = Buffer.concat([
      Buffer.from([0x50, 0x4b, 3, 4, 45, 0, 0, 0]),
      sizes,
      Buffer.from([4, 0]),
      Buffer.from(name),
      Buffer.alloc(4),
    ]);
    const end = Buffer.alloc(16);
    end.writeUInt32LE(offset, 12);
    const extra = zip64 ? extra64([content.length, data.length, offset]) : Buffer.alloc(0);
    if (zip64) {
      sizes.fill(0xff, 10, 18);
      end.writeUInt16LE(extra.length, 0);
      end.fill(0xff, 12, 16);
    }
    const start = Buffer.from([0x50, 0x4b, 1, 2, 45, 0, 45, 0, 0, 0]);
    directories.push(Buffer.concat([start, sizes, end, Buffer.from(name), extra]));
    parts.push(local, data);
    offset += local.length + data.length;
  }
  const list = Buffer.concat(directories);
  const last = Buffer.alloc(22);
  last.writeUInt32LE(0x06054b50, 0);
  if (zip64) {
    const end64 = Buffer.alloc(56 + 20);
    end64.writeUInt32LE(0x06064b50, 0);
    [directories.length, list.length, offset].forEach((value, i) => {
      end64.writeBigUInt64LE(BigInt(value), 32 + 8 * i);
    });
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(offset + list.length), 64);
    return Buffer.concat([...parts, list, end64, last.fill(0xff, 8, 20)]);
  }
  last.writeUInt16LE(directories.length, 10);
  last.writeUInt32LE(list.length, 12);
  last.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, last]);
}

/** Two extra fields of an entry: another one, then that of zip64. */
function extra64(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(6 + 4 + 8 * values.length);
  bytes.set([7, 0, 2, 0], 0);
  bytes.set([1, 0, 8 * values.length, 0], 6);
  values.forEach((value, i) => {
    bytes.writeBigUInt64LE(BigInt(value), 10 + 8 * i);
  });
  return bytes;
}

describe("images of arrays", () => {
  test("idx files are joined, with the labels of a file of labels", async () => {
    const pixels = somePixels(5);
    const images = await openImages([
      write("a.idx", idx([3, 4, 6], pixels.subarray(0, 72))),
      write("b.gz", idxGz([2, 4, 6], pixels.subarray(72))),
      write("labels.gz", idxGz([5], Uint8Array.of(10, 9, 9, 10, 2))),
    ]);
    expect(images.shape).toEqual([4, 6, 1]);
    expect(images.count).toBe(5);
    // Labels that are numbers are in the order of numbers, not of text.
    expect(images.classes).toEqual({ names: ["2", "9", "10"], indices: Int32Array.of(2, 1, 1, 2, 0) });
    expect(await pixelsOf(images)).toEqual([...pixels]);
  });

  test("NumPy arrays of any number type, and of archives, have the same pixels", async () => {
    const pixels = somePixels(2, 3);
    const floats = Buffer.from(Float32Array.from(pixels).buffer);
    const labels = Buffer.from(BigInt64Array.of(1n, 0n).buffer);
    const arrays = { "x.npy": npy("|u1", [2, 4, 6, 3], pixels), "y.npy": npy("<i8", [2], labels) };
    for (const file of [
      write("u1.npy", npy("|u1", [2, 4, 6, 3], pixels)),
      write("f4.npy", npy("<f4", [2, 4, 6, 3], floats)),
      write("stored.npz", zip(arrays, false)),
      write("deflated.npz", zip(arrays, true)),
      write("zip64.npz", zip(arrays, true, true)),
    ]) {
      const images = await openImages(file);
      expect(images.shape).toEqual([4, 6, 3]);
      expect(images.classes?.indices).toEqual(file.endsWith("npz") ? Int32Array.of(1, 0) : undefined);
      expect(await pixelsOf(images)).toEqual([...pixels]);
    }
  });

  test("there may be more labels than a function has arguments", async () => {
    const count = 200_000;
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
    const images = await openImages([
      write("many.idx", idx([count, 1, 1], labels)),
      write("many-labels.idx", idx([count], labels)),
    ]);
    expect(images.classes).toEqual({ names: ["0", "1", "2"], indices: Int32Array.from(labels) });
  });

  test.skipIf(!existsSync("/proc/self/fd"))(
    "compressed files are closed after their header is read",
    async () => {
      const noise = Buffer.from(new Random(0).uniform(new Float64Array(300_000)).buffer);
      const file = write("closed.gz", idxGz([100_000, 4, 6], noise));
      await openImages(file);
      const isOpen = (link: string) => {
        try {
          return readlinkSync(`/proc/self/fd/${link}`) === file;
        } catch {
          return false;
        }
      };
      await vi.waitUntil(() => !readdirSync("/proc/self/fd").some(isOpen));
    },
  );

  test("a flat array has the shape that is stated", async () => {
    const images = await openImages(write("flat.npy", npy("|u1", [2, 24], somePixels(2))), {
      shape: [4, 6, 1],
    });
    expect(images.count).toBe(2);
    expect(await pixelsOf(images)).toEqual([...somePixels(2)]);
  });

  test("an array of narrow images with many channels has the shape that is stated", async () => {
    const pixels = somePixels(16);
    const file = write("channels.npy", npy("|u1", [2, 4, 6, 8], pixels));
    expect(await failure(openImages(file))).toMatch(/Put the channels last/);
    const images = await openImages(file, { shape: [4, 6, 8] });
    expect(images.shape).toEqual([4, 6, 8]);
    expect(await pixelsOf(images)).toEqual([...pixels]);
  });

  test("labels that are text are an error only if they are read", async () => {
    const pixels = somePixels(2);
    const y = npy("<U3", [2], Buffer.alloc(24));
    const file = write("names.npz", zip({ "x.npy": npy("|u1", [2, 4, 6], pixels), "y.npy": y }, true));
    expect(await pixelsOf(await openImages(file, { classes: false }))).toEqual([...pixels]);
    expect(await failure(openImages(file))).toMatchInlineSnapshot(`
      "DATA array y in names.npz has labels that are text: expected labels that are integers.
      Save the number of each label: np.unique(y, return_inverse=True)[1]"
    `);
    expect(await failure(openImages(write("no-images.npy", y)))).toMatch(/has no images/);
  });

  test("labels may be a column, but not a column for each class", async () => {
    const x = npy("|u1", [3, 4, 6], somePixels(3));
    const column = npy("|u1", [3, 1], Uint8Array.of(7, 0, 7));
    const oneHot = npy("|u1", [3, 2], Uint8Array.of(1, 0, 0, 1, 1, 0));
    for (const files of [
      [write("x.npy", x), write("column.npy", column)],
      [write("column.npz", zip({ "x.npy": x, "y.npy": column }, false))],
    ])
      expect((await openImages(files)).classes?.names).toEqual(["0", "7"]);
    expect(
      await failure(openImages(write("hot.npz", zip({ "y.npy": oneHot, "x.npy": x }, false)))),
    ).toMatchInlineSnapshot(`
      "DATA array y in hot.npz has neither images nor one label for each image: expected labels of shape [images], received [3, 2].
      If it has one column for each class, save y.argmax(1) instead."
    `);
  });

  test("a single image is not a list of images", async () => {
    const single = write("single.npy", npy("|u1", [4, 6], somePixels(1)));
    expect(await failure(openImages(single))).toMatch(/one image, save it as one of a list: x\[None\]$/);
    expect(await failure(openImages(single, { shape: [4, 6, 1] }))).toMatch(/x\[None\]$/);
  });

  test("errors say what is wrong, in which file, and what to do", async () => {
    const all = async (file: string, options = {}) => {
      const images = await openImages(file, options);
      return pixelsOf(images);
    };
    const pixels = somePixels(2);
    expect(await failure(all(write("short.idx", idx([3, 4, 6], pixels))))).toMatchInlineSnapshot(`
      "FILE short.idx is damaged: the file ends too early.
      Download or write the file again."
    `);
    expect(await failure(all(write("long.idx", idx([1, 4, 6], pixels))))).toMatchInlineSnapshot(`
      "FILE long.idx is damaged: the file is longer than its header says.
      Download or write the file again."
    `);
    expect(await failure(all(write("only.idx", idx([2], pixels.subarray(0, 2)))))).toMatchInlineSnapshot(`
      "DATA only.idx has no images: expected an array of shape [images, height, width] or [images, height, width, channels], received only.idx of shape [2].
      Give the file of the images, too."
    `);
    const damaged = idxGz([2, 4, 6], pixels);
    damaged.fill(0xff, 30, 40);
    expect(await failure(all(write("damaged.gz", damaged)))).toMatchInlineSnapshot(`
      "FILE damaged.gz is a damaged gzip file (incorrect data check).
      Copy or compress it again."
    `);
    const floats = idx([1, 4, 6], pixels);
    floats[2] = 13;
    expect(await failure(all(write("floats.idx", floats)))).toMatchInlineSnapshot(`
      "FILE floats.idx has numbers that are not pixels: expected unsigned bytes, received 32-bit floating-point numbers.
      Write the images as unsigned bytes."
    `);
    expect(await failure(all(write("flat2.npy", npy("|u1", [2, 24], pixels))))).toMatchInlineSnapshot(`
      "DATA flat2.npy has a wrong shape for images: expected [images, height, width] or [images, height, width, channels], received [2, 24].
      State height, width and channels: shape: [28, 28, 1]. If it is one image, save it as one of a list: x[None]"
    `);
    expect(
      await failure(all(write("first.npy", npy("|u1", [1, 3, 4, 6], somePixels(3))))),
    ).toMatchInlineSnapshot(`
      "DATA first.npy has a wrong shape for images: expected [images, height, width] or [images, height, width, channels], received [1, 3, 4, 6].
      Put the channels last: x.transpose(0, 2, 3, 1)"
    `);
    expect(
      await failure(all(write("fortran.npy", npy("|u1", [2, 4, 6], pixels, "True")))),
    ).toMatchInlineSnapshot(`
      "FILE fortran.npy is in Fortran order: expected an array in C order.
      Save it by np.save(path, np.ascontiguousarray(x))."
    `);
    const halves = Buffer.from(new Float32Array(24).fill(0.5).buffer);
    expect(await failure(all(write("halves.npy", npy("<f4", [1, 4, 6], halves))))).toMatchInlineSnapshot(`
      "DATA Image 0 of halves.npy has the value 0.5: expected integers from 0 to 255.
      If the values are from 0 to 1, multiply them by 255: np.round(255 * x).astype(np.uint8)"
    `);
    const hintOf = async (numbers: number[]) => {
      const bytes = Buffer.from(Float32Array.from({ length: 24 }, (_, i) => numbers[i] ?? 0).buffer);
      return (await failure(all(write("values.npy", npy("<f4", [1, 4, 6], bytes))))).split("\n");
    };
    expect((await hintOf([-1, 0.5, 1]))[1]).toMatchInlineSnapshot(
      `"If the values are from -1 to 1, shift and scale them: np.round(127.5 * (x + 1)).astype(np.uint8)"`,
    );
    expect((await hintOf([200, 3.5]))[1]).toMatchInlineSnapshot(
      `"Round the values: np.round(x).astype(np.uint8)"`,
    );
    // Neither a cast to 8 bits nor a factor is right for values whose range is unknown.
    for (const numbers of [[-5, 200], [585]])
      expect((await hintOf(numbers))[1]).toBe("Scale the values to this range, and round them.");
    expect(await hintOf([Number.NaN])).toMatchInlineSnapshot(`
      [
        "DATA Image 0 of values.npy has the value NaN: expected integers from 0 to 255.",
        "Replace the value, or leave the image out.",
      ]
    `);
    const labels = Buffer.from(Float32Array.of(1, Number.NaN).buffer);
    const labeled = [
      write("im.npy", npy("|u1", [2, 4, 6], pixels)),
      write("nan.npy", npy("<f4", [2], labels)),
    ];
    expect(await failure(openImages(labeled))).toMatchInlineSnapshot(`
      "DATA nan.npy has the label NaN for image 1: expected a number.
      Leave such images out of both arrays."
    `);
    expect((await openImages(labeled, { classes: false })).classes).toBeUndefined();
    expect(await failure(openImages([]))).toMatchInlineSnapshot(
      `"ARGUMENT Images cannot be read from an empty list: expected a path."`,
    );
    expect(await failure(openImages(""))).toMatchInlineSnapshot(`
      "FILE There is no file "".
      Check the path."
    `);
    const two = { "a.npy": npy("|u1", [2, 4, 6], pixels), "b.npy": npy("|u1", [2, 4, 6], pixels) };
    expect(await failure(all(write("two.npz", zip(two, false))))).toMatchInlineSnapshot(`
      "DATA two.npz has several arrays that may be images: expected one array of images, and at most one of labels, received a, b.
      Save them in files of their own: np.savez('images.npz', images=x, labels=y)"
    `);
    expect(await failure(all(write("text.npz", Buffer.from("no archive"))))).toMatchInlineSnapshot(`
      "FILE text.npz cannot be read as an archive of arrays: expected a file that numpy.savez wrote, received no zip archive.
      Save the arrays again, or each by np.save."
    `);
    // The size of the directory is almost 4 GB, in a file of 22 bytes.
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt32LE(0xfffffff0, 12);
    expect(await failure(all(write("end.npz", end)))).toMatchInlineSnapshot(`
      "FILE end.npz cannot be read as an archive of arrays: expected a file that numpy.savez wrote, received a damaged directory.
      Save the arrays again, or each by np.save."
    `);
    expect(
      await failure(openImages(write("scalar.npy", npy("|u1", [], Uint8Array.of(7))))),
    ).toMatchInlineSnapshot(`
      "DATA scalar.npy has a wrong shape for images: expected [images, height, width] or [images, height, width, channels], received [].
      Save one array with three or four axes."
    `);
    expect(
      await failure(openImages([path("a.idx"), path("text.npz"), write("t.csv", Buffer.from("a\n1\n"))])),
    ).toMatchInlineSnapshot(`
      "ARGUMENT Images cannot be read from files of different formats: expected directories and pictures, or arrays, or tables, received a.idx, text.npz, t.csv.
      Give files of one format."
    `);
  });
});

test("the arguments of openImages are checked before files are read", async () => {
  const file = write("any.npy", npy("|u1", [2, 24], somePixels(2)));
  for (const shape of [[-4, -6, 1], [4, 6], "4x6x1"])
    expect(await failure(openImages(file, { shape: shape as never }))).toMatch(
      /^ARGUMENT the option shape of openImages is not valid/,
    );
  expect(await failure(openImages(5 as never))).toMatchInlineSnapshot(
    `"ARGUMENT the first argument of openImages is not valid: expected a path, or a list of paths, received 5."`,
  );
});

describe("rows of images", () => {
  test("are the same in memory and as a stream, with classes as the context", async () => {
    const files = [
      write("r.idx", idx([4, 4, 6], somePixels(4))),
      write("l.idx", idx([4], Uint8Array.of(1, 0, 0, 1))),
    ];
    const inMemory = await imageRows(await openImages(files), { classes: true });
    const streamed = await imageRows(await openImages(files), { classes: true, maxNumbersInMemory: 0 });
    expect([...inMemory.sample.values]).toEqual([...somePixels(4)]);
    expect(streamed.sample.values).toEqual(inMemory.sample.values);
    expect([...streamed.sample.context]).toEqual([1, 0, 0, 1]);
  });

  test("reflections follow the images, and a reflected reflection is the image", async () => {
    const images = await openImages(write("c.npy", npy("|u1", [2, 4, 6, 3], somePixels(2, 3))));
    const rows = await imageRows(images);
    const once = (await withReflections(rows, images.shape)).sample;
    expect(once.rows).toBe(4);
    const [first, reflected] = [once.values.subarray(0, 144), once.values.subarray(144)];
    // The last pixel of the first line, with its three channels, comes first.
    expect([...reflected.subarray(0, 3)]).toEqual([...first.subarray(15, 18)]);
    const twice = await withReflections(rows.sample.with({ values: reflected.slice() }), images.shape);
    expect(twice.sample.values.subarray(144)).toEqual(first);
    expect(await failure(withReflections(rows, [4, 6, 1]))).toMatchInlineSnapshot(`
      "SHAPE the rows of withReflections are not images of its shape: expected 24 numbers per row for 4 x 6 x 1, received 72.
      Give the shape of the image set."
    `);
  });

  test("a pixel above the stated number of values is an error", async () => {
    const images = await openImages(write("v.idx", idx([2, 4, 6], somePixels(2))));
    expect(await failure(imageRows(images, { values: 16 }))).toMatchInlineSnapshot(`
      "DATA Image 0 of v.idx has the pixel value 37: expected integers from 0 to 15.
      Fit the model with 256 values of a pixel, the default (--values 256, or the option values)."
    `);
    expect(await failure(imageRows(images, { classes: true }))).toMatchInlineSnapshot(`
      "DATA The images of v.idx have no classes: expected a file or an array of labels, or a column named label or class.
      Give the labels too, or learn without classes."
    `);
  });
});

test("orders classes as numbers, or as text with numbers", () => {
  expect(classesOf(["10", "-1", "9"]).names).toEqual(["-1", "9", "10"]);
  expect(classesOf(["p_10", "p_2", "Other", "p_2"])).toEqual({
    names: ["Other", "p_2", "p_10"],
    indices: Int32Array.of(2, 1, 0, 1),
  });
});
