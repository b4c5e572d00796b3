import { count, nats } from "../check/index.ts";
import { deadlineOf, type FitEpoch, type FitProgress } from "../train/index.ts";
import type { FitLog } from "./fitLog.ts";
import { duration, jsonLine, timeLeft } from "./format.ts";
import type { Io } from "./io.ts";
import type { Messages } from "./messages.ts";
import { type MemberPosition, RemainingTime } from "./remainingTime.ts";

/** Without a terminal, a line is printed after this many epochs, or after this time if epochs are slow. */
const EPOCHS_PER_LINE = 10;
const MAX_MILLISECONDS_PER_LINE = 15_000;

/** How the log-densities of a training run are written. */
interface ProgressUnits {
  /** The text of a mean log-density, without the unit. */
  text(logDensity: number): string;
  readonly unit: string;
  /** Fields of the JSON line of an epoch, beside the log-densities in nats. */
  fields?(epoch: FitEpoch): object;
  /** The number of rows in an epoch. If it is stated, progress includes the number of rows per second. */
  readonly rows?: number;
  /** The word for these rows, such as "images". */
  readonly noun?: string;
}

const NATS: ProgressUnits = { text: nats, unit: "nats" };

const NO_BEST_YET = { value: Number.NEGATIVE_INFINITY, epoch: 0 };

/** Shows the progress of a training run: a bar on a terminal, lines elsewhere, or JSON lines on standard output. */
export class TrainingProgress {
  private readonly io: Io;
  private readonly messages: Messages;
  private readonly json: boolean;
  private readonly log: FitLog | undefined;
  private readonly start = performance.now();
  private readonly units: ProgressUnits;
  private readonly remaining: RemainingTime;
  private flow = "";
  /** The flow in lines for people. */
  private label = "";
  /** The largest validation log-density so far. */
  private best = NO_BEST_YET;
  private printedAt = 0;
  /** Where the measurement of the speed of this epoch began. */
  private measuredFrom = { epoch: 0, fraction: 0, at: 0 };
  private rowsPerSecond: number | undefined;
  private readonly models: number;
  /** The number of the current model, from 1. */
  private model = 1;

  constructor(
    io: Io,
    messages: Messages,
    {
      json,
      log,
      maxMinutes,
      models = 1,
    }: {
      json: boolean;
      log: FitLog | undefined;
      maxMinutes: number | undefined;
      /** The number of models with the same members that are trained one after the other. Default 1. */
      models?: number;
    },
    units = NATS,
  ) {
    this.remaining = new RemainingTime(deadlineOf(maxMinutes));
    this.io = io;
    this.log = log;
    this.units = units;
    this.messages = messages;
    this.json = json;
    this.models = models;
  }

  /** Begins the training of a flow, which may be one of the members of a model. */
  onMember(name: string, position: MemberPosition = { index: 0, names: [name] }): void {
    const { index, names, modelsLeft = 0 } = position;
    const place = [
      ...(names.length > 1 ? [`${index + 1} of ${names.length}`] : []),
      ...(modelsLeft > 0 ? ["first of two models"] : []),
    ];
    this.flow = name;
    this.model = this.models - modelsLeft;
    this.label = place.length === 0 ? name : `${name} (${place.join(", ")})`;
    this.best = NO_BEST_YET;
    this.printedAt = performance.now();
    this.remaining.begin(position, this.printedAt);
  }

  onProgress(progress: FitProgress): void {
    const { epoch, fraction, best, bestEpoch } = progress;
    this.best = { value: best, epoch: bestEpoch };
    this.measure(epoch, fraction);
    const now = performance.now();
    this.remaining.update(progress, now);
    // On one terminal, JSON lines and a bar would overwrite each other.
    if (this.json && this.io.stdout.isTTY) return;
    const { text, unit } = this.units;
    const left = this.remaining.estimate(now);
    const elapsed = now - this.start;
    const share = left ? elapsed / (elapsed + left.milliseconds) : fraction;
    const time = left ? timeLeft(left) : this.elapsed();
    const after = ` ${this.speed()}${time}, best ${text(best)} ${unit}`;
    this.messages.progress(share, `${this.label}, epoch ${epoch} `, after);
  }

  onEpoch(result: FitEpoch): void {
    const { epoch, trainLogDensity, validationLogDensity } = result;
    if (validationLogDensity > this.best.value) this.best = { value: validationLogDensity, epoch };
    const { value: best, epoch: bestEpoch } = this.best;
    const now = performance.now();
    const left = this.remaining.estimate(now);
    const { text, unit, fields } = this.units;
    const event = {
      event: "epoch",
      ...(this.models > 1 && { model: this.model }),
      flow: this.flow,
      ...result,
      ...fields?.(result),
      best,
      bestEpoch,
      ...(this.rowsPerSecond !== undefined && { [`${this.units.noun}PerSecond`]: this.rowsPerSecond }),
      seconds: Math.round(now - this.start) / 1000,
      ...(left && { secondsLeft: Math.round(left.milliseconds / 1000) }),
    };
    this.log?.write(event);
    if (this.json) {
      this.io.stdout.write(jsonLine(event));
      return;
    }
    const isSlow = now - this.printedAt > MAX_MILLISECONDS_PER_LINE;
    if (
      this.io.stderr.isTTY ||
      this.io.onProgress ||
      !(epoch === 1 || epoch % EPOCHS_PER_LINE === 0 || isSlow)
    )
      return;
    this.printedAt = now;
    const means = `training ${text(trainLogDensity)}, validation ${text(validationLogDensity)}, best ${text(best)} ${unit}`;
    this.messages.print(
      `${this.label}, epoch ${epoch}: ${means} (${this.speed()}${this.elapsed()}${left ? `, ${timeLeft(left)}` : ""})`,
    );
  }

  /** Measures how many rows of the epoch are trained on in a second. The first step, which includes compilation, is not counted. */
  private measure(epoch: number, fraction: number): void {
    const { rows } = this.units;
    if (rows === undefined) return;
    const now = performance.now();
    if (this.measuredFrom.epoch !== epoch) this.measuredFrom = { epoch, fraction, at: now };
    else
      this.rowsPerSecond = Math.round(
        (1000 * rows * (fraction - this.measuredFrom.fraction)) / (now - this.measuredFrom.at),
      );
  }

  private speed(): string {
    return this.rowsPerSecond === undefined ? "" : `${count(this.rowsPerSecond)} ${this.units.noun}/s, `;
  }

  private elapsed(): string {
    return duration(performance.now() - this.start);
  }
}
