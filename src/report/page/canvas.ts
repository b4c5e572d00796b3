import type { Markish, PlotOptions } from "@observablehq/plot";
import { type Canvas, escapeXml } from "../sheet.ts";

/** Colors of the figures of a page, as CSS variables, since the colors of light and dark pages differ. */
export const COLORS = {
  real: "var(--real)",
  generated: "var(--generated)",
  ink: "var(--ink)",
  muted: "var(--muted)",
  rule: "var(--rule)",
  band: "var(--band)",
} as const;

/** Options of `drawFigure`. */
interface FigureOptions extends Omit<PlotOptions, "document" | "marks"> {
  readonly width: number;
  readonly height: number;
  /** What the figure shows, in words, for readers who do not see it. */
  readonly alt: string;
  readonly marks: Markish[];
}

/** Draws a figure as an SVG element that takes its colors and its font from the page, and has the width of its container. */
export function drawFigure({ Plot, document }: Canvas, { alt, marks, ...options }: FigureOptions): string {
  const svg = Plot.plot({
    document,
    marginTop: 6,
    marginRight: 8,
    marginBottom: 22,
    ...options,
    marks,
  }) as Element;
  svg.querySelector("style")?.remove();
  for (const name of ["class", "font-family", "font-size", "fill", "width", "height"])
    svg.removeAttribute(name);
  svg.setAttribute("role", "img");
  const [open, ...rest] = svg.outerHTML.split(">");
  return `${open}><title>${escapeXml(alt)}</title>${rest.join(">")}`;
}
