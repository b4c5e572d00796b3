import { BASE_NAMES, type BaseName } from "./bases.ts";
import { type FamilyName, families, familyOf } from "./families.ts";

export const TOY_NAMES = [
  "spirals",
  "twoMoons",
  "eightGaussians",
  "pinwheel",
  "checkerboard",
  "circles",
  "swissRoll",
  "banana",
] as const;

export type ToyName = (typeof TOY_NAMES)[number];

export interface ToySource {
  readonly kind: "toy";
  readonly name: ToyName;
  readonly rows: number;
}

/** Where the rows come from: a toy distribution, or points of the reader as x0, y0, x1, y1, ... */
export type Source =
  | ToySource
  | { readonly kind: "points"; readonly values: readonly number[]; readonly from: "drawn" | "table" };

/**
 * What training minimizes: the negative log-likelihood of the points, or the reverse Kullback-Leibler divergence KL(q || p) from
 * the flow q to the mixture p of normal distributions around some of the points.
 */
export type Objective = "likelihood" | "reverse";

/** Everything that determines a training run, and nothing else. */
export interface Setting {
  readonly objective: Objective;
  readonly source: Source;
  readonly family: FamilyName;
  readonly layers: number;
  /** Units in each hidden layer of every network. Families without networks ignore it. */
  readonly width: number;
  readonly learningRate: number;
  readonly base: BaseName;
  readonly seed: number;
}

export const TOY_ROWS = 5000;

export const EMPTY_DRAWING: Source = { kind: "points", from: "drawn", values: [] };

export const DEFAULT_SETTING: Setting = {
  objective: "likelihood",
  source: { kind: "toy", name: "spirals", rows: TOY_ROWS },
  family: "nsf",
  ...families.nsf.defaults,
  seed: 0,
};

/** The largest integer that is exact as a number. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** Coordinates of drawn points are rounded to this many decimals, which keeps links short. */
const DECIMALS = 2;

export const roundCoordinate = (value: number): number => Number(value.toFixed(DECIMALS));

/** A link holds at most this many points: browsers and mail programs truncate longer addresses. */
export const MAX_POINTS_IN_LINK = 1000;

/** The setting as the fragment of an address, without #; undefined if it has more than `MAX_POINTS_IN_LINK` points. */
export function toFragment({ source, objective, base, ...setting }: Setting): string | undefined {
  const fields = new URLSearchParams();
  if (source.kind === "toy") {
    fields.set("data", source.name);
    fields.set("rows", `${source.rows}`);
  } else {
    if (source.values.length > 2 * MAX_POINTS_IN_LINK) return undefined;
    fields.set("points", source.values.join("_"));
    fields.set("from", source.from);
  }
  if (objective !== DEFAULT_SETTING.objective) fields.set("objective", objective);
  if (base !== familyOf(setting.family).defaults.base) fields.set("base", base);
  for (const [name, value] of Object.entries(setting)) fields.set(name, `${value}`);
  return fields.toString();
}

/** The setting of a fragment. Missing and invalid fields get their defaults: a link may be truncated or old. */
export function fromFragment(fragment: string): Setting {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const familyName = fields.get("family") ?? "";
  const family = Object.hasOwn(families, familyName) ? (familyName as FamilyName) : DEFAULT_SETTING.family;
  const { defaults, maxLayers, training } = familyOf(family);
  const number = (name: string, fallback: number, min: number, max: number) => {
    const value = Number(fields.get(name) ?? Number.NaN);
    return value >= min && value <= max ? value : fallback;
  };
  const whole = (name: string, fallback: number, min: number, max: number) =>
    Math.round(number(name, fallback, min, max));
  const base = BASE_NAMES.find((each) => each === fields.get("base"));
  return {
    objective: fields.get("objective") === "reverse" && !training ? "reverse" : "likelihood",
    source: sourceOf(fields, whole("rows", TOY_ROWS, 100, 50_000)),
    family,
    layers: whole("layers", defaults.layers, 1, maxLayers),
    width: whole("width", defaults.width, 4, 256),
    learningRate: number("learningRate", defaults.learningRate, 1e-5, 1),
    base: base && !training ? base : defaults.base,
    seed: whole("seed", 0, 0, MAX_SEED),
  };
}

function sourceOf(fields: URLSearchParams, rows: number): Source {
  const points = fields.get("points");
  const values = points?.split("_").map(Number) ?? [];
  const valid = values.length >= 2 * MIN_POINTS && values.length % 2 === 0 && values.every(Number.isFinite);
  if (valid && values.length <= 2 * MAX_POINTS_IN_LINK)
    return { kind: "points", values, from: fields.get("from") === "table" ? "table" : "drawn" };
  const name = TOY_NAMES.find((toy) => toy === fields.get("data")) ?? "spirals";
  return { kind: "toy", name, rows };
}

/** The smallest number of points to train on, so that some can be held out. */
export const MIN_POINTS = 20;
