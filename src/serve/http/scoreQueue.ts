import type { Row, ServedModel } from "../index.ts";
import { BusyError, clientGone, MAX_WAITING } from "./callQueue.ts";

interface Request {
  readonly rows: readonly Row[];
  readonly names: string;
  readonly signal: AbortSignal;
  resolve(scores: Float64Array): void;
  reject(error: unknown): void;
}

/**
 * Scores the rows of requests. Requests that arrive while others are computed wait, and are then computed together: a call of the
 * model has a fixed cost, which many small requests share.
 */
export class ScoreQueue {
  private readonly model: Pick<ServedModel, "score">;
  private readonly maxRows: number;
  private waiting: Request[] = [];
  private running: Promise<void> | undefined;

  /** `maxRows` is the largest number of rows of a call of the model. */
  constructor(model: Pick<ServedModel, "score">, maxRows: number) {
    this.model = model;
    this.maxRows = maxRows;
  }

  /** log p of each row. A request whose signal is aborted before it is computed is rejected. */
  score(rows: readonly Row[], signal: AbortSignal): Promise<Float64Array> {
    if (this.waiting.length >= MAX_WAITING) throw new BusyError();
    return new Promise((resolve, reject) => {
      this.waiting.push({ rows, names: namesOf(rows), signal, resolve, reject });
      this.running ??= this.run();
    });
  }

  private async run(): Promise<void> {
    // Requests that arrive in the same iteration of the event loop are computed together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.compute(this.nextBatch());
    this.running = undefined;
  }

  /**
   * Takes the waiting requests whose rows have the same columns as those of the first one. A row without a column of the model is an error,
   * but beside rows that have the column, its value would count as missing.
   */
  private nextBatch(): Request[] {
    const { names } = this.waiting[0]!;
    const batch: Request[] = [];
    const stillWaiting: Request[] = [];
    let rows = 0;
    for (const request of this.waiting) {
      if (request.signal.aborted) {
        request.reject(clientGone());
      } else if (
        request.names === names &&
        (batch.length === 0 || rows + request.rows.length <= this.maxRows)
      ) {
        batch.push(request);
        rows += request.rows.length;
      } else stillWaiting.push(request);
    }
    this.waiting = stillWaiting;
    return batch;
  }

  private async compute(batch: readonly Request[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const scores = await this.model.score(batch.flatMap(({ rows }) => rows));
      let start = 0;
      for (const { rows, resolve } of batch) {
        resolve(scores.slice(start, start + rows.length));
        start += rows.length;
      }
    } catch (error) {
      if (batch.length === 1) return batch[0]!.reject(error);
      // The rows of one request may have caused the error. Halves of the batch find it in few calls, and the other requests succeed.
      const half = batch.length >> 1;
      await this.compute(batch.slice(0, half));
      await this.compute(batch.slice(half));
    }
  }
}

/** The columns that rows have. */
const namesOf = (rows: readonly Row[]): string =>
  JSON.stringify([...new Set(rows.flatMap((row) => Object.keys(row)))].sort());
