let current = "";

/** Runs `build` with `name` added to the path that new tensors carry: it becomes their prefix in ONNX and in errors. */
export function scoped<T>(name: string, build: () => T): T {
  const outer = current;
  current = outer ? `${outer}/${name}` : name;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/** Runs `build` with exactly this path. */
export function withScope<T>(path: string, build: () => T): T {
  const outer = current;
  current = path;
  try {
    return build();
  } finally {
    current = outer;
  }
}

export const currentScope = (): string => current;
