import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { threadsPerRank } from "../../src/cli/inMpiJob.ts";
import { mpiCommunicator } from "../../src/mpi/index.ts";
import { mpiJob } from "../../src/mpi/job.ts";
import { decodeModel } from "../../src/tables/model/index.ts";
import { correlated, MAIN, workplace } from "../cli/command.ts";

const MPI = new URL("../mpi/index.js", pathToFileURL(MAIN)).href;

/** The launchers of Debian's packages openmpi-bin and mpich, with what a test as root on one machine needs. */
const LAUNCHERS = [
  {
    name: "mpirun.openmpi",
    options: ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "btl", "self,sm"],
  },
  { name: "mpirun.mpich", options: [] },
] as const;
const isInstalled = (name: string) => spawnSync(name, ["--version"]).status === 0;
const installed = LAUNCHERS.filter(({ name }) => isInstalled(name));
if (installed.length === 0) console.warn("Jobs of several ranks are not tested: mpirun is not installed.");

/** Options for a flow with hidden layers of these widths. */
const flowOptions = (hidden: string) =>
  ["--flow", "nsf", "--transforms", "1", "--hidden", hidden, "--threads", "1"] as const;
const SMALL_FLOW = flowOptions("8");

const here = workplace();
const { path, write, list, plain, pushforward } = here;

/** Starts a program, which is `pushforward` by default, with these words on two ranks. */
function start({ name, options }: (typeof LAUNCHERS)[number], words: readonly string[], file = MAIN) {
  const program = [process.execPath, file];
  const child = spawn(name, [...options, "-np", "2", ...program, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  return { child, ended: once(child, "close").then(([code]) => ({ code, output: plain(output) })) };
}

/** The process of rank 1 among the descendants of a launcher. Those that it has started itself have the same environment. */
function rankOne({ pid }: ChildProcess): number {
  const statOf = (id: string) => readFileSync(`/proc/${id}/stat`, "utf8").replace(/.*\) /, "").split(" ");
  const parents = new Map(
    readdirSync("/proc").flatMap((id) => {
      if (!/^\d+$/.test(id) || !existsSync(`/proc/${id}/stat`)) return [];
      return [[Number(id), Number(statOf(id)[1])]];
    }),
  );
  const isDescendant = (id: number): boolean => {
    const parent = parents.get(id);
    return parent !== undefined && (parent === pid || isDescendant(parent));
  };
  const environmentOf = (id: number) =>
    Object.fromEntries(
      readFileSync(`/proc/${id}/environ`, "utf8")
        .split("\0")
        .map((line) => line.split("=", 2)),
    );
  const isRank = (id: number) => readFileSync(`/proc/${id}/cmdline`, "utf8").includes(MAIN);
  return [...parents.keys()].find(
    (id) => isDescendant(id) && isRank(id) && mpiJob(environmentOf(id))?.rank === 1,
  )!;
}

async function weightsIn(name: string): Promise<number[]> {
  const { flow } = await decodeModel(readFileSync(path(name)));
  return [...flow.parameters().values()].flatMap(({ numbers }) => [...numbers]);
}

/** Processes take several seconds to start on a busy machine. */
const TIMEOUT = { timeout: 180_000 };

const FLOWS = [
  { size: "small", flow: [...SMALL_FLOW, "--epochs", "2"] },
  // The gradients are larger than `MAX_BYTES_IN_ONE_MESSAGE`, so that each rank adds its share of them.
  { size: "large", flow: [...flowOptions("128,128"), "--epochs", "1"] },
];
const JOBS = FLOWS.flatMap((flow) =>
  installed.map((launcher) => ({ ...flow, name: launcher.name, launcher })),
);

describe.skipIf(installed.length === 0)("two ranks", TIMEOUT, () => {
  it.each(JOBS)("started by $name write the $size model of one process, up to rounding", async (job) => {
    const { launcher, flow } = job;
    const table = write("table.csv", correlated(300));
    const words = ["fit", table, ...flow, "-o"];
    const { code, output } = await start(launcher, [...words, path(`${launcher.name}.safetensors`)]).ended;
    expect(code, output).toBe(0);
    // Only rank 0 prints.
    expect(output.match(/^Learned a, b/gm)).toEqual(["Learned a, b"]);
    expect(list().filter((file) => /checkpoint|lock/.test(file))).toEqual([]);
    await pushforward([...words, path("one.safetensors")]);
    const expected = await weightsIn("one.safetensors");
    const weights = await weightsIn(`${launcher.name}.safetensors`);
    for (const [i, weight] of weights.entries()) expect(weight).toBeCloseTo(expected[i]!, 4);
    const first = readFileSync(path(`${installed[0]!.name}.safetensors`));
    expect(readFileSync(path(`${launcher.name}.safetensors`)).equals(first)).toBe(true);
  });
});

describe.skipIf(installed.length === 0)("the MPI library", TIMEOUT, () => {
  it.each(installed)("of $name does not rewrite functions of the C library", async (launcher) => {
    const program = write(
      "maps.mjs",
      `import { readFileSync } from "node:fs";
       import { mpiCommunicator } from ${JSON.stringify(MPI)};
       const { finalize } = await mpiCommunicator();
       // Rewritten pages have mappings of their own.
       const parts = readFileSync("/proc/self/maps", "utf8").match(/^.* r-xp .*libc\\.so.*$/gm) ?? [];
       process.stdout.write(parts.length + ";");
       finalize();`,
    );
    const { code, output } = await start(launcher, [], program).ended;
    expect({ code, output }).toEqual({ code: 0, output: "1;1;" });
  });
});

describe.skipIf(installed.length === 0)("a rank that dies", TIMEOUT, () => {
  it("ends the job, whose checkpoint continues on another number of ranks", async () => {
    const table = write("table.csv", correlated(300));
    const model = path("killed.safetensors");
    const words = ["fit", table, ...SMALL_FLOW, "--patience", "100000", "-o", model];
    const endless = ["--epochs", "100000", "--log", path("log.jsonl")];
    const { child, ended } = start(installed.at(-1)!, [...words, ...endless]);
    while (!existsSync(`${model}.checkpoint`)) {
      if (child.exitCode !== null) throw new Error((await ended).output);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill(rankOne(child), "SIGKILL");
    // The exit code is the launcher's: on a busy machine, that of MPICH returns 0 in one of ten such jobs.
    await ended;
    expect(existsSync(model)).toBe(false);
    const { epoch } = JSON.parse(readFileSync(path("log.jsonl"), "utf8").split("\n").at(-2)!);
    const resumed = [...words, "--epochs", `${epoch + 1}`, "--resume", "--json"];
    const { code, out } = await pushforward(resumed);
    expect(code).toBe(0);
    const [next] = out.split("\n").map((line) => JSON.parse(line || "{}"));
    expect(next).toMatchObject({ event: "epoch" });
    expect(next.epoch).toBeGreaterThan(1);
  });
});

describe("a program without mpirun", () => {
  it("is a job of one process, which needs no MPI", async () => {
    const { rank, size, sum } = await mpiCommunicator();
    const numbers = Float64Array.of(1, 2);
    await sum(numbers);
    expect({ rank, size, numbers }).toEqual({ rank: 0, size: 1, numbers: Float64Array.of(1, 2) });
  });
});

describe("the environment of a process", () => {
  it("tells its place in the job of Open MPI and of MPICH", () => {
    const openMpi = {
      OMPI_COMM_WORLD_SIZE: "8",
      OMPI_COMM_WORLD_RANK: "5",
      OMPI_COMM_WORLD_LOCAL_SIZE: "4",
    };
    expect(mpiJob(openMpi)).toEqual({ library: "Open MPI", size: 8, rank: 5, localSize: 4 });
    const mpich = { PMI_SIZE: "3", PMI_RANK: "0" };
    expect(mpiJob(mpich)).toEqual({ library: "MPICH", size: 3, rank: 0, localSize: 3 });
    expect(mpiJob({ PATH: "/bin" })).toBeUndefined();
  });

  it("tells its place in the job of srun", () => {
    const slurm = {
      SLURM_STEP_NUM_TASKS: "11",
      SLURM_STEP_TASKS_PER_NODE: "4(x2),3",
      SLURM_NODEID: "2",
      SLURM_PROCID: "9",
    };
    const place = { size: 11, rank: 9, localSize: 3 };
    expect(mpiJob({ ...slurm, PMIX_RANK: "9" })).toEqual({ library: "Open MPI", ...place });
    expect(mpiJob({ ...slurm, PMI_RANK: "9", PMI_SIZE: "11" })).toEqual({ library: "MPICH", ...place });
    expect(mpiJob({ ...slurm, SLURM_NODEID: "1", PMIX_RANK: "9" })?.localSize).toBe(4);
    // srun --mpi=none does not connect the processes.
    expect(mpiJob(slurm)).toBeUndefined();
  });

  it("is an error if the processes of a machine cannot be read, which only a training run reads", () => {
    const slurm = { SLURM_STEP_NUM_TASKS: "11", PMIX_RANK: "9", SLURM_NODEID: "2" };
    const localSize = (more: Record<string, string>) => () => mpiJob({ ...slurm, ...more })?.localSize;
    expect(mpiJob({ ...slurm, SLURM_STEP_TASKS_PER_NODE: "4(x2" })).toMatchObject({ size: 11, rank: 9 });
    expect(localSize({ SLURM_STEP_TASKS_PER_NODE: "4(x2" })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the environment variable SLURM_STEP_TASKS_PER_NODE cannot be read: expected numbers of processes, such as 4(x2),3, received 4(x2.
      Set the number of threads: --threads 4, or the option threads.]
    `);
    expect(localSize({ SLURM_STEP_TASKS_PER_NODE: "4(x2)" })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the environment variable SLURM_STEP_TASKS_PER_NODE cannot be read: expected the number of machine 2, counted from 0, received 4(x2).
      Set the number of threads: --threads 4, or the option threads.]
    `);
    expect(
      localSize({ SLURM_STEP_TASKS_PER_NODE: "4(x9)", SLURM_NODEID: "two" }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the environment variable SLURM_NODEID cannot be read: expected an integer, received two.
      Set the number of threads: --threads 4, or the option threads.]
    `);
    const mpich = { PMI_SIZE: "3", PMI_RANK: "0", MPI_LOCALNRANKS: "" };
    expect(() => mpiJob(mpich)?.localSize).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the environment variable MPI_LOCALNRANKS cannot be read: expected an integer, received nothing.
      Set the number of threads: --threads 4, or the option threads.]
    `);
  });

  it("gives each process the cores that Slurm reserved for it, or else its share of those that it may use", () => {
    const slurm = { PMI_SIZE: "8", PMI_RANK: "0", MPI_LOCALNRANKS: "4" };
    const threads = (env: Record<string, string>, cores: number) => threadsPerRank(mpiJob(env)!, cores);
    expect(threads({ ...slurm, SLURM_CPUS_PER_TASK: "16" }, 16)).toBe(16);
    expect(threads({ ...slurm, SLURM_CPUS_PER_TASK: "16" }, 64)).toBe(16);
    expect(threads(slurm, 64)).toBe(16);
    expect(threads({ ...slurm, PMI_SIZE: "2", MPI_LOCALNRANKS: "2" }, 2)).toBe(1);
    expect(threads({ ...slurm, PMI_SIZE: "2", MPI_LOCALNRANKS: "2" }, 1)).toBe(1);
  });

  it("is no job if there is only one process", () => {
    expect(mpiJob({ PMI_SIZE: "1", PMI_RANK: "0" })).toBeUndefined();
  });
});
