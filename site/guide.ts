import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface GuidePage {
  readonly title: string;
  /** Path in `docs`. */
  readonly path: string;
  readonly summary: string;
}

/** The pages that docs/README.md lists, in its groups. */
export function guide(): { title: string; pages: GuidePage[] }[] {
  const text = readFileSync(fileURLToPath(new URL("../docs/README.md", import.meta.url)), "utf8");
  const groups = Array.from(text.matchAll(/^\*\*(.*)\*\*\n\n((?:- .*\n)+)/gm));
  return groups.map(([, title, list]) => ({
    title: title!,
    pages: Array.from(list!.matchAll(/^- \[(.*?)\]\((.*?)\): (.*)$/gm), ([, title, path, summary]) => ({
      title: title!,
      path: path!,
      summary: summary!,
    })),
  }));
}
