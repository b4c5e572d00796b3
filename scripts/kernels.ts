/** Compiles the AssemblyScript of kernels/ into base64 beside what uses it: `npm run kernels`. */
import { writeFileSync } from "node:fs";
import { compileKernel } from "./compileKernel.ts";

for (const [name, layer] of [
  ["random", "random"],
  ["optimizer", "train"],
]) {
  const code = await compileKernel(`kernels/${name}.ts`);
  writeFileSync(
    `src/${layer}/${name}Kernel.ts`,
    `/** WebAssembly of kernels/${name}.ts, in base64: made by \`npm run kernels\`. */
export const ${name}Kernel =
  "${Buffer.from(code).toString("base64")}";
`,
  );
}
