import type { Server } from "@modelcontextprotocol/server";
import type { Caller } from "../../action/caller.ts";
import { HubError } from "../../errors.ts";
import { answering } from "./answering.ts";
import type { Change, Changes } from "./catalogue.ts";
import type { Register } from "./serving.ts";
import { MOST_RESOURCES } from "./subscriptions.ts";

export interface SessionFollower {
  readonly caller: Caller;
  readonly server: Server;
  readonly report: (error: unknown) => void;
  /** The caller may not call any more. */
  readonly lost: () => void;
}

/** What a session of the 2025 revisions is told of: every list, and the resources it asked for. */
export class SessionChanges implements Disposable {
  readonly #followed = new Set<string>();
  #unfollow: (() => void) | undefined;
  #ended = false;

  async follow(changes: Changes, follower: SessionFollower): Promise<void> {
    const { caller, server, report, lost } = follower;
    const unfollow = await changes.follow(caller, {
      tell: (change) => {
        if (change.kind === "resource" && !this.#followed.has(change.uri)) return;
        void tell(server, change).catch(report);
      },
      interest: (uri) => this.#followed.has(uri),
      lost,
    });
    if (this.#ended) unfollow();
    else this.#unfollow = unfollow;
  }

  /** `resources/subscribe` and `unsubscribe`, which 2026-07-28 no longer has. */
  readonly register: Register = ({ at, server }) => {
    server.setRequestHandler("resources/subscribe", ({ params: { uri } }, context) =>
      answering(at, context, async () => {
        if (this.#followed.size >= MOST_RESOURCES)
          throw new HubError("OVERLOADED", `A session follows at most ${MOST_RESOURCES} resources.`);
        this.#followed.add(uri);
        return {};
      }),
    );
    server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      this.#followed.delete(uri);
      return {};
    });
  };

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#unfollow?.();
  }
}

function tell(server: Server, change: Change): Promise<void> {
  switch (change.kind) {
    case "tools":
      return server.sendToolListChanged();
    case "prompts":
      return server.sendPromptListChanged();
    case "resources":
      return server.sendResourceListChanged();
    case "resource":
      return server.sendResourceUpdated({ uri: change.uri });
  }
}
