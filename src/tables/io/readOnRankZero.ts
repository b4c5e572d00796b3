import { deserialize, serialize } from "node:v8";
import { PushforwardError } from "../../check/index.ts";
import { broadcastBytes, type Communicator, SINGLE_PROCESS } from "../../communicator/index.ts";
import { InMemoryDataset, type RowArrays, StreamedDataset, type StreamSummary } from "../../dataset/index.ts";
import type { TrainingTable } from "./trainingTable.ts";

/** What rank 0 sends: plain data, maps and arrays. */
interface Message {
  readonly table: Omit<TrainingTable, "rows" | "notes" | "close">;
  /** All rows, or the sample of a stream. */
  readonly sample: RowArrays;
  /** The first pass over a stream; undefined for rows in memory. */
  readonly stream: Omit<StreamSummary, "sample"> | undefined;
}

/**
 * Calls `read` on rank 0, and returns its table on all ranks. The rows of a table in memory are sent too; of a stream the others get the
 * sample, since rank 0 sends them each batch in training.
 *
 * @throws what `read` throws, on rank 0; DATA on the others if `read` fails.
 */
export async function readOnRankZero(
  communicator: Communicator = SINGLE_PROCESS,
  read: () => Promise<TrainingTable>,
): Promise<TrainingTable> {
  if (communicator.size === 1) return read();
  if (communicator.rank > 0) return receivedTable(await broadcastBytes(communicator, undefined));
  let table: TrainingTable | undefined;
  try {
    table = await read();
    return table;
  } finally {
    await broadcastBytes(communicator, table && messageOf(table));
  }
}

function messageOf({ rows, notes: _notes, close: _close, ...table }: TrainingTable): Uint8Array {
  const message: Message = {
    table,
    sample: (rows.sample as InMemoryDataset).arrays(),
    stream: rows instanceof StreamedDataset ? summaryOf(rows) : undefined,
  };
  return serialize(message);
}

const summaryOf = ({
  rows,
  features,
  contextFeatures,
  columns,
  contextColumns,
  meanWeight,
  constants,
}: StreamedDataset) => ({ rows, features, contextFeatures, columns, contextColumns, meanWeight, constants });

function receivedTable(bytes: Uint8Array | undefined): TrainingTable {
  if (!bytes) {
    throw new PushforwardError("DATA", "rank 0 could not read the table", {
      hint: "Read the error of rank 0, which has the cause.",
    });
  }
  const { table, sample, stream } = deserialize(bytes) as Message;
  const inMemory = new InMemoryDataset(sample);
  const rows = stream ? StreamedDataset.remote({ ...stream, sample: inMemory }) : inMemory;
  return { ...table, rows, notes: () => [], close: async () => {} };
}
