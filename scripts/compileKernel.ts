import asc from "assemblyscript/asc";

/** The WebAssembly module of an AssemblyScript file, which imports its memory: one of a single thread, or a shared one. */
export async function compileKernel(file: string, { shared = false } = {}): Promise<Uint8Array> {
  let code: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      file,
      "-O3",
      "--noAssert",
      "--runtime",
      "stub",
      "--importMemory",
      "--enable",
      "simd",
      ...(shared ? ["--enable", "threads", "--sharedMemory", "--maximumMemory", "65536"] : []),
      "--outFile",
      "kernel.wasm",
    ],
    {
      writeFile: (name: string, contents: Uint8Array | string) => {
        if (name === "kernel.wasm") code = contents as Uint8Array;
      },
    },
  );
  if (error || !code) throw new Error(`AssemblyScript refused ${file}: ${stderr.toString()}`);
  return code;
}
