import type { Database, Session } from "./database.ts";

/**
 * A read whose transaction begins with its first statement: a call that reads nothing, or asks others to read for it,
 * holds no connection meanwhile. Otherwise as `Database.read`.
 */
export async function lazyRead<T>(
  database: Pick<Database, "read">,
  accountId: string,
  fn: (session: Session) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const over = Promise.withResolvers<void>();
  let transaction: Promise<void> | undefined;
  let opening: Promise<Session> | undefined;
  const open = (): Promise<Session> => {
    const opened = Promise.withResolvers<Session>();
    transaction = database.read(
      accountId,
      (session) => {
        opened.resolve(session);
        return over.promise;
      },
      signal,
    );
    transaction.catch(opened.reject);
    return opened.promise;
  };
  const session: Session = {
    async query(statement, values) {
      opening ??= open();
      return (await opening).query(statement, values);
    },
  };
  try {
    return await fn(session);
  } finally {
    over.resolve();
    // a statement that failed unseen makes the transaction void: then so is what was read
    await transaction;
  }
}
