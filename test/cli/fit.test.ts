import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { trainingText } from "../../src/cli/fitReport.ts";
import { decodeModel } from "../../src/tables/model/decodeModel.ts";
import { correlated, EARTHQUAKES, QUICK, workplace } from "./command.ts";

const { path, plain, write, list, pushforward, failure, json } = workplace();

const model = (name: string) => decodeModel(readFileSync(path(name)));

it("learns a table with the default model, and reports how well and what to do next", async () => {
  // The time of kernel densities is quadratic in the rows. With 300 rows or more, they are not cross-validated.
  const lines = readFileSync(EARTHQUAKES, "utf8").split("\n").slice(0, 301);
  const { code, out, err } = await pushforward([
    "fit",
    write("quakes.csv", [...lines, ""].join("\n")),
    "--epochs",
    "1",
    "-o",
    path("quakes.safetensors"),
    "--pictures",
    path("pictures"),
  ]);
  expect(code).toBe(0);
  const figures = out
    .replace(/-?\d+\.\d{3}/g, "X.XXX")
    .replace(/ {3,}/g, "   ")
    .replace(/\d+(\.\d)?%/g, "X%")
    .replace(/\d:\d\d/, "0:00");
  expect(figures).toMatchInlineSnapshot(`
    "Learned lon, lat, depth_km, mag in 0:00 (default model; latent-classes, 1 epoch, the best is epoch 1; all epochs done).
    Rows: 243 for training, 27 for validation, 30 for the test.

    Mean log-density of 30 test rows in nats (not used in training):
      this model   X.XXX ± X.XXX
      independent   X.XXX ± X.XXX   (independent columns, fitted to the training rows)
      a Gaussian   X.XXX ± X.XXX   (linear regression of each column on those before it, fitted to the training rows)
    The model is X.XXX ± X.XXX nats per row better than independent columns.
    Frequent single values, discrete columns and missing values have probabilities; all other values have densities, in the units of their columns.
    Members: kernel-density X%, gaussian-mixture X%, correlated-kernels X%, latent-classes X%.
    The members kernel-density and correlated-kernels store training rows. These rows therefore have a higher log-density than unseen rows, and generated rows lie close to them. --no-kernel leaves them out.

    Model   quakes.safetensors
    Pictures  pictures/samples.png
       pictures/training.png

    Next:
      pushforward report quakes.safetensors quakes.csv -o report.html   what the model is good for
      pushforward anomalies quakes.safetensors quakes.csv   the most unusual rows, and why
      pushforward score quakes.safetensors quakes.csv -o scored.csv   the rows with their log-density
      pushforward sample quakes.safetensors -n 1000 -o samples.csv   generated rows
      pushforward evaluate quakes.safetensors other.csv   how well the model describes other rows
    "
  `);
  expect(err).toMatch(
    /^autoregressive \(1 of \d\), epoch 1: training -\d+\.\d{3}, validation -\d+\.\d{3}, best -\d+\.\d{3} nats \(0:\d\d\)$/m,
  );
  const { columns, training } = await model("quakes.safetensors");
  expect(columns).toEqual(["lon", "lat", "depth_km", "mag"]);
  expect(training).toMatchObject({ rows: 270, seed: 0, epochs: 1 });
  for (const name of ["samples.png", "training.png"]) {
    expect(readFileSync(path(`pictures/${name}`)).toString("latin1", 1, 4)).toBe("PNG");
  }
  expect(list()).toEqual(["pictures", "quakes.csv", "quakes.safetensors"]);
});

it("prints the number of columns of a wide table, not their names", async () => {
  const sums = Array.from({ length: 13 }, (_, k) => `sin(${k + 1} * i) AS c${k}`).join(", ");
  const query = `SELECT ${sums} FROM range(60) AS t(i)`;
  const { out } = await pushforward(["fit", query, ...QUICK, "-o", path("wide.safetensors")]);
  expect(out).toMatch(/^Learned 13 columns in /);
});

it("keeps an earlier log if the data cannot be read", async () => {
  const log = write("earlier.jsonl", "earlier\n");
  const words = ["fit", path("nothing.csv"), "-o", path("unread.safetensors"), "--log", log];
  expect(await failure(...words)).toContain("There is no file nothing.csv");
  expect(readFileSync(log, "utf8")).toBe("earlier\n");
});

it("refuses a log that would replace the model or the table, or is standard output", async () => {
  const table = write("table.csv", "a\n1\n");
  const fit = (log: string) => failure("fit", table, "-o", path("unread.safetensors"), "--log", log);
  expect([
    await fit("-"),
    await fit(path("./table.csv")),
    await fit(path("unread.safetensors")),
  ]).toMatchInlineSnapshot(`
    [
      "2
    Error: The log cannot be written to standard output: expected the name of a file.
    For example: --log metrics.jsonl. --json prints the events to standard output.",
      "2
    Error: table.csv would be replaced by the log.
    Choose another path for --log.",
      "2
    Error: unread.safetensors would be replaced by the log.
    Choose another path for --log.",
    ]
  `);
  expect(readFileSync(table, "utf8")).toBe("a\n1\n");
});

it("refuses options that have no effect on the flow", async () => {
  const fit = (...words: string[]) => failure("fit", EARTHQUAKES, "-o", path("x.safetensors"), ...words);
  expect([
    await fit("--flow", "maf", "--draws", "7"),
    await fit("--flow", "maf", "--no-kernel"),
  ]).toMatchInlineSnapshot(`
    [
      "2
    Error: --draws is for images, and DATA is a table.
    If its columns are pixels, state the size of the images: --image 28x28x1",
      "2
    Error: --no-kernel cannot be combined with --flow maf.
    Only the default model contains training rows: leave the option out.",
    ]
  `);
  expect(await fit("--column", "zip=integer")).toMatchInlineSnapshot(`
    "2
    Error: There is no column "zip": expected lon, lat, depth_km, mag.
    Correct the name."
  `);
});

it("names the epochs of a trained member only if the model contains it", () => {
  const training = { name: "default model", epochs: [], bestEpoch: 0, stopped: "patience" } as const;
  const text = (weight: number) =>
    trainingText({
      ...training,
      trainingCurveMember: "splines",
      members: ["splines", "gaussian-mixture"].map((name, i) => ({
        name,
        weight: i === 0 ? weight : 1 - weight,
        validationLogDensity: -1,
      })),
    });
  expect(text(0)).toBe("default model");
  expect(text(0.5)).toMatch(/^default model; splines, 0 epochs/);
  expect(trainingText(training)).toMatch(/^default model, 0 epochs/);
});

it("prints JSON lines and nothing else with --json", async () => {
  const output = path("json.safetensors");
  const log = path("metrics.jsonl");
  const events = await json(
    "fit",
    EARTHQUAKES,
    ...QUICK,
    "--resume",
    "-o",
    output,
    "--log",
    write("metrics.jsonl", "earlier\n"),
  );
  // Without a checkpoint, --resume starts again, and so does the log.
  expect(plain(readFileSync(log, "utf8"))).toBe(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  expect(events.map(({ event }) => event)).toEqual(["epoch", "epoch", "done"]);
  expect(Object.keys(events[0]!)).toMatchInlineSnapshot(`
    [
      "event",
      "flow",
      "epoch",
      "trainLogDensity",
      "validationLogDensity",
      "learningRate",
      "best",
      "bestEpoch",
      "seconds",
    ]
  `);
  expect(events[2]).toMatchObject({
    model: "json.safetensors",
    flow: "nsf",
    columns: ["lon", "lat", "depth_km", "mag"],
    given: [],
    rows: { training: 1382, validation: 154, test: 171, missing: 0 },
    epochs: 2,
    stopped: "epochs",
    heldOut: { by: "test", rows: 171, meanLogDensity: expect.any(Number), gaussian: expect.any(Number) },
  });
});

it.each(["nsf", "maf", "realnvp", "glow", "nice", "iaf", "planar", "naf"])(
  "learns with --flow %s",
  async (flow) => {
    const output = path(`${flow}.safetensors`);
    const shape = ["--transforms", "2", "--hidden", "8,8", "--epochs", "1", "--batch-size", "500"];
    const events = await json(
      "fit",
      EARTHQUAKES,
      "--flow",
      flow,
      ...shape,
      "-o",
      output,
      "--learning-rate",
      "0.01",
    );
    expect(events.at(-1)).toMatchObject({ flow, epochs: 1 });
    expect(events[0]).toMatchObject({ flow, learningRate: 0.01 });
    const { bijection } = (await model(`${flow}.safetensors`)).flow.describe() as never as {
      bijection: { bijections: unknown[] };
    };
    // Two layers, for NICE also a diagonal scaling, then tails and a standardization.
    expect(bijection.bijections).toHaveLength(2 + (flow === "nice" ? 1 : 0) + 2);
  },
);

it("trains --flow cnf by flow matching, which has no layers", async () => {
  const output = path("cnf.safetensors");
  const shape = ["--hidden", "8,8", "--epochs", "2", "--given", "depth_km", "-o", output];
  const events = await json("fit", EARTHQUAKES, "--flow", "cnf", ...shape);
  expect(events.at(-1)).toMatchObject({ flow: "cnf", epochs: 2 });
  expect(JSON.stringify((await model("cnf.safetensors")).flow.describe())).toContain('"continuous"');
  const { code, err } = await pushforward(["fit", EARTHQUAKES, "--flow", "cnf", "--transforms", "3"]);
  expect(code).toBe(2);
  expect(err).toContain("--transforms cannot be combined with --flow cnf");
});

it("writes the same bytes for the same seed, and different bytes for another seed", async () => {
  const bytes = async (name: string, seed: string) => {
    await json("fit", EARTHQUAKES, ...QUICK, "--seed", seed, "-o", path(name));
    return readFileSync(path(name));
  };
  const first = await bytes("seed-a.safetensors", "3");
  expect(first.equals(await bytes("seed-b.safetensors", "3"))).toBe(true);
  expect(first.equals(await bytes("seed-c.safetensors", "4"))).toBe(false);
});

it("learns chosen columns, given others", async () => {
  const output = path("given.safetensors");
  const choice = ["--columns", "mag,lat", "--given", "depth_km,lon"];
  const [done] = (await json("fit", EARTHQUAKES, ...QUICK, ...choice, "-o", output)).slice(-1);
  expect(done).toMatchObject({ columns: ["mag", "lat"], given: ["depth_km", "lon"] });
  expect(await model("given.safetensors")).toMatchObject({
    columns: ["mag", "lat"],
    given: ["depth_km", "lon"],
  });
  const rest = ["--given", "mag", "-o", path("rest.safetensors"), "--pictures", path("conditional")];
  await json("fit", EARTHQUAKES, ...QUICK, ...rest);
  expect(await model("rest.safetensors")).toMatchObject({
    columns: ["lon", "lat", "depth_km"],
    given: ["mag"],
  });
});

it("writes a picture of a model of one column, and of two", async () => {
  for (const columns of ["mag", "lon,lat"]) {
    const { code } = await pushforward([
      ...["fit", EARTHQUAKES, ...QUICK, "--columns", columns],
      ...["-o", path("few.safetensors"), "--pictures", path(columns)],
    ]);
    expect(code).toBe(0);
    expect(readFileSync(path(`${columns}/samples.png`)).toString("latin1", 1, 4)).toBe("PNG");
  }
});

it("learns from fewer rows than a batch, and from fewer than 20 without test rows", async () => {
  const done = async (rows: number) => {
    const data = write("small.csv", correlated(rows));
    return (await json("fit", data, ...QUICK, "-o", path("small.safetensors"))).at(-1);
  };
  expect(await done(40)).toMatchObject({
    rows: { training: 32, validation: 4, test: 4, missing: 0 },
    heldOut: { by: "test", rows: 4 },
  });
  expect(await done(19)).toMatchObject({
    rows: { training: 17, validation: 2, test: 0, missing: 0 },
    heldOut: { by: "validation", rows: 2 },
  });
  const { out } = await pushforward([
    "fit",
    write("tiny.csv", "a,b\n1,2\n3,5\n"),
    ...QUICK,
    "-o",
    path("tiny.safetensors"),
  ]);
  expect(out).toContain("Rows: 1 for training, 1 for validation.");
  expect(out).toContain("(There are too few rows, or too many columns, to fit a Gaussian for comparison.)");
});

it("cross-validates the default model of a small table, and reports on the rows that no split learned", async () => {
  const data = write("crossed.csv", correlated(150));
  const output = path("crossed.safetensors");
  const quick = ["--epochs", "2", "--budget", "small"];
  const { out, code } = await pushforward(["fit", data, ...quick, "-o", output]);
  expect(code).toBe(0);
  expect(out).toContain("Rows: 135 for training and validation by cross-validation, 15 for the test.");
  expect(out).toContain("Mean log-density of 15 test rows in nats (not used in training):");
  const inspected = await pushforward(["inspect", output]);
  expect(inspected.out).toMatch(
    /the mean log-density of the validation rows, before it learned these rows too\n/,
  );
  const [numbers] = await json("report", output, data, "--rows", "20");
  expect(numbers!.about).toEqual([
    "The model was trained on this table, and its split is repeated from the seed. The held-out rows are its test rows, which the training did not use.",
  ]);
  expect(numbers!.rows).toMatchObject({ heldOut: 15 });
  const changed = write("changed.csv", correlated(150).replace(/\d\n/, "5\n"));
  const [ofOther] = await json("report", output, changed, "--rows", "20");
  expect(ofOther!.about).toEqual([expect.stringMatching(/^The rows are not recognized/)]);
});

it("holds out the requested fractions of the rows", async () => {
  const rows = async (...options: string[]) =>
    (await json("fit", EARTHQUAKES, ...QUICK, ...options, "-o", path("shares.safetensors"))).at(-1)!.rows;
  expect(await rows("--test-fraction", "0")).toMatchObject({ training: 1536, validation: 171, test: 0 });
  expect(await rows("--test-fraction", "0.5", "--validation-fraction", "0.2")).toMatchObject({
    training: 682,
    validation: 171,
    test: 854,
  });
  const two = write("two.csv", "a\n1\n2\n");
  expect(
    await failure("fit", two, "--test-fraction", "0.5", "-o", path("two.safetensors")),
  ).toMatchInlineSnapshot(`
    "2
    column  type    kind     missing  values
    a       bigint  integer  0%       1 to 2; within 0 to 3
    Error: --test-fraction 0.5 leaves too few rows to learn from: expected 2 rows or more, received 1 of 2.
    Leave it out, or give a table with more rows."
  `);
});

it("counts rows with missing values and leaves them out", async () => {
  const lines = correlated(60).split("\n");
  lines[5] = ",1";
  lines[9] = "2,";
  const holes = write("holes.csv", lines.join("\n"));
  const { code, out, err } = await pushforward(["fit", holes, ...QUICK, "-o", path("holes.safetensors")]);
  expect(code).toBe(0);
  expect(err).toContain("Warning: 2 of 60 rows are left out because a value is missing.\n");
  expect(out).toContain(
    "Rows: 47 for training, 5 for validation, 6 for the test, 2 left out because of missing values.",
  );
});

it("warns of columns that make log-densities misleading, with hints", async () => {
  const rows = Array.from({ length: 200 }, (_, i) => `${i % 4},${Math.sin(i)},${i % 5 ? Math.cos(i) : 0}`);
  const grades = write("grades.csv", ["grade,x,rain", ...rows, ""].join("\n"));
  const { err } = await pushforward(["fit", grades, ...QUICK, "-o", path("grades.safetensors")]);
  expect(err.split("\n").filter((line) => line.startsWith("Warning"))).toMatchInlineSnapshot(`
    [
      "Warning: A column has few different values: grade (4). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is. Leave it out: --columns x,rain; or, if it is a category, learn the other columns given it: --given grade",
      "Warning: Many rows have the same value: rain (20% of the rows are 0). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is. Learn only the other 80% of the rows: "FROM 'grades.csv' WHERE rain <> 0"; or leave the column out: --columns grade,x",
    ]
  `);
});

it("learns from values of 1e30, and warns of them", async () => {
  const lines = correlated(300).split("\n");
  lines[7] = "1e30,1";
  const far = write("far.csv", lines.join("\n"));
  const { code, out, err } = await pushforward(["fit", far, ...QUICK, "-o", path("far.safetensors")]);
  expect(code).toBe(0);
  expect(err.split("\n")[0]).toMatchInlineSnapshot(
    `"Warning: Some values are far from all others of their column: a (1e+30). Their density is very low. If these are mistakes, leave the rows out: "FROM 'far.csv' WHERE (a < 1e+30 OR a IS NULL)""`,
  );
  expect(out).not.toMatch(/NaN|Infinity/);
});

it("stops early when the validation log-density no longer improves", async () => {
  const options = [
    "--flow",
    "maf",
    "--epochs",
    "50",
    "--patience",
    "1",
    "--learning-rate",
    "0.5",
    "--threads",
    "2",
  ];
  const events = await json("fit", EARTHQUAKES, ...options, "-o", path("patient.safetensors"));
  const done = events.at(-1)!;
  expect(done).toMatchObject({ stopped: "patience", epochs: (done.bestEpoch as number) + 1 });
});

it("ends after --max-minutes, keeps the best weights and prints how to continue", async () => {
  const small = ["--flow", "nsf", "--transforms", "1", "--hidden", "8"];
  const endless = [...small, "--epochs", "100000", "--patience", "100000", "--max-minutes", "0.03"];
  const words = ["fit", ...endless, "-o", path("timed.safetensors"), "--", EARTHQUAKES];
  const { code, out } = await pushforward(words);
  expect(code).toBe(0);
  expect(out).toContain("; --max-minutes reached)");
  expect(out).toMatch(
    /To continue:\n {2}pushforward fit --resume --flow nsf .* --max-minutes 0.03 -o \S+ -- \S+\n/,
  );
  expect((await model("timed.safetensors")).columns).toHaveLength(4);

  const options = ["--max-minutes", "1e-9", "--flow", "maf", "--pictures", path("start")];
  const start = await pushforward(["fit", EARTHQUAKES, ...options, "-o", path("start.safetensors")]);
  expect(start.code).toBe(0);
  expect(start.out).toContain("(maf, 0 epochs, none better than the initial weights; --max-minutes reached)");
  expect(start.out).toContain(
    "Training ended within the first epoch. Give it more time with --max-minutes.\n",
  );
  expect(start.out).not.toContain("--resume");
});

it("shows a progress bar on a terminal, and no lines", async () => {
  const words = ["fit", EARTHQUAKES, ...QUICK, "-o", path("live.safetensors")];
  const { err } = await pushforward(words, { columns: 90, env: { NO_COLOR: "1" } });
  const [first] = err.split("\r\u001B[K").slice(1);
  expect(first).toMatch(/^nsf, epoch 1 ━*─+ 0:\d\d, best -\d+\.\d{3} nats$/);
  expect(first!.length).toBeLessThan(90);
  expect(err).not.toContain("\n");
  expect(err.endsWith("\r\u001B[K")).toBe(true);
});
