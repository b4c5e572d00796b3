/** The colors (from the palette of Okabe and Ito, for color-blind readers), typeface and text sizes of all figures. */
export const style = {
  /** The color of data. */
  data: "#0072b2",
  /** The color of samples and densities of the model. */
  model: "#d55e00",
  ink: "#1b1f24",
  muted: "#5b6470",
  rule: "#b6bcc6",
  /** PNG uses Arimo. It has the metrics of Helvetica and Arial, so an SVG looks the same on machines without it. */
  fontFamily: "Arimo, Helvetica, Arial, sans-serif",
  titleSize: 16,
  textSize: 12,
  tickSize: 10.5,
} as const;

/** The width of a text in pixels, estimated from classes of Arial's letters. The error is about 5% for Latin text. */
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

/** The text, truncated with an ellipsis if it is wider than `width` pixels. */
export function ellipsize(text: string, fontSize: number, width: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`, fontSize) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

/** Breaks a text into lines of at most `width` pixels. Longer words are not broken. */
export function wrap(text: string, fontSize: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && textWidth(line, fontSize) <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}
