import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/tables/model/decodeModel.ts";
import { start, workplace } from "./command.ts";

const { path, write, list, plain, failure } = workplace();

/** Three observations with a conjugate prior: the posterior is normal with mean 1.6875 and deviation 0.2795. */
const PROGRAM = `
import { logProb, model, real, vector } from "pushforward/inference";
import { observations } from "./observations.ts";

interface Unused { readonly x: number }

export default model({ mean: real(), theta: vector(2) }, ({ mean, theta }) => [
  logProb.normal(mean, 0, 2),
  logProb.normal(observations as number[], mean, 0.5),
  logProb.normal(theta, mean, 1),
]);
`;
const QUICK = ["--steps", "100", "--chains", "4", "--draws-per-chain", "200", "--threads", "1"];

describe("infer", () => {
  it("runs a program in TypeScript, and writes the flow, the draws and a picture", async () => {
    write("posterior.ts", PROGRAM);
    write("observations.ts", "export const observations: readonly number[] = [1.1, 2.3, 1.9];");
    const files = [
      "-o",
      path("posterior.safetensors"),
      "--draws",
      path("draws.csv"),
      "--corner",
      path("corner.png"),
    ];
    const { code, out, err } = await start(["infer", path("posterior.ts"), ...files, ...QUICK]).ended;
    expect({ code, err }).toEqual({
      code: 0,
      err: "Finding the posterior\nFitting the flow\nRunning the chains\n",
    });
    expect(
      plain(out)
        .replace(/-?\d+\.\d+/g, "0.0")
        .replace(/ \d{3} /g, " 000 ")
        .replace(/ +/g, " "),
    ).toMatchInlineSnapshot(`
      " mean sd 5% median 95% ESS R-hat
      mean 0.0 0.0 0.0 0.0 0.0 000 0.0
      theta[0] 0.0 0.0 0.0 0.0 0.0 000 0.0
      theta[1] 0.0 0.0 0.0 0.0 0.0 000 0.0

      Log-evidence 0.0 ± 0.0 nats, Pareto k-hat 0.0

      Verdict reliable

      Flow posterior.safetensors
      Draws draws.csv
      Picture corner.png
      "
    `);
    const [header, ...rows] = readFileSync(path("draws.csv"), "utf8").trimEnd().split("\n");
    expect(header).toBe("mean,theta[0],theta[1]");
    expect(rows).toHaveLength(800);
    const means = rows.map((row) => Number(row.split(",")[0]));
    expect(Math.abs(means.reduce((a, b) => a + b) / 800 - 1.6875)).toBeLessThan(0.06);
    const { columns } = await decodeModel(readFileSync(path("posterior.safetensors")));
    expect(columns).toEqual(["unconstrained mean", "unconstrained theta[0]", "unconstrained theta[1]"]);
    expect(readFileSync(path("corner.png")).toString("latin1", 1, 4)).toBe("PNG");
    expect(list()).toEqual([
      "corner.png",
      "draws.csv",
      "observations.ts",
      "posterior.safetensors",
      "posterior.ts",
    ]);
  });

  it("prints one JSON object with --json, from a program in JavaScript", async () => {
    write(
      "posterior.mjs",
      'import * as p from "pushforward/inference";\nexport default p.model({ x: p.real() }, ({ x }) => p.logProb.normal(x, 0, 1));',
    );
    const words = ["infer", path("posterior.mjs"), "-o", path("x.safetensors"), "--json", ...QUICK];
    const { code, out } = await start(words).ended;
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ verdict: "reliable", reasons: [], divergences: 0 });
    expect(result.parameters).toMatchObject([{ name: "x" }]);
    expect(Math.abs(result.logEvidence)).toBeLessThan(0.02);
  });

  it("names the line of the program that fails", async () => {
    write(
      "array.ts",
      `import { model, real } from "pushforward/inference";
interface Unused { readonly x: number }
export default model({ a: real() }, ({ a }) => a.mul([1, 2] as never));
`,
    );
    const { code, err } = await start(["infer", path("array.ts"), "-o", path("a.safetensors")]).ended;
    expect({ code, err: plain(err) }).toMatchInlineSnapshot(`
      {
        "code": 2,
        "err": "Error: array.ts:3: an operand is not a tensor: expected a tensor or a number, received an array.
      Make a tensor of it: constant(values, shape), or data(values) of pushforward/inference.
      ",
      }
    `);
  });

  it("refuses what cannot be read or written before it computes", async () => {
    write("empty.mjs", "export const x = 1;");
    write("number.mjs", "export default 3;");
    write("throws.mjs", '\nthrow new Error("no data");');
    write("model.py", "");
    const into = ["-o", path("a.safetensors")];
    expect({
      missing: await failure("infer", path("other.ts"), ...into),
      ending: await failure("infer", path("model.py"), ...into),
      "no model": await failure("infer", path("empty.mjs"), ...into),
      "another value": await failure("infer", path("number.mjs"), ...into),
      "an error of the program": await failure("infer", path("throws.mjs"), ...into),
      picture: await failure("infer", path("empty.mjs"), ...into, "--corner", path("a.gif")),
      table: await failure("infer", path("empty.mjs"), ...into, "--draws", path("a.xyz")),
      show: await failure("infer", path("empty.mjs"), ...into, "--show", "mu"),
      "standard output": await failure("infer", path("empty.mjs"), ...into, "--draws", "-", "--json"),
    }).toMatchInlineSnapshot(`
      {
        "an error of the program": "2
      Error: throws.mjs:2: no data.
      Correct the program, and run the command again.",
        "another value": "2
      Error: number.mjs does not export a model: expected export default model({ mu: real() }, ({ mu }) => [logProb.normal(mu, 0, 1)]), or export default simulator(...), received 3.
      Import model or simulator from "pushforward/inference".",
        "ending": "2
      Error: model.py is not a program: expected a name that ends in .ts, .mts, .js, .mjs.
      Write the model in TypeScript or JavaScript, as in the example of docs/inference.md.",
        "missing": "2
      Error: other.ts does not exist.
      Check the path, and run the command again.",
        "no model": "2
      Error: empty.mjs does not export a model: expected export default model({ mu: real() }, ({ mu }) => [logProb.normal(mu, 0, 1)]), or export default simulator(...), received no default export.
      Import model or simulator from "pushforward/inference".",
        "picture": "2
      Error: No picture format belongs to the name a.gif: expected a name that ends in .png or .svg.
      Use a name with one of these extensions.",
        "show": "2
      Error: --show needs --corner.
      Name the picture too: --corner corner.png",
        "standard output": "2
      Error: Standard output cannot have both the draws and the summary.
      Write the draws to a file, for example: --draws draws.csv --json",
        "table": "2
      Error: No table format belongs to the name a.xyz: expected a name that ends in .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet.
      Use a name with one of these extensions.",
      }
    `);
  });
});

const SIMULATOR = `
import { prior, simulator } from "pushforward/inference";
export default simulator({ mu: prior.normal(0, 1) }, ({ mu }, random) => [mu + 0.5 * random.normal()]);
`;

describe("infer with another refinement than No-U-Turn chains", () => {
  it("refuses the options of these chains", async () => {
    write(
      "normal.mjs",
      'import * as p from "pushforward/inference";\nexport default p.model({ x: p.real() }, ({ x }) => p.logProb.normal(x, 0, 1));',
    );
    const words = ["infer", path("normal.mjs"), "-o", path("n.safetensors"), "--draws-per-chain", "33"];
    const { code, err } = await start([...words, "--refinement", "none"]).ended;
    expect(code).toBe(2);
    expect(err).toMatchInlineSnapshot(`
      "Error: --draws-per-chain cannot be combined with --refinement none.
      It is an option of No-U-Turn chains: leave one of them out.
      "
    `);
  });
});

describe("infer with --refinement none", () => {
  const words = ["--refinement", "none", "--threads", "1"];

  it("prints the effective sample size of the weights by which draws are resampled", async () => {
    const files = ["-o", path("resampled.safetensors"), "--steps", "50"];
    const { code, out } = await start(["infer", path("normal.mjs"), ...files, ...words]).ended;
    expect(code).toBe(0);
    expect(out).toMatch(/Pareto k-hat \S+, effective sample size [\d,]+ of the weights\n/);
  });

  it("ends soon after Ctrl-C, without a file", async () => {
    const files = ["-o", path("stopped.safetensors"), "--steps", "1000000"];
    const { child, ended } = start(["infer", path("normal.mjs"), ...files, ...words]);
    child.stderr!.on("data", (text) => {
      if (String(text).includes("Fitting the flow")) child.kill("SIGINT");
    });
    const { code, err } = await ended;
    expect({ code, err }).toMatchInlineSnapshot(`
      {
        "code": 130,
        "err": "Finding the posterior
      Fitting the flow
      Stopped before the end; no file was written.
      Run the command again.
      ",
      }
    `);
    expect(list()).not.toContain("stopped.safetensors");
  });
});

describe("infer for a simulator", () => {
  it("draws from the posterior given the numbers of a table, and says when they are unlike all simulations", async () => {
    write("simulator.mjs", SIMULATOR);
    write("x.csv", "x\n20\n");
    const files = ["-o", path("simulated.safetensors"), "--draws", path("mu.csv")];
    const observed = ["--observed", path("x.csv"), "--simulations", "60"];
    const { code, out, err } = await start([
      ...["infer", path("simulator.mjs"), ...files, ...observed, "--threads", "1"],
    ]).ended;
    expect({ code, err }).toEqual({
      code: 0,
      err: "Fitting flow 1 of 4\nFitting flow 2 of 4\nFitting flow 3 of 4\nFitting flow 4 of 4\n",
    });
    expect(
      plain(out)
        .replace(/-?\d+\.\d+/g, "0.0")
        .replace(/ +/g, " ")
        // The few simulations determine the fraction only roughly.
        .replace(/above (all|0\.0%) of the values/, "above MOST of the values"),
    ).toMatchInlineSnapshot(`
      " mean sd 5% median 95%
      mu 0.0 0.0 0.0 0.0 0.0

      60 simulations; the ranks of 2 of 2 quantities are uniform in 300 new simulations

      Verdict unusual observation
      - Value 0 of the observation is outside the range of all simulations. The posterior is an extrapolation: check the data and the simulator, or widen the priors.
      - Value 0 of the observation is above MOST of the values that are simulated for draws from the posterior. Either the simulator is misspecified, or the posterior is inexact. More simulations help only in the second case.

      Flow simulated.safetensors
      Draws mu.csv
      "
    `);
    expect(readFileSync(path("mu.csv"), "utf8").split("\n")).toHaveLength(4002);
    const { columns, flow } = await decodeModel(readFileSync(path("simulated.safetensors")));
    expect([columns, flow.context]).toEqual([["unconstrained mu"], 1]);
  });

  it("names an observation of a wrong size, and what to do if the program fails", async () => {
    write("simulator.mjs", SIMULATOR);
    write("two.csv", "x\n1\n2\n");
    write("failing.mjs", SIMULATOR.replace("[mu + 0.5 * random.normal()]", "{ throw new Error('no'); }"));
    write("one.csv", "x\n1\n");
    const runs = ["simulator.mjs --observed two.csv", "failing.mjs --observed one.csv"].map(async (words) => {
      const [program, option, observed] = words.split(" ") as [string, string, string];
      const files = [path(program), option, path(observed), "-o", path("a.safetensors")];
      const { code, err } = await start(["infer", ...files, "--simulations", "20", "--threads", "1"]).ended;
      return [code, plain(err).replaceAll(/mu = [-.\d]+/g, "mu = MU")];
    });
    expect(await Promise.all(runs)).toMatchInlineSnapshot(`
      [
        [
          2,
          "Error: two.csv: the observation has a different number of values from a simulation: expected 1, received 2.
      The numbers of the table, row by row, are one observation, as the simulator returns it.
      ",
        ],
        [
          2,
          "Error: The simulator failed for mu = MU: no.
      Correct the program, or return NaN where no data can be simulated: such simulations are left out.
      ",
        ],
      ]
    `);
  });

  it("refuses options that only models have, and a simulator without an observation", async () => {
    write("simulator.mjs", SIMULATOR);
    const runs = [[], ["--chains=4"]].map(async (options) => {
      const words = ["infer", path("simulator.mjs"), "-o", path("a.safetensors"), ...options];
      return plain((await start(words).ended).err);
    });
    expect(await Promise.all(runs)).toMatchInlineSnapshot(`
      [
        "Error: The program exports a simulator, whose posterior needs an observation.
      Name the table with the observation: --observed x.csv
      ",
        "Error: --chains is an option for a model, but the program exports a simulator.
      Leave it out, or export a model.
      ",
      ]
    `);
  });
});
