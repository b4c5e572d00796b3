// Trains one flow as one rank of an MPI job. Rank 0 prints the medians over all steps as JSON.
import { maf, nsf } from "../../src/flows/index.ts";
import { mpiCommunicator } from "../../src/mpi/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";
import { median } from "../speed/statistics.ts";

const CASES = {
  small: { flow: nsf(8, { transforms: 3, hidden: [64, 64] }), batchSize: 512, steps: 40 },
  large: { flow: maf(64, { transforms: 5, hidden: [512, 512] }), batchSize: 512, steps: 8 },
};
const { flow, batchSize, steps } = CASES[process.argv[2] as keyof typeof CASES];

const communicator = await mpiCommunicator();
const spent = { milliseconds: 0, processorMilliseconds: 0, bytes: 0, calls: 0 };
const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Calls a collective operation, and adds what it takes to `spent`. */
async function measured(bytes: number, call: () => Promise<void>): Promise<void> {
  const [wall, cpu] = [performance.now(), processor()];
  await call();
  spent.milliseconds += performance.now() - wall;
  spent.processorMilliseconds += processor() - cpu;
  spent.bytes += bytes;
  spent.calls++;
}

const snapshot = () => ({ ...spent, wall: performance.now(), processor: processor() });
type Snapshot = ReturnType<typeof snapshot>;
let before: Snapshot | undefined;
const perStep: Snapshot[] = [];

/** A tenth of the rows is held out. */
const rowCount = Math.ceil((steps * batchSize) / 0.9);
const rows = new Random(1).normal(new Float64Array(rowCount * flow.features));
await fit(flow, rows, {
  epochs: 2,
  batchSize,
  threads: 1,
  averageDecay: 0,
  communicator: {
    ...communicator,
    sum: (values) => measured(values.byteLength, () => communicator.sum(values)),
    broadcast: (bytes) => measured(bytes.byteLength, () => communicator.broadcast(bytes)),
  },
  onProgress({ epoch, fraction }) {
    const after = snapshot();
    // The first epoch includes compilation, and the last step of an epoch may have fewer rows.
    if (before && epoch === 2 && fraction < 1) {
      const from = before;
      const names = Object.keys(after) as (keyof Snapshot)[];
      perStep.push(Object.fromEntries(names.map((name) => [name, after[name] - from[name]])) as Snapshot);
    }
    before = epoch === 2 ? after : undefined;
  },
});
if (communicator.rank === 0) {
  const parameters = [...flow.parameters().values()]
    .filter(({ trainable }) => trainable)
    .reduce((sum, { numbers }) => sum + numbers.length, 0);
  const names = Object.keys(snapshot()) as (keyof Snapshot)[];
  console.log(
    JSON.stringify({
      parameters,
      batchSize,
      ...Object.fromEntries(names.map((name) => [name, median(perStep.map((step) => step[name]))])),
    }),
  );
}
communicator.finalize();
