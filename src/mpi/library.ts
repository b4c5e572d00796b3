import { PushforwardError } from "../check/index.ts";
import { importOptional, MPI } from "../package/index.ts";
import type { MpiJob } from "./job.ts";

/**
 * The functions of MPI that are needed here, for all processes of the job. Arrays are passed without a copy, so they must not be views of
 * shared memory.
 */
export interface MpiLibrary {
  readonly rank: number;
  readonly size: number;
  /** Sends part r of `send` to rank r, and receives a part from each rank, in the order of the ranks. A part has `bytes` bytes. */
  alltoall(send: ArrayBufferView, receive: ArrayBufferView, bytes: number): void;
  /** Sends `bytes` bytes of `send` to all ranks, and receives as many from each rank, in the order of the ranks. */
  allgather(send: ArrayBufferView, receive: ArrayBufferView, bytes: number): void;
  /** Replaces `bytes` bytes by those of rank 0. */
  bcast(data: ArrayBufferView, bytes: number): void;
  finalize(): void;
}

/** The files of the libraries, by the names under which the dynamic linker finds them. */
const FILES: Readonly<Record<MpiJob["library"], readonly string[]>> = {
  "Open MPI": ["libmpi.so.40", "libmpi.40.dylib"],
  // Debian has a name of its own for MPICH, so that it can be installed beside Open MPI.
  MPICH: ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"],
};

/** MPI_THREAD_FUNNELED: the process has other threads, which do not call MPI. */
const FUNNELED = 1;

/** An upper bound of the size of MPI_Status, which has three numbers and a few hidden ones. */
const MAX_STATUS_BYTES = 64;

/**
 * Blocking functions of MPI busy-wait, even if there are more processes than cores. A waiting process then uses up its time slice
 * while the process that it waits for cannot run. So operations are started and polled here, and after this many polls, each of about
 * half a microsecond, the process sleeps between polls.
 */
const POLLS_BEFORE_SLEEP = 200;
const SLEEP_MILLISECONDS = 0.02;
const SLEEP = new Int32Array(new SharedArrayBuffer(4));

type Koffi = typeof import("koffi")["default"];
type Library = ReturnType<Koffi["load"]>;

/**
 * Loads the MPI library of the job, and initializes it. Only the thread that calls this function may use the result.
 *
 * @throws DEPENDENCY when koffi or the library is not installed, or the library is not that of the launcher.
 */
export async function loadMpi(job: MpiJob): Promise<MpiLibrary> {
  const { default: koffi } = await importOptional(MPI, () => import("koffi"));
  const library = openLibrary(koffi, job);
  // The handles of Open MPI are addresses of global variables, and those of MPICH are numbers that its binary interface fixes.
  const isOpenMpi = job.library === "Open MPI";
  const handle = isOpenMpi ? "void *" : "int";
  const [world, byte] = isOpenMpi
    ? ["ompi_mpi_comm_world", "ompi_mpi_byte"].map((name) => library.symbol(name))
    : [0x44000000, 0x4c00010d];
  const request = isOpenMpi ? new BigUint64Array(1) : new Int32Array(1);
  const status = new Uint8Array(MAX_STATUS_BYTES);
  const declare = (name: string, types: readonly string[]) => library.func(name, "int", [...types]);
  const initialize = declare("MPI_Init_thread", ["void *", "void *", "int", "_Out_ int *"]);
  const [alltoall, allgather] = ["MPI_Ialltoall", "MPI_Iallgather"].map((name) =>
    declare(name, ["void *", "int", handle, "void *", "int", handle, handle, "void *"]),
  );
  const bcast = declare("MPI_Ibcast", ["void *", "int", handle, "int", handle, "void *"]);
  const test = declare("MPI_Test", ["void *", "void *", "void *"]);
  const finalize = declare("MPI_Finalize", []);
  const property = (name: string): number => {
    const result = [0];
    declare(name, [handle, "_Out_ int *"])(world, result);
    return result[0]!;
  };
  initialize(null, null, FUNNELED, [0]);
  const [rank, size] = [property("MPI_Comm_rank"), property("MPI_Comm_size")];
  if (size !== job.size) {
    throw new PushforwardError(
      "DEPENDENCY",
      "the MPI library is not the one that mpirun or srun belongs to",
      {
        expected: `a job of ${job.size} processes`,
        received: `a job of ${size}`,
        hint: `Start the program with the mpirun of the ${job.library} that is installed, or with srun --mpi=${job.library === "MPICH" ? "pmi2" : "pmix"}.`,
      },
    );
  }
  const isDone = new Int32Array(1);
  /** Waits until the started operation is done. The default error handler of MPI ends the job, so there are no errors to check. */
  const finish = () => {
    for (let polls = 0; ; polls++) {
      test(request, isDone, status);
      if (isDone[0] !== 0) return;
      if (polls > POLLS_BEFORE_SLEEP) Atomics.wait(SLEEP, 0, 0, SLEEP_MILLISECONDS);
    }
  };
  return {
    rank,
    size,
    alltoall(send, receive, bytes) {
      alltoall!(send, bytes, byte, receive, bytes, byte, world, request);
      finish();
    },
    allgather(send, receive, bytes) {
      allgather!(send, bytes, byte, receive, bytes, byte, world, request);
      finish();
    },
    bcast(data, bytes) {
      bcast(data, bytes, byte, 0, world, request);
      finish();
    },
    finalize: () => finalize(),
  };
}

/**
 * Settings of UCX, through which both libraries may send. By default UCX rewrites the functions brk, sbrk, mmap and munmap of the C library,
 * to know which memory stays registered with a network card. Other threads of Node call these functions at the same time, and about one of
 * 150 runs ended with a corrupt heap. UCX also handles SIGSEGV, and its handler allocates memory, so that a process with a corrupt heap hangs
 * instead of ending. Values that the user has set are kept.
 */
const UCX_SETTINGS = { UCX_MEM_EVENTS: "n", UCX_ERROR_SIGNALS: "" };

function openLibrary(koffi: Koffi, { library }: MpiJob): Library {
  // process.env of a worker thread is a copy, which libraries do not see.
  const setenv = koffi.load(null).func("setenv", "int", ["str", "str", "int"]);
  for (const [name, value] of Object.entries(UCX_SETTINGS)) setenv(name, value, 0);
  let cause: unknown;
  for (const file of FILES[library]) {
    try {
      // The plugins of Open MPI look for its symbols among the global ones.
      const loaded = koffi.load(file, { global: true });
      keepLoaded(koffi, file);
      return loaded;
    } catch (error) {
      cause ??= error;
    }
  }
  throw new PushforwardError("DEPENDENCY", `the library of ${library} cannot be loaded`, {
    expected: FILES[library].join(" or "),
    received: (cause as Error).message,
    hint: "Install it on each machine, or add its directory to LD_LIBRARY_PATH.",
    cause,
  });
}

/** RTLD_LAZY of dlopen, on Linux and on macOS. */
const LAZY = 1;

/**
 * koffi closes a library when the thread ends that has loaded it, but MPI runs code at the end of the process. A library is unloaded when
 * it was closed as often as opened, so it is opened once more.
 */
const keepLoaded = (koffi: Koffi, file: string): void => {
  koffi.load(null).func("dlopen", "void *", ["str", "int"])(file, LAZY);
};
