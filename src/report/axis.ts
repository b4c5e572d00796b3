import { textWidth } from "./style.ts";

/** Lower and upper end of an axis, in data units. */
export type Range = readonly [lower: number, upper: number];

export interface Tick {
  value: number;
  text: string;
}

/** An axis with short numbers: what they have in common stands once, in `factor`. */
export interface Axis {
  readonly name: string;
  readonly range: Range;
  /** How ticks become values: "", `×10³` or, for numbers that differ only in late digits, `×10³ + 1,700,000,000`. */
  readonly factor: string;
  /** Round numbers (steps of 1, 2 or 5 times a power of ten), as many as stand well on so many pixels. */
  ticks(direction: "horizontal" | "vertical", pixels: number, fontSize: number): Tick[];
}

/**
 * The axis range for a column of ascending values: its central 99%, then as far as a value is within a quarter of
 * that span, and a margin.
 *
 * So well-behaved data are shown whole, and one outlier does not squash the picture.
 */
export function axisRange(sorted: Float64Array): Range {
  const n = sorted.length;
  const cut = n < 20 ? 0 : Math.ceil(0.005 * (n - 1));
  const [least, greatest] = [sorted[0]!, sorted[n - 1]!];
  let [lower, upper] = [sorted[cut]!, sorted[n - 1 - cut]!];
  if (lower === upper) [lower, upper] = [least, greatest];
  if (lower === upper) {
    const room = Math.abs(lower) * 0.1 || 1;
    return [lower - room, upper + room];
  }
  const span = upper - lower;
  const near = sorted.filter((value) => value >= lower - span / 4 && value <= upper + span / 4);
  const margin = 0.04 * span;
  return [near[0]! - margin, near.at(-1)! + margin];
}

/** `smallestStep` keeps the ticks of whole numbers whole. */
export function axis(name: string, range: Range, smallestStep = 0): Axis {
  const [lower, upper] = range;
  const offset = commonOffset(range);
  const exponent = commonExponent(Math.max(Math.abs(lower - offset), Math.abs(upper - offset)));
  const unit = 10 ** exponent;
  const [from, to] = [(lower - offset) / unit, (upper - offset) / unit];
  const plus = `${offset < 0 ? "−" : "+"} ${Math.abs(offset).toLocaleString("en-US")}`;

  function roundNumbers(step: number): Tick[] {
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const first = Math.ceil(from / step);
    return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, i) => {
      const multiple = (first + i) * step;
      const text = multiple === 0 ? "0" : multiple.toFixed(digits).replace("-", "−");
      return { value: offset + multiple * unit, text };
    });
  }

  return {
    name,
    range,
    factor: [exponent && `×10${superscript(exponent)}`, offset && plus].filter(Boolean).join(" "),
    ticks(direction, pixels, fontSize) {
      const scale = pixels / (to - from);
      const across = direction === "horizontal";
      const needs = (text: string) => (across ? textWidth(text, fontSize) + 1.2 * fontSize : 2.8 * fontSize);
      // A text may reach 4 pixels past the frame: neighbouring panels stand 10 apart.
      const fits = ({ value, text }: Tick) =>
        !across ||
        (Math.min(value - lower, upper - value) / unit) * scale >= textWidth(text, fontSize) / 2 - 4;
      for (const step of roundSteps(Math.max(smallestStep / unit, (to - from) / 8))) {
        const ticks = roundNumbers(step).filter(fits);
        if (ticks.every(({ text }) => needs(text) <= step * scale)) return ticks;
      }
      return [];
    },
  };
}

/** What to subtract from numbers that differ only in late digits (time stamps, for example); else 0. */
function commonOffset([lower, upper]: Range): number {
  const span = upper - lower;
  if (span > 1e-3 * Math.max(Math.abs(lower), Math.abs(upper))) return 0;
  const power = 10 ** Math.ceil(Math.log10(span));
  return Number((Math.floor(lower / power) * power).toPrecision(15));
}

/** A multiple of 3 that brings `magnitude` to 1-1000, or 0 where plain numbers read well. */
function commonExponent(magnitude: number): number {
  return magnitude >= 1e4 || magnitude < 1e-2 ? 3 * Math.floor(Math.log10(magnitude) / 3 + 1e-9) : 0;
}

function* roundSteps(smallest: number): Iterable<number> {
  for (let exponent = Math.floor(Math.log10(smallest)); ; exponent++) {
    for (const mantissa of [1, 2, 5]) {
      const step = Number(`${mantissa}e${exponent}`);
      if (step >= smallest) yield step;
    }
  }
}

const superscript = (exponent: number): string =>
  String(exponent).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!));
