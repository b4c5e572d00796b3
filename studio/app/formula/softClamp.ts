/** Layers clamp log-scales smoothly to this bound, so that no layer can overflow. */
export const MAX_LOG_SCALE = Math.log(1000);

/** x / (1 + |x| / bound): a number within ±bound, with slope 1 at 0. */
export const softClamp = (x: number, bound = MAX_LOG_SCALE): number => x / (1 + Math.abs(x) / bound);
