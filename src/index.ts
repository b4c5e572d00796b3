/**
 * pushforward: normalizing flows, trained and run through ONNX Runtime, in Node and in a page.
 *
 * This entry point exports what most programs need: the `mainExports.ts` of each directory. Entry points such as
 * `pushforward/bijections` export the rest of their directory. Model files, tables and pictures need Node: they are in
 * `pushforward/files`, `pushforward/data` and `pushforward/report`.
 */
import { registerAllScalarTransforms } from "./bijections/scalar/registerAll.ts";

export * from "./bijections/mainExports.ts";
export * from "./tables/notes/mainExports.ts";
export * from "./dataset/mainExports.ts";
export * from "./distributions/mainExports.ts";
export { type ErrorCode, PushforwardError } from "./check/errors.ts";
export * from "./flows/mainExports.ts";
export * from "./graph/mainExports.ts";
export * from "./random/index.ts";
export { compile } from "./runtime/index.ts";
export * from "./tables/columns/mainExports.ts";
export * from "./train/mainExports.ts";

// Constructors of bijections accept the options of every scalar transform. A page that only loads models imports
// pushforward/flows instead, which loads the code of rare transforms when a model needs it.
registerAllScalarTransforms();
