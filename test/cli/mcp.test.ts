import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AllowedDirectories } from "../../src/cli/allowedDirectories.ts";
import { toolServer } from "../../src/cli/mcpServer.ts";
import { nice } from "../../src/index.ts";
import { saveModel } from "../../src/open/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import { modelOfRows, rowsOfAllKinds } from "../flows/exportedTable.ts";
import { correlated, MAIN, workplace } from "./command.ts";

const { path, write, failure } = workplace();
const folder = path("folder");
mkdirSync(folder);
// With integers in one column, the default model has no flow of real columns, which takes long to train.
const table = correlated(250).replace(/,(-?[\d.]+)$/gm, (_, b) => `,${Math.round(Number(b)) + 0}`);
write("folder/table.csv", table);
write("secret.csv", correlated(20));

interface Answer {
  readonly isError: boolean;
  readonly text: string;
}

/** Calls tools of a client. In answers, the temporary directory is removed from paths. */
const callerOf =
  (client: Client) => async (name: string, args: object, onProgress?: (message?: string) => void) => {
    const options = onProgress && {
      onprogress: ({ message }: { message?: string | undefined }) => onProgress(message),
    };
    const { content, isError } = await client.callTool({ name, arguments: { ...args } }, undefined, options);
    const [{ text }] = content as [{ text: string }];
    return { isError: isError === true, text: text.replaceAll(path("/"), "") } satisfies Answer;
  };

describe("the command mcp", () => {
  test("gives a client over standard input and output all tools", async () => {
    const client = new Client({ name: "test", version: "1" });
    const args = [MAIN, "mcp", folder];
    await client.connect(new StdioClientTransport({ command: process.execPath, args }));
    const call = callerOf(client);
    const { tools } = await client.listTools();
    expect(
      tools.map(({ name, annotations }) => `${name} ${annotations?.readOnlyHint}`),
    ).toMatchInlineSnapshot(`
      [
        "columns true",
        "fit false",
        "inspect true",
        "report false",
        "score false",
        "anomalies false",
        "sample false",
        "impute false",
      ]
    `);
    expect(tools.find(({ name }) => name === "sample")?.inputSchema).toMatchInlineSnapshot(`
      {
        "additionalProperties": false,
        "properties": {
          "given": {
            "additionalProperties": {
              "type": [
                "string",
                "number",
                "boolean",
                "null",
              ],
            },
            "description": "Values of columns, such as { region: 'north' }. null states that the value is missing.",
            "propertyNames": {
              "type": "string",
            },
            "type": "object",
          },
          "model": {
            "description": "The model file, which the tool fit wrote.",
            "minLength": 1,
            "type": "string",
          },
          "output": {
            "description": "The new table to write: .csv, .tsv, .json, .jsonl or .parquet. Without it, the rows are in the answer.",
            "minLength": 1,
            "type": "string",
          },
          "rows": {
            "description": "The number of rows. Default 20.",
            "maximum": 9007199254740991,
            "minimum": 1,
            "type": "integer",
          },
          "seed": {
            "description": "The seed of all random numbers. Default 0.",
            "maximum": 9007199254740991,
            "minimum": 0,
            "type": "integer",
          },
        },
        "required": [
          "model",
        ],
        "type": "object",
      }
    `);
    expect(client.getInstructions()).toContain(`Paths are relative to ${folder}`);
    expect(
      (await call("columns", { data: ["table.csv"], kinds: { b: "continuous" } })).text,
    ).toMatchInlineSnapshot(`
      "column  type    kind        missing  values
      a       double  continuous  0%       -4 to 3.9986
      b       bigint  continuous  0%       -3 to 3
      "
    `);

    const progress: (string | undefined)[] = [];
    const fitted = await call("fit", { data: ["table.csv"], output: "m.safetensors", epochs: 2 }, (message) =>
      progress.push(message),
    );
    expect(fitted.text).toMatch(/^Learned a, b in /);
    expect(progress.length).toBeGreaterThan(0);
    expect(progress[0]).toContain("epoch 1");

    const model = "m.safetensors";
    expect((await call("inspect", { model })).text).toContain("columns     a, b");
    const scored = await call("score", { model, data: ["table.csv"] });
    expect(scored.text.split("\n").slice(0, 1)).toEqual(["a,b,log_density"]);
    expect(scored.text.split("\n").length).toBe(252);
    expect((await call("anomalies", { model, data: ["table.csv"], rows: 1 })).text).toMatch(
      /^The most unusual of 250 rows/,
    );
    const sampled = await call("sample", { model, rows: 2, given: { a: 1 }, output: "new.csv" });
    expect(sampled.text).toContain("Wrote 2 rows to folder/new.csv\n");
    expect(readFileSync(path("folder/new.csv"), "utf8")).toMatch(/^a,b\n1,-?[\d.]+\n1,-?[\d.]+\n$/);
    write("folder/gap.csv", "a,b\n1,\n");
    expect((await call("impute", { model, data: ["gap.csv"] })).text).toMatch(/^a,b\n1,-?[\d.]+\n/);
    await client.close();
  }, 120_000);

  test("refuses a folder that is not there", async () => {
    expect(await failure("mcp", path("nowhere"))).toMatchInlineSnapshot(`
      "2
      Error: nowhere is not a directory.
      Give the directories with the tables and models."
    `);
  });
});

describe("tools", () => {
  const client = new Client({ name: "test", version: "1" });
  const call = callerOf(client);
  const model = modelOfRows(
    rowsOfAllKinds(50, 1).map(({ children = null, city = null }) => ({ children, city })),
  );

  beforeAll(async () => {
    await saveModel(path("folder/model.safetensors"), model.contents);
    symlinkSync(path("secret.csv"), path("folder/link.csv"));
    symlinkSync(path(""), path("folder/up"));
    symlinkSync(path("created.csv"), path("folder/dangling.csv"));
    symlinkSync(path("created.csv"), path("folder/new.safetensors.checkpoint-maf"));
    symlinkSync(path("folder/table.csv"), path("folder/inside.csv"));
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    await toolServer(await AllowedDirectories.open([folder])).connect(theirs);
    await client.connect(ours);
  });
  afterAll(() => client.close());

  test("read no file outside of the folders, whatever its name", async () => {
    for (const name of [
      "../secret.csv",
      path("secret.csv"),
      "link.csv",
      "up/secret.csv",
      "/etc/passwd",
      "*.csv",
      "../*.csv",
      "missing.csv",
      ".",
      "-",
      "/dev/stdin",
      "SELECT * FROM '/etc/passwd'",
      "https://example.org/table.csv",
      "~/table.csv",
      "--json",
    ]) {
      const { isError, text } = await call("columns", { data: [name] });
      expect({ name, isError, text: text.split(":")[0] }).toEqual({ name, isError: true, text: "Error" });
      expect(text).toContain(`There is no file ${name.replaceAll(path("/"), "")}`);
      const asModel = await call("inspect", { model: name });
      expect(asModel.text).toBe(text);
    }
    expect((await call("columns", { data: ["inside.csv"] })).isError).toBe(false);
    expect((await call("columns", { data: ["up/folder/table.csv"] })).isError).toBe(false);
  });

  test("write no file outside of the folders, and replace none", async () => {
    const before = [readdirSync(path("")), readdirSync(folder)];
    for (const name of [
      "../created.csv",
      path("created.csv"),
      "up/created.csv",
      "dangling.csv",
      "link.csv",
      "table.csv",
      "model.safetensors",
      "new.safetensors",
      "missing/created.csv",
      ".",
      "/dev/stdout",
    ]) {
      const { isError, text } = await call("sample", { model: "model.safetensors", output: name });
      expect({ name, isError, text }).toMatchObject({ name, isError: true });
      expect(text).toMatch(/cannot be written|exists already/);
      expect((await call("fit", { data: ["table.csv"], output: name })).isError).toBe(true);
    }
    expect([readdirSync(path("")), readdirSync(folder)]).toEqual(before);
  });

  test("take given values as values, and neither as tables nor as queries", async () => {
    const given = (values: object) => call("sample", { model: "model.safetensors", rows: 1, given: values });
    write("folder/city=Zug", "city\nBasel\n");
    const previous = process.cwd();
    process.chdir(folder);
    try {
      expect((await given({ city: "Zug" })).text).toMatch(/^children,city\n\d*,Zug\n$/);
    } finally {
      process.chdir(previous);
    }
    expect((await given({ children: null })).text).toContain('given value of column "children" is missing');
    const refused = [
      await given({ "SELECT * FROM '/etc/passwd' WHERE city": "1" }),
      await given({ "/etc/passwd": "1" }),
      await given({ city: 'Zug",children="1' }),
    ];
    expect(refused.map(({ isError }) => isError)).toEqual([true, true, true]);
    expect(refused.map(({ text }) => text)).toMatchInlineSnapshot(`
      [
        "Error: The model has no column "SELECT * FROM '/etc/passwd' WHERE city" that can be given: expected children, city.
      Call inspect to see the columns of the model.
      ",
        "Error: The model has no column "/etc/passwd" that can be given: expected children, city.
      Call inspect to see the columns of the model.
      ",
        "Error: Column "city" has no label Zug",children="1: expected Bern, Basel, Zug, received Zug",children="1.
      Give another value, or leave this column out.
      ",
      ]
    `);
  });

  test("take given values only of the columns that a conditional model is given", async () => {
    const query = `FROM read_text('${path("secret.csv")}') WHERE x`;
    const flow = nice(2, { context: 1, hidden: [4] });
    const columns = [query, "b"];
    const table = columns.map(realColumn);
    await saveModel(path("folder/conditional.safetensors"), { flow, columns, table, given: ["g"] });
    const given = (values: object) =>
      call("sample", { model: "conditional.safetensors", rows: 1, given: values });
    expect((await given({ g: 1 })).isError).toBe(false);
    expect((await given({ [query]: 1 })).text).toMatchInlineSnapshot(`
      "Error: The model has no column "FROM read_text('secret.csv') WHERE x" that can be given: expected g.
      Call inspect to see the columns of the model.
      "
    `);
  });

  test("do not write the same file at the same time", async () => {
    const sample = () => call("sample", { model: "model.safetensors", rows: 3, output: "both.csv" });
    const results = await Promise.all([sample(), sample()]);
    expect(results.map(({ isError }) => Boolean(isError)).sort()).toEqual([false, true]);
    expect(results.find(({ isError }) => isError)!.text).toContain("another call is writing it");
    // The name is free again, and the file exists.
    expect((await sample()).text).toContain("both.csv exists already");
  });

  test("continue a training run whose model was written when its time was over", async () => {
    const fit = (args: object) =>
      call("fit", { data: ["table.csv"], output: "timed.safetensors", columns: [], seed: 1, ...args });
    write("folder/timed.safetensors", "a model");
    expect((await fit({ resume: true })).text).toContain("timed.safetensors exists already");
    write("folder/timed.safetensors.checkpoint-splines.csv", "a table of the assistant");
    expect((await fit({ resume: true })).text).toContain("timed.safetensors exists already");
    // The checkpoint is that of another flow, so the training ends at once.
    write("folder/timed.safetensors.checkpoint", "");
    expect((await fit({ resume: true })).text).toContain("checkpoint of another flow");
    expect((await fit({})).text).toContain("timed.safetensors exists already");
    symlinkSync(path("secret.csv"), path("folder/linked.safetensors"));
    write("folder/linked.safetensors.checkpoint", "damaged");
    expect((await fit({ output: "linked.safetensors", resume: true })).text).toContain("exists already");
  });

  test("take empty lists for lists that are not given, and refuse empty names", async () => {
    const columns = await call("columns", { data: ["table.csv"], columns: [], exclude: [], na: [] });
    expect(columns.text).toBe((await call("columns", { data: ["table.csv"] })).text);
    expect((await call("columns", { data: ["table.csv"], columns: [""] })).text).toMatchInlineSnapshot(`
      "Error: A call of columns is not valid at columns.0: expected at least 1, received "".
      Look at the schema of the tool.
      "
    `);
    // This kind is refused by the command itself.
    expect(
      (await call("columns", { data: ["table.csv"], kinds: { a: "real" } })).text,
    ).toMatchInlineSnapshot(`
      "Error: The kind of column "a" is not valid: expected one of continuous, integer, lattice, positive, bounded:LOW:HIGH, heavy-tailed, cyclic:PERIOD, categorical, boolean, date, timestamp, time, constant, exclude, received real.
      Look at the schema of the tool.
      "
    `);
  });

  test("answer errors with a hint", async () => {
    const answers = [
      await call("columns", { data: ["table.csv"], column: ["a"] }),
      await call("columns", { data: "table.csv" }),
      await call("columns", { data: ["table.csv"], columns: ["c"] }),
      await call("score", { model: "table.csv", data: ["table.csv"] }),
      await call("anomalies", { model: "model.safetensors", data: ["table.csv"], fdr: 2 }),
      await call("fits", {}),
    ];
    expect(answers.map(({ isError, text }) => `${isError} ${text}`)).toMatchInlineSnapshot(`
      [
        "true Error: A call of columns is not valid: expected one of data, columns, exclude, kinds, na, received column (did you mean columns?).
      Look at the schema of the tool.
      ",
        "true Error: A call of columns is not valid at data: expected a list, received "table.csv".
      Look at the schema of the tool.
      ",
        "true Error: folder/table.csv has no column "c": expected one of "a", "b".
      Correct the name.
      ",
        "true Error: folder/table.csv is a table, not a model.
      Give the model first, then the table.
      ",
        "true Error: A call of anomalies is not valid at fdr: expected less than 1, received 2.
      Look at the schema of the tool.
      ",
        "true Error: There is no tool fits: expected one of columns, fit, inspect, report, score, anomalies, sample, impute.
      Call one of these tools.
      ",
      ]
    `);
  });

  test("answer with the beginning of what is long", async () => {
    const { text } = await call("sample", { model: "model.safetensors", rows: 10_000 });
    expect(text.length).toBeLessThan(20_200);
    expect(text).toMatch(/\n\.\.\. The answer is longer\. .*$/);
  });

  test("end when the client cancels the call", async () => {
    const cancelled = new AbortController();
    const endless = { data: ["table.csv"], output: "cancelled.safetensors", epochs: 100_000 };
    let filesInTraining: string[] = [];
    const fitted = client.callTool({ name: "fit", arguments: endless }, undefined, {
      signal: cancelled.signal,
      onprogress() {
        filesInTraining = readdirSync(folder);
        cancelled.abort();
      },
    });
    await expect(fitted).rejects.toThrow();
    // The client rejects without an answer of the server, whose command removes its lock when it ends.
    const lock = "cancelled.safetensors.lock";
    expect(filesInTraining).toContain(lock);
    await vi.waitFor(() => expect(readdirSync(folder)).not.toContain(lock), { timeout: 3000 });
    expect(readdirSync(folder)).not.toContain("cancelled.safetensors");
  });
});
