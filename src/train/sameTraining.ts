import { PushforwardError } from "../check/index.ts";
import { broadcastArray, broadcastBytes, type Communicator, gatherNumbers } from "../communicator/index.ts";
import type { Parameter } from "../graph/index.ts";

/**
 * Sets the parameters to those of rank 0. They were initialized from the same data, but processors round differently, and a time limit
 * may have ended the initialization at another iteration.
 *
 * @throws DATA on all ranks if the names, types or sizes of the parameters of one of them differ from those of rank 0.
 */
export async function broadcastParameters(
  parameters: ReadonlyMap<string, Parameter>,
  communicator: Communicator,
): Promise<void> {
  if (communicator.size === 1) return;
  const layout = [...parameters].map(([name, { numbers }]) => [
    name,
    numbers.constructor.name,
    numbers.length,
  ]);
  await checkEqual(communicator, JSON.stringify(layout), "the parameters differ between ranks");
  for (const parameter of parameters.values()) {
    const shared = parameter.numbers.slice();
    await broadcastArray(communicator, shared);
    // Reading `value` marks a parameter as exposed, which makes later evaluations slower.
    if (shared.some((x, i) => x !== parameter.numbers[i])) parameter.value.set(shared);
  }
}

/**
 * Checks that all ranks have the same data, model and settings, by their fingerprints.
 *
 * @throws DATA on all ranks if the fingerprint of one of them differs from that of rank 0.
 */
export async function checkSameTraining(
  communicator: Communicator,
  fingerprint: () => string,
): Promise<void> {
  if (communicator.size === 1) return;
  await checkEqual(communicator, fingerprint(), "the rows or the settings differ between ranks");
}

async function checkEqual(communicator: Communicator, own: string, what: string): Promise<void> {
  const bytes = await broadcastBytes(communicator, new TextEncoder().encode(own));
  const differs = await gatherNumbers(communicator, new TextDecoder().decode(bytes) === own ? 0 : 1);
  const different = [...differs.keys()].filter((each) => differs[each] === 1);
  if (different.length === 0) return;
  throw new PushforwardError("DATA", what, {
    expected: "the same rows, model and settings on all ranks",
    received: `different ones on rank ${different.slice(0, 8).join(", ")}`,
    hint: "Give all ranks the same data and options. If they run on several machines, all must read the same files.",
  });
}
