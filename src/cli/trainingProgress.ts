import { nats } from "../evaluate/numberText.ts";
import type { FitEpoch, FitProgress } from "../train/index.ts";
import { duration, jsonLine } from "./format.ts";
import type { Io } from "./io.ts";
import type { Messages } from "./messages.ts";

/** Without a terminal, a line is printed after this many epochs, or after this time if epochs are slow. */
const EPOCHS_PER_LINE = 10;
const MAX_MILLISECONDS_PER_LINE = 15_000;

const NONE = { value: Number.NEGATIVE_INFINITY, epoch: 0 };

/** Shows the progress of a training: a bar on a terminal, lines elsewhere, or JSON lines on standard output. */
export class TrainingProgress {
  private readonly io: Io;
  private readonly messages: Messages;
  private readonly json: boolean;
  private readonly start = performance.now();
  private flow = "";
  /** The largest validation log-density so far. */
  private best = NONE;
  private printedAt = 0;

  constructor(io: Io, messages: Messages, { json }: { json: boolean }) {
    this.io = io;
    this.messages = messages;
    this.json = json;
  }

  onFlow(name: string): void {
    this.flow = name;
    this.best = NONE;
    this.printedAt = performance.now();
  }

  onProgress({ epoch, fraction, best }: FitProgress): void {
    if (best > this.best.value) this.best = { value: best, epoch: epoch - 1 };
    // On one terminal, JSON lines and a bar would overwrite each other.
    if (this.json && this.io.stdout.isTTY) return;
    const after = ` best validation ${nats(this.best.value)} nats (epoch ${this.best.epoch}), ${this.elapsed()}`;
    this.messages.progress(fraction, `${this.flow}, epoch ${epoch} `, after);
  }

  onEpoch(result: FitEpoch): void {
    const { epoch, trainLogDensity, validationLogDensity } = result;
    if (validationLogDensity > this.best.value) this.best = { value: validationLogDensity, epoch };
    const { value: best, epoch: bestEpoch } = this.best;
    const now = performance.now();
    if (this.json) {
      const seconds = Math.round(now - this.start) / 1000;
      this.io.stdout.write(
        jsonLine({ event: "epoch", flow: this.flow, ...result, best, bestEpoch, seconds }),
      );
      return;
    }
    const isSlow = now - this.printedAt > MAX_MILLISECONDS_PER_LINE;
    if (this.io.stderr.isTTY || !(epoch === 1 || epoch % EPOCHS_PER_LINE === 0 || isSlow)) return;
    this.printedAt = now;
    const means = `training ${nats(trainLogDensity)}, validation ${nats(validationLogDensity)}, best ${nats(best)} nats`;
    this.messages.print(`${this.flow}, epoch ${epoch}: ${means} (${this.elapsed()})`);
  }

  private elapsed(): string {
    return duration(performance.now() - this.start);
  }
}
