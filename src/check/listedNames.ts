/** Names for an error: "a, b, c", or the first `max` and the number of others, "a, b and 998 more". */
export const listedNames = (names: readonly string[], max = 20): string =>
  names.length > max ? `${names.slice(0, max).join(", ")} and ${names.length - max} more` : names.join(", ");
