/** Images of a dot in each color, and their size in units of the canvas. */
export interface Dots {
  readonly pictures: readonly OffscreenCanvas[];
  readonly size: number;
}

/** Pixels of an image for each unit of the canvas, so that dots are sharp on screens of high resolution. */
const SCALE = 4;

const cache = new WeakMap<readonly string[], Map<number, Dots>>();

/** Dots with a radius. They are cached for each list of colors. */
export function dots(colors: readonly string[], radius: number): Dots {
  const ofColors = cache.get(colors) ?? new Map<number, Dots>();
  cache.set(colors, ofColors);
  const cached = ofColors.get(radius);
  if (cached) return cached;
  const size = 2 * radius + 1;
  const pictures = colors.map((color) => {
    const canvas = new OffscreenCanvas(Math.ceil(SCALE * size), Math.ceil(SCALE * size));
    const context = canvas.getContext("2d")!;
    context.scale(canvas.width / size, canvas.height / size);
    context.fillStyle = color;
    context.arc(size / 2, size / 2, radius, 0, 2 * Math.PI);
    context.fill();
    return canvas;
  });
  const drawn = { pictures, size };
  ofColors.set(radius, drawn);
  return drawn;
}
