import { readText } from "./files.ts";

/** published.json of the data directory: numbers of papers. */
export const published = (data: string) => JSON.parse(readText(data, "published.json"));
