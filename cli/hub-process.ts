import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
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
}

export interface HubProcessOptions {
  /** Its environment; this process's own where absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** Makes keys and tokens for the first account; called only where the database has none. */
  readonly firstAccount: () => FirstAccount;
  readonly progress: (text: string) => void;
  /** Where its log goes. */
  readonly log: "inherit" | "ignore";
}

const ENTRY = fileURLToPath(new URL("../server/main.ts", import.meta.url));

/**
 * Starts the hub as a process of its own and waits until it serves. It is plain Node without TypeScript's tooling, with
 * a small young generation: an idle hub stays below 180 MB. It ends by itself when this process goes away.
 */
export async function startHubProcess(options: HubProcessOptions): Promise<HubProcess> {
  const child = fork(ENTRY, [], {
    ...(options.env && { env: options.env }),
    execArgv: ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4"],
    stdio: ["ignore", options.log, options.log, "ipc"],
  });
  const ended = once(child, "exit").then(([code]: unknown[]) => (typeof code === "number" ? code : 1));
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.on("message", (message) => {
      const said = hubMessage.parse(message);
      if (said.type === "progress") options.progress(said.text);
      else if (said.type === "first-account-needed")
        child.send({ type: "first-account", account: options.firstAccount() } satisfies StarterMessage);
      else if (said.type === "ready") resolve(said);
      else reject(new HubError(said.code as ErrorCode, said.message));
    });
    child.once("error", reject);
    void ended.then((code) =>
      reject(new HubError("INTERNAL", `The hub ended while starting (exit code ${code}); its log says why.`)),
    );
  });
  return {
    ready,
    ended,
    child,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
