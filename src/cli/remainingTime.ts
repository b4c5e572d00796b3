import { isFittedWithoutGradients } from "../tables/fit/index.ts";
import type { FitProgress } from "../train/index.ts";

/** The speed of a member is measured over at least this time, because shorter measurements are not reliable. */
const MIN_MEASURED_MILLISECONDS = 2000;
/**
 * Without further improvements, training ends when the patience after the best epoch n is over. It is expected to end n / 4 epochs later,
 * because it will probably improve further. Measured in bench/tables/RESULTS.md.
 */
const FURTHER_IMPROVEMENT = 0.25;
/**
 * A member that is fitted without gradients is expected to take this fraction of the mean time of the others. It took 0.1 to 1.2 of it on six
 * tables (bench/tables/RESULTS.md).
 */
const RELATIVE_TIME_WITHOUT_GRADIENTS = 1 / 3;

/** The position of a member among the members of a model, which are trained one after the other. */
export interface MemberPosition {
  readonly index: number;
  readonly names: readonly string[];
  /** The number of models with the same members that are trained afterwards. Default 0. */
  readonly modelsLeft?: number;
}

/** An estimate of the time that is left, or the time to the deadline (`isLimit`) if that is shorter or nothing can be estimated yet. */
export interface TimeLeft {
  readonly milliseconds: number;
  readonly isLimit: boolean;
}

/** Estimates how long the training of one or several members still takes. All times are in milliseconds on one clock. */
export class RemainingTime {
  private readonly deadline: number;
  private position: MemberPosition = { index: 0, names: [""] };
  /** The times of the finished members of the current model that were trained by gradients. */
  private finished: number[] = [];
  private startedAt = 0;
  /**
   * The first step of the current member, which comes after its compilation, and the last step so far. `epochs` is the number of epochs up
   * to the step, and `left` is the expected number of further epochs.
   */
  private first: { readonly epochs: number; readonly at: number } | undefined;
  private last: { readonly epochs: number; readonly at: number; readonly left: number } | undefined;

  /** The training ends at the deadline, which may be Infinity. */
  constructor(deadline: number) {
    this.deadline = deadline;
  }

  /** Begins a member. */
  begin(position: MemberPosition, now: number): void {
    if (position.index === 0) this.finished = [];
    else if (this.last) this.finished.push(now - this.startedAt);
    this.position = position;
    this.startedAt = now;
    this.first = undefined;
    this.last = undefined;
  }

  /** Records a step of the current member. */
  update({ epoch, fraction, bestEpoch, lastEpoch, maxEpochs }: FitProgress, now: number): void {
    const epochs = epoch - 1 + fraction;
    this.first ??= { epochs, at: now };
    const left = Math.min(maxEpochs, lastEpoch + FURTHER_IMPROVEMENT * bestEpoch) - epochs;
    this.last = { epochs, at: now, left: Math.max(0, left) };
  }

  /** The time that is left; undefined in the first seconds of the first member if there is no deadline. */
  estimate(now: number): TimeLeft | undefined {
    const toDeadline = { milliseconds: Math.max(0, this.deadline - now), isLimit: true };
    const milliseconds = this.estimateWithoutDeadline(now);
    if (milliseconds !== undefined && now + milliseconds < this.deadline)
      return { milliseconds, isLimit: false };
    return this.deadline === Number.POSITIVE_INFINITY ? undefined : toDeadline;
  }

  private estimateWithoutDeadline(now: number): number | undefined {
    const { index, names, modelsLeft = 0 } = this.position;
    const ofMember = this.timeLeftOfMember();
    const known = [...this.finished, ...(ofMember === undefined ? [] : [now - this.startedAt + ofMember])];
    if (known.length === 0) return undefined;
    const meanTime = known.reduce((sum, time) => sum + time, 0) / known.length;
    const timeOf = (name: string) =>
      meanTime * (isFittedWithoutGradients(name) ? RELATIVE_TIME_WITHOUT_GRADIENTS : 1);
    const total = (members: readonly string[]) => members.reduce((sum, name) => sum + timeOf(name), 0);
    return (ofMember ?? timeOf(names[index]!)) + total(names.slice(index + 1)) + modelsLeft * total(names);
  }

  private timeLeftOfMember(): number | undefined {
    const { first, last } = this;
    if (!first || !last || last.at - first.at < MIN_MEASURED_MILLISECONDS) return undefined;
    return (last.left * (last.at - first.at)) / (last.epochs - first.epochs);
  }
}
