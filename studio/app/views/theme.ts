/** Colours of the figures. The styles of the page define them for light and dark; canvases need them as values. */
export interface Theme {
  readonly surface: string;
  readonly ink: string;
  readonly line: string;
  readonly accent: string;
  /** 256 colours from no density to the largest one, as RGB. */
  readonly densityColors: Uint8ClampedArray;
  /** Colours of volume change from squeezed to stretched. */
  readonly volumeColors: Uint8ClampedArray;
  /** Colours of points by the direction in which they lie from the center of the data. */
  readonly directionColors: readonly string[];
}

const DIRECTIONS = 48;

/** Reads the colours from the styles of an element. */
export function readTheme(element: Element, dark: boolean): Theme {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const ramp = (name: string) => gradientColors(color(name).split(", "));
  return {
    surface: color("--surface"),
    ink: color("--ink"),
    line: color("--line"),
    accent: color("--accent"),
    densityColors: ramp("--density"),
    volumeColors: ramp("--volume"),
    directionColors: Array.from({ length: DIRECTIONS }, (_, k) => {
      const hue = (360 * k) / DIRECTIONS;
      return dark ? `oklch(0.78 0.13 ${hue})` : `oklch(0.6 0.15 ${hue})`;
    }),
  };
}

/** 256 colours between evenly spaced ones, three bytes each. */
function gradientColors(stops: readonly string[]): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(256, 1);
  const context = canvas.getContext("2d")!;
  const gradient = context.createLinearGradient(0.5, 0, 255.5, 0);
  for (const [k, stop] of stops.entries()) gradient.addColorStop(k / (stops.length - 1), stop);
  context.fillStyle = gradient;
  context.fillRect(0, 0, 256, 1);
  return context.getImageData(0, 0, 256, 1).data.filter((_, i) => i % 4 !== 3);
}

/** The colour of each point: the index of its direction from the mean. */
export function directions(values: ArrayLike<number>, count: number): Uint8Array {
  let [meanX, meanY] = [0, 0];
  for (let i = 0; i < count; i++) {
    meanX += values[2 * i]! / count;
    meanY += values[2 * i + 1]! / count;
  }
  return Uint8Array.from({ length: count }, (_, i) => {
    const angle = Math.atan2(values[2 * i + 1]! - meanY, values[2 * i]! - meanX);
    return Math.floor(((angle / (2 * Math.PI) + 1) % 1) * DIRECTIONS) % DIRECTIONS;
  });
}
