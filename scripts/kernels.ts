/** Compiles kernels/optimizer.ts with AssemblyScript into src/train/optimizerKernel.ts: `npm run kernels`. */
import { writeFileSync } from "node:fs";
import { compileKernel } from "./compileKernel.ts";

const [alone, shared] = await Promise.all(
  [false, true].map(async (shared) =>
    Buffer.from(await compileKernel("kernels/optimizer.ts", { shared })).toString("base64"),
  ),
);
writeFileSync(
  "src/train/optimizerKernel.ts",
  `/** WebAssembly of kernels/optimizer.ts, in base64, for a memory of one thread and for a shared one: made by \`npm run kernels\`. */
export const optimizerKernel = {
  alone:
    "${alone}",
  shared:
    "${shared}",
};
`,
);
