import asc from "assemblyscript/asc";

/** The WebAssembly module of an AssemblyScript file, which imports its memory. */
export async function compileKernel(file: string): Promise<Uint8Array> {
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
