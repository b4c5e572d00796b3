// @ts-check
// Plain JavaScript, as `worker.js` is, which runs it too.

/** The first output of graphs for Node, an empty sequence; by a name that is nobody's. */
export const BARRIER = "(barrier)";

const REFUSAL = "Non tensor type is temporarily not supported.";

/**
 * Runs a graph of ONNX Runtime for Node into arrays of the caller, and nowhere else.
 *
 * The runtime's `run` fills such arrays, but then copies each of them into memory of its own to give it back as well: 1.5 ms
 * for 6 MB, and a collection of garbage every few steps. It converts outputs in their order and refuses one that is no
 * tensor, so a graph that has a sequence for its first output is left alone when everything is computed.
 * @param {import("onnxruntime-common").InferenceSession} session
 * @param {import("onnxruntime-common").InferenceSession.FeedsType} feeds
 * @param {Readonly<Record<string, import("onnxruntime-common").Tensor>>} fetches
 * @returns {Promise<void>}
 */
export async function runInPlace(session, feeds, fetches) {
  try {
    await session.run(feeds, { [BARRIER]: null, ...fetches });
  } catch (error) {
    if (!(error instanceof Error && error.message === REFUSAL)) throw error;
  }
}
