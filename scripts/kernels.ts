/** Compiles kernels/optimizer.ts with AssemblyScript into src/train/optimizerKernel.ts: `npm run kernels`. */
import { writeFileSync } from "node:fs";
import { compileKernel } from "./compileKernel.ts";

const code = await compileKernel("kernels/optimizer.ts");
writeFileSync(
  "src/train/optimizerKernel.ts",
  `/** WebAssembly of kernels/optimizer.ts, in base64: made by \`npm run kernels\`. */
export const optimizerKernel =
  "${Buffer.from(code).toString("base64")}";
`,
);
