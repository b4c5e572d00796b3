import type { OuterStandardization } from "../bijections/index.ts";
import type { Distribution } from "./distribution.ts";

/** The standardization of a distribution that contains another one, `inner`, from that of the inner one. */
export const wrappedStandardization = (
  inner: OuterStandardization<Distribution> | undefined,
  wrap: (distribution: Distribution) => Distribution,
): OuterStandardization<Distribution> | undefined =>
  inner && { standardize: inner.standardize, relativeTo: (outer) => wrap(inner.relativeTo(outer)) };
