import { expect, test } from "vitest";
import { classDirectories } from "../../src/cli/classDirectories.ts";

test("a class has a directory of its name, if a file can have this name", () => {
  const names = ["#9", "one & two", "a,b", "é", "a:b"];
  expect(classDirectories(names, "linux")).toEqual(names);
  expect(classDirectories(["a:b", "c.", "A", "a"], "win32")).toEqual(["a_b", "c_", "A", "a_2"]);
});

test("two classes never have the same directory", () => {
  expect(classDirectories(["a/b", "a_b", "a\0b", ".", "..", ".x", ""], "linux")).toEqual([
    "a_b_2",
    "a_b",
    "a_b_3",
    "_",
    "__2",
    "_x",
    "__3",
  ]);
});
