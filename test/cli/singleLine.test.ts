import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { escapeControls, singleLine } from "../../src/cli/format.ts";
import { correlated, quickModel, workplace } from "./command.ts";

const here = workplace();
const { write, pushforward, failure } = here;
const RED = "\u001B[31m";

it("shows control characters as escapes, in one line", () => {
  expect(singleLine(`a${RED}b\rc\u0007\u009B2J\u202Ed`)).toBe("a\\x1b[31mb\\x0dc\\x07\\x9b2J\\u202ed");
  expect(singleLine("first\n   second \n")).toBe("first second");
  expect(singleLine("größer, 中文, 🙂\tx")).toBe("größer, 中文, 🙂\tx");
  expect(escapeControls(`a\n${RED}b`)).toBe("a\n\\x1b[31mb");
});

it("omits the middle of a very long text", () => {
  expect(singleLine("x".repeat(100_000)).length).toBeLessThan(5000);
  expect(singleLine(`${"a".repeat(9)}${"b".repeat(9)}`, 13)).toBe("aaaa ... bbbb");
  expect(singleLine("🙂".repeat(13), 13)).toBe("🙂".repeat(13));
  expect(singleLine("🙂".repeat(14), 13)).toBe("🙂🙂🙂🙂 ... 🙂🙂🙂🙂");
});

it("escapes control characters in names from tables, models and command lines", async () => {
  const data = write("raw.csv", correlated(300).replace("a,b", `a${RED},b`));
  const model = await quickModel(here, data, `raw${RED}`);
  const other = write("other.csv", correlated(300).replace("a,b", `a${RED}2,b`));
  const outputs = [
    await failure("evaluate", model, other),
    await failure("evaluate", model, `no${RED}.csv`),
    await failure("fit", data, `--${RED}`),
    await failure(RED),
    ...Object.values(await pushforward(["inspect", model])),
    ...Object.values(await pushforward(["score", model, data, "-o", here.path(`s${RED}.csv`)])),
    ...Object.values(await pushforward(["fit", data, "-o", model, "--epochs", "1", "--flow", "maf"])),
  ];
  for (const text of outputs) expect(`${text}`).not.toContain("\u001B");
  expect(outputs.join()).toContain("a\\x1b[31m");
  expect(readFileSync(here.path(`s${RED}.csv`), "utf8")).toContain(`a${RED}`);
});
