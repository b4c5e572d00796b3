import { expect, test } from "vitest";
import { maf } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { fitFlows, fitTable } from "../../src/tables/fit/index.ts";
import { adam, fit, fitDensity, minimize, sgd } from "../../src/train/index.ts";

const flow = () => maf(2, { transforms: 1, hidden: [4] });
const rows = [
  [1, 2],
  [3, 4],
];

/** The messages of the errors of a call with each of the options. */
async function messages(
  call: (options: never) => Promise<unknown>,
  all: readonly unknown[],
): Promise<string> {
  const errors = all.map((options) => call(options as never).then(() => "no error", String));
  return (await Promise.all(errors)).join("\n");
}

test("options of fit are checked before it trains", async () => {
  const wrong = [
    { contxt: [1, 2] },
    { maxMinutes: -1 },
    { signal: new AbortController() },
    { onEpoch: 5 },
    { checkpoint: "file" },
    { seed: 5n },
  ];
  expect(await messages((options) => fit(flow(), rows, options), wrong)).toMatchInlineSnapshot(`
    "PushforwardError: unknown option of fit: expected one of objective, klWarmUp, epochs, batchSize, optimizer, schedule, clipNorm, validationFraction, patience, averageDecay, seed, context, weights, validation, onRecovery, signal, maxMinutes, providers, threads, communicator, onEpoch, onProgress, initialize, checkpoint, received contxt (did you mean context?).
    PushforwardError: the option maxMinutes of fit has an invalid value: expected a number of at least 0, received -1.
    PushforwardError: the option signal of fit has an invalid value: expected an AbortSignal, received {}.
    PushforwardError: the option onEpoch of fit has an invalid value: expected a function, received 5.
    PushforwardError: the option checkpoint of fit has an invalid value: expected an object with the methods load and save, received "file".
    PushforwardError: an option of fit is not valid at seed: expected a number, received 5n (a bigint)."
  `);
});

test("settings that the type of a schedule or of an optimizer does not use are errors", async () => {
  const wrong = [
    { schedule: { type: "cosine", patience: 3 } },
    { schedule: { type: "constant", final: 0.1 } },
    { optimizer: { type: "sgd", beta2: 0.9 } },
  ];
  expect(await messages((options) => fit(flow(), rows, options), wrong)).toMatchInlineSnapshot(`
    "PushforwardError: the option schedule.patience of fit has no effect with the type "cosine": received patience: 3.
    Leave it out, or choose another type.
    PushforwardError: the option schedule.final of fit has no effect with the type "constant": received final: 0.1.
    Leave it out, or choose another type.
    PushforwardError: the option optimizer.beta2 of fit has no effect with the type "sgd": received beta2: 0.9.
    Leave it out, or choose another type."
  `);
  expect(() => sgd(flow(), { epsilon: 1e-6 })).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the option epsilon of sgd has no effect: received epsilon: 0.000001.
    Leave it out, or choose another optimizer.]
  `);
  const valid = {
    epochs: 1,
    schedule: { type: "plateau", patience: 3, final: 0.1 },
    optimizer: { type: "adam", beta2: 0.9 },
  };
  expect(await messages((options) => fit(flow(), rows, options), [valid])).toBe("no error");
});

test("options that are not an object are an error", async () => {
  const log = (x: Tensor) => x.sum(-1);
  for (const options of [10, null, "fast"] as never[]) {
    await expect(fit(flow(), rows, options)).rejects.toThrow("the options of fit are not an object");
    await expect(fitFlows(rows, options)).rejects.toThrow("the options of fitFlows are not an object");
    await expect(fitDensity(flow(), log, options)).rejects.toThrow(
      "the options of fitDensity are not an object",
    );
    await expect(minimize(({ values }) => values, flow(), rows, options)).rejects.toThrow(
      "the options of minimize are not an object",
    );
    expect(() => adam(flow(), options)).toThrow(
      "an option of the optimizer is not valid: expected an object",
    );
  }
});

test("options of fitFlows are checked before it trains", async () => {
  const wrong = [{ recipe: {} }, { recipes: {} }];
  expect(await messages((options) => fitFlows(rows, options), wrong)).toMatchInlineSnapshot(`
    "PushforwardError: unknown option of fitFlows: expected one of objective, klWarmUp, epochs, batchSize, optimizer, schedule, clipNorm, validationFraction, patience, averageDecay, seed, context, weights, validation, onRecovery, signal, maxMinutes, providers, threads, communicator, onEpoch, onProgress, embedding, recipes, onWarning, onFlow, checkpoints, received recipe (did you mean recipes?).
    PushforwardError: the option recipes of fitFlows has an invalid value: expected an object of recipes by name, such as { nsf }, received {}."
  `);
});

test("a fraction of validation rows cannot be combined with validation rows", async () => {
  const both = [{ validation: rows, validationFraction: 0.2 }];
  const message = "the options validation and validationFraction cannot be combined";
  expect(await messages((options) => fit(flow(), rows, options), both)).toMatchInlineSnapshot(`
    "PushforwardError: the options validation and validationFraction cannot be combined.
    No rows are held out if validation rows are given. Leave one of the options out."
  `);
  expect(await messages((options) => fitFlows(rows, options), both)).toContain(message);
  const loss = ({ values }: { values: Tensor }) => values.sum(-1);
  const zero = [{ validation: rows, validationFraction: 0 }];
  expect(await messages((options) => minimize(loss, flow(), rows, options), zero)).toContain(message);
  const unstated = [{ validation: rows, validationFraction: undefined, epochs: 1 }];
  expect(await messages((options) => fit(flow(), rows, options), unstated)).toBe("no error");
});

test("a fraction of validation rows is that of the flows and members that are compared", async () => {
  const all = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const options = { epochs: 1, validationFraction: 0.3 };
  const small = { small: () => flow() };
  expect((await fitFlows(all, { ...options, recipes: small })).validation.rows).toBe(18);
  const table = all.map(([a, b]) => ({ a: a!, b: b! }));
  const recipe = { name: "small", flow: small.small };
  const { model, validationRows } = await fitTable(table, { ...options, recipe, testFraction: 0 });
  await model.release();
  expect(validationRows.length).toBe(18);
});

test("validation rows that are empty are an error", async () => {
  const validation: number[][] = [];
  await expect(fit(flow(), rows, { validation })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: there are no validation rows.
    Leave out the option validation: a part of the data is then held out.]
  `);
});
