import { expect, test } from "vitest";
import { replaceSection } from "../../../bench/papers/results.ts";

const before = "# Papers\n\nAll of them.\n\n## adbench\n\nold\n\n### part\n\n## toys\n\ntoys' text\n";

test("only the section with the name is replaced", () => {
  expect(replaceSection(before, "adbench", "new\n")).toBe(
    "# Papers\n\nAll of them.\n\n## adbench\n\nnew\n\n## toys\n\ntoys' text\n",
  );
  expect(replaceSection(before, "toys", "### part\n\nnew")).toBe(
    "# Papers\n\nAll of them.\n\n## adbench\n\nold\n\n### part\n\n## toys\n\n### part\n\nnew\n",
  );
});

test("a new section is inserted in alphabetical order", () => {
  const after = replaceSection(before, "earth", "new");
  expect(Array.from(after.matchAll(/^## (.*)$/gm), ([, name]) => name)).toEqual(["adbench", "earth", "toys"]);
  expect(replaceSection("# Papers\n", "earth", "new")).toBe("# Papers\n\n## earth\n\nnew\n");
});

test("replacing a section by itself changes nothing", () => {
  const once = replaceSection(before, "earth", "new");
  expect(replaceSection(once, "earth", "new")).toBe(once);
});
