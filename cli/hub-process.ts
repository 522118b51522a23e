import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  DETACHED,
  type FirstAccount,
  type HubMessage,
  hubMessage,
  type StarterMessage,
} from "../contracts/hub/start-messages.ts";
import { type ErrorCode, HubError } from "../server/errors.ts";

export type Ready = Extract<HubMessage, { type: "ready" }>;

export interface HubProcess {
  readonly ready: Ready;
  /** Resolves with the exit code when the process ends, however it ends. */
  readonly ended: Promise<number>;
  readonly child: ChildProcess;
  /** SIGTERM, then waits until it drained. */
  stop(): Promise<void>;
  /** A detached one outlives this process from here on, which must have kept where the hub is. */
  letGo(): Promise<void>;
}

export interface HubProcessOptions {
  /** Its environment; this process's own where absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** Makes keys and tokens for the first account; called only where the database has none. */
  readonly firstAccount: () => FirstAccount;
  /** Asks a person for the passphrase of the root key; called only where the hub needs one and has no file of it. */
  readonly passphrase?: () => Promise<string>;
  readonly progress: (text: string) => void;
  /** Its log goes to standard error, nowhere, or to the file of this descriptor. */
  readonly log: "inherit" | "ignore" | number;
  /** In a session of its own below this folder, where it keeps its log; ends when no client is left. See `letGo`. */
  readonly detachedIn?: string;
  /** Gives up a start that is under way: the process drains and ends. */
  readonly signal?: AbortSignal;
}

/** Longer than a hub takes to drain. */
const PATIENCE_MS = 60_000;
const ENTRY = fileURLToPath(new URL("../server/main.ts", import.meta.url));

/**
 * Starts the hub as a process of its own and waits until it serves. It is plain Node without TypeScript's tooling, with
 * a small young generation: an idle hub stays below 180 MB. It ends by itself when this process goes away. Throws the
 * HubError that kept it from starting, and what `firstAccount` throws.
 */
export async function startHubProcess(options: HubProcessOptions): Promise<HubProcess> {
  const { signal, detachedIn } = options;
  signal?.throwIfAborted();
  // standard output is for results
  const log = options.log === "inherit" ? 2 : options.log;
  const child = fork(ENTRY, detachedIn === undefined ? [] : [DETACHED], {
    ...(detachedIn !== undefined && { detached: true, cwd: detachedIn }),
    ...(options.env && { env: options.env }),
    execArgv: ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=8"],
    stdio: ["ignore", log, log, "ipc"],
  });
  const ended = once(child, "exit").then(
    ([code]: unknown[]) => (typeof code === "number" ? code : 1),
    () => 1,
  );
  const giveUp = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return { ready: await readiness(child, ended, options), ended, child, stop, letGo };
  } catch (error) {
    await stop();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }

  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    const impatience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    await ended;
    clearTimeout(impatience);
  }

  async function letGo(): Promise<void> {
    const stay: StarterMessage = { type: "stay" };
    await new Promise<void>((resolve, reject) => child.send(stay, (error) => (error ? reject(error) : resolve())));
    child.disconnect();
    child.unref();
  }
}

function readiness(child: ChildProcess, ended: Promise<number>, options: HubProcessOptions): Promise<Ready> {
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  child.on("message", (message) => {
    const said = hubMessage.parse(message);
    if (said.type === "progress") options.progress(said.text);
    else if (said.type === "first-account-needed") {
      try {
        child.send({ type: "first-account", account: options.firstAccount() } satisfies StarterMessage);
      } catch (error) {
        reject(error);
      }
    } else if (said.type === "passphrase-needed") {
      const asking = options.passphrase?.() ?? Promise.reject(noPassphrase());
      asking.then(
        (passphrase) => child.send({ type: "passphrase", passphrase } satisfies StarterMessage),
        (error: unknown) => reject(error),
      );
    } else if (said.type === "ready") resolve(said);
    else reject(new HubError(said.code as ErrorCode, said.message));
  });
  child.once("error", reject);
  void ended.then((code) =>
    reject(new HubError("INTERNAL", `The hub ended while starting (exit code ${code}); its log says why.`)),
  );
  return promise;
}

function noPassphrase(): HubError {
  return new HubError(
    "CONFIG_INVALID",
    "The root key is protected by a passphrase: set COUNTERSIGN_ROOT_PASSPHRASE_FILE, or start the hub with countersign start, which asks for it.",
  );
}
