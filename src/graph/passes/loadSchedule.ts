/** Loads `schedule`, which a page does not need: only onnxruntime-node is faster with its order of nodes. */
export const loadSchedule = async () => (await import("./schedule.ts")).schedule;
