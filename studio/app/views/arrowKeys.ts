const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The unit step in the plane for an arrow key; undefined for another key. */
export const arrowStep = (key: string): readonly [number, number] | undefined => DIRECTIONS[key];
