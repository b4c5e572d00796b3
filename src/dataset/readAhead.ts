/**
 * Yields `items` unchanged, and requests each item while the consumer still uses the one before it, so that both work at the same
 * time.
 *
 * An error of the source is thrown after the items before it. If the consumer stops early, an error in the item that was
 * requested ahead is dropped: nobody was going to use that item.
 */
export async function* readAhead<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  const source = asAsyncGenerator(items);
  let requested = source.next();
  try {
    while (true) {
      const { done, value } = await requested;
      if (done) return;
      requested = source.next();
      // The next iteration awaits this promise and throws its error. Without a handler until then, Node would end the process
      // because of an unhandled rejection.
      requested.catch(() => {});
      yield value;
    }
  } finally {
    // Waits for the pending request, then runs the `finally` blocks of the source. Does nothing if the source has ended.
    await source.return(undefined);
  }
}

/** A generator has `return`, which other iterables need not have. */
async function* asAsyncGenerator<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}
