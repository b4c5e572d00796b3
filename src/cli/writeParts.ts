import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkWritable, makeDirectory } from "../files/index.ts";
import type { Io } from "./io.ts";

/** The number of rows in a file. With 10 columns of numbers, a file has about 80 MB, so that readers can process several at a time. */
const ROWS_OF_PART = 1_000_000;

/**
 * Writes rows of `width` numbers to Parquet files in a directory: part-00000.parquet, part-00001.parquet and so on. `write` writes the
 * rows of one file. Finished files remain if reading the rows fails later. The parts of an earlier run are removed before the first part is
 * written: a reader of the directory would take them for rows of this one.
 */
export async function writeParts(
  chunks: AsyncIterable<Float64Array>,
  width: number,
  directory: string,
  write: (part: AsyncIterable<Float64Array>, path: string) => Promise<void>,
  {
    rowsOfPart = ROWS_OF_PART,
    onStopMessage,
  }: { readonly rowsOfPart?: number } & Pick<Io, "onStopMessage"> = {},
): Promise<void> {
  await makeDirectory(directory);
  const source = chunks[Symbol.asyncIterator]();
  const numbersOfPart = rowsOfPart * width;
  const pathOf = (n: number) => join(directory, `part-${String(n).padStart(5, "0")}.parquet`);
  try {
    await checkWritable(pathOf(0));
    let chunk = await nextChunk(source);
    for (const name of await readdir(directory))
      if (/^part-\d{5,}\.parquet$/.test(name)) await rm(join(directory, name));
    for (let n = 0; chunk; n++) {
      async function* part() {
        for (let missing = numbersOfPart; chunk && missing > 0; ) {
          const taken = chunk.subarray(0, missing);
          const remainder = chunk.subarray(taken.length);
          missing -= taken.length;
          yield taken;
          chunk = remainder.length > 0 ? remainder : await nextChunk(source);
        }
      }
      await write(part(), pathOf(n));
      onStopMessage?.({
        what: `Stopped; the files that were finished are in ${directory}`,
        hint: "Run the command again, which replaces them.",
      });
    }
  } finally {
    // If a part cannot be written, the source would not learn that nothing more is read.
    await source.return?.();
  }
}

/** The next chunk that is not empty; undefined at the end. */
async function nextChunk(source: AsyncIterator<Float64Array>): Promise<Float64Array | undefined> {
  for (let next = await source.next(); !next.done; next = await source.next())
    if (next.value.length > 0) return next.value;
  return undefined;
}
