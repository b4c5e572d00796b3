import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ALLOWED_LICENCES, allLicences, licencesIn, licencesPage } from "../../scripts/licencesPage.ts";
import { root } from "./packed.ts";

test("every package has licences that allow its use in any program", () => {
  const others = Array.from(allLicences()).filter(
    ([, expression]) => !licencesIn(expression).every((licence) => ALLOWED_LICENCES.has(licence)),
  );
  expect(others).toEqual([]);
});

test("docs/licences.md, which npm run licences writes, is up to date", () => {
  expect(readFileSync(join(root, "docs/licences.md"), "utf8")).toBe(licencesPage());
});
