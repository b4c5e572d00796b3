import type { RandomStream } from "../../random/index.ts";
import type { ChainProgram, Point } from "./chainProgram.ts";

/** A trajectory whose energy grows by more than this has left the region where the step size is small enough. */
const MAX_ENERGY_ERROR = 1000;

/** The settings of a transition. */
interface TransitionSettings {
  readonly stepSize: number;
  /** The diagonal of the inverse mass matrix: estimates of the variances of the coordinates. */
  readonly variances: Float64Array;
  /** A trajectory has at most 2^maxDepth - 1 steps. */
  readonly maxDepth: number;
}

/** The result of a transition. */
interface Transition {
  readonly point: Point;
  /** Mean Metropolis acceptance probability along the trajectory, from which the step size is adapted. */
  readonly acceptance: number;
  /** Number of leapfrog steps. */
  readonly steps: number;
  /** The last position before the trajectory diverged, if it did. */
  readonly divergence: Float64Array | undefined;
}

/** A state of the Hamiltonian system: a position and a momentum. */
export interface State {
  readonly point: Point;
  readonly momentum: Float64Array;
}

/** A part of a trajectory: 2^depth consecutive states, of which `first` is the earliest and `last` the latest. */
interface Tree {
  readonly first: State;
  readonly last: State;
  /** Sum of the momenta of all states. */
  readonly momentumSum: Float64Array;
  /** A state of this part, drawn in proportion to exp(-energy). */
  readonly proposal: Point;
  /** Logarithm of the sum of exp(initial energy - energy) over all states. */
  readonly logWeight: number;
}

/** Sums over all leapfrog steps of a transition. */
interface Totals {
  acceptance: number;
  steps: number;
  divergence: Float64Array | undefined;
}

/**
 * One transition of the No-U-Turn sampler (Hoffman and Gelman 2014) with multinomial sampling of the trajectory and the criterion of
 * Betancourt (2017), also across the two halves of a tree, as in Stan.
 */
export function* nutsTransition(
  start: Point,
  settings: TransitionSettings,
  random: RandomStream,
): ChainProgram<Transition> {
  const { variances, maxDepth } = settings;
  const momentum = random.normal(start.position.length).map((z, i) => z / Math.sqrt(variances[i]));
  const initial: State = { point: start, momentum };
  const initialEnergy = energyOf(initial, variances);
  const totals: Totals = { acceptance: 0, steps: 0, divergence: undefined };
  let tree: Tree = { first: initial, last: initial, momentumSum: momentum, proposal: start, logWeight: 0 };
  for (let depth = 0; depth < maxDepth; depth++) {
    const forward = random.uniform() < 0.5;
    const edge = forward ? tree.last : tree.first;
    const extension = yield* buildTree(edge, forward, depth, initialEnergy, settings, random, totals);
    if (!extension) break;
    // Biased progressive sampling: the new half is preferred, which moves the chain further.
    const takesExtension = Math.log(random.uniform()) < extension.logWeight - tree.logWeight;
    const [earlier, later] = forward ? [tree, extension] : [extension, tree];
    tree = { ...join(earlier, later), proposal: takesExtension ? extension.proposal : tree.proposal };
    if (makesUTurn(earlier, later, variances)) break;
  }
  const { acceptance, steps, divergence } = totals;
  return { point: tree.proposal, acceptance: acceptance / steps, steps, divergence };
}

/** 2^depth further states from `edge`; undefined if the trajectory makes a U-turn within them or diverges. */
function* buildTree(
  edge: State,
  forward: boolean,
  depth: number,
  initialEnergy: number,
  settings: TransitionSettings,
  random: RandomStream,
  totals: Totals,
): ChainProgram<Tree | undefined> {
  const { variances, stepSize } = settings;
  if (depth === 0) {
    const state = yield* leapfrog(edge, forward ? stepSize : -stepSize, variances);
    const energy = energyOf(state, variances);
    const logWeight = Number.isNaN(energy) ? Number.NEGATIVE_INFINITY : initialEnergy - energy;
    totals.acceptance += Math.min(1, Math.exp(logWeight));
    totals.steps++;
    if (!(logWeight > -MAX_ENERGY_ERROR)) {
      totals.divergence = edge.point.position;
      return undefined;
    }
    return { first: state, last: state, momentumSum: state.momentum, proposal: state.point, logWeight };
  }
  const build = (from: State) => buildTree(from, forward, depth - 1, initialEnergy, settings, random, totals);
  const near = yield* build(edge);
  if (!near) return undefined;
  const far = yield* build(forward ? near.last : near.first);
  if (!far) return undefined;
  const [earlier, later] = forward ? [near, far] : [far, near];
  if (makesUTurn(earlier, later, variances)) return undefined;
  const joined = join(earlier, later);
  const takesFar = Math.log(random.uniform()) < far.logWeight - joined.logWeight;
  return { ...joined, proposal: takesFar ? far.proposal : near.proposal };
}

/** A step of the leapfrog integrator: half a step of the momentum, a step of the position, and half a step of the momentum. */
export function* leapfrog(
  { point, momentum }: State,
  stepSize: number,
  variances: Float64Array,
): ChainProgram<State> {
  const half = momentum.map((p, i) => p + 0.5 * stepSize * point.gradient[i]);
  const next: Point = yield point.position.map((q, i) => q + stepSize * variances[i] * half[i]);
  return { point: next, momentum: half.map((p, i) => p + 0.5 * stepSize * next.gradient[i]) };
}

/** The Hamiltonian: -log p(q) + sum variance p^2 / 2. */
export const energyOf = ({ point, momentum }: State, variances: Float64Array): number =>
  momentum.reduce((sum, p, i) => sum + 0.5 * variances[i] * p * p, -point.logDensity);

/** Two consecutive parts of a trajectory as one. */
function join(earlier: Tree, later: Tree): Omit<Tree, "proposal"> {
  const [larger, smaller] = [
    Math.max(earlier.logWeight, later.logWeight),
    Math.min(earlier.logWeight, later.logWeight),
  ];
  return {
    first: earlier.first,
    last: later.last,
    momentumSum: sum(earlier.momentumSum, later.momentumSum),
    logWeight: larger + Math.log1p(Math.exp(smaller - larger)),
  };
}

/**
 * Whether the trajectory begins to return: the sum of momenta, which is about the distance between its ends, points against the velocity at an end.
 * The same is checked for each half together with the nearest state of the other half. Otherwise a trajectory that returns exactly once would
 * be missed.
 */
function makesUTurn(earlier: Tree, later: Tree, variances: Float64Array): boolean {
  const returns = (momentumSum: Float64Array, ...ends: readonly State[]) =>
    ends.some(
      ({ momentum }) => momentum.reduce((dot, p, i) => dot + variances[i] * p * momentumSum[i], 0) <= 0,
    );
  return (
    returns(sum(earlier.momentumSum, later.momentumSum), earlier.first, later.last) ||
    returns(sum(earlier.momentumSum, later.first.momentum), earlier.first, later.first) ||
    returns(sum(earlier.last.momentum, later.momentumSum), earlier.last, later.last)
  );
}

const sum = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value + b[i]);
