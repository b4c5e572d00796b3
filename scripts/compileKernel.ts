import asc from "assemblyscript/asc";

/** Compiles an AssemblyScript file to a WebAssembly module that imports its memory. `shared` allows shared memory, for threads. */
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
  if (error || !code) throw new Error(`AssemblyScript cannot compile ${file}: ${stderr.toString()}`);
  return code;
}
