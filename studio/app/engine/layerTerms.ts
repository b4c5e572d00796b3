import {
  Actnorm,
  Autoregressive,
  type Bijection,
  Continuous,
  Coupling,
  DiagonalScaling,
  Invert,
  LULinear,
  Planar,
  Radial,
  Standardize,
  type Tensor,
} from "pushforward";
import { usedDirection } from "../formula/planar.ts";
import { slopeOf } from "../formula/slope.ts";
import { softClamp } from "../formula/softClamp.ts";
import { splineMap } from "../formula/spline.ts";
import { type CoordinateMap, type LayerTerms, type Pair, pairOf, type Side } from "../formula/terms.ts";

/**
 * What the network of a layer computes from the input x and the output z of the layer, in the direction from data to latent space;
 * undefined for a layer without a network.
 */
export function networkOutputs(layer: Bijection, x: Tensor, z: Tensor): Tensor | undefined {
  if (layer instanceof Coupling) return layer.network.apply(x.gather(1, [unchangedOf(layer)]));
  if (layer instanceof Autoregressive) return layer.network.apply(x);
  const inner = layer instanceof Invert ? layer.bijection : undefined;
  return inner instanceof Autoregressive ? inner.network.apply(z) : undefined;
}

/**
 * The numbers in the formula of a layer of two features that maps the point x towards latent space. `outputs` are those of its network
 * at this point.
 */
export function layerTerms(layer: Bijection, x: Pair, outputs: readonly number[]): LayerTerms {
  if (layer instanceof Coupling) return couplingTerms(layer, x, outputs);
  if (layer instanceof Autoregressive) return autoregressiveTerms(layer, x, outputs, "x");
  if (layer instanceof Invert) {
    const { bijection } = layer;
    if (bijection instanceof Autoregressive) return autoregressiveTerms(bijection, x, outputs, "z");
    if (bijection instanceof Planar) return planarTerms(bijection, "x");
  }
  if (layer instanceof Planar) return planarTerms(layer, "z");
  if (layer instanceof Radial) return radialTerms(layer);
  if (layer instanceof LULinear) return linearTerms(layer);
  if (layer instanceof Continuous) return { type: "continuous" };
  const maps = elementwiseMaps(layer);
  if (maps) return { type: "coordinates", letter: "t", maps };
  throw new Error(`The page has no formula of a layer of the type ${layer.describe().type}.`);
}

/** The maps of layers with the same numbers at each point; undefined for other layers. */
function elementwiseMaps(layer: Bijection): CoordinateMap[] | undefined {
  const both = (map: (i: number) => CoordinateMap) => [0, 1].map(map);
  if (layer instanceof Standardize) {
    const [center, scale] = [layer.center.numbers, layer.scale.numbers];
    return both((i) => ({ type: "standardize", center: center[i]!, scale: scale[i]! }));
  }
  if (layer instanceof Actnorm) {
    const [shift, logScale] = [layer.shift.numbers, layer.logScale.numbers];
    return both((i) => ({ type: "affine", shift: shift[i]!, s: logScale[i]! }));
  }
  if (layer instanceof DiagonalScaling) {
    const logScale = layer.logScale.numbers;
    return both((i) => ({ type: "scale", s: softClamp(logScale[i]!) }));
  }
  return undefined;
}

/** What the descriptions of couplings and autoregressive layers contain. */
interface ConditionedDescription {
  /** Of a coupling: true for the coordinate that it does not change. */
  readonly mask: readonly boolean[];
  /** Of an autoregressive layer: the coordinates in the order of its ordering. */
  readonly order: readonly number[];
  readonly transform: { readonly type: string; readonly bins: number; readonly bound: number };
}

const descriptionOf = (layer: Coupling | Autoregressive) =>
  layer.describe() as unknown as ConditionedDescription;

const unchangedOf = (coupling: Coupling) => descriptionOf(coupling).mask.indexOf(true);

function couplingTerms(layer: Coupling, x: Pair, outputs: readonly number[]): LayerTerms {
  const unchanged = unchangedOf(layer);
  const [map] = conditionedMaps(descriptionOf(layer).transform, outputs, [x[1 - unchanged]!]);
  const maps = [0, 1].map((i) =>
    i === unchanged ? ({ type: "identity" } as const) : ({ ...map!, dependsOn: "x" } as const),
  );
  return { type: "coordinates", letter: "t", maps };
}

function autoregressiveTerms(
  layer: Autoregressive,
  x: Pair,
  outputs: readonly number[],
  dependsOn: Side,
): LayerTerms {
  const { order, transform } = descriptionOf(layer);
  const maps = dependsOn === "x" ? conditionedMaps(transform, outputs, x) : inverseAffineMaps(outputs);
  return {
    type: "coordinates",
    letter: "m",
    maps: maps.map((map, i) => (i === order[0] ? map : { ...map, dependsOn })),
  };
}

/** The maps of the coordinates xs that a network computes; its outputs are in the order of the scalar transform. */
function conditionedMaps(
  { type, bins, bound }: ConditionedDescription["transform"],
  outputs: readonly number[],
  xs: readonly number[],
): CoordinateMap[] {
  const count = xs.length;
  if (type === "additive") return xs.map((_, i) => ({ type: "shift", shift: -outputs[i]! }));
  if (type === "affine") {
    // The layer computes z = x exp(a) + b.
    return xs.map((_, i) => {
      const a = softClamp(outputs[count + i]!);
      return { type: "affine", shift: -outputs[i]! * Math.exp(-a), s: -a };
    });
  }
  const group = (start: number, size: number, i: number) =>
    outputs.slice(count * start + size * i, count * start + size * (i + 1));
  return xs.map((x, i) => {
    const widths = group(0, bins, i);
    const heights = group(bins, bins, i);
    return splineMap({ widths, heights, derivatives: group(2 * bins, bins - 1, i) }, bound, x);
  });
}

/** The maps of an inverted affine layer, which computes x = z exp(s) + m. */
const inverseAffineMaps = (outputs: readonly number[]): CoordinateMap[] =>
  [0, 1].map((i) => ({ type: "affine", shift: outputs[i]!, s: softClamp(outputs[2 + i]!) }));

/** A planar layer, whose tanh has the argument `of`. */
function planarTerms({ parameters }: Planar, of: Side): LayerTerms {
  const { u, w, b } = parameters.base;
  const direction = pairOf(w!.numbers);
  return {
    type: "planar",
    of,
    u: usedDirection(pairOf(u!.numbers), direction),
    w: direction,
    b: b!.numbers[0]!,
  };
}

function radialTerms({ parameters }: Radial): LayerTerms {
  const { center, logAlpha, slope } = parameters.base;
  const alpha = Math.exp(softClamp(logAlpha!.numbers[0]!));
  const beta = alpha * (slopeOf(slope!.numbers[0]!) - 1);
  return { type: "radial", center: pairOf(center!.numbers), alpha, beta };
}

/** The rows x of the layer are multiplied from the right, by L U; W is the transpose. */
function linearTerms({ lower, upper, logDiagonal, bias }: LULinear): LayerTerms {
  const [l, u] = [lower.numbers[2]!, upper.numbers[1]!];
  const [d0, d1] = pairOf(Array.from(logDiagonal.numbers, Math.exp));
  return {
    type: "linear",
    rows: [
      [d0, l * d0],
      [u, l * u + d1],
    ],
    b: pairOf(bias.numbers),
  };
}
