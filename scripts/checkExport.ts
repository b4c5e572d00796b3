// `npm run check:export`: exports models of every kind of bijection and distribution, and a default model of a mixed table, and
// checks that other runtimes compute the same numbers: onnxruntime-web, and onnx and onnxruntime of Python (scripts/checkExport.py), of which
// Debian has packages: apt-get install python3-onnx python3-onnxruntime. The environment variable PYTHON names the interpreter.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { env, InferenceSession, Tensor } from "#onnxruntime/wasm";
import { StandardNormal } from "../src/distributions/index.ts";
import { Flow, fitTable, Random } from "../src/index.ts";
import { parametersOf } from "../src/nn/module.ts";
import type { Precision } from "../src/onnx/index.ts";
import { bijectionCases } from "../test/bijections/cases.ts";
import { rowsInDomain } from "../test/bijections/domain.ts";
import { distributionCases } from "../test/distributions/cases.ts";
import {
  type InputValues,
  rowsOfAllKinds,
  samplerInputs,
  tableInputs,
  tensorsOf,
  unusualRows,
} from "../test/flows/exportedTable.ts";
import { perturb } from "../test/nn/perturb.ts";

/** The largest difference, relative to max(1, |value|). */
const TOLERANCE: Readonly<Record<Precision, number>> = { float32: 1e-5, float64: 1e-10 };
/** The steps of an adaptive solver, and the estimated constant of `Resampled`, amplify rounding. */
const AMPLIFIES_ROUNDING = /type:(continuous|resampled)/;
const TOLERANCE_OF_AMPLIFIED = 3e-5;
/** Only models whose names contain this text are checked: `npm run check:export -- continuous`. Default all. */
const [, , pattern = ""] = process.argv;
const ROWS = 8;

/** A file, its inputs, and its outputs as pushforward computes them. */
interface Check {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly precision: Precision;
  readonly tolerance: number;
  readonly inputs: Readonly<Record<string, InputValues>>;
  readonly expected: Readonly<Record<string, ArrayLike<number | string>>>;
}

/** A flow of each example of each registered kind, with rows in its domain. */
async function* flows(): AsyncGenerator<readonly [name: string, flow: Flow, x: Float64Array]> {
  for (const example of bijectionCases([2])) {
    const bijection = example.build();
    perturb(parametersOf(bijection));
    const { x } = await rowsInDomain(example, bijection);
    const flow = new Flow(new StandardNormal({ features: 2 }), bijection);
    yield [`bijection ${example.name}`, flow, x.slice(0, 2 * ROWS)];
  }
  for (const { name, build } of distributionCases([2])) {
    const flow = new Flow(build());
    const context = new Float64Array(flow.context);
    const x = await flow.sample(ROWS, { precision: "float64", ...(flow.context > 0 && { context }) });
    yield [`distribution ${name}`, flow, x];
  }
}

async function* flowChecks(
  name: string,
  flow: Flow,
  x: Float64Array,
  precision: Precision,
): AsyncGenerator<Check> {
  const rows = (values: ArrayLike<number>, size: number): InputValues => ({
    type: precision,
    shape: [ROWS, size],
    data: Array.from(values),
  });
  const context = new Random(7).normal(new Float64Array(ROWS * flow.context));
  const given = flow.context > 0 ? { context: rows(context, flow.context) } : undefined;
  const run = [given && context, { precision }] as const;
  const z = await flow.toLatent(x, ...run);
  const files = {
    density: [{ x: rows(x, flow.features) }, { logProb: await flow.logProb(x, ...run), z }],
    sampler: [
      samplerInputs(flow, { rows: ROWS, seed: 0, type: precision }),
      { x: await flow.sample(ROWS, { precision, ...(given && { context }) }) },
    ],
    data: [{ z: rows(z, flow.features) }, { x: await flow.toData(z, ...run) }],
  } as const;
  for (const [what, [inputs, expected]] of Object.entries(files)) {
    // A flow without a bijection, which has the identity, has no map to export.
    if (what === "data" && flow.bijection.describe().type === "identity") continue;
    yield {
      name: `${name} ${what} ${precision}`,
      precision,
      bytes: await flow.exportOnnx({ what: what as keyof typeof files, precision }),
      tolerance:
        precision === "float32" && AMPLIFIES_ROUNDING.test(name)
          ? TOLERANCE_OF_AMPLIFIED
          : TOLERANCE[precision],
      inputs: { ...inputs, ...given },
      expected,
    };
  }
  await flow.release();
}

/** The default model of a table with columns of all kinds. */
async function* tableChecks(): AsyncGenerator<Check> {
  const { model } = await fitTable(rowsOfAllKinds(800, 1), { epochs: 1 });
  const rows = unusualRows(rowsOfAllKinds(500, 2));
  for (const precision of ["float32", "float64"] as const) {
    const tolerance = TOLERANCE[precision];
    yield {
      name: `table density ${precision}`,
      precision,
      bytes: await model.exportOnnx({ precision }),
      tolerance,
      inputs: tableInputs(model.columns, rows),
      expected: { logProb: await model.score(rows, { precision }) },
    };
    const samples = tableInputs(model.columns, await model.sample(200, { precision }));
    yield {
      name: `table sampler ${precision}`,
      precision,
      bytes: await model.exportOnnx({ what: "sampler", precision }),
      tolerance,
      inputs: samplerInputs(model.flow, { rows: 200, seed: 0, type: precision }),
      expected: Object.fromEntries(Object.entries(samples).map(([name, { data }]) => [name, data])),
    };
  }
  await model.release();
}

/** The largest difference of an output from the expected values, relative to max(1, |value|); Infinity for different texts. */
function difference(received: ArrayLike<unknown>, expected: ArrayLike<number | string>): number {
  let largest = received.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [received[i], expected[i]];
    if (Object.is(a, b) || a === b) continue;
    const relative =
      typeof a === "number" && typeof b === "number"
        ? Math.abs(a - b) / Math.max(1, Math.abs(b))
        : Number.POSITIVE_INFINITY;
    largest = Number.isNaN(relative) ? Number.POSITIVE_INFINITY : Math.max(largest, relative);
  }
  return largest;
}

/** The differences of onnxruntime-web, by output. */
async function webDifferences({
  bytes,
  precision,
  inputs,
  expected,
}: Check): Promise<Record<string, number>> {
  // Version 1.30 rounds some constants of a graph in float64 to float32 when it optimizes it.
  const options = precision === "float64" ? ({ graphOptimizationLevel: "disabled" } as const) : {};
  const session = await InferenceSession.create(bytes, options);
  const results = await session.run(tensorsOf(inputs, Tensor));
  await session.release();
  return Object.fromEntries(
    Object.entries(expected).map(([name, values]) => [
      name,
      difference(results[name]!.data as ArrayLike<unknown>, values),
    ]),
  );
}

/** The differences of each file of a folder in Python, by output. */
function pythonDifferences(folder: string): Record<string, Record<string, number>> {
  const script = fileURLToPath(new URL("checkExport.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.env.PYTHON ?? "/usr/bin/python3", [script, folder], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  // Debian's packages of onnx and onnxruntime both register the operators of ONNX, and say so in thousands of lines.
  const errors = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("Schema error"));
  if (status !== 0) throw new Error(errors.join("\n"));
  return JSON.parse(stdout, (_, value) => (value === "Infinity" ? Number.POSITIVE_INFINITY : value));
}

env.wasm.numThreads = 1;
const folder = mkdtempSync(join(tmpdir(), "pushforward-export-"));
const checks: Check[] = [];
try {
  const web: Record<string, Record<string, number>> = {};
  const add = async (check: Check) => {
    const file = `${checks.length}`;
    checks.push(check);
    const { bytes, inputs, expected } = check;
    writeFileSync(join(folder, `${file}.onnx`), bytes);
    const replacer = (_: string, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value)
        ? String(value)
        : ArrayBuffer.isView(value)
          ? Array.from(value as Float64Array)
          : value;
    writeFileSync(join(folder, `${file}.json`), JSON.stringify({ inputs, expected }, replacer));
    web[file] = await webDifferences(check);
  };
  if ("table".includes(pattern)) for await (const check of tableChecks()) await add(check);
  for await (const [name, flow, x] of flows())
    if (name.includes(pattern))
      for (const precision of ["float32", "float64"] as const)
        for await (const check of flowChecks(name, flow, x, precision)) await add(check);
  if (checks.length === 0) throw new Error(`no model has a name that contains ${pattern}`);
  const python = pythonDifferences(folder);
  let failures = 0;
  for (const [runtime, byFile] of Object.entries({
    "onnxruntime-web": web,
    "onnxruntime of Python": python,
  })) {
    for (const precision of ["float32", "float64"] as const) {
      let [worst, where, count] = [0, "", 0];
      checks.forEach(({ name, precision: ofFile, tolerance }, file) => {
        if (ofFile !== precision) return;
        count++;
        for (const [output, size] of Object.entries(
          byFile[file] ?? { "no result": Number.POSITIVE_INFINITY },
        )) {
          if (size >= worst) [worst, where] = [size, `${name}, ${output}`];
          if (size <= tolerance) continue;
          failures++;
          console.error(`${runtime}: ${name}, ${output} differs by ${size}`);
        }
      });
      console.log(
        `${runtime}: ${count} files in ${precision}, largest difference ${worst.toExponential(1)} (${where})`,
      );
    }
  }
  process.exitCode = failures > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}
