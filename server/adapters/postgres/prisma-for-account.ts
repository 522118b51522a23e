import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import { type Prisma, PrismaClient } from "../../../prisma/client/client.ts";
import { HubError } from "../../errors.ts";
import { checkAccountId } from "./database.ts";
import { QuietClient } from "./quiet-client.ts";

/**
 * Prisma over a small pool of its own, under the runtime role, for administrative reads: an interactive transaction
 * of Prisma's costs four times what one of `Database` does. It connects when first used; `await $disconnect()` ends it.
 */
export function openPrisma(runtime: pg.PoolConfig, onError: (error: Error) => void = () => {}): PrismaClient {
  const limits = { max: 2, connectionTimeoutMillis: 5_000 };
  const pool = { application_name: "countersign-prisma", ...runtime, ...limits, Client: QuietClient };
  return new PrismaClient({
    adapter: new PrismaPg(pool, { onPoolError: onError, onConnectionError: onError }),
  });
}

/**
 * One account's rows, in a transaction that cannot write and carries the account. Use the client that `fn` is given
 * and nothing else inside it: the outer one has another connection, without an account, and sees no tenant rows.
 * Throws STORE_UNAVAILABLE where the database does not answer.
 */
export async function prismaForAccount<T>(
  prisma: PrismaClient,
  accountId: string,
  fn: (client: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  checkAccountId(accountId);
  try {
    return await prisma.$transaction(
      async (client) => {
        await client.$executeRaw`set transaction read only`;
        await client.$executeRaw`select set_config('app.account_id', ${accountId}, true)`;
        return fn(client);
      },
      { maxWait: 5_000, timeout: 15_000 },
    );
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    throw new HubError("STORE_UNAVAILABLE", "The database does not answer: try again in a moment.", { cause: error });
  }
}

/** Prisma wraps what the driver says or passes it on, by where it happened: system errors, its own P1xxx, plain ones. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { code?: unknown };
  if (typeof code === "string") return /^(?:E[A-Z]+|P1\d{3}|P2024|P2028)$/.test(code);
  return error.message.startsWith("Client has encountered a connection error");
}
