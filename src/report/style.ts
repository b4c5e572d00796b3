/** The visual language of every figure: one palette (Okabe and Ito's, safe for colour-blind readers), one typeface. */
export const style = {
  /** What was observed. */
  data: "#0072b2",
  /** What the model says. */
  model: "#d55e00",
  ink: "#1b1f24",
  muted: "#5b6470",
  rule: "#b6bcc6",
  /** Arimo is bundled for PNG; it has the widths of Helvetica and Arial, so an SVG looks alike without it. */
  fontFamily: "Arimo, Helvetica, Arial, sans-serif",
  titleSize: 16,
  textSize: 12,
  tickSize: 10.5,
} as const;

/** Width of a text in pixels, estimated from Arial's letter classes (within some 5% for Latin text). */
export function textWidth(text: string, fontSize: number): number {
  let ems = 0;
  for (const letter of text) {
    if (/[ijlt.,:;'|!()[\]/ fI]/.test(letter)) ems += 0.29;
    else if (/[mwMW%@×]/.test(letter)) ems += 0.83;
    else if (/[A-Z]/.test(letter)) ems += 0.7;
    else if (letter >= "\u2e80") ems += 1;
    else ems += 0.556;
  }
  return ems * fontSize;
}

/** The text, or as much of it as fits `width` pixels followed by an ellipsis. */
export function ellipsize(text: string, fontSize: number, width: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`, fontSize) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

/** Lines of words, each at most `width` pixels wide where the words allow it. */
export function wrap(text: string, fontSize: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && textWidth(line, fontSize) <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}
