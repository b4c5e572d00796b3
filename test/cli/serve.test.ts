import { beforeAll, expect, test } from "vitest";
import { forTables, maf } from "../../src/index.ts";
import { saveModel } from "../../src/open/index.ts";
import { workplace } from "./command.ts";

const { path, pushforward, failure } = workplace();

beforeAll(() =>
  saveModel(path("quakes.safetensors"), {
    flow: forTables(maf(1, { transforms: 1, hidden: [4] })),
    columns: ["mag"],
  }),
);

test("serves models until it is interrupted", async () => {
  const interruption = new AbortController();
  const command = pushforward(["serve", path("quakes.safetensors"), "--port", "18431"], {
    interrupted: interruption.signal,
  });
  const address = "http://127.0.0.1:18431/models/quakes/score";
  const score = () => fetch(address, { method: "POST", body: '{ "rows": [{ "mag": 0 }] }' });
  const response = await retried(score);
  expect(await response.json()).toEqual({ log_density: [expect.closeTo(-0.5 * Math.log(2 * Math.PI), 4)] });
  interruption.abort();
  const { code, err } = await command;
  expect({ code, err }).toEqual({ code: 0, err: "Serving quakes at http://127.0.0.1:18431/\n" });
  await expect(score()).rejects.toThrow();
});

test("refuses two models of one name", async () => {
  const model = path("quakes.safetensors");
  expect(await failure("serve", model, model)).toMatchInlineSnapshot(`
    "2
    Error: Two models have the name quakes.
    Rename one of the files."
  `);
});

/** The result of a call that may fail until the server listens. */
async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      return await call();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("the server does not answer");
}
