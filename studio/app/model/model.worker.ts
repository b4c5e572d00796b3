import { requestHandler } from "../engine/requests.ts";
import { isParquet } from "../parquet/isParquet.ts";
import type { ModelRequests, OpenedTable } from "./messages.ts";
import { openModel } from "./openModel.ts";
import { rowsOf } from "./rows.ts";

let model: Awaited<ReturnType<typeof openModel>> | undefined;
let table: OpenedTable | undefined;

function opened() {
  if (!model) throw new Error("Open a model first.");
  return model;
}

const handle = requestHandler<ModelRequests>({
  async model({ bytes }) {
    const next = await openModel(bytes);
    await model?.release();
    model = next;
    table = undefined;
    return model.summary;
  },
  async table({ file, total }) {
    const { columns } = opened().summary;
    // Readers of Parquet are loaded for the first file.
    table = (await isParquet(file))
      ? await (await import("../parquet/parquetRows.ts")).rowsOfParquet(file, columns)
      : rowsOf(await file.text(), columns, total);
    return table;
  },
  sample: async (args) => opened().sample(args),
  anomalies: async ({ count }) => opened().anomalies(table?.rows ?? [], count),
});

self.onmessage = ({ data }) => handle(data);
