export * from "./mainExports.ts";
export type { GivenRecord, TrainingRecord } from "./modelFile.ts";
export type { CNFOptions } from "./recipes/continuous.ts";
export type { RunOptions } from "./rowJobs.ts";
