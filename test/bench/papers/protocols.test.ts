import { expect, test } from "vitest";
import { protocolNamed, protocols } from "../../../bench/papers/protocols.ts";

test("protocols are in alphabetical order, and their names are unique", () => {
  const names = protocols.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
});

test("the names that a protocol can be limited to are unique", () => {
  for (const { names } of protocols) {
    expect(names.length).toBeGreaterThan(1);
    expect(names).toEqual([...new Set(names)]);
  }
});

test("the error of an unknown protocol lists all names", () => {
  expect(() => protocolNamed("nonesuch")).toThrow(
    "Unknown protocol: received nonesuch, expected one of adbench, conditional, earth, energies, made-binary, mnist, orderings, rnade, toys.",
  );
});
