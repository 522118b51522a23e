/** How lists page: what each takes, and how it answers. */
import * as z from "zod";

/** Input fields of every list. A cursor is opaque: it is what the page before answered as `next`. */
export const page = {
  limit: z.int().min(1).max(200).default(50).describe("rows at most, 1 to 200"),
  cursor: z.string().max(512).optional().describe("`next` of the page before"),
};

/** Output of every list; `next` is absent on the last page. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    items: z.array(item),
    next: z.string().optional().describe("send it as `cursor` for the next page"),
  });
