import { availableParallelism, homedir } from "node:os";
import { expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/run.ts";
import { workplace } from "./command.ts";

const { pushforward, failure } = workplace();

it("shows the help of the program", async () => {
  const { code, out, err } = await pushforward([]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatchInlineSnapshot(`
    "pushforward 0.1.0: learns the probability distribution of a table with normalizing flows

    Usage: pushforward COMMAND ...

    Commands:
      columns       Shows the kind of each column of a table, which decides how its values are
                    modelled.
      fit           Learns the density of a table, or of images, and writes a model file.
      report        Tests a model on held-out rows, and writes a report as an HTML file.
      compare       Compares the log-densities of a table under two models.
      evaluate      Computes the mean log-density of a table under a model.
      score         Writes the rows of a table with their log-density under a model.
      anomalies     Finds the most unusual rows of a table, with p-values and the columns that make
                    them unusual.
      impute        Replaces the missing values of a table by values drawn from a model.
      sample        Generates rows from a model.
      infer         Draws from the posterior of a model or a simulator that a program declares.
      interpolate   Draws the images between two images, on a line in the latent space.
      inspect       Shows what is in a model file.
      serve         Answers requests for scores, samples, imputed values and anomalies over HTTP.
      studio        Serves a page that trains flows and explores trained models.
      mcp           Gives an assistant tools to fit, test and use models (Model Context Protocol).
      doctor        Shows the versions of pushforward and its packages, and runs a test computation.
      export        Writes a model as ONNX files, which other programs run without pushforward.

    Examples:
      pushforward fit earthquakes.csv
      pushforward score model.safetensors earthquakes.csv -o scored.csv
      pushforward sample model.safetensors -n 1000 -o samples.csv

    A table is a CSV, TSV, JSON, JSON Lines (each also gzipped) or Parquet file, or a DuckDB query
    in quotes. Log-densities are in nats and refer to the units of the data.

    pushforward COMMAND --help describes a command; --version prints the version.
    "
  `);
  for (const words of [["--help"], ["-h"], ["help"], ["help", "--help"]])
    expect((await pushforward(words)).out).toBe(out);
});

it("shows the help of a command", async () => {
  const { code, out } = await pushforward(["sample", "--help"]);
  expect(code).toBe(0);
  expect(out).toMatchInlineSnapshot(`
    "pushforward sample: Generates rows from a model.

    Usage: pushforward sample MODEL [options]

      MODEL   A model file that pushforward fit wrote.

    In --given, income= without a value states that the income is missing. This needs a default
    model. If a cell of a table in --given is empty, its value is drawn, and so are the columns that
    the table does not have.

    If OUT is a directory (out/), rows go to Parquet files of a million rows there:
    part-00000.parquet, part-00001.parquet and so on. Those of an earlier run are replaced or
    removed.

    A model of images draws pictures: one with all images if OUT ends in .png, otherwise a directory
    with a file for each image, and a sub-directory for each class. The directory must not have
    images of an earlier run. Default: 64 images.

    Options:
      -n, --rows N            The number of rows, or with a table in --given the number for each of
                              its rows. Default: 1000, or 1 with such a table.
      -o, --output OUT        The table to write, in the format of its ending. - writes CSV to
                              standard output. Default: -.
      --seed S                Seed of all random numbers. With the same seed, the first rows do not
                              depend on -n. Default: 0.
      --given GIVEN           The values of some columns, on which the others are conditional:
                              region=north,age=40, or a table with these columns. A model that was
                              fitted with --given needs the values of its given columns.
      --temperature T         For models of images: the standard deviation of latent rows. Lower
                              temperatures give more typical and less diverse images. Default: 1.
      --class CLASS           For models of images with classes: the class of the images. Default:
                              all classes.
      --where CONDITION       Keeps only rows that meet this condition of DuckDB, such as "age > 40
                              AND city = 'Bern'", and draws until there are enough. Only for default
                              models without --given in fit.
      --no-gaps               Replaces the missing values of drawn rows, as impute does. Only for
                              default models without --given in fit.
      --na NA,?               Values of the table to read as missing, such as the words NA and NULL.
                              Empty and blank fields, and NaN among numbers, always are.
      --decimal CHARACTER     The decimal separator of a CSV file. With a comma, points may separate
                              thousands: 1.234,5. One of ".", ",". Default: ".".
      --delimiter CHARACTER   The character between the fields of a CSV file, or \\t. Default:
                              detected.
      --threads N             The number of threads that compute. Default: one for each core.
      --provider NAME         The execution provider of ONNX Runtime that computes. Default: the
                              CPU. pushforward doctor tells which ones work. One of cuda, webgpu.
      -h, --help              Shows this help.

    Examples:
      pushforward sample model.safetensors -n 5
          Five rows, on the terminal.
      pushforward sample digits.safetensors -n 100 --temperature 0.8 -o samples.png
          A hundred images in a picture.
      pushforward sample model.safetensors -n 1000000 --seed 7 -o new.parquet
          A million other rows, in a file.
      pushforward sample model.safetensors -n 100000000 -o new/
          Many rows, in a hundred files of a directory.
      pushforward sample model.safetensors --given region=north,age=40 -n 100
          The other columns, given these values.
      pushforward sample model.safetensors --where "price < area / 10" -n 100
          Rows that meet a condition.
      pushforward sample model.safetensors --given customers.csv
          A row for each row of a table, which has some of the columns.
    "
  `);
  expect((await pushforward(["help", "sample"])).out).toBe(out);
  expect((await pushforward(["sample", "no.safetensors", "-n", "3", "-h"])).out).toBe(out);
});

it("describes every option of every command, in lines of at most 100 characters", async () => {
  for (const name of Object.keys(COMMANDS)) {
    const { out } = await pushforward([name, "--help"]);
    expect(out).not.toMatch(/undefined|VALUE/);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  }
});

it("fits into a narrow terminal, and also shows help in one of unknown width", async () => {
  const lengths = (text: string) => text.split("\n").map((line) => line.length);
  const help = async (columns?: number) =>
    (
      await pushforward(["columns", "--help"], {
        ...(columns !== undefined && { columns }),
        env: { NO_COLOR: "1" },
      })
    ).out;
  const examples = /Examples:.*/s;
  expect(Math.max(...lengths((await help(70)).replace(examples, "")))).toBeLessThanOrEqual(70);
  expect(await help(0)).toBe(await help());
});

it("prints the version", async () => {
  expect((await pushforward(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it("colors headings on a terminal, unless NO_COLOR is set", async () => {
  const ansi = "\u001B[";
  expect((await pushforward([], { columns: 80 })).out).toContain(ansi);
  expect((await pushforward([], { columns: 80, env: { NO_COLOR: "1" } })).out).not.toContain(ansi);
  expect((await pushforward([], { columns: 80, env: { TERM: "dumb" } })).out).not.toContain(ansi);
});

it("refuses unknown commands", async () => {
  expect(await failure("fitt")).toMatchInlineSnapshot(`
    "2
    Error: pushforward has no command fitt: expected one of columns, fit, report, compare, evaluate, score, anomalies, impute, sample, infer, interpolate, inspect, serve, studio, mcp, doctor, export.
    Did you mean pushforward fit?"
  `);
  expect(await failure("train", "data.csv")).toMatchInlineSnapshot(`
    "2
    Error: pushforward has no command train: expected one of columns, fit, report, compare, evaluate, score, anomalies, impute, sample, infer, interpolate, inspect, serve, studio, mcp, doctor, export.
    See pushforward --help."
  `);
  expect(await failure("--versoin")).toMatchInlineSnapshot(`
    "2
    Error: pushforward has no option --versoin.
    Did you mean --version?"
  `);
  expect(await failure("--json", "fit")).toMatchInlineSnapshot(`
    "2
    Error: pushforward has no option --json.
    The options of a command come after its name."
  `);
  expect(await failure("constructor")).toMatchInlineSnapshot(`
    "2
    Error: pushforward has no command constructor: expected one of columns, fit, report, compare, evaluate, score, anomalies, impute, sample, infer, interpolate, inspect, serve, studio, mcp, doctor, export.
    See pushforward --help."
  `);
});

it("refuses options that are unknown, repeated, without a value, or with a superfluous one", async () => {
  expect(await failure("fit", "data.csv", "--sead", "1")).toMatchInlineSnapshot(`
    "2
    Error: pushforward fit has no option --sead.
    Did you mean --seed?"
  `);
  expect(await failure("fit", "data.csv", "--maxMinutes=1")).toMatchInlineSnapshot(`
    "2
    Error: pushforward fit has no option --maxMinutes.
    Did you mean --max-minutes?"
  `);
  expect(await failure("fit", "data.csv", "--no-resume")).toMatchInlineSnapshot(`
    "2
    Error: pushforward fit has no option --no-resume.
    Did you mean --resume?"
  `);
  expect(await failure("fit", "data.csv", "-x")).toMatchInlineSnapshot(`
    "2
    Error: pushforward fit has no option -x.
    See pushforward fit --help."
  `);
  expect(await failure("fit", "data.csv", "-json")).toMatchInlineSnapshot(`
    "2
    Error: pushforward fit has no option -json.
    Did you mean --json?"
  `);
  expect(await failure("fit", "data.csv", "--seed", "1", "--seed", "2")).toMatchInlineSnapshot(`
    "2
    Error: --seed is given twice.
    Give it once."
  `);
  expect(await failure("fit", "data.csv", "--seed")).toMatchInlineSnapshot(`
    "2
    Error: --seed needs a value.
    See pushforward fit --help."
  `);
  expect(await failure("fit", "data.csv", "--columns=")).toMatchInlineSnapshot(`
    "2
    Error: --columns needs a value.
    See pushforward fit --help."
  `);
  expect(await failure("fit", "data.csv", "--json=yes")).toMatchInlineSnapshot(`
    "2
    Error: --json takes no value: received yes.
    See pushforward fit --help."
  `);
  expect(await failure("fit", "data.csv", "--flow", "mfa")).toMatchInlineSnapshot(`
    "2
    Error: --flow cannot be mfa: expected one of default, nsf, maf, realnvp, glow, nice, iaf, planar, naf, cnf, tarflow, image-transformer, vae.
    Did you mean maf?"
  `);
  expect(await failure("fit", "data.csv", "--flow", "transformer")).toMatchInlineSnapshot(`
    "2
    Error: --flow cannot be transformer: expected one of default, nsf, maf, realnvp, glow, nice, iaf, planar, naf, cnf, tarflow, image-transformer, vae.
    Choose one of them: --flow default"
  `);
});

it("suggests the name that was misspelled or abbreviated", async () => {
  const hint = async (...words: string[]) => (await failure(...words)).split("\n").at(-1);
  expect(await hint("fti", "data.csv")).toBe("Did you mean pushforward fit?");
  expect(await hint("eval", "model.safetensors")).toBe("Did you mean pushforward evaluate?");
  expect(await hint("fit", "data.csv", "--sede", "1")).toBe("Did you mean --seed?");
  expect(await hint("fit", "data.csv", "--out", "m.safetensors")).toBe("Did you mean --output?");
  expect(await hint("fit", "data.csv", "--cols", "a,b")).toBe("Did you mean --columns?");
  expect(await hint("fit", "data.csv", "--lr", "1")).toBe("See pushforward fit --help.");
});

it("replaces ~ by the home directory where a shell does not", async () => {
  const home = homedir();
  for (const word of ["--output=~/no/m.safetensors", "-o~/no/m.safetensors", "-o=~/no/m.safetensors"]) {
    expect(await failure("fit", "data.csv", word)).toContain(`Cannot write ${home}/no/m.safetensors:`);
  }
  expect(await failure("sample", "no.safetensors", "--output=~/x.txt")).toContain(
    `No table format belongs to the name ${home}/x.txt`,
  );
  // A quoted tilde is part of the name, and so is a tilde in the middle of a word.
  expect(await failure("fit", "data.csv", "-o", "~/no/m.safetensors")).toContain(
    "Cannot write ~/no/m.safeten",
  );
  expect(await failure("fit", "data.csv", "--output=no~/m.safetensors")).toContain(
    "Cannot write no~/m.safeten",
  );
});

it("refuses an empty value, however it is written", async () => {
  for (const word of ["--output=", "-o="])
    expect(await failure("fit", "data.csv", word)).toContain("Error: --output needs a value.");
});

it("refuses too many and too few arguments", async () => {
  expect(await failure("fit")).toMatchInlineSnapshot(`
    "2
    Error: pushforward fit needs DATA.
    Write pushforward fit DATA..., or see pushforward fit --help."
  `);
  expect(await failure("inspect", "a.safetensors", "b.safetensors")).toMatchInlineSnapshot(`
    "2
    Error: pushforward inspect takes one argument, but also received b.safetensors.
    Write pushforward inspect MODEL, and quote names that contain spaces."
  `);
  expect(await failure("doctor", "model.safetensors")).toMatchInlineSnapshot(`
    "2
    Error: pushforward doctor takes no arguments, but received model.safetensors.
    Write pushforward doctor"
  `);
  // The word after the comma would be a second file.
  expect(await failure("fit", "a.csv", "--columns", "lon,", "lat")).toMatchInlineSnapshot(`
    "2
    Error: The list of --columns ends in a comma.
    Write it without spaces, or in quotes: --columns A,B"
  `);
  expect(await failure("evaluate")).toMatchInlineSnapshot(`
    "2
    Error: pushforward evaluate needs MODEL and DATA.
    Write pushforward evaluate MODEL DATA..., or see pushforward evaluate --help."
  `);
  expect(await failure("evaluate", "model.safetensors")).toMatchInlineSnapshot(`
    "2
    Error: pushforward evaluate needs DATA.
    Write pushforward evaluate MODEL DATA..., or see pushforward evaluate --help."
  `);
  expect(await failure("score", "model.safetensors", "data.csv")).toMatchInlineSnapshot(`
    "2
    Error: pushforward score needs --output.
    Write pushforward score MODEL DATA... -o OUT, or see pushforward score --help."
  `);
});

it("accepts all usual forms of options, and takes all words after -- as arguments", async () => {
  const nothing = /^2\nError: There is no file -?no\.csv/;
  for (const seed of [["--seed", "7"], ["--seed=7"]])
    expect(await failure("fit", ...seed, "no.csv")).toMatch(nothing);
  for (const output of [["-o", "m.safetensors"], ["-om.safetensors"], ["-o=m.safetensors"]]) {
    expect(await failure("fit", "no.csv", ...output)).toMatch(nothing);
  }
  expect(await failure("fit", "--seed", "7", "--", "-no.csv")).toMatch(nothing);
});

it("refuses invalid values", async () => {
  expect(await failure("fit", "data.csv", "--seed", "-1")).toMatchInlineSnapshot(`
    "2
    Error: --seed has an invalid value: expected an integer from 0, received -1.
    For example: --seed 1"
  `);
  expect(await failure("fit", "data.csv", "--epochs", "2.5")).toMatchInlineSnapshot(`
    "2
    Error: --epochs has an invalid value: expected an integer from 1, received 2.5.
    For example: --epochs 200"
  `);
  expect(await failure("fit", "data.csv", "--epochs", "ten")).toMatchInlineSnapshot(`
    "2
    Error: --epochs has an invalid value: expected an integer from 1, received ten.
    For example: --epochs 200"
  `);
  expect(await failure("fit", "data.csv", "--max-minutes", "0")).toMatchInlineSnapshot(`
    "2
    Error: --max-minutes has an invalid value: expected a number above 0, received 0.
    For example: --max-minutes 10"
  `);
  expect(await failure("fit", "data.csv", "--learning-rate", "1e-3x")).toMatchInlineSnapshot(`
    "2
    Error: --learning-rate has an invalid value: expected a number above 0, received 1e-3x.
    For example: --learning-rate 0.001"
  `);
  expect(await failure("fit", "data.csv", "--validation-fraction", "1")).toMatchInlineSnapshot(`
    "2
    Error: --validation-fraction has an invalid value: expected a number above 0 and below 1, received 1.
    For example: --validation-fraction 0.1"
  `);
  expect(await failure("fit", "data.csv", "--flow", "nsf", "--hidden", "64,x")).toMatchInlineSnapshot(`
    "2
    Error: --hidden has an invalid value: expected an integer from 1, received x.
    For example: --hidden 64,64"
  `);
  expect(await failure("fit", "data.csv", "--transforms", "3")).toMatchInlineSnapshot(`
    "2
    Error: --transforms cannot be combined with the default model.
    Choose a flow too, for example --flow nsf"
  `);
  expect(await failure("fit", "data.csv", "--flow", "nsf", "--budget", "small")).toMatchInlineSnapshot(`
    "2
    Error: --budget cannot be combined with --flow nsf.
    It chooses the members of the default model. For one flow: --epochs, --patience, --hidden, --transforms."
  `);
  expect(await failure("fit", "data.csv", "-o", "data.csv")).toMatchInlineSnapshot(`
    "2
    Error: data.csv is not the name of a model file: expected a name that ends in .safetensors.
    For example: -o data.safetensors"
  `);
  expect(await failure("fit", "data.csv", "-o", "model")).toMatchInlineSnapshot(`
    "2
    Error: model is not the name of a model file: expected a name that ends in .safetensors.
    For example: -o model.safetensors"
  `);
  expect(await failure("fit", "data.csv", "-o", "..")).toContain("For example: -o model.safetensors");
  expect(await failure("fit", "data.csv", "-o", "-")).toMatchInlineSnapshot(`
    "2
    Error: A model cannot be written to standard output: expected the name of a file, because checkpoints are written beside it.
    For example: -o model.safetensors"
  `);
  for (const words of [
    ["infer", "model.ts", "-o", "-"],
    ["export", "model.safetensors", "-o", "-"],
    ["fit", "data.csv", "--pictures", "/dev/stdout"],
  ])
    expect(await failure(...words)).toContain("cannot be written to standard output");
  expect(await failure("fit", "data.csv", "-o", "missing/model.safetensors")).toMatchInlineSnapshot(`
    "2
    Error: Cannot write missing/model.safetensors: there is no directory missing.
    Create it first: mkdir -p missing"
  `);
  expect(await failure("sample", "model.safetensors", "-n", "0")).toMatchInlineSnapshot(`
    "2
    Error: -n has an invalid value: expected an integer from 1, received 0.
    For example: -n 1000"
  `);
  expect(await failure("sample", "model.safetensors", "--rows=0")).toContain("--rows has an invalid value");
  for (const words of [
    ["fit", "d"],
    ["evaluate", "m", "d"],
    ["score", "m", "d", "-o", "s.csv"],
    ["sample", "m"],
  ]) {
    for (const threads of ["0", "1000000"]) {
      expect(await failure(...words, "--threads", threads)).toBe(
        `2\nError: --threads has an invalid value: expected an integer from 1 to ${Math.max(64, 2 * availableParallelism())}, received ${threads}.\nFor example: --threads 1`,
      );
    }
  }
  expect(await failure("sample", "model.safetensors", "-o", "new.xlsx")).toMatchInlineSnapshot(`
    "2
    Error: No table format belongs to the name new.xlsx: expected a name that ends in .csv, .tsv, .json, .jsonl or .ndjson (each also with .gz), or .parquet.
    Use a name with one of these extensions."
  `);
});
