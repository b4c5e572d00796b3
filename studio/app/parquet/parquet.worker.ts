import { requestHandler } from "../engine/requests.ts";
import type { ParquetRequests } from "./parquetTable.ts";
import { numericColumns, parquetPoints } from "./readParquet.ts";

const handle = requestHandler<ParquetRequests>({
  names: ({ file }) => numericColumns(file),
  points: ({ file, columns }) => parquetPoints(file, columns),
});

self.onmessage = ({ data }) => handle(data);
