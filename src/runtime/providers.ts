import type { PushforwardError } from "../check/index.ts";
import { checkProvider, nativeInstallation, requireDevices } from "./devices.ts";
import { loadEngine } from "./engine.ts";

// Declarations of this file name no type of ONNX Runtime, which would need TypeScript's DOM library in programs.

/** Throws `ENGINE` unless an execution provider computes on this machine. */
export async function requireProvider(provider: string): Promise<void> {
  await requireDevices([provider], "float32", await loadEngine({ providers: [provider] }));
}

/** The execution providers of onnxruntime-node, with the error of each that does not compute here. Throws if it is not installed. */
export async function providerProblems(): Promise<{ name: string; problem: PushforwardError | undefined }[]> {
  const installation = await nativeInstallation();
  const engine = await loadEngine({});
  const found: { name: string; problem: PushforwardError | undefined }[] = [];
  for (const { name } of installation.providers) {
    const check = checkProvider(name, engine, installation);
    found.push({ name, problem: (await check.catch((error: PushforwardError) => error)) ?? undefined });
  }
  return found;
}
