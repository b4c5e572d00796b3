import { hasWorkerThreads, loadWorkerTasks } from "./workerPool.ts";

/** Ends the worker threads without tasks, about 50 MB each. They are started again when they are needed. */
export async function terminateIdleWorkers(): Promise<void> {
  if (hasWorkerThreads) await (await loadWorkerTasks()).terminateIdleWorkers();
}
