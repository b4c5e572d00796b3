/** A graph as the bytes of an ONNX file. */

export { type ExportOptions, exportOnnx, floatType, GraphWriter, type Precision } from "./export.ts";
export { type FileValue, OnnxFile } from "./file.ts";
export { claimNames, Names } from "./names.ts";
