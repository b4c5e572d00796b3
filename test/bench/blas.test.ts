import { expect, test } from "vitest";
import { chosenBlas } from "../../bench/speed/blas.ts";

test("chosenBlas returns the selected alternative, not the recommended one", () => {
  const query = [
    "Name: libblas.so.3-x86_64-linux-gnu",
    "Link: /usr/lib/x86_64-linux-gnu/libblas.so.3",
    "Status: manual",
    "Best: /usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3",
    "Value: /usr/lib/x86_64-linux-gnu/blas/libblas.so.3",
    "",
    "Alternative: /usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3",
    "Priority: 95",
  ].join("\n");
  expect(chosenBlas(query)).toBe("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3");
  expect(chosenBlas("")).toBeUndefined();
});
