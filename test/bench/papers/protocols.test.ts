import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { protocols } from "../../../bench/papers/protocols.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("protocols are by the alphabet, each with a name of its own", () => {
  const names = protocols.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
});

test("an unknown protocol is answered with the names of all", () => {
  const command = ["--import", "tsx", "bench/papers.ts", "nonesuch"];
  const { stderr, status } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain(
    "Which protocol? Received nonesuch; there are adbench, conditional, earth, energies, made-binary, mnist, orderings, rnade, toys.",
  );
});
