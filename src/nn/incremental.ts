import { concat, type Tensor } from "../graph/tensor.ts";
import { activate } from "./activation.ts";
import { affineOfParts, LANES } from "./linear.ts";
import type { MaskedLinear } from "./maskedLinear.ts";
import type { NetworkDescription } from "./mlp.ts";

/**
 * A masked network evaluated degree by degree, which inverts an autoregressive map in one sweep: `feed` takes the next input
 * and computes just the units that waited for it; `outputs` gives the output columns whose inputs are now known. Each
 * unit is computed once, so over all degrees the sweep does the work of one pass, where evaluating the whole network for
 * every feature would take D of them.
 *
 * Degrees come in groups. Where the units of a degree are few, what a group owes to all groups before it is one large product;
 * only the small rest, inside the group, goes degree by degree.
 */
export class Incremental {
  private readonly options: NetworkDescription;
  private readonly bounds: readonly number[];
  private readonly layers: readonly Sweep[];
  /** What layer i reads: the inputs for the first one, the activated units of the layer before for the others. */
  private readonly known: readonly Known[];
  private group = 0;

  constructor(
    layers: readonly MaskedLinear<Tensor>[],
    bounds: readonly number[],
    options: NetworkDescription,
    context: Tensor | undefined,
  ) {
    this.options = options;
    this.bounds = bounds;
    this.layers = layers.map((layer) => new Sweep(layer));
    this.known = layers.map(() => new Known());
    if (context) this.known[0].add(context);
    this.advance(0);
  }

  /** Takes the inputs of the given degree, [N, 1] or more where several share it; degrees come in order. */
  feed(degree: number, value: Tensor): void {
    if (degree > this.bounds[this.group]) {
      for (const known of this.known) known.closeGroup();
      this.group++;
    }
    this.known[0].add(value);
    this.advance(degree);
  }

  /** The output columns of this degree, [N, columns] or, where they depend on nothing, [columns]. */
  outputs(degree: number): Tensor {
    const last = this.layers.length - 1;
    return this.layers[last].units(degree - 1, this.bounds[this.group], this.known[last])!;
  }

  private advance(degree: number): void {
    const values: Tensor[] = [];
    for (let i = 0; i < this.layers.length - 1; i++) {
      let value = this.layers[i].units(degree, this.bounds[this.group], this.known[i]);
      if (!value) continue;
      // The second layer of a residual block adds to what went into the block.
      if (this.options.residual && i > 0 && i % 2 === 0) value = value.add(values[i - 2]);
      values[i] = value;
      this.known[i + 1].add(activate(this.options.activation, value));
    }
  }
}

/** Columns that are known so far, in the order of their degrees, in parts: a product of each costs less than to copy all. */
class Known {
  /** As they came, and how many of these belong to groups before this one. */
  readonly all: Tensor[] = [];
  closed = 0;
  /** The same with narrow ones put together: of all groups before this one, and of this one. */
  before: readonly Tensor[] = [];
  own: readonly Tensor[] = [];

  add(columns: Tensor): void {
    this.all.push(columns);
    this.own = append(this.own, columns);
  }

  closeGroup(): void {
    const { before, own } = this;
    // So few columns cost the next group less in its own small products than in one large.
    if (width([...before, ...own]) < NARROW) return;
    if (own.length > 0) this.before = append(before, concat(own, 1));
    this.own = [];
    this.closed = this.all.length;
  }
}

/** Parts with fewer columns than these are put together, */
const NARROW = 8;

/** and with the one before until that has so many: to copy it each time would cost more than another product. */
const FULL = 64;

function append(parts: readonly Tensor[], columns: Tensor): Tensor[] {
  const last = parts.at(-1);
  const joins = last && width([last]) < FULL && Math.min(width([last]), width([columns])) < NARROW;
  return joins ? [...parts.slice(0, -1), concat([last, columns], 1)] : [...parts, columns];
}

const width = (parts: readonly Tensor[]): number =>
  parts.reduce((sum, part) => sum + (part.shape[1] as number), 0);

/** A product with so many columns takes little longer than one with two. */
const FEW = 2 * LANES;

/** Units start to end - 1 of a block, of a reach up to `bound`. */
interface Group {
  readonly block: Block;
  readonly bound: number;
  readonly start: number;
  readonly end: number;
  readonly few: boolean;
  /** Their biases and what the first known columns, in so many parts, add: [N, units] or, without any, [units]. */
  readonly sum: Tensor;
  readonly columns: number;
  readonly parts: number;
}

/**
 * One layer of the sweep. How it computes the units of a group depends on their number:
 * - few in all: whatever comes to be known is added at once to all units that are left;
 * - few of a degree: what is known when the group begins is added to all, the rest by degree;
 * - else everything goes by degree.
 */
class Sweep {
  private readonly layer: MaskedLinear<Tensor>;
  /** Rows by degree: only the inputs of the network are not sorted yet. */
  private readonly rows: readonly number[];
  /** Whether what comes at a time is so few columns that a product of each would cost more than to put them together. */
  private readonly narrow: boolean;
  private group: Group | undefined;

  constructor(layer: MaskedLinear<Tensor>) {
    this.layer = layer;
    this.narrow = layer.degrees.length < NARROW * new Set(layer.degrees).size;
    this.rows = layer.degrees.map((_, i) => i).sort((i, k) => layer.degrees[i] - layer.degrees[k] || i - k);
  }

  /** Values of the units of this reach, in a group that ends at `bound`; undefined if there are none. */
  units(reach: number, bound: number, known: Known): Tensor | undefined {
    if (!this.group || reach > this.group.bound) this.group = this.open(reach, bound, known) ?? this.group;
    if (!this.group) return undefined;
    const { block, few } = this.group;
    const [start, end] = [block.reach.indexOf(reach), block.reach.lastIndexOf(reach) + 1];
    if (start < 0) return undefined;
    if (few) this.group = withAll(this.group, start, known);
    const { sum, columns, start: first } = this.group;
    const own = sum.slice(-1, start - first, end - first);
    if (few) return own;
    const parts = columns > 0 ? known.own : [...known.before, ...known.own];
    return affineOfParts(parts, weightOf(block, columns, parts, start, end), own);
  }

  private open(reach: number, bound: number, { before, closed }: Known): Group | undefined {
    const found = this.layer.block(reach);
    if (!found) return undefined;
    const block =
      found.weight.shape[0] === this.rows.length
        ? { ...found, weight: found.weight.gather(0, this.rows) }
        : found;
    const start = block.reach.indexOf(reach);
    const most = this.narrow ? 0 : FEW;
    const whole = block.reach.length - start <= most;
    const end = whole ? block.reach.length : block.reach.filter((r) => r <= bound).length;
    const few = end - start <= most;
    const degrees = new Set(block.reach.slice(start, end)).size;
    const seen = few || end - start < LANES * degrees ? before : [];
    const sum = affineOfParts(seen, weightOf(block, 0, seen, start, end), block.bias.slice(0, start, end));
    const highest = whole ? block.reach[end - 1] : bound;
    return { block, bound: highest, start, end, few, sum, columns: width(seen), parts: closed };
  }
}

/** A group from unit `start` on, with all that is known in its sum. */
function withAll(group: Group, start: number, { all }: Known): Group {
  const { block, end, columns } = group;
  const parts = all.slice(group.parts);
  const left = group.sum.slice(-1, start - group.start, end - group.start);
  const sum = affineOfParts(parts, weightOf(block, columns, parts, start, end), left);
  return { ...group, start, sum, columns: columns + width(parts), parts: all.length };
}

/** Of units start to end - 1, the weights of parts that lie from a column on. */
const weightOf = ({ weight }: Block, column: number, parts: readonly Tensor[], start: number, end: number) =>
  weight.slice(0, column, column + width(parts)).slice(1, start, end);

type Block = NonNullable<ReturnType<MaskedLinear["block"]>>;
