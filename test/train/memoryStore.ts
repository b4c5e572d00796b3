import type { CheckpointStore } from "../../src/train/index.ts";

/** A checkpoint store in memory, which loads `first` and keeps all that is saved. */
export function memoryStore(first?: Uint8Array): CheckpointStore & { saved: Uint8Array[] } {
  const saved: Uint8Array[] = [];
  return {
    saved,
    load: async () => first,
    save: async (bytes) => void saved.push(bytes),
  };
}
