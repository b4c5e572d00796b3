import { PushforwardError } from "../check/index.ts";
import { broadcastArray, type Communicator } from "../communicator/index.ts";
import { type Batch, type Batches, type Dataset, InMemoryDataset, range } from "../dataset/index.ts";

/**
 * A message begins with the number of rows of its batch, or with one of these: `END` if there are no more batches, `FAILURE` if rank 0 could
 * not read the next one.
 */
const END = 0;
const FAILURE = -1;

/**
 * The batches of a stream that only rank 0 reads: it sends each batch to the other ranks. So they take the same steps as with rows in
 * memory, but need neither the stream nor a buffer to shuffle it.
 */
export function sharedBatches(
  { rows, meanWeight, epoch }: Batches,
  widths: Pick<Dataset, "features" | "contextFeatures">,
  batchSize: number,
  communicator: Communicator,
): Batches {
  const { features, contextFeatures } = widths;
  // The number of rows, END or FAILURE, then the features, contexts, weights and row numbers of the rows.
  const message = new Float64Array(1 + batchSize * (features + contextFeatures + 2));
  const exchange = () => broadcastArray(communicator, message);

  async function* sent(number: number): AsyncGenerator<Batch> {
    try {
      for await (const batch of epoch(number)) {
        const { values, context, weights, rowNumbers } = batch.rows.select(batch.indices);
        message[0] = batch.indices.length;
        let end = 1;
        for (const part of [values, context, weights, rowNumbers]) {
          message.set(part, end);
          end += part.length;
        }
        await exchange();
        yield batch;
      }
    } catch (error) {
      message[0] = FAILURE;
      await exchange();
      throw error;
    }
    message[0] = END;
    await exchange();
  }

  async function* received(): AsyncGenerator<Batch> {
    while (true) {
      await exchange();
      const count = message[0]!;
      if (count === END) return;
      if (count === FAILURE) {
        throw new PushforwardError("DATA", "rank 0 could not read the rows", {
          hint: "Read the error of rank 0, which has the cause.",
        });
      }
      let start = 1;
      const [values, context, weights, rowNumbers] = [features, contextFeatures, 1, 1].map((width) => {
        const part = message.subarray(start, start + count * width);
        start += part.length;
        return part;
      });
      const batch = new InMemoryDataset({
        features,
        values: values!,
        context,
        weights,
        rowNumbers: Int32Array.from(rowNumbers!),
      });
      yield { rows: batch, indices: range(count) };
    }
  }

  return { rows, meanWeight, epoch: communicator.rank === 0 ? sent : received };
}
