import { mkdirSync, writeFileSync } from "node:fs";
import { encode } from "fast-png";
import { idx } from "../images/files.ts";
import type { workplace } from "./command.ts";

/** Options of `fit` that make the training of a Glow quick. */
export const SMALL_GLOW =
  "--flow glow --levels 1 --transforms 1 --hidden 4 --batch-size 16 --threads 1".split(" ");

export const COUNT = 40;
export const labelOf = (image: number): number => image % 2;

/** An image of 4 x 4 pixels: a bright half, on the left in class 0 and on the right in class 1, with noise below 8. */
export const image = (n: number): Uint8Array =>
  Uint8Array.from(
    { length: 16 },
    (_, i) => (((n * 16 + i) * 29) % 8) + ((i % 4 >= 2 ? 1 : 0) === labelOf(n) ? 240 : 8),
  );

/** Writes 40 images and their labels as idx files, and four of the images as files in directories of their classes. */
export function writeImages({ write, path }: Pick<ReturnType<typeof workplace>, "write" | "path">) {
  const all = Array.from({ length: COUNT }, (_, n) => n);
  for (const n of all.slice(0, 4)) {
    const folder = path(`photos/${labelOf(n) === 0 ? "left" : "right"}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/${n}.png`, encode({ width: 4, height: 4, channels: 1, data: image(n) }));
  }
  const pixels = Uint8Array.from(all.flatMap((n) => [...image(n)]));
  return {
    images: write("images.idx", idx([COUNT, 4, 4], pixels)),
    labels: write("labels.idx", idx([COUNT], Uint8Array.from(all.map(labelOf)))),
    directory: path("photos"),
  };
}
