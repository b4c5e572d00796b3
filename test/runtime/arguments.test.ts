import { describe, expect, test } from "vitest";
import { compile } from "../../src/runtime/index.ts";

const wrong = (value: unknown) => value as never;
const shapes = [["N", 2]] as const;

describe("compile throws ARGUMENT for", () => {
  test.each<[object, string]>([
    [
      { precison: "float64" },
      "unknown option of compile: expected one of precision, providers, threads, batch, parameterNames, embedParameters, received precison (did you mean precision?).",
    ],
    [
      { precision: "float16" },
      'the option precision of compile has an invalid value: expected "float32" or "float64", received "float16".',
    ],
    [
      { batch: 2.5 },
      "the option batch of compile has an invalid value: expected a number of rows, received 2.5.",
    ],
    [
      { embedParameters: 1 },
      "the option embedParameters of compile has an invalid value: expected true or false, received 1.",
    ],
    [
      { parameterNames: {} },
      "the option parameterNames of compile has an invalid value: expected a Map from parameters to names, received {}.",
    ],
  ])("the options %j", (options, message) => {
    expect(() => compile((x) => x, shapes, options)).toThrow(
      expect.objectContaining({ code: "ARGUMENT", message }),
    );
  });

  test("invalid shapes", () => {
    for (const bad of [["N", 2], undefined, "N", [[-1]], [["N", 0]], { x: 2 }, { x: ["M"] }]) {
      expect(() => compile((x) => x, wrong(bad))).toThrow(
        'invalid shapes of the inputs: expected a list of shapes, such as [["N", 2], [3]], or an object of them by name, such as { x: ["N", 2] }',
      );
    }
  });

  test("inputs of a call that are not arrays of numbers", async () => {
    const f = compile((x) => x.mul(2), { x: ["N", 2] });
    for (const [bad, received] of [
      [["1", "2"], '"1" at index 0'],
      [[1, undefined], "nothing at index 1"],
      [
        [
          [1, 2],
          [3, 4],
        ],
        "[1,2] at index 0",
      ],
      ["12", '"12"'],
      [BigInt64Array.of(1n, 2n), ""],
      [undefined, "nothing"],
    ] as const) {
      await expect(f(wrong(bad))).rejects.toThrow(
        `x is not an array of numbers: expected the numbers of all rows in one array, received ${received}`,
      );
    }
    await expect(f([1])).rejects.toThrow("x does not match its shape");
    await f.release();
  });
});

test("inputs that the caller changes right after a call do not change its result", async () => {
  for (const precision of ["float32", "float64"] as const) {
    const f = compile((x) => x.mul(2), shapes, { precision });
    const Type = precision === "float32" ? Float32Array : Float64Array;
    // The first call creates the session, the second one reuses it.
    for (let call = 0; call < 2; call++) {
      const x = Type.of(1, 2);
      const result = f(x);
      x.fill(7);
      expect(await result).toEqual(Type.of(2, 4));
    }
    await f.release();
  }
});
