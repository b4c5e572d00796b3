import { PoolWorker } from "./poolWorker.ts";
import { type GraphTask, type KernelTask, runExclusive } from "./workerPool.ts";

/** The worker threads of this process. */
let pool: PoolWorker[] = [];

/** The first `count` threads of the pool. Those that do not run yet, or that ended by themselves, are started. */
export function poolWorkers(count: number): PoolWorker[] {
  pool = pool.filter(({ crash }) => !crash);
  while (pool.length < count) pool.push(new PoolWorker());
  return pool.slice(0, count);
}

export function terminateIdleWorkers(): Promise<void> {
  return runExclusive(async () => {
    // Callers take the first threads of the pool, so only the last ones can be removed.
    while (pool.at(-1)?.isIdle) await pool.pop()!.terminate();
  });
}

/** A task that a worker thread has prepared. */
interface WorkerTask {
  readonly worker: PoolWorker;
  readonly id: number;
}

/** Tasks that the first threads of the pool have prepared, one each. They are released when the object is garbage-collected, at the latest. */
export class WorkerTasks {
  private readonly tasks: readonly WorkerTask[];

  private constructor(tasks: readonly WorkerTask[]) {
    this.tasks = tasks;
    releaseWhenCollected.register(this, tasks, this);
  }

  /**
   * The threads prepare their tasks at the same time, while `onCallingThread` runs. If one of them fails, the others are released again,
   * and the first failure is thrown.
   */
  static prepare<T>(
    tasks: readonly (GraphTask | KernelTask)[],
    onCallingThread: () => Promise<T>,
  ): Promise<[T, WorkerTasks]> {
    return runExclusive(async () => {
      const prepared = poolWorkers(tasks.length).map(
        async (worker, i): Promise<WorkerTask> => ({ worker, id: await worker.prepare(tasks[i]) }),
      );
      const own = onCallingThread();
      try {
        await allDone([own, ...prepared]);
      } catch (error) {
        const release = async (task: Promise<WorkerTask>) => {
          const { worker, id } = await task;
          await worker.release(id);
        };
        await Promise.allSettled(prepared.map(release));
        throw error;
      }
      return [await own, new WorkerTasks(await Promise.all(prepared))];
    });
  }

  /**
   * Runs the first `count` tasks over `rows` rows while the calling thread computes. Throws the first failure, when all threads are done.
   * Call it inside of `runExclusive`.
   */
  async run(count: number, rows: number, compute: () => void | Promise<void>): Promise<void> {
    const tasks = this.tasks.slice(0, count);
    for (const { worker, id } of tasks) worker.start(id, rows);
    const own = (async () => compute())();
    // Waiting for a worker thread blocks this one.
    await Promise.allSettled([own]);
    await allDone([own, ...tasks.map(({ worker }) => worker.finish())]);
  }

  async release(): Promise<void> {
    releaseWhenCollected.unregister(this);
    await releaseTasks(this.tasks);
  }
}

const releaseTasks = (tasks: readonly WorkerTask[]): Promise<void> =>
  allDone(tasks.map(({ worker, id }) => runExclusive(() => worker.release(id))));

const releaseWhenCollected = new FinalizationRegistry((tasks: readonly WorkerTask[]) => {
  // Nobody can handle this failure. An unhandled rejection would end the process.
  releaseTasks(tasks).catch(() => undefined);
});

/**
 * Waits until all promises are settled, and then throws the first failure. Throwing earlier would leave answers of worker threads unread, and the
 * next call would take them for its own.
 */
async function allDone(promises: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
