import { Client, type McpSubscription } from "@modelcontextprotocol/client";
import type { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { OutsideClient } from "./clients.ts";

/** What a client is told of without asking, in the way of its revision: a list's name, or a resource's uri. */
export class Ear {
  readonly #client: Client | OldClient;
  readonly #subscriptions: McpSubscription[] = [];
  readonly #told = new Set<string>();
  #next = Promise.withResolvers<void>();

  private constructor(client: OutsideClient) {
    this.#client = client as unknown as Client | OldClient;
  }

  /** Listens from the moment that this resolves. */
  static async of(client: OutsideClient): Promise<Ear> {
    const ear = new Ear(client);
    await ear.#listen();
    return ear;
  }

  /** Wants to know of one resource too. */
  async follow(uri: string): Promise<void> {
    if (this.#client instanceof Client)
      this.#subscriptions.push(await this.#client.listen({ resourceSubscriptions: [uri] }));
    else await this.#client.subscribeResource({ uri });
  }

  /** Resolves when this was told, since the last `forget`. */
  async hears(what: string): Promise<void> {
    while (!this.#told.has(what)) await this.#next.promise;
  }

  forget(): void {
    this.#told.clear();
  }

  async end(): Promise<void> {
    for (const subscription of this.#subscriptions) await subscription.close();
  }

  async #listen(): Promise<void> {
    if (this.#client instanceof Client) {
      this.#client.setNotificationHandler("notifications/tools/list_changed", () => this.#tell("tools"));
      this.#client.setNotificationHandler("notifications/resources/list_changed", () => this.#tell("resources"));
      this.#client.setNotificationHandler("notifications/resources/updated", ({ params }) => this.#tell(params.uri));
      this.#subscriptions.push(await this.#client.listen({ toolsListChanged: true, resourcesListChanged: true }));
      return;
    }
    this.#client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.#tell("tools"));
    this.#client.setNotificationHandler(ResourceListChangedNotificationSchema, () => this.#tell("resources"));
    this.#client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => this.#tell(params.uri));
    // it has asked for its stream; the answer to what it asks next comes after that
    await this.#client.ping();
  }

  #tell(what: string): void {
    this.#told.add(what);
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }
}
