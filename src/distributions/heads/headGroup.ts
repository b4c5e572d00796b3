import { concat, constant, scalar, type Tensor } from "../../graph/tensor.ts";
import type { ColumnHead } from "./columnHead.ts";
import { QuantileMap } from "./quantileMap.ts";

/** The scales of components, in units of the deviation of a column, lie within exp(+-6) of each other: nothing overflows. */
const LOG_SCALE_BOUND = 6;
/** Locations of components, in deviations. */
const LOCATION_BOUND = 20;
/** Stands for an infinite edge of the outermost cells of a lattice. */
const FAR = 1e4;
/** Taken from a logit it leaves no probability. */
const IMPOSSIBLE = 1e30;

type Numeric = Exclude<ColumnHead, { type: "categorical" }>;

const isNumeric = (head: ColumnHead): head is Numeric => head.type !== "categorical";

/** Heads with equal keys have tensors of equal shapes and are computed as one group. */
export function groupKey(head: ColumnHead): string {
  if (!isNumeric(head)) return JSON.stringify([head.type, head.categories, head.gaps, head.unseen > 0]);
  const { type, atoms, components, knots, gaps, periods } = head;
  return JSON.stringify([type, atoms.length, components, knots.x.length, gaps, periods.length]);
}

/**
 * The conditional distributions of S columns whose heads have the same shape: a mixture of A atoms (categories, single values,
 * "missing") and K logistic components on the scale of the column's `QuantileMap`.
 *
 * All tensors are column-first, [S, ..., N], since the runtime is fastest along long rows.
 */
export class HeadGroup {
  readonly heads: readonly ColumnHead[];
  /** A, counting the missing value. */
  readonly atoms: number;
  /** K */
  readonly components: number;
  /** Numbers that the conditioner computes for each column: A logits, then K logits, locations and log-scales. */
  readonly parameters: number;
  /** Numbers that tell other columns the value of a column. */
  readonly inputs: number;
  private readonly size: number;
  private readonly gaps: boolean;
  /** [S, A', 1], without the missing value. Absent if there are none. */
  private readonly values: Tensor | undefined;
  private readonly map: QuantileMap | undefined;

  constructor(heads: readonly ColumnHead[]) {
    this.heads = heads;
    this.size = heads.length;
    const [head] = heads;
    this.gaps = head.gaps;
    const atoms = heads.map((each) =>
      isNumeric(each) ? each.atoms : Array.from({ length: each.categories }, (_, code) => code),
    );
    this.values = atoms[0].length > 0 ? constant(atoms.flat(), [this.size, atoms[0].length, 1]) : undefined;
    this.atoms = atoms[0].length + (this.gaps ? 1 : 0);
    this.components = isNumeric(head) ? head.components : 0;
    this.parameters = this.atoms + 3 * this.components;
    this.map = isNumeric(head)
      ? new QuantileMap(heads.filter(isNumeric).map(({ knots }) => knots))
      : undefined;
    const numericInputs = isNumeric(head) ? head.knots.x.length - 1 + 1 + 2 * head.periods.length : 0;
    this.inputs = 1 + this.atoms + numericInputs;
  }

  /** What other columns see of values [S, N]: [S, inputs, N], which is 0 where a column is not visible. */
  encode(x: Tensor): Tensor {
    const [S, N] = x.shape;
    const { present, missing, known } = this.presence(x);
    const row = known.reshape([S, 1, N]);
    const visible = present.toFloat().reshape([S, 1, N]);
    const parts: Tensor[] = [row.mul(0).add(1)];
    if (this.values) parts.push(row.equal(this.values).toFloat().mul(visible));
    if (this.gaps) parts.push(missing.toFloat().reshape([S, 1, N]));
    const numeric = this.heads.filter(isNumeric);
    if (this.map) {
      // Piecewise linear encoding (Gorishniy et al. 2022): the part of each bin that lies below the value.
      const column = (values: readonly (readonly number[])[]) =>
        constant(values.flat(), [S, values[0].length, 1]);
      const starts = column(numeric.map(({ knots }) => knots.x.slice(0, -1)));
      const sizes = column(numeric.map(({ knots: { x } }) => x.slice(1).map((end, i) => end - x[i])));
      parts.push(row.sub(starts).div(sizes).maximum(0).minimum(1).mul(visible));
      const { value } = this.map.forward(known);
      parts.push(value.maximum(-5).minimum(5).reshape([S, 1, N]).mul(visible));
      if (numeric[0].periods.length > 0) {
        const phase = row.mul(
          column(numeric.map(({ periods }) => periods.map((period) => (2 * Math.PI) / period))),
        );
        parts.push(phase.sin().mul(visible), phase.cos().mul(visible));
      }
    }
    return concat(parts, 1);
  }

  /** log p of values x [S, N] given the numbers of the conditioner [S, parameters, N]: [S, N]; -Infinity outside the support. */
  logProb(x: Tensor, raw: Tensor): Tensor {
    const [S, N] = x.shape;
    const { present, missing, known } = this.presence(x);
    const { logits, locations, logScales } = this.split(raw);
    const logTotal = logits.logsumexp(1);
    const categories = this.atoms - (this.gaps ? 1 : 0);
    let isAtom: Tensor | undefined;
    let atom: Tensor | undefined;
    if (this.values) {
      const match = known.reshape([S, 1, N]).equal(this.values);
      isAtom = match.toFloat().sum(1).greater(0);
      atom = match.where(logits.slice(1, 0, categories), 0).sum(1);
    }
    let result: Tensor;
    if (this.map) {
      const weights = logits.slice(1, this.atoms, this.atoms + this.components);
      const smooth = this.logComponents(known, locations!, logScales!).add(weights).logsumexp(1);
      const [head] = this.heads;
      if (head.type === "continuous") {
        const density = smooth.add(this.map.forward(known).logSlope);
        result = isAtom ? isAtom.where(atom!, density) : density;
      } else {
        const both =
          isAtom &&
          concat(
            [atom!, smooth].map((each) => each.reshape([S, 1, N])),
            1,
          ).logsumexp(1);
        const cells = constant(
          this.heads.map((each) => (each as Extract<ColumnHead, { type: "lattice" }>).cells),
          [S, 1],
        );
        const isCell = known.equal(known.floor()).and(known.greaterEqual(0)).and(known.less(cells));
        result = isCell.where(isAtom ? isAtom.where(both!, smooth) : smooth, Number.NEGATIVE_INFINITY);
      }
    } else result = this.categoricalLogProb(known, atom!, isAtom!, logTotal);
    const normalized = result.sub(logTotal);
    // As in every distribution a NaN stays in sight where it is not a missing value.
    if (!this.gaps) return present.where(normalized, Number.NaN);
    const gap = logits.slice(1, categories, categories + 1).reshape([S, N]);
    return missing.where(gap.sub(logTotal), normalized);
  }

  /** Values [S, N] drawn from uniform numbers, each [S, N]: one chooses an atom or a component, the other is its quantile. */
  sample([choice, quantile]: readonly Tensor[], raw: Tensor, { present = false } = {}): Tensor {
    const [S, N] = choice.shape;
    const { logits, locations, logScales } = this.split(raw);
    const gap = this.atoms - 1;
    const offered =
      present && this.gaps
        ? concat(
            [
              logits.slice(1, 0, gap),
              logits.slice(1, gap, gap + 1).sub(IMPOSSIBLE),
              ...this.afterAtoms(logits),
            ],
            1,
          )
        : logits;
    const columns = this.atoms + this.components;
    const chosen = oneHotChoice(offered, choice);
    const pick = (values: Tensor, from: number, to: number) => chosen.slice(1, from, to).mul(values).sum(1);
    const categories = this.atoms - (this.gaps ? 1 : 0);
    let value: Tensor = scalar(0).broadcastTo([S, N]);
    if (this.map) {
      const location = pick(locations!, this.atoms, columns);
      const scale = pick(logScales!, this.atoms, columns).exp();
      const logit = quantile.log().sub(quantile.neg().add(1).log());
      value = this.map.inverse(location.add(scale.mul(logit)));
      const [head] = this.heads;
      if (head.type === "lattice") {
        const last = constant(
          this.heads.map((each) => (each as Extract<ColumnHead, { type: "lattice" }>).cells - 1),
          [S, 1],
        );
        value = value.add(0.5).floor().maximum(0).minimum(last);
      }
    }
    if (this.values) {
      const isAtom = chosen.slice(1, 0, categories).sum(1).greater(0);
      value = isAtom.where(pick(this.values, 0, categories), value);
    }
    if (this.gaps)
      value = chosen
        .slice(1, gap, gap + 1)
        .reshape([S, N])
        .greater(0)
        .where(Number.NaN, value);
    return value;
  }

  /** log-density of each component at z(x), or the log-probability of the cell of x: [S, K, N]. */
  private logComponents(x: Tensor, locations: Tensor, logScales: Tensor): Tensor {
    const [S, N] = x.shape;
    const inverseScales = logScales.neg().exp();
    const standardized = (z: Tensor) => z.reshape([S, 1, N]).sub(locations).mul(inverseScales);
    const [head] = this.heads;
    if (head.type === "continuous") {
      const t = standardized(this.map!.forward(x).value);
      return t.neg().sub(logScales).sub(t.neg().softplus().mul(2));
    }
    const last = constant(
      this.heads.map((each) => (each as Extract<ColumnHead, { type: "lattice" }>).cells - 1),
      [S, 1],
    );
    const low = x.lessEqual(0).where(-FAR, this.map!.forward(x.sub(0.5)).value);
    const high = x.greaterEqual(last).where(FAR, this.map!.forward(x.add(0.5)).value);
    // log(sigmoid(b) - sigmoid(a)) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(a - b)), without cancellation.
    const a = standardized(low);
    const b = standardized(high);
    const width = high.sub(low).reshape([S, 1, N]).mul(inverseScales);
    return width.neg().expm1().neg().log().sub(b.neg().softplus()).sub(a.softplus());
  }

  private categoricalLogProb(x: Tensor, logit: Tensor, isCategory: Tensor, logTotal: Tensor): Tensor {
    const heads = this.heads.flatMap((head) => (head.type === "categorical" ? [head] : []));
    if (heads[0].unseen === 0) return isCategory.where(logit, Number.NEGATIVE_INFINITY);
    const columns = (values: readonly number[]) => constant(values, [heads.length, 1]);
    const unseen = x.equal(columns(heads.map(({ categories }) => categories)));
    const seen = logit.add(columns(heads.map(({ unseen: share }) => Math.log1p(-share))));
    const other = logTotal.add(columns(heads.map(({ unseen: share }) => Math.log(share))));
    return isCategory.where(seen, unseen.where(other, Number.NEGATIVE_INFINITY));
  }

  private afterAtoms(logits: Tensor): Tensor[] {
    return this.components > 0 ? [logits.slice(1, this.atoms, this.atoms + this.components)] : [];
  }

  private split(raw: Tensor) {
    const { atoms, components: K } = this;
    const logits = raw.slice(1, 0, atoms + K);
    if (K === 0) return { logits };
    const [, locations, logScales] = raw.split(1, [atoms + K, K, K]);
    return {
      logits,
      locations: locations.softClamp(LOCATION_BOUND),
      logScales: logScales.softClamp(LOG_SCALE_BOUND),
    };
  }

  /** Which values are there, and the values with 0 in place of a missing one, so that no NaN reaches a formula or its gradient. */
  private presence(x: Tensor) {
    const present = x.equal(x);
    return { present, missing: present.not(), known: present.where(x, 0) };
  }
}

/** One-hot [S, C, N]: for each column and row the option whose part of the cumulative probabilities holds the uniform number. */
function oneHotChoice(logits: Tensor, uniform: Tensor): Tensor {
  const [S, options, N] = logits.shape;
  const first = uniform.mul(0).add(1).reshape([S, 1, N]);
  if (options === 1) return first;
  const ends = logits
    .softmax(1)
    .cumsum(1)
    .slice(1, 0, (options as number) - 1);
  const above = uniform.reshape([S, 1, N]).greaterEqual(ends).toFloat();
  return concat([first, above], 1).sub(above.pad(1, 0, 1));
}

/**
 * The numbers of a head [parameters] that give about the marginal distribution of `values`: the frequency of each atom, and equal
 * components that together are the logistic distribution that the `QuantileMap` leads to. NaN is a missing value.
 */
export function marginalParameters(head: ColumnHead, values: ArrayLike<number>): Float64Array {
  const numeric = isNumeric(head);
  const atoms = numeric ? head.atoms : Array.from({ length: head.categories }, (_, code) => code);
  const counts = new Map<number, number>(atoms.map((atom) => [atom, 0]));
  let missing = 0;
  let smooth = 0;
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    const count = counts.get(value);
    if (Number.isNaN(value)) missing++;
    else if (count === undefined) smooth++;
    else counts.set(value, count + 1);
  }
  // The components of a lattice cover its atoms too. Half of the mass of each is theirs at the start.
  const share = head.type === "lattice" ? 0.5 : 1;
  const inAtoms = [...counts.values()].reduce((sum, count) => sum + count, 0);
  // Half a row for each value that does not occur: no logit starts at -Infinity.
  const logits = [...counts.values()].map((count) => Math.log(share * count + 0.5));
  if (head.gaps) logits.push(Math.log(missing + 0.5));
  if (!numeric) return Float64Array.from(logits);
  const K = head.components;
  const rest = Math.log((smooth + (1 - share) * inAtoms + 0.5) / K);
  const spread = K > 1 ? COMPONENT_SPREAD : 0;
  const locations = Array.from({ length: K }, (_, k) => spread * ((2 * k) / Math.max(1, K - 1) - 1));
  const logScale = K > 1 ? COMPONENT_LOG_SCALE : 0;
  return Float64Array.from([
    ...logits,
    ...new Array(K).fill(rest),
    ...locations.map((location) => inverseSoftClamp(location, LOCATION_BOUND)),
    ...new Array(K).fill(inverseSoftClamp(logScale, LOG_SCALE_BOUND)),
  ]);
}

/** Outermost location and log-scale of equal components whose mixture is close to a standard logistic distribution. */
const COMPONENT_SPREAD = 1.5;
const COMPONENT_LOG_SCALE = Math.log(0.84);

/** The x with x / (1 + |x| / bound) = y. */
const inverseSoftClamp = (y: number, bound: number): number => y / (1 - Math.abs(y) / bound);
