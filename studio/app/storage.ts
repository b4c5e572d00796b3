/** The text that the browser has stored under a key. Access throws if the reader has blocked cookies, or in a sandboxed frame. */
export function stored(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a text for the next visit, if the browser allows it. */
export function store(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {}
}
