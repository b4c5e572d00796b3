/** The colors of the figures. They are defined in `colors.css`; canvases need their values. */
export interface Theme {
  readonly surface: string;
  readonly ink: string;
  readonly accent: string;
  /** The colors of real and of generated rows. */
  readonly rowColors: readonly [string, string];
  /** 256 RGB colors, from density 0 to the largest density. */
  readonly densityColors: Uint8ClampedArray;
  /** 256 RGB colors, from the most squeezed to the most stretched volume. */
  readonly volumeColors: Uint8ClampedArray;
  /** Colors of points by their direction from the mean of the data. */
  readonly directionColors: readonly string[];
}

const DIRECTIONS = 48;

/** Reads the colors from the styles of an element. */
export function readTheme(element: Element, dark: boolean): Theme {
  const style = getComputedStyle(element);
  const text = (name: string) => style.getPropertyValue(name).trim();
  const [surface, ink, accent] = toRgb(["--surface", "--ink", "--accent"].map(text)) as [
    string,
    string,
    string,
  ];
  const ramp = (name: string) => gradientColors(text(name).split(", "));
  return {
    surface,
    ink,
    accent,
    rowColors: [ink, accent],
    densityColors: ramp("--density"),
    volumeColors: ramp("--volume"),
    directionColors: toRgb(
      Array.from({ length: DIRECTIONS }, (_, k) => {
        const hue = (360 * k) / DIRECTIONS;
        return dark ? `oklch(0.78 0.13 ${hue})` : `oklch(0.6 0.15 ${hue})`;
      }),
    ),
  };
}

/** Colors in the notation of CSS 2, because many programs that read SVG know no other one. */
function toRgb(colors: readonly string[]): string[] {
  const context = new OffscreenCanvas(colors.length, 1).getContext("2d", { willReadFrequently: true })!;
  for (const [k, color] of colors.entries()) {
    context.fillStyle = color;
    context.fillRect(k, 0, 1, 1);
  }
  const { data } = context.getImageData(0, 0, colors.length, 1);
  return colors.map((_, k) => `rgb(${data.subarray(4 * k, 4 * k + 3).join(", ")})`);
}

/** 256 RGB colors that interpolate evenly spaced ones. */
function gradientColors(stops: readonly string[]): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(256, 1);
  const context = canvas.getContext("2d")!;
  const gradient = context.createLinearGradient(0.5, 0, 255.5, 0);
  for (const [k, stop] of stops.entries()) gradient.addColorStop(k / (stops.length - 1), stop);
  context.fillStyle = gradient;
  context.fillRect(0, 0, 256, 1);
  return context.getImageData(0, 0, 256, 1).data.filter((_, i) => i % 4 !== 3);
}

/** The index in `directionColors` of each point, from its direction from the mean of the points. */
export function directions(values: ArrayLike<number>): Uint8Array {
  const count = values.length / 2;
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
