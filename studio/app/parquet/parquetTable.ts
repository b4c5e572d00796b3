import { RequestClient } from "../engine/requests.ts";
import type { NumberTable, TablePoints } from "../table.ts";

/** The requests that the worker of Parquet files answers. */
export interface ParquetRequests {
  names: { args: { file: Blob }; result: readonly string[] };
  points: { args: { file: Blob; columns: readonly [string, string] }; result: TablePoints };
}

let worker: RequestClient<ParquetRequests> | undefined;

/** The columns of numbers of a Parquet file. A worker reads it, which is started and loaded for the first file. */
export async function openParquet(file: Blob): Promise<NumberTable> {
  worker ??= new RequestClient<ParquetRequests>(
    new Worker(new URL("./parquet.worker.ts", import.meta.url), { type: "module" }),
  );
  const client = worker;
  const names = await client.request("names", { file });
  return { names, points: (x, y) => client.request("points", { file, columns: [names[x]!, names[y]!] }) };
}
