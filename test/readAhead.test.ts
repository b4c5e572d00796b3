import { expect, it } from "vitest";
import { readAhead } from "../src/dataset/readAhead.ts";

it("asks for the next item while one is in use, and for no more", async () => {
  const log: string[] = [];
  async function* items() {
    for (const name of ["a", "b", "c"]) {
      log.push(`make ${name}`);
      yield name;
    }
  }
  for await (const item of readAhead(items())) {
    await Promise.resolve();
    log.push(`use ${item}`);
  }
  expect(log).toEqual(["make a", "make b", "use a", "make c", "use b", "use c"]);
});

it("gives the items before a failure, then the failure", async () => {
  const used: number[] = [];
  function* items() {
    yield 1;
    yield 2;
    throw new Error("no third");
  }
  const use = async () => {
    for await (const item of readAhead(items())) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      used.push(item);
    }
  };
  await expect(use()).rejects.toThrow("no third");
  expect(used).toEqual([1, 2]);
});

it("lets its source clean up when it is left early", async () => {
  let clean = false;
  async function* items() {
    try {
      while (true) yield 0;
    } finally {
      clean = true;
    }
  }
  for await (const _ of readAhead(items())) break;
  expect(clean).toBe(true);
});
