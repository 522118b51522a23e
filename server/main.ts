/**
 * The composition root: the only file that knows every room of the house. `start` puts a hub together and opens its
 * doors; run as a program, it is the hub's process.
 */

import { join } from "node:path";
import { v7 } from "uuid";
import { publicKeyFromBase64, publicKeyFromDer, publicKeyToPem } from "../contracts/formats/ed25519.ts";
import type { FirstAccount } from "../contracts/hub/start-messages.ts";
import { DETACHED, type HubMessage, type StarterMessage, starterMessage } from "../contracts/hub/start-messages.ts";
import packageJson from "../package.json" with { type: "json" };
import { actions } from "../tools/index.ts";
import type { Gate } from "./action/gate.ts";
import { identify, refuseAtDoor } from "./action/identify.ts";
import { OnlineCalls } from "./action/online-calls.ts";
import { operationReports } from "./action/operation-reports.ts";
import { createRegistry } from "./action/registry.ts";
import { runAction } from "./action/run-action.ts";
import { createIdempotency } from "./action/sealed-idempotency.ts";
import { createSimulator } from "./action/simulator.ts";
import { VisibleActions } from "./action/visible-actions.ts";
import { bearerProbe } from "./adapters/egress/authenticated-get.ts";
import { createEgress } from "./adapters/egress/egress.ts";
import { credentialProbe } from "./adapters/git/credential-probe.ts";
import { openGitMirror } from "./adapters/git/git-mirror.ts";
import { accountDirectory, accountWriter } from "./adapters/postgres/account-store.ts";
import { administrativeReads } from "./adapters/postgres/administrative-reads.ts";
import { lookUpClaim } from "./adapters/postgres/credential-lookup.ts";
import { Database, type Session } from "./adapters/postgres/database.ts";
import { dedicatedClient } from "./adapters/postgres/dedicated-client.ts";
import { eventSource } from "./adapters/postgres/event-source.ts";
import { eventStore } from "./adapters/postgres/event-store.ts";
import { identityLookup } from "./adapters/postgres/identity-lookup.ts";
import { identityStore } from "./adapters/postgres/identity-store.ts";
import { integrationStore } from "./adapters/postgres/integration-store.ts";
import { journalSource } from "./adapters/postgres/journal-source.ts";
import { journalStore } from "./adapters/postgres/journal-store.ts";
import { LogListener } from "./adapters/postgres/log-listener.ts";
import { openDatabase } from "./adapters/postgres/open-database.ts";
import { policyStore } from "./adapters/postgres/policy-store.ts";
import { QuietClient } from "./adapters/postgres/quiet-client.ts";
import { rateStore } from "./adapters/postgres/rate-store.ts";
import { recoveryNotes } from "./adapters/postgres/recovery-notes.ts";
import { postgresStore } from "./adapters/postgres/store.ts";
import { sweepStore } from "./adapters/postgres/sweep-store.ts";
import { DEFAULT_APPROVAL_SETTINGS } from "./approval/approval-settings.ts";
import { createApprovalDesk, createApprovals } from "./approval/approvals.ts";
import { readBasePolicies } from "./authorization/base-policies.ts";
import { claimants } from "./authorization/claimant.ts";
import { currentCaller } from "./authorization/current-caller.ts";
import { declaredActions } from "./authorization/declared-action.ts";
import { createIdentifier } from "./authorization/identifier.ts";
import { withInvitees } from "./authorization/invitee.ts";
import { createPolicyAuthorizer } from "./authorization/policy-authorizer.ts";
import { PolicyEngine } from "./authorization/policy-engine.ts";
import { createTokenUse } from "./authorization/token-use.ts";
import { type Config, configFrom, refusePlainHttp, type Secrets, secretsFrom } from "./config/config.ts";
import { readEnv } from "./config/env.ts";
import { createLog, type Logger } from "./config/log.ts";
import { LOG_FILE, openLogFile } from "./config/log-file.ts";
import { prepareFolders } from "./config/prepare-folders.ts";
import { credentialOpener } from "./domain/credentials/open-credential.ts";
import { EventFeed } from "./domain/events/event-feed.ts";
import { createAccount } from "./domain/identity/create-account.ts";
import { KEY_NAMES, type KeyService } from "./domain/keys/key-service.ts";
import { DEFAULT_POLICY } from "./domain/policy/default-document.ts";
import { HubError, toHubError } from "./errors.ts";
import { advanceOperations } from "./jobs/advance-operations.ts";
import { executeApproved } from "./jobs/execute-approved.ts";
import { expireApprovals } from "./jobs/expire-approvals.ts";
import { closeJobs, openJobs, transactionalJobs } from "./jobs/open-jobs.ts";
import { QUEUES } from "./jobs/queues.ts";
import { startIntegrator } from "./journal/integrator.ts";
import type { OpenJournal } from "./journal/open-journal.ts";
import { openJournal } from "./journal/open-journal.ts";
import { startRecordingNotes } from "./journal/recovery-notes.ts";
import { SharedWalks } from "./journal/shared-walks.ts";
import { startSweeper } from "./journal/sweeper.ts";
import { createJournalVerifier } from "./journal/verify-journal.ts";
import { openKeyService } from "./open-key-service.ts";
import { CLAIMS_PATH } from "./transport/claims/claim-page.ts";
import { DEFAULT_DOOR_SETTINGS } from "./transport/door-settings.ts";
import { cannotListen, refuseTakenPort } from "./transport/free-port.ts";
import { openHttpDoor } from "./transport/http-server.ts";
import type { HubDoor, Readiness } from "./transport/hub-door.ts";
import { whenIdle } from "./transport/idle-watch.ts";

export interface StartOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: Logger;
  /** Asked where the database has no account yet. */
  readonly firstAccount: () => Promise<FirstAccount>;
  readonly progress: (text: string) => void;
  /** Asked where the root key file is protected by a passphrase, and no file has that. */
  readonly askPassphrase?: () => Promise<string>;
  /** For the protocol's test suite alone (scripts/conformance/): it has the MCP door offer fixtures too. */
  readonly catalogue?: HubDoor["catalogue"];
}

export interface Hub extends AsyncDisposable {
  /** Where MCP clients go. */
  readonly url: string;
  readonly accountId: string;
  /** The hub account's root key, SPKI PEM. */
  readonly rootKey: string;
  /** This start made the first account. */
  readonly created: boolean;
  readonly database: { readonly kind: "embedded" | "external"; readonly osUser?: string };
  /** Since when no client is there, as `performance.now()` counts; undefined while one is. */
  readonly idleSince: () => number | undefined;
  /** Refuses new calls, finishes running ones, then closes everything in the reverse order of opening. */
  readonly stop: () => Promise<void>;
  /** Reads the TLS files again, where there are any. */
  readonly reloadTls: () => Promise<void>;
}

/**
 * Puts a hub together and opens its doors. Throws HubError where it cannot stand: CONFIG_INVALID, DATA_FOLDER_UNUSABLE,
 * DATABASE_*, MIGRATION_*, KEY_SERVICE_*. What was opened by then is closed again.
 */
export async function start(options: StartOptions): Promise<Hub> {
  const { config, secrets, log, firstAccount, progress, askPassphrase, catalogue } = options;
  await using opening = new AsyncDisposableStack();
  const { folders } = config;
  refusePlainHttp(config.server);
  await refuseTakenPort(config.server.host, config.server.port);
  await prepareFolders(folders);
  const opened = await openDatabase({
    dataDir: folders.data,
    ...(secrets.databaseUrl && { databaseUrl: secrets.databaseUrl.reveal() }),
    ...(secrets.migrationUrl && { migrationUrl: secrets.migrationUrl.reveal() }),
    setup: { queues: QUEUES },
    log: (message) => log.warn(message),
    onProgress: progress,
  });
  opening.defer(() => opened.release());
  const database = new Database(opened.runtime, {
    poolSize: config.database.poolSize,
    onError: (err) => log.warn({ err }, "an idle database connection broke"),
  });
  opening.defer(() => database.close());

  const directory = accountDirectory(database);
  const known = await directory.hubAccountId();
  // connections of their own: whoever holds one of the calls' may be waiting for a key, and all of them may
  const keyDatabase = new Database(opened.runtime, {
    poolSize: 2,
    onError: (err) => log.warn({ err }, "an idle database connection of the keys' broke"),
  });
  opening.defer(() => keyDatabase.close());
  const { keys, within } = opening.use(
    await openKeyService({
      config,
      database: keyDatabase,
      create: known === undefined,
      log,
      ...(askPassphrase && { askPassphrase }),
    }),
  );

  const queueLogin = { ...opened.runtime, Client: QuietClient };
  const boss = await openJobs(queueLogin, (err) => log.warn({ err }, "the job queue had a fault"));
  let closingJobs: Promise<void> | undefined;
  const stopJobs = () => (closingJobs ??= closeJobs(boss, config.server.drainSeconds * 1000));
  opening.defer(stopJobs);
  const administration = opening.use(
    administrativeReads(opened.runtime, (err) => log.warn({ err }, "a database connection of Prisma's broke")),
  );
  const store = postgresStore(database, transactionalJobs(boss), administration);
  const founded = known === undefined ? await foundFirstAccount(database, within, await firstAccount()) : undefined;
  const hubAccountId = known ?? founded ?? (await directory.hubAccountId());
  if (hubAccountId === undefined) throw new Error("cannot happen: the hub has no account, and was refused one");
  for (const name of KEY_NAMES) await keys.create(hubAccountId, name);

  const integrator = startIntegrator({ store: integrationStore(database), log });
  opening.defer(() => integrator.stop());
  const connect = () => dedicatedClient(opened.runtime, "countersign-journal");
  const journal = await openJournal({
    store: journalStore({ connect, database }),
    keys,
    hubId: hubAccountId,
    log,
    onCommitted: (accounts) => integrator.kick(accounts),
  });
  opening.defer(() => journal.close());
  const sweeper = await startSweeper({ store: sweepStore(database), journal, log });
  opening.defer(() => sweeper.stop());
  const notes = await startRecordingNotes({ notes: recoveryNotes(database), journal, log });
  opening.defer(() => notes.stop());

  const lookup = identityLookup(database);
  const tokenUse = createTokenUse((ids) => lookup.touchTokens(ids), {
    report: (err) => log.warn({ err }, "the last use of tokens was not written"),
  });
  opening.use(tokenUse);
  const identifier = withInvitees(createIdentifier(lookup, tokenUse), lookup);
  const registry = createRegistry(actions);
  const engine = new PolicyEngine({
    actions: declaredActions(actions),
    base: readBasePolicies(),
  });
  opening.defer(() => engine.close());
  const authorizer = await createPolicyAuthorizer(engine, registry, store, () => gate.services);
  const now = () => new Date();
  const hub = { id: hubAccountId, version: packageJson.version };
  const approvalSetup = {
    hub,
    keys,
    approvers: authorizer,
    settings: DEFAULT_APPROVAL_SETTINGS,
    store,
    identifier,
    now,
  };
  const egress = createEgress({ allow: config.egress.allow });
  const git = await openGitMirror({
    folder: join(folders.data, "git"),
    ...config.git,
    egress,
    caFile: config.egress.caFile,
    log,
  });
  // known once the door is open, and nothing is asked before
  let ownUrl = "";
  const online = new OnlineCalls();
  const gate: Gate = {
    hubAccountId,
    online,
    registry,
    identifier,
    authorizer,
    approvals: createApprovals(approvalSetup),
    idempotency: createIdempotency(keys),
    journal,
    store,
    services: {
      hub,
      policyChecker: engine,
      simulator: createSimulator(() => gate),
      journalVerifier: new SharedWalks(
        createJournalVerifier({
          source: (accountId) => journalSource(database, accountId),
          keys,
          hubId: hubAccountId,
        }),
      ),
      approvalDesk: createApprovalDesk(approvalSetup),
      git,
      credentials: {
        ...credentialOpener({
          rooms: {
            read: (accountId, fn, signal) => store.read(accountId, ({ credentials }) => fn(credentials), signal),
            transact: (accountId, fn) => store.transact(accountId, fn),
          },
          keys,
          now,
        }),
        claimLink: (code) => `${config.server.publicUrl ?? ownUrl}${CLAIMS_PATH}${code}`,
        refuseAddress: (host, port) => egress.refuseAddress(host, port),
        probe: credentialProbe({ git, get: bearerProbe(egress, config.egress.caFile) }),
        keys,
      },
      operations: operationReports(store, now),
      accountKeys: keys,
    },
    inputMac: async (accountId, action, canonical) =>
      (await keys.hmac(accountId, "mac", Buffer.from(`${action}\n${canonical}`))).mac,
    now,
    report: (err, facts) => log.error({ err, ...facts }, "a call failed"),
  };
  await executeApproved(boss, gate);
  await expireApprovals(boss, gate);
  await advanceOperations(boss, gate);
  opening.defer(stopJobs); // running jobs end while the journal still takes their outcomes

  const feed = new EventFeed(eventSource(database), (err) => log.warn({ err }, "events were not told yet"));
  opening.defer(() => feed.close());
  opening.use(
    new LogListener({
      connect: () => dedicatedClient(opened.runtime, "countersign-listener"),
      onWake: () => feed.wake(),
      onLost: (err) => log.warn({ err }, "the connection that hears of events was lost"),
    }),
  );

  const { mac: sealKey } = await keys.hmac(hubAccountId, "mac", Buffer.from("confirmation state"));
  const visible = new VisibleActions(gate);
  const door: HubDoor = {
    identify: (token, channel, mayRecord) => identify(gate, token, channel, mayRecord),
    run: (request) => online.run(registry.get(request.action), () => runAction(gate, request)),
    visible: (caller, channel) => visible.of(caller, channel),
    action: (name) => registry.get(name),
    mayRead: async (caller, action, input) =>
      (await gate.services.simulator.simulate(caller, { action, input })).outcome === "runs",
    current: (caller) => currentCaller(lookup, caller),
    claimant: claimants((id) => lookUpClaim(database, id), identifier),
    follow: (accountId, tell) => feed.follow(accountId, tell),
    refuse: (error, facts) => refuseAtDoor(gate, error, facts),
    ready: () => readiness(database, journal, keys, hubAccountId),
    sealKey,
    version: packageJson.version,
    log,
    ...(catalogue && { catalogue }),
  };
  const { tls, drainSeconds, idleSeconds: _, plainHttp: __, ...doorSettings } = config.server;
  const http = await openHttpDoor(
    door,
    { ...DEFAULT_DOOR_SETTINGS, ...doorSettings, ...(tls && { tls }), drainMs: drainSeconds * 1000 },
    rateStore(database),
  ).catch((cause: unknown) => {
    throw cause instanceof HubError ? cause : cannotListen(doorSettings.host, doorSettings.port, cause);
  });
  opening.defer(() => http.drain());
  ownUrl = http.url;
  const rooms = opening.move();
  return {
    url: `${http.url}/mcp`,
    accountId: hubAccountId,
    rootKey: await rootKeyPem(keys, hubAccountId),
    created: founded !== undefined,
    database: { kind: opened.kind, ...(opened.osUser !== undefined && { osUser: opened.osUser }) },
    idleSince: () => http.idleSince,
    stop: () => rooms.disposeAsync(),
    reloadTls: () => http.reloadTls(),
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

/**
 * The first account and everything it cannot be without, its keys too, in one transaction. Answers with its id. Of several
 * hubs at once one makes it, and the others answer with undefined.
 */
async function foundFirstAccount(
  database: Database,
  keysWithin: ((session: Session) => KeyService) | undefined,
  asked: FirstAccount,
): Promise<string | undefined> {
  const accountId = v7();
  const seed = ({ tokenId, tokenSha256 }: { tokenId: string; tokenSha256: string }) => ({
    id: tokenId,
    sha256: Buffer.from(tokenSha256, "hex"),
  });
  const founding = database.transact(accountId, async (session) => {
    await createAccount(
      {
        accounts: accountWriter(session),
        identity: identityStore(session),
        policy: policyStore(session),
        events: eventStore(session),
      },
      {
        accountId,
        name: asked.name,
        isHub: true,
        person: { name: asked.operator.name, publicKey: publicKeyFromBase64(asked.operator.publicKey) },
        agent: { name: asked.agent.name },
        tokens: { operator: seed(asked.operator), agent: seed(asked.agent) },
        policy: { document: DEFAULT_POLICY.canonical, hash: DEFAULT_POLICY.hash },
        now: new Date(),
      },
    );
    // no other hub, which may have another root key, sees the account without them
    const keys = keysWithin?.(session);
    if (keys) for (const name of KEY_NAMES) await keys.create(accountId, name);
  });
  return founding.then(
    () => accountId,
    (error: unknown) => {
      if (error instanceof HubError && error.code === "ALREADY_EXISTS") return undefined;
      throw error;
    },
  );
}

/** Able to serve: the database answers, entries can be written, the account's keys open. */
async function readiness(
  database: Database,
  journal: OpenJournal,
  keys: KeyService,
  accountId: string,
): Promise<Readiness> {
  const works = (check: Promise<unknown>) =>
    check.then(
      () => ({ ok: true }),
      (error: unknown) => ({ ok: false, code: toHubError(error).code }),
    );
  const checks = {
    database: await works(database.query("select 1")),
    journal: { ok: journal.status().open },
    keys: await works(keys.hmac(accountId, "mac", Buffer.of())),
  };
  return { ok: Object.values(checks).every((check) => check.ok), checks };
}

async function rootKeyPem(keys: KeyService, accountId: string): Promise<string> {
  const { versions } = await keys.metadata(accountId, "root");
  const der = versions.at(-1)?.publicKey;
  if (!der) throw new TypeError("a root key signs, so it has a public half");
  return publicKeyToPem(publicKeyFromDer(der));
}

/**
 * The hub's process: says over IPC how it comes up, drains on SIGTERM, and ends with the one who started it. DETACHED, it
 * stays once that has kept where it is, and ends when it is idle.
 */
async function main(): Promise<void> {
  // whoever started it may be gone by now
  const say = (message: HubMessage) => process.connected && process.send?.(message);
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stopping.abort());
  const detached = process.argv.includes(DETACHED);
  let stays = false;
  if (detached)
    process.on("message", (message) => {
      stays ||= starterMessage.safeParse(message).data?.type === "stay";
    });
  process.on("disconnect", () => stays || stopping.abort());
  try {
    const env = readEnv();
    const config = configFrom(env);
    const log = createLog(config.log, detached ? openLogFile(join(config.folders.data, LOG_FILE)) : undefined);
    await using hub = await start({
      config,
      secrets: secretsFrom(env),
      log,
      firstAccount: () => askForFirstAccount(stopping.signal),
      ...(process.connected && { askPassphrase: () => askForPassphrase(stopping.signal) }),
      progress: (text) => say({ type: "progress", text }),
    });
    const { url, accountId, rootKey, created, database } = hub;
    say({
      type: "ready",
      url,
      accountId,
      rootKey,
      created,
      database: database.kind,
      ...(database.osUser !== undefined && { osUser: database.osUser }),
    });
    log.info({ url, accountId, pid: process.pid }, "ready");
    // without TLS a hang-up ends the process, as it does any other
    if (config.server.tls) process.on("SIGHUP", () => void hub.reloadTls());
    const { idleSeconds } = config.server;
    if (detached && idleSeconds > 0)
      void whenIdle(hub.idleSince, idleSeconds * 1000, stopping.signal).then(() => {
        log.info({ idleSeconds }, "no client is left");
        stopping.abort();
      });
    await new Promise((stop) =>
      stopping.signal.aborted ? stop(undefined) : stopping.signal.addEventListener("abort", stop),
    );
    log.info("draining");
  } catch (error) {
    const { code, message, cause } = toHubError(error);
    say({ type: "failed", code, message });
    if (!process.send || code === "INTERNAL")
      process.stderr.write(
        `${code}: ${message}\n${code === "INTERNAL" ? `${String((cause as Error)?.stack ?? cause)}\n` : ""}`,
      );
    process.exitCode = 1;
  } finally {
    if (process.connected) process.disconnect();
  }
}

/** Keys and tokens of the first account are the command line's to make; it may refuse, and end this process. */
async function askForFirstAccount(stopping: AbortSignal): Promise<FirstAccount> {
  if (!process.connected)
    throw new HubError(
      "CONFIG_INVALID",
      "This database has no account yet. Start the hub once with: npx countersign start",
    );
  const answer = await askStarter({ type: "first-account-needed" }, stopping);
  if (answer?.type === "first-account") return answer.account;
  throw new HubError("CONFIG_INVALID", "What the command line said about the first account cannot be read.");
}

/** A person at the command line's terminal has it; it may refuse, and end this process. */
async function askForPassphrase(stopping: AbortSignal): Promise<string> {
  const answer = await askStarter({ type: "passphrase-needed" }, stopping);
  if (answer?.type === "passphrase") return answer.passphrase;
  throw new HubError("CONFIG_INVALID", "What the command line said about the passphrase cannot be read.");
}

function askStarter(question: HubMessage, stopping: AbortSignal): Promise<StarterMessage | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new HubError("CANCELLED", "The start was called off."));
    if (stopping.aborted) giveUp();
    stopping.addEventListener("abort", giveUp, { once: true });
    process.once("message", (message) => resolve(starterMessage.safeParse(message).data));
    process.send?.(question);
  });
}

if (import.meta.main) await main();
