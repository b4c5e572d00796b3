import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { guide } from "./guide.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Writes llms.txt (https://llmstxt.org), a list of the pages for language models, and beside each page of the documentation its source
 * in Markdown, to which the list links.
 */
export function writeForLanguageModels(folder: string): void {
  const groups = guide();
  for (const { path } of groups.flatMap(({ pages }) => pages))
    cpSync(join(root, "docs", path), join(folder, "docs", path));
  const { description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const lists = groups.map(({ title, pages }) =>
    [
      `## ${title}`,
      "",
      ...pages.map(({ title, path, summary }) => `- [${title}](docs/${path}): ${summary}`),
    ].join("\n"),
  );
  const text = [
    `# pushforward`,
    `> ${description}`,
    "How to install it: [Getting started](docs/getting-started.md).",
    ...lists,
  ];
  writeFileSync(join(folder, "llms.txt"), `${text.join("\n\n")}\n`);
}
