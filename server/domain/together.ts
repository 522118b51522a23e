/**
 * Waits for statements that were sent together. Where one fails, those sent after it fail in its wake: what is thrown is
 * the failure of the first.
 */
export async function together<T extends readonly unknown[]>(
  statements: readonly [...{ [K in keyof T]: Promise<T[K]> | T[K] }],
): Promise<T> {
  const settled = await Promise.allSettled(statements.map((one) => Promise.resolve(one)));
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
