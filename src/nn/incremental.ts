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
  /** Of all groups before this one, and of this one. */
  before: readonly Tensor[] = [];
  own: readonly Tensor[] = [];

  add(columns: Tensor): void {
    this.own = append(this.own, columns);
  }

  closeGroup(): void {
    const { before, own } = this;
    // So few columns cost the next group less in its own small products than in one large.
    if (width([...before, ...own]) < NARROW) return;
    const joined = own.every((part) => width([part]) >= WIDE) ? own : [concat(own, 1)];
    this.before = joined.reduce<readonly Tensor[]>(append, before);
    this.own = [];
  }
}

/** Parts with fewer columns than these are put together, */
const NARROW = 8;

/** and with the one before until that has so many: to copy it each time would cost more than another product. */
const FULL = 64;

/** The parts of a closed group stay apart if each has so many columns. */
const WIDE = 32;

function append(parts: readonly Tensor[], columns: Tensor): Tensor[] {
  const last = parts.at(-1);
  const joins = last && width([last]) < FULL && Math.min(width([last]), width([columns])) < NARROW;
  return joins ? [...parts.slice(0, -1), concat([last, columns], 1)] : [...parts, columns];
}

const width = (parts: readonly Tensor[]): number =>
  parts.reduce((sum, part) => sum + (part.shape[1] as number), 0);

/** One layer of the sweep: where a degree has fewer units than `LANES`, those of a group owe to the groups before together. */
class Sweep {
  private readonly layer: MaskedLinear<Tensor>;
  /** Rows by degree: only the inputs of the network are not sorted yet. */
  private readonly rows: readonly number[];
  /** What the units of the group that the sweep is in owe to the groups before, if that is computed together. */
  private group:
    | { readonly block: Block; readonly start: number; readonly base: Tensor | undefined }
    | undefined;
  /** Where that group ends. */
  private bound: number | undefined;

  constructor(layer: MaskedLinear<Tensor>) {
    this.layer = layer;
    this.rows = layer.degrees.map((_, i) => i).sort((i, k) => layer.degrees[i] - layer.degrees[k] || i - k);
  }

  /** Values of the units of this reach, in a group that ends at `bound`; undefined if there are none. */
  units(reach: number, bound: number, known: Known): Tensor | undefined {
    if (!this.group?.block.reach.includes(reach) || this.bound !== bound)
      this.open(reach, bound, known.before);
    if (!this.group) return undefined;
    const { block, start: opened, base } = this.group;
    const [start, end] = [block.reach.indexOf(reach), block.reach.lastIndexOf(reach) + 1];
    if (start < 0) return undefined;
    const { before, own } = known;
    const offset = base ? base.slice(1, start - opened, end - opened) : block.bias.slice(0, start, end);
    const parts = base ? own : [...before, ...own];
    const from = base ? width(before) : 0;
    const weight = block.weight.slice(0, from, from + width(parts)).slice(1, start, end);
    return affineOfParts(parts, weight, offset);
  }

  private open(reach: number, bound: number, seen: readonly Tensor[]): void {
    this.bound = bound;
    this.group = undefined;
    const found = this.layer.block(reach);
    if (!found) return;
    const block =
      found.weight.shape[0] === this.rows.length
        ? { ...found, weight: found.weight.gather(0, this.rows) }
        : found;
    const start = block.reach.indexOf(reach);
    const end = block.reach.filter((r) => r <= bound).length;
    const degrees = new Set(block.reach.slice(start, end)).size;
    const together = seen.length > 0 && end - start < LANES * degrees;
    const weight = block.weight.slice(0, 0, width(seen)).slice(1, start, end);
    const base = together ? affineOfParts(seen, weight, block.bias.slice(0, start, end)) : undefined;
    this.group = { block, start, base };
  }
}

type Block = NonNullable<ReturnType<MaskedLinear["block"]>>;
