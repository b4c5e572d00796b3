/** `pushforward/onnx`: a graph as the bytes of an ONNX file. */

export { type ExportOptions, exportOnnx, type Precision } from "../onnx/index.ts";
