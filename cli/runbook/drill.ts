import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HubError } from "../../server/errors.ts";
import { AGENT, type CliContext, OPERATOR } from "../context.ts";
import type { Person } from "../demo/person.ts";
import { openScratchAccount, type ScratchAccount } from "../demo/scratch-account.ts";
import { EXIT } from "../exit-codes.ts";
import { HubClient } from "../hub-client.ts";
import type { Cast } from "./cast.ts";
import { type Program, runProgram } from "./run-program.ts";

/** A drill's own hub with three people: Ada, who runs the runbook, and Ben and Cleo, who sign what she asks for. */
export interface Drill extends AsyncDisposable {
  readonly cast: Cast;
  /** A folder for its files, gone afterwards with the rest. */
  readonly scratch: string;
}

/** `signal` gives up; nothing of it is left then either. */
export async function openDrill(context: CliContext, program: Program, signal: AbortSignal): Promise<Drill> {
  await using opening = new AsyncDisposableStack();
  const account = opening.use(await openScratchAccount(context, signal));
  await gather(account);
  const scratch = join(dirname(account.dataDir), "drill");
  mkdirSync(scratch, { mode: 0o700 });
  writeFileSync(join(scratch, "secret"), `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  const rooms = opening.move();
  return { cast: castOf(account, program), scratch, [Symbol.asyncDispose]: () => rooms.disposeAsync() };
}

/** Two people beside Ada, and the profile in which nobody signs for themselves. */
async function gather({ ada, ben, cleo }: ScratchAccount): Promise<void> {
  for (const [person, name] of [
    [ben, "Ben"],
    [cleo, "Cleo"],
  ] as const) {
    const said = await does(ada, "invite", name, "--roles", "admin", "--yes");
    const [, code = "", rootKey = ""] = /join (\S+) --root-key (\S+)/.exec(said) ?? [];
    await does(person, "join", code, "--root-key", rootKey);
  }
  const asked = await ada.run("call", "system_identity_set_profile", '{"profile":"team"}');
  const request = /approve (\S+)/.exec(asked.said.join("\n"))?.[1] ?? "";
  if (asked.exitCode === EXIT.pending) await does(ada, "approve", request, "--yes");
}

async function does(person: Person, ...args: string[]): Promise<string> {
  const { said, exitCode, command } = await person.run(...args);
  const text = said.join("\n");
  if (exitCode !== EXIT.ok) throw new HubError("INTERNAL", `"${command}" ended with ${exitCode}: ${text}`);
  return text;
}

function castOf(account: ScratchAccount, program: Program): Cast {
  const { ada, ben, cleo } = account;
  const { url = "", accountId } = ada.folder.hub() ?? {};
  const hub = (as: "operator" | "agent") =>
    new HubClient(url, ada.folder.token(as === "agent" ? AGENT : OPERATOR) ?? "");
  return {
    hubUrl: url,
    accountId,
    hub,
    /** Ben, then Cleo where he alone is not enough; what they did not sign says why itself. */
    async sign(requestId) {
      const signed: string[] = [];
      for (const [person, name] of [
        [ben, "Ben"],
        [cleo, "Cleo"],
      ] as const) {
        const { exitCode } = await person.run("approve", requestId, "--yes");
        if (exitCode === EXIT.ok || exitCode === EXIT.failed) signed.push(name);
      }
      return signed;
    },
    command: (words, json) => runProgram(account.context, program, words, { json, echo: false }),
    power: (power) => (power.hub === "stop" ? account.stopHub() : account.startHub(power.dataDir)),
    done: async () => true,
  };
}
