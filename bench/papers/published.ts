import { readText } from "./files.ts";

/** Reads published.json of the data directory, which has the numbers of the papers. */
export const published = (data: string) => JSON.parse(readText(data, "published.json"));
