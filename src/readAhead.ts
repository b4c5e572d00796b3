/** The same items, each asked for while the one before it is in use: whoever makes them and whoever takes them work at the same time. */
export async function* readAhead<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  const source = each(items);
  let next = source.next();
  try {
    while (true) {
      const { done, value } = await next;
      if (done) return;
      next = source.next();
      // A failure is told when its turn comes, not as a rejection that nobody handles.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await source.return(undefined);
  }
}

async function* each<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}
