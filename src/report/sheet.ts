import { FIGURES, importOptional } from "../package/index.ts";
import { ellipsize, style, textWidth, wrap } from "./style.ts";

/** Observable Plot, and the document in which it creates elements. */
export interface Canvas {
  Plot: typeof import("@observablehq/plot");
  document: Document;
}

/** Loads the drawing libraries when they are first used. Throws `DEPENDENCY` if one is not installed. */
export async function openCanvas(): Promise<Canvas> {
  const [Plot, { parseHTML }] = await importOptional(FIGURES, () =>
    Promise.all([import("@observablehq/plot"), import("linkedom")]),
  );
  return { Plot, document: parseHTML("<html></html>").document as unknown as Document };
}

/** A drawing on the sheet. `x` and `y` are pixels from the top left corner of the sheet's body. */
export interface Panel {
  x: number;
  y: number;
  /** A name for screen readers. */
  name: string;
  picture: Element;
  labels: Label[];
}

export interface Label {
  x: number;
  y: number;
  text: string;
  color?: string;
  size?: number;
  anchor?: "start" | "middle" | "end";
  bold?: boolean;
  /** Whether the text runs from bottom to top. */
  upright?: boolean;
}

interface LegendEntry {
  text: string;
  color: string;
  mark: "dot" | "line" | "area";
}

export interface Sheet {
  title: string;
  caption: string;
  legend?: LegendEntry[];
  width: number;
  bodyHeight: number;
  panels: Panel[];
  labels?: Label[];
}

const MARGIN = 24;

/** Writes an SVG document with a white background: title, caption and legend, and below them panels and labels. */
export function composeSheet({
  title,
  caption,
  legend = [],
  width,
  bodyHeight,
  panels,
  labels = [],
}: Sheet): string {
  const lines = wrap(caption, style.textSize, width - 2 * MARGIN);
  const captionTop = MARGIN + style.titleSize + 16;
  const legendTop = captionTop + (lines.length - 1) * 16 + 22;
  const bodyTop = (legend.length ? legendTop : legendTop - 22) + 14;
  const height = bodyTop + bodyHeight;
  const shownTitle = ellipsize(title, style.titleSize * 1.06, width - 2 * MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    ` role="img" font-family="${style.fontFamily}" font-size="${style.textSize}" fill="${style.ink}">`,
    `<title>${escapeXml(title)}</title><desc>${escapeXml(caption)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    writeLabel({ x: MARGIN, y: MARGIN + 12, text: shownTitle, size: style.titleSize, bold: true }),
    ...lines.map((line, i) =>
      writeLabel({ x: MARGIN, y: captionTop + 16 * i, text: line, color: style.muted }),
    ),
    ...writeLegend(legend, legendTop),
    `<g transform="translate(0,${bodyTop})">`,
    ...panels.map(writePanel),
    ...[...panels.flatMap((panel) => panel.labels), ...labels].map(writeLabel),
    "</g></svg>",
  ].join("");
}

function writePanel({ x, y, name, picture }: Panel, index: number): string {
  picture.querySelector("style")?.remove();
  for (const attribute of ["class", "font-family", "fill"]) picture.removeAttribute(attribute);
  picture.setAttribute("x", String(x));
  picture.setAttribute("y", String(y));
  const drawing = renumberClips(picture.outerHTML, `clip-${index}`);
  return `<g role="group" aria-label="${escapeXml(name)}">${drawing}</g>`;
}

/** Plot numbers the clip paths of all figures of a process, but equal inputs must give equal pictures. */
export function renumberClips(xml: string, prefix: string): string {
  const clips = new Map<string, string>();
  return xml.replace(/plot-clip-\d+/g, (id) => {
    if (!clips.has(id)) clips.set(id, `${prefix}-${clips.size}`);
    return clips.get(id)!;
  });
}

function writeLabel(label: Label): string {
  const { x, y, text, color = style.ink, size = style.textSize, anchor = "start", bold, upright } = label;
  return [
    `<text x="${x}" y="${y}" fill="${color}" font-size="${size}" text-anchor="${anchor}"`,
    bold ? ' font-weight="700"' : "",
    upright ? ` transform="rotate(-90,${x},${y})"` : "",
    `>${escapeXml(text)}</text>`,
  ].join("");
}

function writeLegend(entries: LegendEntry[], y: number): string[] {
  let x = MARGIN;
  return entries.map(({ text, color, mark }) => {
    const symbol = {
      dot: `<circle cx="${x + 4}" cy="${y - 4}" r="3.5" fill="${color}"/>`,
      line: `<path d="M${x},${y - 4}h16" stroke="${color}" stroke-width="1.6" fill="none"/>`,
      area: `<rect x="${x}" y="${y - 9}" width="16" height="10" fill="${color}" fill-opacity="0.35"/>`,
    }[mark];
    const start = x + (mark === "dot" ? 14 : 22);
    const label = writeLabel({ x: start, y, text });
    x = Math.round(start + textWidth(text, style.textSize) + 24);
    return symbol + label;
  });
}

/** A text for XML or HTML, also for attributes in double quotes. Control characters, which both forbid, become spaces. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
    .replace(/[\p{Cc}\ufffe\uffff]|\p{Cs}/gu, " ");
