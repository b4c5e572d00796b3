interface Token {
  readonly type: string;
  readonly content: string;
  readonly children: Token[] | null;
  tag: string;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** The part of markdown-it that is used here. */
interface Markdown {
  readonly core: { readonly ruler: { push(name: string, rule: (state: { tokens: Token[] }) => void): void } };
}

/** The page of a file in the repository: README.md is the page of its folder, and each example has a page with its source. */
export const pageOf = (path: string): string =>
  path.replace(/(^|\/)README\.md(?=#|$)/, "$1index.md").replace(/\.ts$/, ".md");

/** Makes a link to a file of the repository a link to its page. */
function linkToPage(token: Token): void {
  const target = token.type === "link_open" ? token.attrGet("href") : null;
  if (target && !/^\w+:/.test(target)) token.attrSet("href", pageOf(target));
  token.children?.forEach(linkToPage);
}

/** Makes empty cells in the head of a table ordinary cells: screen readers announce a header cell as the title of its column. */
function removeEmptyHeaders(tokens: readonly Token[]): void {
  tokens.forEach((token, i) => {
    const [content, end] = [tokens[i + 1], tokens[i + 2]];
    if (token.type !== "th_open" || content!.content !== "") return;
    token.tag = "td";
    end!.tag = "td";
  });
}

export function adaptMarkdown(markdown: Markdown): void {
  markdown.core.ruler.push("pages-of-files", ({ tokens }) => tokens.forEach(linkToPage));
  markdown.core.ruler.push("empty-headers", ({ tokens }) => removeEmptyHeaders(tokens));
}

/** The anchor of a heading, as on GitHub. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
