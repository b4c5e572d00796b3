import type { FitEpoch, FitProgress } from "../train/index.ts";
import { duration, jsonLine, nats } from "./format.ts";
import type { Io } from "./io.ts";
import type { Messages } from "./messages.ts";

/** A plain line comes every so many epochs, or after so many milliseconds if epochs are slow. */
const PLAIN = { epochs: 10, pause: 15_000 };

/** Shows how training goes: a bar on a terminal, plain lines elsewhere, or JSON lines on standard output. */
export class TrainingProgress {
  private readonly io: Io;
  private readonly messages: Messages;
  private readonly json: boolean;
  private readonly start = performance.now();
  private flow = "";
  private best = { value: Number.NEGATIVE_INFINITY, epoch: 0 };
  private told = 0;

  constructor(io: Io, messages: Messages, { json }: { json: boolean }) {
    this.io = io;
    this.messages = messages;
    this.json = json;
  }

  onFlow(name: string): void {
    this.flow = name;
    this.best = { value: Number.NEGATIVE_INFINITY, epoch: 0 };
    this.told = performance.now();
  }

  onProgress({ epoch, fraction, best }: FitProgress): void {
    if (best > this.best.value) this.best = { value: best, epoch: epoch - 1 };
    // JSON lines and a bar on the same terminal would write over each other.
    if (this.json && this.io.stdout.isTTY) return;
    const after = ` held-out best ${nats(this.best.value)} nats in epoch ${this.best.epoch}, ${this.elapsed()}`;
    this.messages.progress(fraction, `${this.flow}, epoch ${epoch} `, after);
  }

  onEpoch(epoch: FitEpoch): void {
    const { trainLogDensity, validationLogDensity } = epoch;
    if (validationLogDensity > this.best.value)
      this.best = { value: validationLogDensity, epoch: epoch.epoch };
    const { value: best, epoch: bestEpoch } = this.best;
    const now = performance.now();
    if (this.json) {
      const seconds = Math.round(now - this.start) / 1000;
      this.io.stdout.write(jsonLine({ event: "epoch", flow: this.flow, ...epoch, best, bestEpoch, seconds }));
      return;
    }
    const due = epoch.epoch === 1 || epoch.epoch % PLAIN.epochs === 0 || now - this.told > PLAIN.pause;
    if (this.io.stderr.isTTY || !due) return;
    this.told = now;
    const means = `training ${nats(trainLogDensity)}, validation ${nats(validationLogDensity)}, best ${nats(best)} nats`;
    this.messages.print(`${this.flow}, epoch ${epoch.epoch}: ${means} (${this.elapsed()})`);
  }

  onRecovery(message: string): void {
    this.messages.warn(message);
  }

  private elapsed(): string {
    return duration(performance.now() - this.start);
  }
}
