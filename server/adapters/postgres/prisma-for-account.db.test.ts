import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import type { PrismaClient } from "../../../prisma/client/client.ts";
import { openPrisma, prismaForAccount } from "./prisma-for-account.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

describe("prismaForAccount", () => {
  let db: TestDatabase;
  let prisma: PrismaClient;
  const [ours, theirs] = [v7(), v7()];
  before(async () => {
    db = await testDatabase();
    prisma = openPrisma(db.runtime);
    for (const id of [ours, theirs]) {
      const text = "insert into account (id, name, profile) values ($1, $2, 'solo')";
      await db.database.transact(id, (tx) => tx.query(text, [id, `account ${id}`]));
    }
  });
  after(async () => {
    await prisma.$disconnect();
    await db[Symbol.asyncDispose]();
  });

  it("reads one account's rows", async () => {
    const accounts = await prismaForAccount(prisma, ours, (client) => client.account.findMany());
    assert.deepEqual(
      accounts.map(({ id, name }) => ({ id, name })),
      [{ id: ours, name: `account ${ours}` }],
    );
  });

  it("leaves no account behind on its connections", async () => {
    for (const id of [ours, theirs, ours]) {
      const [account] = await prismaForAccount(prisma, id, (client) => client.account.findMany());
      assert.equal(account?.id, id);
      assert.deepEqual(await prisma.account.findMany(), []);
    }
  });

  it("does not write", async () => {
    const renaming = prismaForAccount(prisma, ours, (client) =>
      client.account.update({ where: { id: ours }, data: { profile: "team" } }),
    );
    await assert.rejects(renaming, { message: /read-only transaction/ });
  });

  it("refuses an account id that is none", async () => {
    await assert.rejects(
      prismaForAccount(prisma, "'; --", async () => {}),
      TypeError,
    );
  });

  it("passes on what its callback throws", async () => {
    const reason = new Error("no");
    const failing = prismaForAccount(prisma, ours, () => Promise.reject(reason));
    await assert.rejects(failing, reason);
  });

  it("says so where the database does not answer, and recovers", async () => {
    const nowhere = openPrisma({ ...db.runtime, host: "/nonexistent" });
    await assert.rejects(
      prismaForAccount(nowhere, ours, async () => {}),
      { code: "STORE_UNAVAILABLE" },
    );
    await nowhere.$disconnect();

    const cut = prismaForAccount(prisma, ours, async (client) => {
      const [session] = await client.$queryRaw<[{ pid: number }]>`select pg_backend_pid() as pid`;
      const superuser = new pg.Client(db.superuser);
      await superuser.connect();
      await superuser.query("select pg_terminate_backend($1, 10000)", [session.pid]);
      await superuser.end();
      await client.account.findMany();
    });
    await assert.rejects(cut, { code: "STORE_UNAVAILABLE" });
    assert.equal((await prismaForAccount(prisma, ours, (client) => client.account.findMany())).length, 1);
  });
});
