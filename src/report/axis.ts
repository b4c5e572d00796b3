import { textWidth } from "./style.ts";

/** The lower and upper end of an axis, in data units. */
export type Range = readonly [lower: number, upper: number];

export interface Tick {
  value: number;
  text: string;
}

/** An axis with short tick labels: a power of ten and an offset that all ticks share are in `factor`. */
export interface Axis {
  readonly name: string;
  readonly range: Range;
  /**
   * How to compute a value from a tick label: "", `×10³`, or `×10³ + 1,700,000,000` for numbers that differ only in the last
   * digits.
   */
  readonly factor: string;
  /** As many round numbers (steps of 1, 2 or 5 times a power of ten) as fit without overlap. */
  ticks(direction: "horizontal" | "vertical", pixels: number, fontSize: number): Tick[];
}

/**
 * The range of the axis for a column of ascending values: the central 99% of the values, extended to the values within a quarter of
 * this span on either side, plus a margin. Values farther away are off the axis, because they would compress all others.
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

/** Creates an axis. Ticks are at least `smallestStep` apart: 1 for integers. */
export function axis(name: string, range: Range, smallestStep = 0): Axis {
  const [lower, upper] = range;
  const offset = commonOffset(range);
  const exponent = commonExponent(Math.max(Math.abs(lower - offset), Math.abs(upper - offset)));
  const unit = 10 ** exponent;
  const [from, to] = [(lower - offset) / unit, (upper - offset) / unit];
  const plus = `${offset < 0 ? "−" : "+"} ${Math.abs(offset).toLocaleString("en-US", { maximumFractionDigits: 20 })}`;

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
      // Text may extend 4 pixels beyond the frame, because neighbouring panels have a gap of 10.
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

/** The offset of numbers that differ only in their last digits, such as time stamps; otherwise 0. */
function commonOffset([lower, upper]: Range): number {
  const span = upper - lower;
  if (span > 1e-3 * Math.max(Math.abs(lower), Math.abs(upper))) return 0;
  const power = 10 ** Math.ceil(Math.log10(span));
  return Number((Math.floor(lower / power) * power).toPrecision(15));
}

/** The exponent, a multiple of 3, that scales `magnitude` to 1-1000; 0 for magnitudes from 0.01 to 10,000. */
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
