/** Compiles kernels/*.ts with AssemblyScript to WebAssembly, in base64, beside the code that runs it: `npm run kernels`. */
import { writeFileSync } from "node:fs";
import { compileKernel } from "./compileKernel.ts";

const text = async (file: string, options?: { shared: boolean }) =>
  JSON.stringify(Buffer.from(await compileKernel(file, options)).toString("base64"));

writeFileSync(
  "src/random/randomKernel.ts",
  `/** WebAssembly of kernels/random.ts, in base64: made by \`npm run kernels\`. */
export const randomKernel =
  ${await text("kernels/random.ts")};
`,
);
writeFileSync(
  "src/train/optimizerKernel.ts",
  `/** kernels/optimizer.ts as WebAssembly in base64, for unshared and for shared memory. \`npm run kernels\` writes this file. */
export const optimizerKernel = {
  unsharedMemory:
    ${await text("kernels/optimizer.ts")},
  sharedMemory:
    ${await text("kernels/optimizer.ts", { shared: true })},
};
`,
);
