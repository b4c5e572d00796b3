import { buildBijection, type Description } from "../../src/bijections/index.ts";
import { buildDistribution, ContextEmbedding, StandardNormal } from "../../src/distributions/index.ts";
import { PushforwardError } from "../../src/errors.ts";
import { decodeWithChecksum, encodeWithChecksum } from "../../src/flows/checksum.ts";
import { decodeModel, embedContext, encodeModel, Flow, maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { bijectionExamples } from "../bijections/examples.ts";
import { distributionExamples } from "../distributions/examples.ts";
import { allExamples } from "../examples.ts";

// A program of its own, which may be killed: it makes small model files that declare something enormous out of all examples of
// all kinds, reads them, and prints what became of each as JSON.

/** What became of a file: `outcome` is the code of the error, or "accepted". */
export interface Attempt {
  readonly file: string;
  readonly outcome: string;
  /** Of the processor: how long it takes depends on what else it does. */
  readonly milliseconds: number;
  /** Whether it may be accepted: the number is no size, or not so large that a model would notice. */
  readonly harmless: boolean;
}

const FEATURES = 2;
/** Larger than any file here has numbers for, but not so large that a list of that length would be noticed. */
const MODERATE = 50_000;

type Path = readonly (string | number)[];

function* flows(): Generator<{ name: string; flow: Flow; labels?: string[][] }> {
  const random = new Random(0);
  for (const description of allExamples(bijectionExamples, FEATURES)) {
    const bijection = buildBijection(description, random);
    yield { name: description.type, flow: new Flow(new StandardNormal({ features: FEATURES }), bijection) };
  }
  for (const description of allExamples(distributionExamples, FEATURES))
    yield { name: description.type, flow: new Flow(buildDistribution(description, random)) };
  const embedding = new ContextEmbedding({ numbers: 1, classes: [2], size: 3, network: { hidden: [4] } });
  const flow = embedContext(maf(FEATURES, { context: 3, transforms: 1, hidden: [4] }), embedding);
  yield { name: "embedding", flow, labels: [["yes", "no"]] };
}

/** Everything in a description, with where it is, and a name of that: the types of the parts around it, and its own field. */
function* places(
  value: unknown,
  path: Path = [],
  name = "",
): Generator<{ path: Path; name: string; value: unknown }> {
  yield { path, name, value };
  if (typeof value !== "object" || value === null) return;
  const list = Array.isArray(value);
  const own = isPart(value) ? value.type : name;
  for (const [key, inner] of Object.entries(value))
    yield* places(inner, [...path, list ? Number(key) : key], `${own}.${list ? "*" : key}`);
}

/** A copy with another value at a path, or at all paths. */
function withAt(description: unknown, paths: readonly Path[], value: unknown): unknown {
  const copy = { root: structuredClone(description) } as Record<string | number, unknown>;
  for (const path of paths) {
    const [last, ...before] = ["root", ...path].reverse();
    const holder = before.reverse().reduce((part, key) => part[key] as typeof copy, copy);
    holder[last!] = value;
  }
  return copy.root;
}

const HERE = "@@here@@";

/** The JSON of a description in which what is at `path` is `times` times inside of what is at `around`. */
function nested(description: unknown, around: Path, path: Path, times: number): string {
  const at = (value: unknown, path: Path) =>
    path.reduce((part, key) => (part as Record<string | number, unknown>)[key], value);
  const shell = JSON.stringify(withAt(at(description, around), [path.slice(around.length)], HERE));
  const [before, after] = shell.split(`"${HERE}"`) as [string, string];
  const text = before.repeat(times) + JSON.stringify(at(description, path)) + after.repeat(times);
  return JSON.stringify(withAt(description, [around], HERE)).replace(`"${HERE}"`, () => text);
}

const isPart = (value: unknown): value is Description =>
  typeof value === "object" && value !== null && "type" in value;

/** What was asked for already: a field of a part is treated once, whatever model the part is in. */
const seen = new Set<string>();

/** Descriptions in JSON that ask for something enormous in one place, or in all fields of one name. */
function* hostile(description: unknown): Generator<{ what: string; json: string; harmless: boolean }> {
  const all = [...places(description)];
  for (const { path, name, value } of all) {
    if (seen.has(name)) continue;
    seen.add(name);
    const set = (paths: readonly Path[], to: unknown) => JSON.stringify(withAt(description, paths, to));
    const deep = set([path], HERE).replace(`"${HERE}"`, "[".repeat(1e5) + "]".repeat(1e5));
    yield { what: `${name} = [[...]]`, json: deep, harmless: false };
    if (typeof value === "number") {
      // What need not be a whole number is no size, and neither is a seed.
      const key = path.at(-1);
      const real = key === "seed" || attempt(set([path], value + 0.125)) === "accepted";
      const alike = all.filter((other) => other.path.at(-1) === key && typeof other.value === "number");
      for (const size of [1e9, MODERATE]) {
        const harmless = real || size === MODERATE;
        yield { what: `${name} = ${size}`, json: set([path], size), harmless };
        yield {
          what: `every ${name} = ${size}`,
          json: set(
            alike.map(({ path }) => path),
            size,
          ),
          harmless,
        };
      }
    }
    if (Array.isArray(value)) {
      const ascending = Array.from({ length: 1e5 }, (_, i) => i);
      yield { what: `${name} of 100,000, ascending`, json: set([path], ascending), harmless: false };
      const alike = new Array(1e5).fill(value[0] ?? 0);
      yield { what: `${name} of 100,000, alike`, json: set([path], alike), harmless: false };
    }
    if (isPart(value)) {
      for (const inner of places(value, path, name)) {
        if (inner.path.length === path.length || !isPart(inner.value)) continue;
        const json = nested(description, path, inner.path, 10_000);
        yield { what: `${inner.name} in 10,000 times ${name}`, json, harmless: false };
      }
    }
  }
}

let parts: ReturnType<typeof decodeWithChecksum>;

function attempt(json: string): string {
  const bytes = encodeWithChecksum(parts.arrays, { pushforward: json });
  try {
    decodeModel(bytes);
  } catch (error) {
    return error instanceof PushforwardError ? error.code : String(error);
  }
  return "accepted";
}

for (const { name, flow, labels } of flows()) {
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const model = {
    flow,
    columns: names("x", flow.features),
    given: names("c", flow.context),
    ...(labels && { labels }),
  };
  parts = decodeWithChecksum(encodeModel(model));
  const json = parts.metadata.pushforward!;
  if (attempt(json) !== "accepted") throw new Error(`${name} is not read back`);
  for (const { what, json: changed, harmless } of hostile(JSON.parse(json))) {
    const file = `${name}: ${what}`;
    console.log(JSON.stringify({ started: file }));
    const start = process.cpuUsage();
    const outcome = attempt(changed);
    const { user, system } = process.cpuUsage(start);
    const milliseconds = (user + system) / 1000;
    console.log(JSON.stringify({ file, outcome, milliseconds, harmless } satisfies Attempt));
  }
}
console.log(JSON.stringify({ megabytes: process.resourceUsage().maxRSS / 1024 }));
