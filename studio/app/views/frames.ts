/** Paints one figure in each frame of the screen, so that no task is long even if all figures change at once. */
const waiting = new Map<object, () => void>();
let scheduled = false;

/** Paints a figure soon. Only the latest request for a canvas is kept. */
export function paintSoon(canvas: object, paint: () => void): void {
  waiting.delete(canvas);
  waiting.set(canvas, paint);
  if (!scheduled) schedule();
}

function schedule(): void {
  scheduled = true;
  requestAnimationFrame(() => {
    const [first] = waiting;
    if (first) {
      const [canvas, paint] = first;
      waiting.delete(canvas);
      paint();
    }
    scheduled = false;
    if (waiting.size > 0) schedule();
  });
}
