import { describe, expect, test } from "vitest";
import { Flow, nsf, realNVP } from "../../src/flows/index.ts";
import { fitTable } from "../../src/index.ts";
import { loadParameters, saveParameters } from "../../src/model/index.ts";
import { MLP } from "../../src/nn/index.ts";
import { decodeWithChecksum } from "../../src/parts/checksum.ts";
import { encodeSafetensors } from "../../src/parts/safetensors.ts";
import { Random } from "../../src/random/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";

/** A module without a description: a variational autoencoder of two networks, with a flow as its prior. */
const autoencoder = (seed: number, latent = 2) => ({
  encoder: new MLP(
    5,
    2 * latent,
    { hidden: [4], activation: "tanh", residual: false },
    new Random(seed).split("encoder"),
  ),
  decoder: new MLP(
    latent,
    5,
    { hidden: [4], activation: "tanh", residual: false },
    new Random(seed).split("decoder"),
  ),
  prior: realNVP(latent, { transforms: 1, hidden: [3], seed }),
});

const errorOf = (bytes: Uint8Array, module: object): string => {
  try {
    loadParameters(bytes, module);
  } catch (error) {
    expect(error).toMatchObject({ name: "PushforwardError", code: "MODEL" });
    return (error as Error).message;
  }
  return "no error";
};

describe("parameters of a custom module", () => {
  test("are saved by path, and loaded into a module of the same structure", async () => {
    const [own, other] = [autoencoder(1), autoencoder(2)];
    const bytes = saveParameters(own);
    expect([...decodeWithChecksum(bytes).arrays.keys()]).toContain("encoder.layers.0.weight");
    loadParameters(bytes, other);
    expect(saveParameters(other)).toEqual(bytes);
    const third = autoencoder(3);
    loadParameters(bytes.slice().buffer, third);
    expect(saveParameters(third)).toEqual(bytes);
    expect(await other.prior.logProb([1, 2])).toEqual(await own.prior.logProb([1, 2]));
  });

  test("are read only from bytes, like models", async () => {
    expect(() => loadParameters("{}" as never, {})).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: loadParameters needs the bytes of a file: expected a Uint8Array or an ArrayBuffer, received "{}".]`,
    );
    await expect(decodeModel(undefined as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: decodeModel needs the bytes of a file: expected a Uint8Array or an ArrayBuffer, received nothing.]`,
    );
  });

  test("of another module are an error that changes nothing", () => {
    const other = autoencoder(2);
    const before = saveParameters(other);
    const { encoder, decoder, prior } = autoencoder(1);
    expect(errorOf(saveParameters({ encoder, prior }), other)).toMatchInlineSnapshot(`
      "the file has no floating-point array decoder.layers.0.weight.
      Build the module in the same way as when its parameters were saved."
    `);
    expect(errorOf(saveParameters({ encoder, decoder, prior, more: encoder.layers }), other)).toBe(
      "no error",
    );
    loadParameters(before, other);
    const again = autoencoder(3).encoder;
    expect(errorOf(saveParameters({ encoder, decoder, prior, more: again }), other)).toMatchInlineSnapshot(`
      "the file has the array "more.layers.0.bias", which is not a parameter of the module.
      Build the module in the same way as when its parameters were saved."
    `);
    expect(errorOf(saveParameters(autoencoder(1, 3)), other)).toMatchInlineSnapshot(`
      "the file's array encoder.layers.1.weight has a wrong shape: expected [4, 4], received [4, 6].
      Build the module in the same way as when its parameters were saved."
    `);
    expect(saveParameters(other)).toEqual(before);
  });

  test("can be loaded from a model file or a file of another program", () => {
    const [flow, other] = [
      nsf(2, { transforms: 1, hidden: [3], seed: 1 }),
      nsf(2, { transforms: 1, hidden: [3], seed: 2 }),
    ];
    loadParameters(encodeModel({ flow, columns: ["a", "b"], given: [] }), other);
    expect(saveParameters(other)).toEqual(saveParameters(flow));
    const { arrays } = decodeWithChecksum(saveParameters(nsf(2, { transforms: 1, hidden: [3], seed: 3 })));
    loadParameters(encodeSafetensors(arrays), other);
    expect(decodeWithChecksum(saveParameters(other)).arrays).toEqual(arrays);
  });

  test("can be loaded from the model file of a table, which has more arrays", async () => {
    const rows = Array.from(new Random(1).normal(new Float64Array(60)), (z) => ({ height: z, width: z + 1 }));
    const { model } = await fitTable(rows, { kernel: false, epochs: 1 });
    const bytes = encodeModel(model.contents);
    expect([...decodeWithChecksum(bytes).arrays.keys()]).toContain("anomalies.rows");
    const { flow } = await decodeModel(bytes);
    const trained = saveParameters(flow);
    for (const parameter of flow.parameters().values()) parameter.value = parameter.value.map(() => 1);
    expect(saveParameters(flow)).not.toEqual(trained);
    loadParameters(bytes, flow);
    expect(saveParameters(flow)).toEqual(trained);
  });

  test("throw if the file is changed, a checkpoint, or newer", () => {
    const flow = nsf(2, { transforms: 1, hidden: [3] });
    const bytes = saveParameters(flow);
    const changed = bytes.slice();
    changed[changed.length - 1] ^= 1;
    expect(errorOf(changed, flow)).toMatch(/changed/);
    expect(errorOf(encodeSafetensors({}, { "pushforward.checkpoint": "{}" }), flow)).toMatch(/check/);
    const { arrays } = decodeWithChecksum(bytes);
    arrays.values().next().value!.values[0] = Number.NaN;
    expect(errorOf(encodeSafetensors(arrays), flow)).toMatch(/has NaN at index 0/);
  });

  test("are not found in private fields, which is an error", () => {
    expect(() => saveParameters({ layers: new Map([["flow", new Flow(realNVP(2).base)]]) })).toThrow(
      expect.objectContaining({ code: "ARGUMENT" }),
    );
  });
});
