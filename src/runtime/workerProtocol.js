// @ts-check
// This file is JavaScript because `worker.js` imports it.

/**
 * Indices of the words in shared memory by which the main thread starts tasks, and a worker thread reports that they are done: the number of
 * calls so far, the task of the last call, the number of the last call that is done, 1 if it failed, and the number of rows.
 */
export const [CALL, TASK, DONE, FAILED, ROWS] = [0, 1, 2, 3, 4];
export const WORD_COUNT = 5;

/** The task that makes the thread read a message. */
export const READ_MESSAGE = 0;
