// Measures what communication takes in training under MPI, for 1, 2 and 4 ranks on this machine, and computes from this what 64 machines
// would take. Needs Debian's packages openmpi-bin and mpich. Writes bench/mpi/RESULTS.md.
//
//     npm run bench:mpi
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { environmentOf } from "./speed/machine.ts";

/** The medians over the steps of rank 0: times in milliseconds. */
interface Medians {
  readonly parameters: number;
  readonly batchSize: number;
  /** The time in communication, of which `processorMilliseconds` are spent computing and the others waiting. */
  readonly milliseconds: number;
  readonly processorMilliseconds: number;
  /** The size of the arrays that were summed or broadcast. */
  readonly bytes: number;
  readonly calls: number;
  /** The time of the step, and the processor time of all threads of the process. */
  readonly wall: number;
  readonly processor: number;
}

const LAUNCHERS = {
  "Open MPI": "mpirun.openmpi --allow-run-as-root --oversubscribe --bind-to none --mca btl self,sm",
  MPICH: "mpirun.mpich",
};
/** The first version that a launcher prints. */
function versionOf(launcher: string): string {
  const { stdout } = spawnSync(launcher.split(" ")[0]!, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? "unknown";
}

const RANKS = [1, 2, 4];
const RANK = fileURLToPath(new URL("mpi/rank.ts", import.meta.url));

/** Networks by their assumed latency in milliseconds and bandwidth in bytes per millisecond. */
const NETWORKS = {
  "10 Gb/s Ethernet": { latency: 0.03, bandwidth: 1.1e6 },
  "100 Gb/s InfiniBand": { latency: 0.002, bandwidth: 11e6 },
};
const NODES = 64;

function measure(launcher: string, ranks: number, name: string): Medians {
  const command = `${launcher} -np ${ranks} ${process.execPath} --import tsx ${RANK} ${name}`;
  const { stdout, stderr, status } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.slice(stdout.indexOf("{")));
}

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => "---:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const fixed = (value: number) => String(Number(value.toPrecision(2)));

const start = loadavg()[0]!;
// Read before the run, since the commit may change while it runs.
const { BLAS: _, ...environment } = environmentOf([]);
const cores = availableParallelism();
const measured: (string | number)[][] = [];
const modelled: (string | number)[][] = [];
for (const name of ["small", "large"]) {
  const ofRanks = (launcher: string) => RANKS.map((ranks) => measure(launcher, ranks, name));
  const medians = {
    "Open MPI": ofRanks(LAUNCHERS["Open MPI"]),
    MPICH: ofRanks(LAUNCHERS.MPICH),
  };
  for (const [library, ofLibrary] of Object.entries(medians)) {
    for (const [
      i,
      { parameters, wall, milliseconds, processor, processorMilliseconds },
    ] of ofLibrary.entries()) {
      const percent = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`;
      measured.push([
        parameters.toLocaleString("en"),
        library,
        RANKS[i]!,
        fixed(wall),
        percent(milliseconds, wall),
        fixed(processor),
        fixed(processorMilliseconds),
        percent(processorMilliseconds, processor),
      ]);
    }
  }
  // Computation takes a fixed time for each step and a time for each row, and the exchange a time for each byte.
  const [one, two, four] = medians.MPICH as [Medians, Medians, Medians];
  const computing = ({ processor, processorMilliseconds }: Medians) => processor - processorMilliseconds;
  const perRow = (computing(one) - computing(two)) / (one.batchSize / 2);
  const perStep = computing(one) - perRow * one.batchSize;
  for (const [network, { latency, bandwidth }] of Object.entries(NETWORKS)) {
    const messages = NODES - 1 + 3 * Math.log2(NODES);
    const exchange = four.processorMilliseconds + messages * latency + (2 * four.bytes) / bandwidth;
    const oneStep = perStep + perRow * one.batchSize;
    const shared = perStep + (perRow * one.batchSize) / NODES + exchange;
    modelled.push([
      one.parameters.toLocaleString("en"),
      network,
      fixed(oneStep),
      fixed(exchange),
      `${Math.round((100 * oneStep) / (oneStep + exchange))} %`,
      (oneStep / shared).toFixed(1),
    ]);
  }
}

writeFileSync(
  new URL("mpi/RESULTS.md", import.meta.url),
  `# Distributed training under MPI

Steps of 512 rows with one thread for each rank, all ranks on one machine with ${cores} cores. The small flow is an NSF of 8 features, the large
one a MAF of 64 features. All times are medians over the steps of rank 0, in milliseconds.

${table(["parameters", "library", "ranks", "step", "of which communication", "processor time", "of which communication", "share"], measured)}

Four ranks share ${cores} cores, and other programs used the machine too: its load was ${start.toFixed(0)} at the beginning and ${loadavg()[0]!.toFixed(0)} at the end. So the times of
steps are not reliable, and communication is mostly waiting: for another rank that does not run at that moment. The processor time does not
include waiting. Communication with one rank is the cost of two calls that do nothing.

## A model of ${NODES} machines

The processor time of the computation, measured under MPICH, is taken as a + b rows: a is the same on all ranks (nodes of the graph, the
optimizer), and the rows are divided among them. The table assumes

- one rank for each machine with one thread, as fast as this one, and no rank that others wait for;
- an exchange that takes the processor time of four ranks here to copy and add the same number of values;
- a latency of 30 µs and 1.1 GB/s (Ethernet), or 2 µs and 11 GB/s (InfiniBand), ${NODES - 1} messages one after the other for the alltoall, and
  log2(${NODES}) for each of the three other operations; twice the gradient is sent and received;
- no time for reading. Rank 0 reads a table that is too large for memory in each epoch and sends each batch, and this time is not divided.

The efficiency is the time of a step of 512 rows on one machine, divided by that of a step on ${NODES} machines with 512 rows on each. The speedup
is that of a step of 512 rows in all: the time that is the same on all ranks limits it, so many machines need large batches.

${table(["parameters", "network", "step of one machine", "exchange", "efficiency, 512 rows each", "speedup, 512 rows in all"], modelled)}

None of this was measured on more than one machine. ${Object.entries(environment)
    .map(([key, value]) => `${key}: ${value}`)
    .join("; ")}; ${Object.entries(LAUNCHERS)
    .map(([name, launcher]) => `${name}: ${versionOf(launcher)}`)
    .join("; ")}.
`,
);
