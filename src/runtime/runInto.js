// @ts-check
// This file is JavaScript because `worker.js` imports it.

/** The name of the first output of graphs for onnxruntime-node, an empty sequence. Parentheses set it apart from names of users. */
export const EMPTY_SEQUENCE_OUTPUT = "(barrier)";

const NON_TENSOR_ERROR = "Non tensor type is temporarily not supported.";

/**
 * Runs a session and writes its outputs into the arrays behind the tensors of `fetches`.
 *
 * onnxruntime-node fills these arrays itself, but then copies each output into new memory to return it as well, which takes
 * 1.5 ms for 6 MB, and a garbage collection every few steps. It copies the outputs in their order and throws at one that is not a
 * tensor. Therefore the first output is a sequence: the error comes when everything is computed, and nothing is copied.
 * @param {import("onnxruntime-common").InferenceSession} session
 * @param {import("onnxruntime-common").InferenceSession.FeedsType} feeds
 * @param {Readonly<Record<string, import("onnxruntime-common").Tensor>>} fetches
 * @param {boolean} isNative whether the session is one of onnxruntime-node, and its graph has the empty sequence
 * @returns {Promise<void>}
 */
export async function runInto(session, feeds, fetches, isNative) {
  if (!isNative) {
    const results = await session.run(feeds, Object.keys(fetches));
    for (const [name, { data }] of Object.entries(fetches)) {
      /** @type {any} */
      const target = data;
      target.set(results[name].data);
    }
    return;
  }
  try {
    await session.run(feeds, { [EMPTY_SEQUENCE_OUTPUT]: null, ...fetches });
  } catch (error) {
    if (!(error instanceof Error && error.message === NON_TENSOR_ERROR)) throw error;
  }
}
