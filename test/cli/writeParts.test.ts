import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { StopMessage } from "../../src/cli/io.ts";
import { writeParts } from "../../src/cli/writeParts.ts";
import { correlated, quickModel, workplace } from "./command.ts";

const place = workplace();
const { path, write, pushforward } = place;

test("divides rows of chunks of any size into parts, in their order", async () => {
  async function* chunks() {
    for (const length of [2, 0, 10, 2, 8]) yield Float64Array.from({ length }, () => next++);
  }
  let next = 0;
  const parts: [name: string, numbers: number[]][] = [];
  const collect = async (part: AsyncIterable<Float64Array>, to: string) => {
    const numbers: number[] = [];
    for await (const chunk of part) numbers.push(...chunk);
    parts.push([to.slice(path("").length + 1), numbers]);
  };
  const messages: StopMessage[] = [];
  const onStopMessage = (message: StopMessage) => messages.push(message);
  await writeParts(chunks(), 2, path("parts"), collect, { rowsOfPart: 4, onStopMessage });
  expect(parts).toEqual([
    ["parts/part-00000.parquet", [0, 1, 2, 3, 4, 5, 6, 7]],
    ["parts/part-00001.parquet", [8, 9, 10, 11, 12, 13, 14, 15]],
    ["parts/part-00002.parquet", [16, 17, 18, 19, 20, 21]],
  ]);
  expect(messages).toHaveLength(3);
  expect(messages[0]!.what).toBe(`Stopped; the files that were finished are in ${path("parts")}`);
});

test("removes the parts of an earlier run before it writes the first one, and no other files", async () => {
  const names = [
    "part-00000.parquet",
    "part-00001.parquet",
    "part-00002.parquet",
    "part-x.parquet",
    "notes.txt",
  ];
  mkdirSync(path("earlier"));
  for (const name of names) write(`earlier/${name}`, "earlier");
  const seen: number[] = [];
  async function* chunks() {
    seen.push(readdirSync(path("earlier")).length);
    yield new Float64Array(6);
  }
  const collect = async (part: AsyncIterable<Float64Array>, to: string) => {
    for await (const _ of part);
    seen.push(readdirSync(path("earlier")).length);
    writeFileSync(to, "new");
  };
  await writeParts(chunks(), 1, path("earlier"), collect, { rowsOfPart: 4 });
  expect(readdirSync(path("earlier")).sort()).toEqual(
    names.filter((name) => name !== "part-00002.parquet").sort(),
  );
  expect(readFileSync(path("earlier/part-00001.parquet"), "utf8")).toBe("new");
  expect(seen).toEqual([5, 2, 3]);
});

test("ends its source if a part cannot be written", async () => {
  let isEnded = false;
  async function* chunks() {
    try {
      for (;;) yield new Float64Array(6);
    } finally {
      isEnded = true;
    }
  }
  const fail = async (part: AsyncIterable<Float64Array>) => {
    for await (const _ of part) throw new Error("no space left");
  };
  await expect(writeParts(chunks(), 1, path("full"), fail, { rowsOfPart: 4 })).rejects.toThrow(
    "no space left",
  );
  expect(isEnded).toBe(true);
});

test("sample writes rows to files in a directory", async () => {
  const model = await quickModel(place, write("data.csv", correlated(60)), "model");
  const { err } = await pushforward(["sample", model, "-n", "5", "-o", path("drawn/")]);
  expect(err).toBe("Wrote 5 rows to drawn/\n");
  expect(readdirSync(path("drawn"))).toEqual(["part-00000.parquet"]);
  await pushforward(["score", model, path("drawn/*.parquet"), "-o", path("drawn.csv")]);
  await pushforward(["sample", model, "-n", "5", "-o", path("new.parquet")]);
  await pushforward(["score", model, path("new.parquet"), "-o", path("new.csv")]);
  expect(readFileSync(path("drawn.csv"), "utf8")).toBe(readFileSync(path("new.csv"), "utf8"));
});
