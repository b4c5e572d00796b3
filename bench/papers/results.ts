import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Protocol, ProtocolResult } from "./protocol.ts";

const PREAMBLE = `# Protocols of papers

\`npm run bench:papers -- NAME\` writes the section NAME and replaces its previous text. Numbers of papers were copied from
them, except those marked †, which are from memory. Standard errors follow ±.
`;

/** Replaces the section with this name, or inserts it in alphabetical order. */
export function replaceSection(text: string, name: string, body: string): string {
  const [preamble, ...sections] = text.split(/^(?=## )/m);
  const title = (section: string) => /^## (.*)$/m.exec(section)![1];
  const others = sections.filter((section) => title(section) !== name);
  const allSections = [...others, `## ${name}\n\n${body.trim()}\n`].map((section) => `${section.trim()}\n`);
  const byTitle = (a: string, b: string) => title(a).localeCompare(title(b));
  return [`${preamble.trim()}\n`, ...allSections.sort(byTitle)].join("\n");
}

/** Writes the protocol's section of RESULTS.md, its JSON and its pictures. `environment` is the date, commit and machine. */
export function writeResults(
  { name, description }: Protocol,
  { text, json, pictures = {} }: ProtocolResult,
  environment: string,
): void {
  const file = (path: string) => new URL(path, import.meta.url);
  const results = file("RESULTS.md");
  const before = existsSync(results) ? readFileSync(results, "utf8") : PREAMBLE;
  writeFileSync(results, replaceSection(before, name, `${description}\n\n${text.trim()}\n\n${environment}.`));
  writeFileSync(file(`${name}.json`), `${JSON.stringify({ environment, results: json }, null, 1)}\n`);
  for (const [picture, bytes] of Object.entries(pictures)) writeFileSync(file(picture), bytes);
}
