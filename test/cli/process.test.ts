import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, utimesSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { correlated, EARTHQUAKES, MAIN, PENGUINS, QUICK, quickModel, start, workplace } from "./command.ts";
import { writeImages } from "./smallImages.ts";

const here = workplace();
const { path, write, list, plain, pushforward } = here;
const EPOCHS = ["--flow", "nsf", "--transforms", "2", "--hidden", "16", "--epochs", "30", "--patience", "30"];
const ENDLESS = [
  "--flow",
  "nsf",
  "--transforms",
  "2",
  "--hidden",
  "16",
  "--epochs",
  "100000",
  "--patience",
  "100000",
];
const RUN = new URL("run.js", pathToFileURL(MAIN)).href;

/** A program that runs several command lines and prints their exit codes and errors. It takes longer to start a process than to run one. */
const RUN_SEVERAL = `
  import { Writable } from "node:stream";
  const { run } = await import(process.argv[1]);
  const collector = (texts) => new Writable({ write: (chunk, _, done) => { texts.push(chunk); done(); } });
  const outcomes = [];
  for (const words of JSON.parse(process.argv[2])) {
    const texts = [];
    const interrupted = new AbortController().signal;
    const code = await run(words, { stdout: collector([]), stderr: collector(texts), env: {}, interrupted });
    outcomes.push({ code, err: texts.join("") });
  }
  console.log(JSON.stringify(outcomes));
`;

/** The model of an uninterrupted training run. */
async function uninterrupted(name: string, options: readonly string[], table = EARTHQUAKES): Promise<Buffer> {
  const { code, err } = await pushforward(["fit", table, ...options, "-o", path(name)]);
  expect({ code, err: code ? err : "" }).toEqual({ code: 0, err: "" });
  return readFileSync(path(name));
}

/** Starts `fit` in another process and waits for an epoch. */
async function untilEpoch(name: string, options: readonly string[], pattern: RegExp, table = EARTHQUAKES) {
  const running = start(["fit", table, ...options, "-o", path(name), "--json"]);
  await running.printed(pattern);
  return running;
}

describe("after kill -9 in the middle", () => {
  it("--resume writes the same bytes as an uninterrupted training run", async () => {
    const expected = await uninterrupted("whole.safetensors", EPOCHS);
    // The line of an epoch is printed before its checkpoint is written, so after the first line there may be no checkpoint.
    const epoch = 7;
    const running = await untilEpoch("killed.safetensors", EPOCHS, new RegExp(`"epoch":${epoch},`));
    running.child.kill("SIGKILL");
    expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
    expect(list()).toContain("killed.safetensors.checkpoint");
    expect(list()).not.toContain("killed.safetensors");

    const words = ["fit", EARTHQUAKES, ...EPOCHS, "-o", path("killed.safetensors"), "--json", "--resume"];
    const { code, out } = await pushforward(words);
    expect(code).toBe(0);
    // Only some short epochs have a checkpoint, but the first epoch always has one.
    expect(JSON.parse(out.split("\n")[0]!).epoch).toBeGreaterThanOrEqual(2);
    expect(readFileSync(path("killed.safetensors")).equals(expected), `killed in epoch ${epoch}`).toBe(true);
    expect(list().filter((name) => name.startsWith("killed"))).toEqual(["killed.safetensors"]);
  });

  it("the default model resumes, whichever of its members was in training", {
    timeout: 180_000,
  }, async () => {
    const columns = ["--columns", "island,bill_length_mm,sex"];
    const options = ["--epochs", "4", "--budget", "small", "--no-kernel", ...columns];
    const expected = await uninterrupted("default.safetensors", options, PENGUINS);
    for (const flow of ["autoregressive", "latent-classes"]) {
      const pattern = new RegExp(`"flow":"${flow}","epoch":2,`);
      const running = await untilEpoch("again.safetensors", options, pattern, PENGUINS);
      running.child.kill("SIGKILL");
      await running.ended;
      expect(existsSync(path("again.safetensors"))).toBe(false);
      const words = ["fit", PENGUINS, ...options, "-o", path("again.safetensors"), "--resume"];
      expect((await pushforward(words)).code).toBe(0);
      expect(readFileSync(path("again.safetensors")).equals(expected), `${pattern}`).toBe(true);
      expect(list().filter((name) => name.startsWith("again"))).toEqual(["again.safetensors"]);
      execFileSync("rm", [path("again.safetensors")]);
    }
  });
});

describe("Ctrl-C", () => {
  it("keeps the last checkpoint and an existing model, exits with 130 and prints how to continue", async () => {
    const old = Buffer.from("an older model");
    write("stopped.safetensors", old);
    const running = await untilEpoch("stopped.safetensors", EPOCHS, /"epoch":3,/);
    running.child.kill("SIGINT");
    const { signal, out, err } = await running.ended;
    expect(signal).toBe("SIGINT");
    expect(out).not.toContain('"done"');
    expect(plain(err)).toMatchInlineSnapshot(`
      "Stopped; the last checkpoint of the training is in stopped.safetensors.checkpoint.
      To continue: node dist/cli/main.js fit --resume earthquakes.csv --flow nsf --transforms 2 --hidden 16 --epochs 30 --patience 30 -o stopped.safetensors --json
      "
    `);
    expect(readFileSync(path("stopped.safetensors")).equals(old)).toBe(true);

    const command = /main\.js (fit .*)/.exec(err)![1]!.split(" ");
    expect((await pushforward(command)).code).toBe(0);
    expect(readFileSync(path("stopped.safetensors")).equals(readFileSync(path("whole.safetensors")))).toBe(
      true,
    );
  });

  it("before the first epoch leaves no file", async () => {
    const before = list();
    const words = ["fit", EARTHQUAKES, ...EPOCHS, "-o", path("early.safetensors")];
    const outcome = await pushforward(words, { interrupted: AbortSignal.abort() });
    expect(outcome).toMatchInlineSnapshot(`
      {
        "code": 130,
        "err": "Stopped before the first epoch was finished; no file was written.
      Run the command again.
      ",
        "out": "",
      }
    `);
    expect(list()).toEqual(before);
  });

  it("works like SIGTERM, which exits with 143", async () => {
    const running = await untilEpoch("terminated.safetensors", EPOCHS, /"epoch":1,/);
    running.child.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ signal: "SIGTERM" });
    expect(list()).toContain("terminated.safetensors.checkpoint");
  });
});

describe("two training runs with one output", () => {
  it("do not run at the same time, and the second names the process of the first", async () => {
    const first = await untilEpoch("shared.safetensors", ENDLESS, /"epoch":1,/);
    const fit = ["fit", EARTHQUAKES, ...EPOCHS, "-o", path("shared.safetensors")];
    for (const second of [fit, [...fit, "--resume"]]) {
      const { code, err } = await pushforward(second);
      expect({
        code,
        err: err.replace(String(first.child.pid), "PID").replace(/ since .*/, " since TIME."),
      }).toMatchInlineSnapshot(`
        {
          "code": 2,
          "err": "Error: shared.safetensors is being written by process PID since TIME.
        Wait until it ends, or give the output another name.
        ",
        }
      `);
    }
    expect(list()).toContain("shared.safetensors.lock");
    first.child.kill("SIGINT");
    expect(await first.ended).toMatchObject({ code: 130 });
    expect(list()).not.toContain("shared.safetensors.lock");
  });
});

describe("a checkpoint", () => {
  it("is not lost to a training run that starts from the beginning", async () => {
    const before = list();
    const fit = ["fit", EARTHQUAKES, ...EPOCHS, "-o", path("terminated.safetensors")];
    expect(await here.failure(...fit)).toMatchInlineSnapshot(`
      "2
      Error: There is a checkpoint of an unfinished training run, terminated.safetensors.checkpoint.
      Continue from it with --resume, or discard it and start again with --overwrite."
    `);
    expect(await here.failure(...fit, "--seed", "1", "--resume")).toMatchInlineSnapshot(`
      "2
      Error: terminated.safetensors.checkpoint: the checkpoint is from different data, a different flow or different settings.
      Give the same data and options to continue from it, or discard it and start again with --overwrite."
    `);
    const other = ["fit", EARTHQUAKES, "-o", path("terminated.safetensors"), "--resume"];
    expect(await here.failure(...other)).toMatchInlineSnapshot(`
      "2
      Error: terminated.safetensors.checkpoint is the checkpoint of another flow.
      Give the same --flow to continue from it, or discard it and start again with --overwrite."
    `);
    write("damaged.safetensors.checkpoint", "not a checkpoint");
    const damaged = ["fit", EARTHQUAKES, ...EPOCHS, "-o", path("damaged.safetensors"), "--resume"];
    expect(await here.failure(...damaged)).toMatchInlineSnapshot(`
      "2
      Error: damaged.safetensors.checkpoint: the file is not a safetensors file: expected the length of a JSON header, then the header, received bytes 6e 6f 74 20 61 20 63 68 65.
      The checkpoint is damaged: discard it and start again with --overwrite."
    `);
    expect(list()).toEqual([...before, "damaged.safetensors.checkpoint"].sort());
    expect(await here.failure(...fit, "--resume", "--overwrite")).toMatchInlineSnapshot(`
      "2
      Error: --overwrite cannot be combined with --resume.
      Continue with --resume, or start again with --overwrite."
    `);
  });

  it("is discarded by --overwrite, but not before the table was read", async () => {
    const fit = (data: string) => ["fit", data, ...QUICK, "-o", path("damaged.safetensors"), "--overwrite"];
    expect((await pushforward(fit("no.csv"))).code).toBe(2);
    expect(list()).toContain("damaged.safetensors.checkpoint");
    expect((await pushforward(fit(EARTHQUAKES))).code).toBe(0);
    expect(list().filter((name) => name.startsWith("damaged"))).toEqual(["damaged.safetensors"]);
  });

  it("of a training run that ended by --max-minutes can be resumed, and does not block a new training run", async () => {
    const endless = ["--epochs", "100000", "--patience", "100000", "--max-minutes", "0.02"];
    const words = ["fit", EARTHQUAKES, ...QUICK.slice(0, 6), ...endless, "-o", path("timed.safetensors")];
    expect((await pushforward(words)).code).toBe(0);
    expect(list()).toContain("timed.safetensors.checkpoint");
    const { code, err } = await pushforward(words);
    expect({ code, first: err.split("\n")[0] }).toMatchInlineSnapshot(`
      {
        "code": 0,
        "first": "Training starts from the beginning and replaces the model timed.safetensors, whose training --max-minutes ended. (--resume continues from timed.safetensors.checkpoint.)",
      }
    `);
    expect(list()).toContain("timed.safetensors.checkpoint");
    // A checkpoint that is newer than the model belongs to a training run that was interrupted later.
    utimesSync(path("timed.safetensors"), new Date(0), new Date(0));
    expect(await here.failure(...words)).toContain("There is a checkpoint of an unfinished training run");
  });

  it("of a training run that failed is discarded by the command that the hint proposes", async () => {
    const words = ["--flow", "planar", "--learning-rate", "1e4", "--epochs", "3", "--threads", "1"];
    const error = await here.failure("fit", EARTHQUAKES, ...words, "-o", path("failed.safetensors"));
    expect(error.split("\n").at(-1)).toMatchInlineSnapshot(
      `"Lower the learning rate: pushforward fit --learning-rate 0.001 --overwrite earthquakes.csv --flow planar --epochs 3 --threads 1 -o failed.safetensors. Or check these rows for a value far from all others, and for columns with few different values."`,
    );
    expect(list()).toContain("failed.safetensors.checkpoint");
    const [, proposed] = /(fit .*\.safetensors)\. Or/.exec(error)!;
    const again = proposed!.replace("earthquakes.csv", EARTHQUAKES).replace("failed.", path("failed."));
    expect((await pushforward(again.split(" "))).code).toBe(0);
  });

  it("that is missing is reported, and training starts from the beginning", async () => {
    const words = ["fit", EARTHQUAKES, ...QUICK, "-o", path("first.safetensors"), "--resume"];
    const { code, err } = await pushforward(words);
    expect(code).toBe(0);
    expect(err.split("\n")[0]).toMatchInlineSnapshot(
      `"There is no checkpoint of first.safetensors to continue from. Training starts from the beginning."`,
    );
  });
});

describe("a process", () => {
  let model: string;
  beforeAll(async () => {
    model = await quickModel(here, EARTHQUAKES, "model");
  });

  it("exits with the code of its outcome, and prints a stack trace only with DEBUG", () => {
    const node = (words: string[], env = {}) =>
      spawnSync(process.execPath, [MAIN, ...words], { encoding: "utf8", env: { ...process.env, ...env } });
    expect(node(["--version"])).toMatchObject({ status: 0, stderr: "" });
    const wrong = ["evaluate", path("no.safetensors"), EARTHQUAKES];
    const { status, stderr } = node(wrong);
    expect({ status, stderr: plain(stderr) }).toMatchInlineSnapshot(`
      {
        "status": 2,
        "stderr": "Error: There is no file no.safetensors.
      Did you mean model.safetensors?
      ",
      }
    `);
    expect(node(wrong, { DEBUG: "1" }).stderr).toMatch(/\n +at .*\.js:/);
  });

  it.each([
    ["NICE of a table", "table", ["--flow", "nice", "--transforms", "2"]],
    [
      "additive couplings of images",
      "images",
      ["--levels", "1", "--transforms", "1", "--coupling", "additive"],
    ],
  ])("trains %s, although no module imports the entry points of the package", async (name, data, options) => {
    const file = data === "table" ? write("table.csv", correlated(40)) : writeImages(here).images;
    const words = ["--hidden", "4", "--epochs", "1", "--threads", "1", "-o", path(`${name}.safetensors`)];
    const { code, err } = await start(["fit", file, ...options, ...words]).ended;
    expect({ code, err: code ? err : "" }).toEqual({ code: 0, err: "" });
  });

  it("succeeds even if the reader of its output closes the pipe", () => {
    const shell = (script: string) =>
      spawnSync("bash", ["-c", `set -o pipefail; ${script}`], {
        encoding: "utf8",
        env: {
          ...process.env,
          NODE: process.execPath,
          MAIN,
          MODEL: model,
          DATA: EARTHQUAKES,
          OUT: path("piped.safetensors"),
        },
      });
    const sampled = shell('"$NODE" "$MAIN" sample "$MODEL" -n 20000 | head -n 1');
    expect(sampled).toMatchObject({ status: 0, stdout: "lon,lat,depth_km,mag\n", stderr: "" });
    const scored = shell('"$NODE" "$MAIN" score "$MODEL" "FROM \'$DATA\', range(6)" -o - | head -n 1');
    expect(scored).toMatchObject({
      status: 0,
      stdout: "lon,lat,depth_km,mag,range,log_density\n",
      stderr: "",
    });
    const fitted = shell(`"$NODE" "$MAIN" fit "$DATA" ${QUICK.join(" ")} -o "$OUT" --json | head -n 1`);
    expect(fitted).toMatchObject({ status: 0, stderr: "" });
    expect(list()).toContain("piped.safetensors");
  });

  it("that cannot write any more keeps existing files", () => {
    write("full.safetensors", "an older model");
    write("full.csv", "an older table");
    const before = list();
    // A limit on the size of files has the same effect as a full disk.
    const limited = (...words: string[]) =>
      spawnSync("bash", ["-c", 'ulimit -f 8; exec "$0" "$@"', process.execPath, ...words], {
        encoding: "utf8",
      });
    const fitted = limited(MAIN, "fit", EARTHQUAKES, ...EPOCHS, "-o", path("full.safetensors"));
    expect({
      status: fitted.status,
      stderr: plain(fitted.stderr).replace(/^nsf.*\n/, ""),
    }).toMatchInlineSnapshot(`
      {
        "status": 1,
        "stderr": "Error: Cannot write full.safetensors.checkpoint: the file would exceed the size limit.
      Raise the limit (ulimit -f), or write to another disk. If the file existed, it is unchanged.
      ",
      }
    `);
    const endings = ["csv", "jsonl", "csv.gz", "parquet"];
    const commands = [
      ["score", model, EARTHQUAKES, "-o", path("full.csv")],
      ...endings.map((ending) => ["sample", model, "-n", "5000", "-o", path(`full.${ending}`)]),
    ];
    const several = limited("--input-type=module", "-e", RUN_SEVERAL, RUN, JSON.stringify(commands));
    expect(several).toMatchObject({ status: 0, stderr: "" });
    const [scored, ...sampled] = JSON.parse(several.stdout) as { code: number; err: string }[];
    expect({ code: scored.code, err: plain(scored.err) }).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "Error: Cannot write full.csv: the file would exceed the size limit.
      Raise the limit (ulimit -f), or write to another disk. If the file existed, it is unchanged.
      ",
      }
    `);
    expect(sampled.map(({ code, err }) => ({ code, err: plain(err) }))).toEqual(
      endings.map((ending) => ({
        code: 1,
        err: scored.err.replaceAll(path("full.csv"), `full.${ending}`),
      })),
    );
    expect(readFileSync(path("full.safetensors"), "utf8")).toBe("an older model");
    expect(readFileSync(path("full.csv"), "utf8")).toBe("an older table");
    expect(list()).toEqual(before);
  });
});
