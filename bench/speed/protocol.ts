import { z } from "zod";

/** Number of threads that each contestant may use. */
export const THREADS = 2;

/** The first line of a contestant, written when it is ready. */
export const greetingSchema = z.object({ peer: z.string(), versions: z.record(z.string(), z.string()) });

/** A contestant's answer to a request. */
export const answerSchema = z.union([
  z.object({ times: z.array(z.number().nonnegative()).min(1), startMs: z.number().nonnegative() }),
  z.object({ unsupported: z.string() }),
  z.object({ error: z.string() }),
]);

export type Answer = z.infer<typeof answerSchema>;
