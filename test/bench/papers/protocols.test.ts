import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { protocols } from "../../../bench/papers/protocols.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("protocols are in alphabetical order, and their names are unique", () => {
  const names = protocols.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
});

test("the error of an unknown protocol lists all names", () => {
  const command = ["--import", "tsx", "bench/papers.ts", "nonesuch"];
  const { stderr, status } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain(
    "Unknown protocol: received nonesuch, expected one of adbench, conditional, earth, energies, made-binary, mnist, orderings, rnade, toys.",
  );
});
