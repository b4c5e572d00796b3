let current = "";

/** Runs `build` with `name` appended to the scope: the path that new tensors get, and that their ONNX nodes and errors show. */
export const scoped = <T>(name: string, build: () => T): T =>
  withScope(current ? `${current}/${name}` : name, build);

/** Runs `build` with exactly this path as the scope. */
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
