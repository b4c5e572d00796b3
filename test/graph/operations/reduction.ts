import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.ts";
import { along, reduce, sumOver } from "../dense.ts";
import { axisOf, type Domain, type OperationRow, real, separated, shapes, show } from "./row.ts";

const logSumExp = (values: number[]) => Math.log(sumOver(values.length, (k) => Math.exp(values[k])));
const total = (values: number[]) => sumOver(values.length, (k) => values[k]);
const running = (values: number[]) => values.map((_, i) => total(values.slice(0, i + 1)));

export const reductions: readonly OperationRow[] = [
  reduction("sum", real, (x, ...how) => x.sum(...how), total),
  reduction(
    "mean",
    real,
    (x, ...how) => x.mean(...how),
    (values) => total(values) / values.length,
  ),
  reduction(
    "max",
    separated,
    (x, ...how) => x.max(...how),
    (values) => Math.max(...values),
  ),
  reduction("logsumexp", real, (x, ...how) => x.logsumexp(...how), logSumExp),
  scan(
    "softmax",
    (x, axis) => x.softmax(axis),
    (values) => values.map((v) => Math.exp(v - logSumExp(values))),
  ),
  {
    ...scan(
      "logSoftmax",
      (x, axis) => x.logSoftmax(axis),
      (values) => values.map((v) => v - logSumExp(values)),
    ),
    terms: 1,
  },
  scan("cumsum", (x, axis) => x.cumsum(axis), running),
  scan(
    "cumsum (reverse)",
    (x, axis) => x.cumsum(axis, { reverse: true }),
    (values) => running(values.toReversed()).toReversed(),
  ),
];

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: { keepAxes?: boolean }) => Tensor;

function reduction(
  name: string,
  domain: Domain,
  build: Reduce,
  f: (values: number[]) => number,
): OperationRow {
  return {
    name,
    domain,
    example: (batched) =>
      shapes(batched, 0, 4).chain((shape) => {
        const all = shape.map((_, i) => i);
        const chosen = shape.length === 0 ? fc.constant([]) : fc.subarray(all, { minLength: 1 });
        return fc
          .tuple(chosen, fc.boolean(), fc.constantFrom("all", "one", "list"))
          .map(([some, keepAxes, how]) => {
            const axes = how === "all" ? all : how === "one" ? some.slice(0, 1) : some;
            const asked =
              how === "all" ? undefined : how === "one" && axes.length ? axes[0] - shape.length : axes;
            return {
              shapes: [shape],
              given: show(shape, asked, keepAxes),
              build: (x) => build(x, asked, { keepAxes }),
              evaluate: (x) => reduce(x, axes, keepAxes, f),
            };
          });
      }),
  };
}

function scan(
  name: string,
  build: (x: Tensor, axis: number) => Tensor,
  f: (values: number[]) => number[],
): OperationRow {
  return {
    name,
    domain: real,
    example: (batched) =>
      shapes(batched, 1, 3).chain((shape) =>
        axisOf(shape).map((axis) => ({
          shapes: [shape],
          given: show(shape, axis),
          build: (x) => build(x, axis),
          evaluate: (x) => along(x, axis, f),
        })),
      ),
  };
}
