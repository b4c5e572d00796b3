export { type ExportOptions, exportOnnx, type Precision } from "./export.ts";
