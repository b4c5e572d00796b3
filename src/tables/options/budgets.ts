/** How much time the training of a table may take. This file imports nothing, because the command line reads it before the engine. */
export const BUDGETS = ["small", "default", "large"] as const;
export type Budget = (typeof BUDGETS)[number];
