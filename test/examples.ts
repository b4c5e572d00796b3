import type { Description } from "../src/parts/description.ts";

/** Descriptions of each registered type, for rows of `features` numbers. */
export type Examples<Type extends string> = Readonly<
  Record<Type, (features: number) => readonly Description[]>
>;

/** Adds the type to options. The compiler asks for an entry of each registered type, and refuses others. */
export function examplesOf<Type extends string>(
  options: Readonly<Record<Type, (features: number) => readonly object[]>>,
): Examples<Type> {
  const table: Partial<Record<Type, (features: number) => readonly Description[]>> = {};
  for (const type of Object.keys(options) as Type[])
    table[type] = (features) => options[type](features).map((each) => ({ type, ...each }));
  return table as Examples<Type>;
}

/** The examples of all types. */
export const allExamples = (examples: Examples<string>, features: number): Description[] =>
  Object.values(examples).flatMap((ofType) => ofType(features));

/** Pairs of name and case for the title "%s": Vitest shortens `$name`. */
export const named = <T extends { readonly name: string }>(cases: readonly T[]): [string, T][] =>
  cases.map((each) => [each.name, each]);
