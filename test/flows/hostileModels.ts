import { buildBijection } from "../../src/bijections/index.ts";
import { PushforwardError } from "../../src/check/errors.ts";
import { ContextEmbedding, StandardNormal } from "../../src/distributions/index.ts";
import { embedContext, Flow, maf } from "../../src/flows/index.ts";
import { decodeWithChecksum, encodeWithChecksum } from "../../src/parts/checksum.ts";
import type { Description } from "../../src/parts/index.ts";
import { Random } from "../../src/random/index.ts";
import { KernelDensity, LatentClasses, MixedMade } from "../../src/tables/densities/index.ts";
import { buildDistribution, decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { bijectionExamples } from "../bijections/examples.ts";
import { distributionExamples } from "../distributions/examples.ts";
import { allExamples } from "../examples.ts";
import { peakMemory } from "../peakMemory.ts";

// A separate program, which may be killed. It makes small model files that declare huge models from all examples of
// all kinds, loads them, and prints the outcome of each as JSON. Two processes, with the arguments 0 and 1, change half of the fields each.

/** The outcome for a file: the code of the error, or "accepted". */
export interface Attempt {
  readonly file: string;
  readonly outcome: string;
  /** Processor time of reading the file, since elapsed time depends on other processes. */
  readonly milliseconds: number;
  /** Whether the file may be accepted: the number is not a size, or not large enough to matter. */
  readonly harmless: boolean;
}

const HALF = Number(process.argv[2]);
const FEATURES = 2;
/** More than the numbers in any of the files, but too few for an array of this length to be noticed. */
const MODERATE = 50_000;

/** Recursive functions overflow the stack at about 10,000 calls. */
const DEPTH = 30_000;

type Path = readonly (string | number)[];

function* flows(): Generator<{ name: string; flow: Flow; labels?: string[][] }> {
  const random = new Random(0);
  for (const description of allExamples(bijectionExamples, FEATURES)) {
    const bijection = buildBijection(description, random);
    yield { name: description.type, flow: new Flow(new StandardNormal({ features: FEATURES }), bijection) };
  }
  for (const description of allExamples(distributionExamples, FEATURES))
    yield { name: description.type, flow: new Flow(buildDistribution(description, random)) };
  const knots = { x: [0, 1], z: [-1, 1], slope: [2, 2] };
  const columns = [
    { type: "categorical" as const, categories: 2, gaps: true },
    { type: "lattice" as const, cells: 3, knots, components: 2, atoms: [1] },
  ];
  const mixed = new MixedMade({ columns, network: { hidden: [4] } }, random);
  yield { name: "mixedMade", flow: new Flow(mixed) };
  yield { name: "kernelDensity", flow: new Flow(new KernelDensity({ columns, centers: 3 }, random)) };
  yield { name: "latentClasses", flow: new Flow(new LatentClasses({ columns, classes: 2 }, random)) };
  const sigmoid = { type: "sigmoid", features: FEATURES };
  const coupling = { type: "coupling", mask: [false, false], context: FEATURES, network: { hidden: [4] } };
  const dequantized = {
    type: "dequantized",
    distribution: { type: "standardNormal", features: FEATURES },
    values: 2,
    dequantizer: { type: "chain", bijections: [coupling, sigmoid] },
  };
  yield { name: "dequantized", flow: new Flow(buildDistribution(dequantized, random)) };
  const embedding = new ContextEmbedding({ numbers: 1, classes: [2], size: 3, network: { hidden: [4] } });
  const flow = embedContext(maf(FEATURES, { context: 3, transforms: 1, hidden: [4] }), embedding);
  yield { name: "embedding", flow, labels: [["yes", "no"]] };
}

/** All values in a description with their paths, and a name of each path: the types of the enclosing parts, and the field. */
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

/** A copy with a different value at a path, or at several paths. */
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

/** The JSON of a description in which the value at `path` is nested `times` times inside of that at `around`. */
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

/** Names that are already done: each field of a part is changed only once, in the first model with this part. */
const seen = new Set<string>();

/** JSON descriptions with a huge number in one field, or in all fields with one name. */
async function* hostile(
  description: unknown,
): AsyncGenerator<{ what: string; json: string; harmless: boolean }> {
  const all = [...places(description)];
  for (const { path, name, value } of all) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (seen.size % 2 !== HALF) continue;
    const set = (paths: readonly Path[], to: unknown) => JSON.stringify(withAt(description, paths, to));
    const deep = set([path], HERE).replace(`"${HERE}"`, "[".repeat(DEPTH) + "]".repeat(DEPTH));
    yield { what: `${name} = [[...]]`, json: deep, harmless: false };
    if (typeof value === "number") {
      // Numbers that need not be integers are not sizes, and neither are seeds.
      const key = path.at(-1);
      const real = key === "seed" || (await load(fileOf(set([path], value + 0.125)))) === "accepted";
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

const fileOf = (json: string) => encodeWithChecksum(parts.arrays, { pushforward: json });

async function load(bytes: Uint8Array): Promise<string> {
  try {
    await decodeModel(bytes);
  } catch (error) {
    return error instanceof PushforwardError ? error.code : String(error);
  }
  return "accepted";
}

async function report(file: string, json: string, harmless: boolean): Promise<void> {
  console.log(JSON.stringify({ started: file }));
  const bytes = fileOf(json);
  const start = process.cpuUsage();
  const outcome = await load(bytes);
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  console.log(JSON.stringify({ file, outcome, milliseconds, harmless } satisfies Attempt));
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
  if ((await load(fileOf(json))) !== "accepted") throw new Error(`${name} is not read back`);
  for await (const { what, json: changed, harmless } of hostile(JSON.parse(json)))
    await report(`${name}: ${what}`, changed, harmless);
}

if (HALF === 0) {
  // The parameters of many bins take little space in a file, but the graph of a spline has matrices of bins by bins.
  const [few, many] = [1000, 20_000];
  const transform = { type: "linearSpline", bins: few } as const;
  const spline = buildBijection({ type: "elementwise", features: FEATURES, transform }, new Random(0));
  const flow = new Flow(new StandardNormal({ features: FEATURES }), spline);
  parts = decodeWithChecksum(encodeModel({ flow, columns: ["x0", "x1"] }));
  for (const [name, { values }] of parts.arrays) {
    if (values.length !== FEATURES * few) continue;
    parts.arrays.set(name, { shape: [FEATURES * many], values: new Float32Array(FEATURES * many) });
  }
  const json = parts.metadata.pushforward!.replace(`"bins":${few}`, `"bins":${many}`);
  await report(`linearSpline with the parameters of ${many} bins`, json, false);
}
console.log(JSON.stringify({ megabytes: peakMemory() }));
