import type { Communicator } from "../../src/communicator/communicator.ts";

type Call = { readonly method: string; readonly array: Float32Array | Float64Array | Uint8Array };

/** Communicators of `size` ranks that are functions in this process. They wait for one another, and refuse different calls. */
export function localCommunicators(size: number): Communicator[] {
  let calls: Call[] = [];
  let waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const meet = (rank: number, call: Call): Promise<void> =>
    new Promise((resolve, reject) => {
      calls[rank] = call;
      waiting.push({ resolve, reject });
      if (waiting.length < size) return;
      const [all, ready] = [calls, waiting];
      [calls, waiting] = [[], []];
      const signatures = new Set(all.map(({ method, array }) => `${method} ${array.length}`));
      if (signatures.size > 1) {
        const error = new Error(`the ranks differ in their calls: ${[...signatures].join("; ")}`);
        for (const { reject } of ready) reject(error);
        return;
      }
      const result = all[0]!.array.slice();
      if (call.method === "sum")
        for (const { array } of all.slice(1)) for (let i = 0; i < array.length; i++) result[i]! += array[i]!;
      for (const { array } of all) array.set(result);
      for (const { resolve } of ready) resolve();
    });
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    sum: (array) => meet(rank, { method: "sum", array }),
    broadcast: (array) => meet(rank, { method: "broadcast", array }),
  }));
}

/** Runs a function as each of `size` ranks at the same time, and returns the results in the order of the ranks. */
export const onRanks = <T>(size: number, run: (communicator: Communicator) => Promise<T>): Promise<T[]> =>
  Promise.all(localCommunicators(size).map(run));
