import { spawnSync } from "node:child_process";

const ALTERNATIVE = "libblas.so.3-x86_64-linux-gnu";

/** The BLAS that `update-alternatives` has selected, from the text of its `--query`. */
export const chosenBlas = (query: string): string | undefined => query.match(/^Value: (.*)$/m)?.[1];

/** The BLAS that Debian's PyTorch uses; undefined on systems without `update-alternatives`. */
export function systemBlas(): string | undefined {
  const { stdout } = spawnSync("update-alternatives", ["--query", ALTERNATIVE], { encoding: "utf8" });
  return stdout ? chosenBlas(stdout) : undefined;
}

/** Warns about every BLAS but OpenBLAS with OpenMP: with others, Debian's PyTorch is slow and the comparison unfair. */
export function warnOfSlowBlas(): void {
  const blas = systemBlas();
  if (!blas || blas.includes("openblas-openmp")) return;
  console.error(
    `The system's BLAS is ${blas}, with which Debian's PyTorch is slow: install libopenblas0-openmp and select it with\n` +
      `update-alternatives --config ${ALTERNATIVE} (and libopenblas.so.0-x86_64-linux-gnu).`,
  );
}
