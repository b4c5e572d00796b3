import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";

/** Standard Gaussian numbers from a seed (mulberry32 and Box-Muller). */
export function gaussians(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A table `[rows, columns]`, row by row. */
export function table(rows: number, row: () => number[]): Float64Array {
  return Float64Array.from(Array.from({ length: rows }, row).flat());
}

/** Parses an SVG strictly (resvg refuses what is not well-formed XML), then as a document to query. */
export function open(svg: string): Document {
  new Resvg(svg, { font: { loadSystemFonts: false } });
  return parseHTML(`<html><body>${svg}</body></html>`).document as unknown as Document;
}

export const panelNames = (figure: Document): string[] =>
  [...figure.querySelectorAll("[role=group]")].map((panel) => panel.getAttribute("aria-label")!);

export const texts = (figure: Document): string[] =>
  [...figure.querySelectorAll("text")].map((text) => text.textContent ?? "");

/** Attributes that hold something that is no number. */
export const notNumbers = (figure: Document): string[] =>
  [...figure.querySelectorAll("*")].flatMap((element) =>
    [...element.attributes]
      .filter(({ name, value }) => name !== "aria-label" && /NaN|undefined|null|Infinity/.test(value))
      .map(({ name, value }) => `${element.tagName} ${name}=${value}`),
  );

/** Tick texts of one axis of the n-th panel. */
export function tickTexts(figure: Document, panel: number, which: "x" | "y"): string[] {
  const group = figure.querySelectorAll("[role=group]")[panel]!;
  return [...group.querySelectorAll(`[aria-label="${which}-axis tick label"] text`)].map(
    (text) => text.textContent ?? "",
  );
}
