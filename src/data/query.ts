import { shellQuoted } from "./columnList.ts";
import { identifier } from "./database.ts";

/** The words that are no names in DuckDB's SQL unless they are quoted. */
const RESERVED =
  /^(all|analy[sz]e|and|any|array|as|asc|asymmetric|both|case|cast|check|collate|column|constraint|create|default|deferrable|desc|describe|distinct|do|else|end|except|false|fetch|for|foreign|from|group|having|in|initially|intersect|into|lambda|lateral|leading|limit|not|null|offset|on|only|or|order|pivot|pivot_longer|pivot_wider|placing|primary|qualify|references|returning|select|show|some|summarize|symmetric|table|then|to|trailing|true|union|unique|unpivot|using|variadic|when|where|window|with)$/i;

/** The name of a column in a query, quoted where need be. */
export const nameInQuery = (name: string): string =>
  /^[a-z_]\w*$/i.test(name) && !RESERVED.test(name) ? name : identifier(name);

/** A query as one word of a POSIX shell, in double quotes where these change nothing in it. */
export const quotedQuery = (query: string): string =>
  /["$`\\!]/.test(query) ? shellQuoted(query) : `"${query}"`;
