/** Figures that wait to be painted. One is painted in each animation frame, so that no task is long if all figures change at once. */
const waiting = new Map<object, () => void>();
let scheduled = false;

/** Paints a figure in one of the next animation frames. Only the latest request for a canvas is kept. */
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
