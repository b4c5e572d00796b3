import { configDefaults, defineConfig } from "vitest/config";

/** Tests of what a process loads, and of its threads and memory, for which each needs a process of its own. */
const alone = [
  "test/cli/lazy.test.ts",
  "test/files/modelFiles.test.ts",
  // The peak memory of a child process begins with that of its parent.
  "test/flows/hostileModels.test.ts",
  "test/report/lazy.test.ts",
  "test/runtime/release.test.ts",
];

export default defineConfig({
  test: {
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
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...alone],
        },
      },
      { extends: true, test: { name: "alone", include: alone } },
    ],
  },
});
