import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const oneThread = "./test/oneThread.mjs";
/** Stated for each project: a setup of all projects would run in each of them, and once more. */
const globalSetup = "./test/compiledPackage.ts";

/** Tests of what a process loads, and of its threads and memory, for which each needs a process of its own. */
const alone = [
  "test/cli/lazy.test.ts",
  "test/files/modelFiles.test.ts",
  // It limits the processor time of each file, which grows if the other worker computes.
  "test/flows/hostileModels.test.ts",
  "test/report/lazy.test.ts",
  "test/runtime/release.test.ts",
];

/** The files that take longest, from the longest. If one of them started last, the other worker would wait for it. */
const longest = [
  "test/examples/documentation.test.ts",
  "test/bijections/invariants.test.ts",
  "test/inference/infer.test.ts",
  "test/cli/process.test.ts",
  "test/package/packed.test.ts",
  "test/flows/digits.test.ts",
  "test/train/missedMass.test.ts",
  "test/cli/infer.test.ts",
  "test/train/fitTable.test.ts",
  "test/cli/fit.test.ts",
  "test/examples/examples.test.ts",
  "test/bijections/extremes.test.ts",
  "test/contributing.test.ts",
  // The longest file of the project "alone".
  "test/flows/hostileModels.test.ts",
];

/** Vitest starts with the files that took longest in its last run, but in the first run with those of the most bytes. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((path) => moduleId.endsWith(path));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    setupFiles: [oneThread, "./test/equalArrays.ts"],
    // For the processes that tests start.
    env: { NODE_OPTIONS: `--import=${new URL(oneThread, import.meta.url)}` },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        // Loading the modules again for each file would take a quarter of the time of all tests.
        test: {
          name: "shared",
          isolate: false,
          globalSetup,
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...alone],
        },
      },
      // These files come last, because a worker that keeps its modules ends before each of them.
      { extends: true, test: { name: "alone", globalSetup, include: alone, sequence: { groupOrder: 1 } } },
    ],
  },
});
