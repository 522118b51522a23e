import * as z from "zod";

/** How far long work is: steps done of those that there are, and a sentence about the one under way. */
export const progress = z.strictObject({
  done: z.int().min(0),
  total: z.int().min(1),
  sentence: z.string(),
});
export type Progress = z.output<typeof progress>;
