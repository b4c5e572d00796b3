import { concat, type Tensor } from "../graph/index.ts";
import { activate } from "./activation.ts";
import { affineOfConcat, VECTOR_WIDTH } from "./linear.ts";
import type { MaskedLinear } from "./maskedLinear.ts";
import type { NetworkDescription } from "./mlp.ts";

/** An autoregressive network that takes its inputs one after the other. */
export interface IncrementalNetwork {
  /** Adds the inputs of a degree, [N, 1], or [N, k] if k inputs have it. Degrees must be added in ascending order. */
  addInputs(degree: number, values: Tensor): void;
  /** The outputs of a degree from the inputs of lower degrees: [N, columns], or [columns] if they depend on nothing. */
  outputs(degree: number): Tensor;
}

/**
 * A `MaskedMLP` evaluated degree by degree, which inverts an autoregressive map: when the inputs of a degree are added, it
 * computes only the hidden units of that degree. Each unit is computed once, so the inverse has about as many operations as one pass,
 * whereas evaluating the whole network for each of D features would take D passes.
 *
 * Degrees are in groups. If a degree has few units, all units of a group read the inputs of earlier groups in one large product,
 * and only the inputs of the same group are added degree by degree.
 */
export class IncrementalMaskedMLP implements IncrementalNetwork {
  private readonly options: NetworkDescription;
  private readonly groupEnds: readonly number[];
  private readonly layers: readonly IncrementalLayer[];
  /** The columns that layer i reads: the inputs of the network, or for i > 0 the activated units of layer i - 1. */
  private readonly inputsOfLayers: readonly ComputedColumns[];
  private group = 0;

  /** `groupEnds` are the last degrees of the groups, ascending, the last one Infinity. */
  constructor(
    layers: readonly MaskedLinear<Tensor>[],
    groupEnds: readonly number[],
    options: NetworkDescription,
    context: Tensor | undefined,
  ) {
    this.options = options;
    this.groupEnds = groupEnds;
    this.layers = layers.map((layer) => new IncrementalLayer(layer));
    this.inputsOfLayers = layers.map(() => new ComputedColumns());
    if (context) this.inputsOfLayers[0].add(context);
    this.computeUnits(0);
  }

  /** Adds the inputs of a degree, [N, inputs of the degree]. Degrees must be added in ascending order, which is not checked. */
  addInputs(degree: number, values: Tensor): void {
    if (degree > this.groupEnds[this.group]) {
      for (const columns of this.inputsOfLayers) columns.endGroup();
      this.group++;
    }
    this.inputsOfLayers[0].add(values);
    this.computeUnits(degree);
  }

  /** The outputs of a degree, [N, outputs of the degree], after the inputs of all lower degrees were added. */
  outputs(degree: number): Tensor {
    const last = this.layers.length - 1;
    return this.layers[last].units(degree - 1, this.groupEnds[this.group], this.inputsOfLayers[last])!;
  }

  /** Computes the hidden units of a degree, layer by layer. */
  private computeUnits(degree: number): void {
    const values: Tensor[] = [];
    for (let i = 0; i < this.layers.length - 1; i++) {
      let value = this.layers[i].units(degree, this.groupEnds[this.group], this.inputsOfLayers[i]);
      if (!value) continue;
      // The second layer of a residual block is added to the input of the block.
      if (this.options.residual && i > 0 && i % 2 === 0) value = value.add(values[i - 2]);
      values[i] = value;
      this.inputsOfLayers[i + 1].add(activate(this.options.activation, value));
    }
  }
}

/**
 * The computed inputs of a layer, in the order of their degrees. They are kept as several tensors, because
 * multiplying each by its weights takes less time than concatenating them first.
 */
class ComputedColumns {
  /** The columns as they were added, one tensor for each call of `add`. */
  readonly parts: Tensor[] = [];
  /** The number of parts that belong to earlier groups. */
  earlierParts = 0;
  /** The columns of earlier groups, with narrow parts concatenated. */
  earlier: readonly Tensor[] = [];
  /** The columns of the current group, with narrow parts concatenated. */
  current: readonly Tensor[] = [];

  add(columns: Tensor): void {
    this.parts.push(columns);
    this.current = append(this.current, columns);
  }

  endGroup(): void {
    const { earlier, current } = this;
    // With fewer columns, a product with all units of the next group is slower than the small products of its degrees.
    if (widthOf([...earlier, ...current]) < MIN_PART_WIDTH) return;
    if (current.length > 0) this.earlier = append(earlier, concat(current, 1));
    this.current = [];
    this.earlierParts = this.parts.length;
  }
}

/** A part with fewer columns than this is concatenated to the previous part, because a product of its own takes longer. */
const MIN_PART_WIDTH = 8;

/** A part with this many columns or more is not extended: copying it takes longer than another product. */
const MAX_COPIED_WIDTH = 64;

function append(parts: readonly Tensor[], columns: Tensor): Tensor[] {
  const last = parts.at(-1);
  const isNarrow = last && Math.min(widthOf([last]), widthOf([columns])) < MIN_PART_WIDTH;
  return isNarrow && widthOf([last]) < MAX_COPIED_WIDTH
    ? [...parts.slice(0, -1), concat([last, columns], 1)]
    : [...parts, columns];
}

const widthOf = (parts: readonly Tensor[]): number =>
  parts.reduce((sum, part) => sum + (part.shape[1] as number), 0);

/** A product with up to this many columns takes hardly longer than one with two. */
const MAX_NARROW_PRODUCT = 2 * VECTOR_WIDTH;

/** Units that are not computed yet: start to end - 1 of a block, with maximum degrees up to `maxDegree`. */
interface PendingUnits {
  readonly block: SortedBlock;
  readonly maxDegree: number;
  readonly start: number;
  readonly end: number;
  /** Whether new inputs are added to the sums of all these units at once, because the units are few. */
  readonly updatesAllSums: boolean;
  /** The biases of the units plus the products of the first `columnsInSum` columns: [N, units], or [units] without columns. */
  readonly sum: Tensor;
  readonly columnsInSum: number;
  readonly partsInSum: number;
}

type SortedBlock = NonNullable<ReturnType<MaskedLinear["blockWith"]>>;

/**
 * A masked layer that is evaluated degree by degree. How the units of a group read their inputs depends on their number:
 * - few units in the group: new columns are added to the sums of all units that are not computed yet;
 * - few units per degree: columns of earlier groups are added to all units when the group begins, columns of the same group degree
 *   by degree;
 * - otherwise all columns are added degree by degree.
 */
class IncrementalLayer {
  private readonly layer: MaskedLinear<Tensor>;
  /** Indices of the inputs in ascending order of degrees. Hidden units are sorted already, the inputs of the network may not be. */
  private readonly inputOrder: readonly number[];
  /** Whether a degree has so few columns that concatenating them takes less time than a product for each degree. */
  private readonly hasNarrowDegrees: boolean;
  private pending: PendingUnits | undefined;

  constructor(layer: MaskedLinear<Tensor>) {
    const { inputDegrees } = layer;
    this.layer = layer;
    this.hasNarrowDegrees = inputDegrees.length < MIN_PART_WIDTH * new Set(inputDegrees).size;
    this.inputOrder = inputDegrees
      .map((_, i) => i)
      .sort((i, k) => inputDegrees[i] - inputDegrees[k] || i - k);
  }

  /** The units with this maximum degree, in a group that ends at `groupEnd`; undefined if there are none. */
  units(maxDegree: number, groupEnd: number, inputs: ComputedColumns): Tensor | undefined {
    if (!this.pending || maxDegree > this.pending.maxDegree)
      this.pending = this.beginGroup(maxDegree, groupEnd, inputs) ?? this.pending;
    if (!this.pending) return undefined;
    const { block, updatesAllSums } = this.pending;
    const [start, end] = [block.maxDegrees.indexOf(maxDegree), block.maxDegrees.lastIndexOf(maxDegree) + 1];
    if (start < 0) return undefined;
    if (updatesAllSums) this.pending = withAllColumns(this.pending, start, inputs);
    const { sum, columnsInSum, start: firstUnit } = this.pending;
    const ownSum = sum.slice(-1, start - firstUnit, end - firstUnit);
    if (updatesAllSums) return ownSum;
    const parts = columnsInSum > 0 ? inputs.current : [...inputs.earlier, ...inputs.current];
    return affineOfConcat(parts, weightOf(block, columnsInSum, parts, start, end), ownSum);
  }

  private beginGroup(
    maxDegree: number,
    groupEnd: number,
    { earlier, earlierParts }: ComputedColumns,
  ): PendingUnits | undefined {
    const found = this.layer.blockWith(maxDegree);
    if (!found) return undefined;
    const readsAllInputs = found.weight.shape[0] === this.inputOrder.length;
    const block = readsAllInputs ? { ...found, weight: found.weight.gather(0, this.inputOrder) } : found;
    const { maxDegrees } = block;
    const start = maxDegrees.indexOf(maxDegree);
    const maxUpdatedUnits = this.hasNarrowDegrees ? 0 : MAX_NARROW_PRODUCT;
    const includesLaterGroups = maxDegrees.length - start <= maxUpdatedUnits;
    const end = includesLaterGroups
      ? maxDegrees.length
      : maxDegrees.filter((degree) => degree <= groupEnd).length;
    const updatesAllSums = end - start <= maxUpdatedUnits;
    const degrees = new Set(maxDegrees.slice(start, end)).size;
    const summed = updatesAllSums || end - start < VECTOR_WIDTH * degrees ? earlier : [];
    const weight = weightOf(block, 0, summed, start, end);
    return {
      block,
      maxDegree: includesLaterGroups ? maxDegrees[end - 1] : groupEnd,
      start,
      end,
      updatesAllSums,
      sum: affineOfConcat(summed, weight, block.bias.slice(0, start, end)),
      columnsInSum: widthOf(summed),
      partsInSum: earlierParts,
    };
  }
}

/** Drops the units before `start`, and adds all computed columns to the sums of the units from there on. */
function withAllColumns(pending: PendingUnits, start: number, inputs: ComputedColumns): PendingUnits {
  const { block, end, columnsInSum } = pending;
  const parts = inputs.parts.slice(pending.partsInSum);
  const currentSum = pending.sum.slice(-1, start - pending.start, end - pending.start);
  const sum = affineOfConcat(parts, weightOf(block, columnsInSum, parts, start, end), currentSum);
  return {
    ...pending,
    start,
    sum,
    columnsInSum: columnsInSum + widthOf(parts),
    partsInSum: inputs.parts.length,
  };
}

/** The weights of units start to end - 1 for parts of the inputs, the first of which begins at `firstColumn`. */
const weightOf = (
  { weight }: SortedBlock,
  firstColumn: number,
  parts: readonly Tensor[],
  start: number,
  end: number,
) => weight.slice(0, firstColumn, firstColumn + widthOf(parts)).slice(1, start, end);
