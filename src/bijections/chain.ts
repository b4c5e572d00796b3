import * as z from "zod/mini";
import { PushforwardError } from "../check/index.ts";
import { scalar, scoped, type Tensor } from "../graph/index.ts";
import type { Description, NestedSchema } from "../parts/index.ts";
import {
  type Bijection,
  type BijectionKind,
  contextFor,
  type DataRows,
  type FitToRows,
  type Transformed,
} from "./bijection.ts";
import {
  commonContextStandardization,
  type OuterStandardization,
  relativeToContext,
} from "./outerStandardization.ts";
import { dataRows, latentRows, type Part } from "./parts.ts";
import { Standardize } from "./standardize.ts";
import { formatSupport, mappedSupport, type Support } from "./support.ts";

const chainSchema = (bijection: NestedSchema) =>
  z.strictObject({ type: z.literal("chain"), bijections: z.array(bijection).check(z.minLength(1)) });

/**
 * The composition of bijections: `bijections[0]` is next to the base distribution, the last one next to the data. The
 * log-determinant is the sum of theirs. All have D features; the conditional ones have the same number of context features.
 */
export class Chain implements Bijection {
  readonly bijections: readonly Bijection[];
  readonly features: number;
  readonly context: number;

  /** Throws `ARGUMENT` if there is no bijection, `SHAPE` if their numbers of features or of context features differ. */
  constructor(bijections: readonly Bijection[]) {
    if (bijections.length === 0) {
      throw new PushforwardError("ARGUMENT", "a chain needs at least one bijection");
    }
    this.bijections = bijections;
    this.features = bijections[0].features;
    this.context = Math.max(...bijections.map((b) => b.context));
    bijections.forEach(({ features, context }, i) => {
      if (features !== this.features) {
        throw new PushforwardError(
          "SHAPE",
          `bijections 0 and ${i} of a chain have different numbers of features`,
          {
            expected: `${this.features} features`,
            received: `${features}`,
          },
        );
      }
      if (context !== 0 && context !== this.context) {
        throw new PushforwardError(
          "SHAPE",
          `bijection ${i} of a chain and the others have different numbers of context features`,
          {
            expected: `${this.context} context features or none`,
            received: `${context}`,
          },
        );
      }
    });
  }

  /** The chain of these bijections, where a chain among them is replaced by its bijections. */
  static joined(bijections: readonly Bijection[]): Chain {
    return new Chain(bijections.flatMap((each) => (each instanceof Chain ? each.bijections : [each])));
  }

  get levels(): readonly number[] | undefined {
    return this.bijections[0]!.levels;
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const order = [...this.bijections.keys()];
    return this.through(order, z, (b, value) => b.forward(value, contextFor(b, context)));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const order = [...this.bijections.keys()].reverse();
    return this.through(order, x, (b, value) => b.inverse(value, contextFor(b, context)));
  }

  private through(
    order: readonly number[],
    start: Tensor,
    map: (b: Bijection, value: Tensor) => Transformed,
  ): Transformed {
    let value = start;
    let logDet = scalar(0);
    for (const i of order) {
      const next = scoped(`bijections.${i}`, () => map(this.bijections[i], value));
      value = next.value;
      logDet = logDet.add(next.logDet);
    }
    return { value, logDet };
  }

  get support(): Support | undefined {
    let image: Support | undefined;
    let isMapped = false;
    for (const { domain, support } of this.bijections) {
      if (!image || (!isMapped && domain && formatSupport(domain) === formatSupport(image))) image = support;
      // The support of a map is the image of its whole domain, and here only a part of it is mapped.
      else isMapped = true;
    }
    return image && isMapped ? mappedSupport(image) : image;
  }

  get domain(): Support | undefined {
    return this.bijections[0]!.domain;
  }

  get actsOnLastAxis(): boolean {
    return this.bijections.every(({ actsOnLastAxis }) => actsOnLastAxis);
  }

  get isIdentity(): boolean {
    return this.bijections.every(({ isIdentity }) => isIdentity);
  }

  get parts(): readonly Part[] {
    return this.bijections.map((bijection, i) => ({ path: `bijections.${i}`, bijection }));
  }

  get fitToData(): FitToRows | undefined {
    return fitInOrder(this.bijections.toReversed(), "fitToData", latentRows);
  }

  get fitToLatent(): FitToRows | undefined {
    return fitInOrder(this.bijections, "fitToLatent", dataRows);
  }

  get dataStandardization(): OuterStandardization<Bijection> | undefined {
    const nonIdentities = this.bijections.filter(({ isIdentity }) => !isIdentity);
    const last = nonIdentities.pop()?.dataStandardization;
    if (!last) return undefined;
    const relativeTo = (outer: Standardize) => {
      const relative = last.relativeTo(outer);
      if (nonIdentities.length === 0) return relative;
      return new Chain(relative.isIdentity ? nonIdentities : [...nonIdentities, relative]);
    };
    return { standardize: last.standardize, relativeTo };
  }

  get contextStandardization(): OuterStandardization<Bijection> | undefined {
    const standardize = commonContextStandardization(this.bijections);
    const relativeTo = (outer: Standardize) =>
      new Chain(this.bijections.map((each) => relativeToContext(each, outer)));
    return standardize && { standardize, relativeTo };
  }

  describe(): Description {
    return { type: "chain", bijections: this.bijections.map((b) => b.describe()) };
  }
}

/** Fits each bijection to the rows that the preceding ones return; undefined if no parameter is fitted to data. */
function fitInOrder(
  bijections: readonly Bijection[],
  fit: "fitToData" | "fitToLatent",
  apply: (bijection: Bijection, rows: DataRows) => Promise<DataRows>,
): FitToRows | undefined {
  const last = bijections.findLastIndex((bijection) => bijection[fit]);
  if (last < 0) return undefined;
  return async (rows) => {
    let current = rows;
    for (const [i, bijection] of bijections.slice(0, last + 1).entries()) {
      await bijection[fit]?.(current);
      if (i < last) current = await apply(bijection, current);
    }
  };
}

/** `bijection` for data that `outer` has standardized: the composition of `bijection` and the inverse of `outer`. */
export const relativeToData = (bijection: Bijection, outer: Standardize): Bijection =>
  bijection.dataStandardization?.relativeTo(outer) ??
  new Chain([bijection, new Standardize({ features: outer.features }).relativeTo(outer)]);

export const chainKind: BijectionKind<typeof chainSchema> = {
  schema: chainSchema,
  build: ({ bijections }, random, nested) => new Chain(bijections.map((b, i) => nested(b, random.split(i)))),
};
