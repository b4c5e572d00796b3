import { z } from "zod";

/** What each contestant may compute on. */
export const THREADS = 2;

/** What a contestant says when it is ready. */
export const greetingSchema = z.object({ peer: z.string(), versions: z.record(z.string(), z.string()) });

/** What a contestant answers to a request. */
export const answerSchema = z.union([
  z.object({ times: z.array(z.number().nonnegative()).min(1), startMs: z.number().nonnegative() }),
  z.object({ unsupported: z.string() }),
  z.object({ error: z.string() }),
]);

export type Answer = z.infer<typeof answerSchema>;
