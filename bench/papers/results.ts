import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Outcome, Protocol } from "./protocol.ts";

const PREAMBLE = `# Protocols of papers

Each section is written by \`npm run bench:papers -- NAME\` and replaced by the next run of NAME. Numbers of papers are
copied, those marked † from memory; standard errors follow ±.
`;

/** The text with the section of this name replaced, or put in where it belongs by the alphabet. */
export function replaceSection(text: string, name: string, body: string): string {
  const [preamble, ...sections] = text.split(/^(?=## )/m);
  const title = (section: string) => /^## (.*)$/m.exec(section)![1];
  const others = sections.filter((section) => title(section) !== name);
  const all = [...others, `## ${name}\n\n${body.trim()}\n`].map((section) => `${section.trim()}\n`);
  const byTitle = (a: string, b: string) => title(a).localeCompare(title(b));
  return [`${preamble.trim()}\n`, ...all.sort(byTitle)].join("\n");
}

/** Writes the protocol's section of RESULTS.md, its JSON and its pictures; `where` is what the numbers depend on. */
export function writeResults(
  { name, about }: Protocol,
  { text, json, pictures = {} }: Outcome,
  where: string,
): void {
  const file = (path: string) => new URL(path, import.meta.url);
  const results = file("RESULTS.md");
  const before = existsSync(results) ? readFileSync(results, "utf8") : PREAMBLE;
  writeFileSync(results, replaceSection(before, name, `${about}\n\n${text.trim()}\n\n${where}.`));
  writeFileSync(file(`${name}.json`), `${JSON.stringify({ where, results: json }, null, 1)}\n`);
  for (const [picture, bytes] of Object.entries(pictures)) writeFileSync(file(picture), bytes);
}
