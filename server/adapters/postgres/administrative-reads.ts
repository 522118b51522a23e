import type pg from "pg";
import type { Prisma, PrismaClient } from "../../../prisma/client/client.ts";

/** Reads of one account's rows with Prisma. */
export interface AdministrativeReads extends AsyncDisposable {
  read<T>(accountId: string, fn: (client: Prisma.TransactionClient) => Promise<T>): Promise<T>;
}

/**
 * Prisma, loaded and connected by whoever reads first: it takes a quarter of a second and as much memory as the rest of
 * an idle hub, most of which never serve such a read.
 */
export function administrativeReads(
  runtime: pg.PoolConfig,
  onError: (error: Error) => void = () => {},
): AdministrativeReads {
  let opening: ReturnType<typeof open> | undefined;
  const open = async () => {
    const { openPrisma, prismaForAccount } = await import("./prisma-for-account.ts");
    const prisma: PrismaClient = openPrisma(runtime, onError);
    return { prisma, prismaForAccount };
  };
  return {
    async read(accountId, fn) {
      opening ??= open();
      const { prisma, prismaForAccount } = await opening;
      return prismaForAccount(prisma, accountId, fn);
    },
    async [Symbol.asyncDispose]() {
      await (await opening)?.prisma.$disconnect();
    },
  };
}
