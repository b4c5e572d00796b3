import { spawnSync } from "node:child_process";

const ALTERNATIVE = "libblas.so.3-x86_64-linux-gnu";

/** The library that Debian's alternatives give programs that want BLAS: the `Value` of a query. */
export const chosenBlas = (query: string): string | undefined => query.match(/^Value: (.*)$/m)?.[1];

/** Debian's PyTorch computes with this BLAS; undefined where there are no alternatives. */
export function systemBlas(): string | undefined {
  const { stdout } = spawnSync("update-alternatives", ["--query", ALTERNATIVE], { encoding: "utf8" });
  return stdout ? chosenBlas(stdout) : undefined;
}

/** Debian's other builds of BLAS make its PyTorch slow, and would flatter us. */
export function warnOfSlowBlas(): void {
  const blas = systemBlas();
  if (!blas || blas.includes("openblas-openmp")) return;
  console.error(
    `The system's BLAS is ${blas}, with which Debian's PyTorch is slow: install libopenblas0-openmp and select it with\n` +
      `update-alternatives --config ${ALTERNATIVE} (and libopenblas.so.0-x86_64-linux-gnu).`,
  );
}
