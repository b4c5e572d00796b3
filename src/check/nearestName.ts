/**
 * The candidate with the smallest edit distance to `name`; undefined if more than a third of the letters would have to change, or more than one
 * letter of a short name, or the only letter.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const typed = name.trim().toLowerCase();
  let nearest: string | undefined;
  let minDistance = 1 + Math.max(typed.length > 1 ? 1 : 0, Math.floor(typed.length / 3));
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate.trim().toLowerCase());
    if (distance < minDistance) [nearest, minDistance] = [candidate, distance];
  }
  return nearest;
}

/**
 * The shortest candidate that `name` abbreviates: it begins with the first letter of `name` and contains the remaining letters in
 * the same order.
 */
export function expandAbbreviation(name: string, candidates: readonly string[]): string | undefined {
  const letters = [...name.toLowerCase()];
  if (letters.length < 3) return undefined;
  const abbreviates = (candidate: string) => {
    let at = -1;
    return letters.every((letter, i) => {
      at = candidate.toLowerCase().indexOf(letter, at + 1);
      return i === 0 ? at === 0 : at > 0;
    });
  };
  return candidates.filter(abbreviates).sort((a, b) => a.length - b.length)[0];
}

/**
 * The smallest number of insertions, deletions, substitutions and transpositions of adjacent letters that transform `a` to `b`
 * (Damerau 1964, as optimal string alignment).
 */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforePrevious[j - 2]! + 1);
      }
      current.push(cost);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length]!;
}
