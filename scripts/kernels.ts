/** Compiles kernels/*.ts to WebAssembly, and writes it as base64 next to the code that runs it: `npm run kernels`. */
import { writeFileSync } from "node:fs";
import { compileKernel } from "./compileKernel.ts";

const base64 = async (file: string, options?: { shared: boolean }) =>
  JSON.stringify(Buffer.from(await compileKernel(file, options)).toString("base64"));

writeFileSync(
  "src/random/randomKernel.ts",
  `/** WebAssembly of kernels/random.ts, in base64: made by \`npm run kernels\`. */
export const randomKernel =
  ${await base64("kernels/random.ts")};
`,
);
writeFileSync(
  "src/train/optimizerKernel.ts",
  `/** kernels/optimizer.ts as WebAssembly in base64, for unshared and for shared memory. \`npm run kernels\` writes this file. */
export const optimizerKernel = {
  unsharedMemory:
    ${await base64("kernels/optimizer.ts")},
  sharedMemory:
    ${await base64("kernels/optimizer.ts", { shared: true })},
};
`,
);
