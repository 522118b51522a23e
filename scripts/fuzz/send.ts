import { connect } from "node:net";

/** Milliseconds without an end: longer than any call here takes, on a busy machine too. */
const PATIENCE_MS = 30_000;
/** Milliseconds that an event stream is listened to. */
const LISTEN_MS = 300;

export interface Reply {
  /** All that came back, as it came. */
  readonly text: string;
  readonly hung: boolean;
  /** The hub reset the connection. */
  readonly reset: boolean;
}

/** Sends bytes over a connection of their own. `halfClose` says that no more will come, so that the hub waits for none. */
export function send(port: number, bytes: Buffer, { halfClose }: { halfClose: boolean }): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  let state: "open" | "hung" | "reset" | "streaming" = "open";
  const patience = setTimeout(() => {
    state = "hung";
    socket.destroy();
  }, PATIENCE_MS);
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (state !== "open" || !isStream(chunks[0])) return;
    state = "streaming";
    setTimeout(() => socket.destroy(), LISTEN_MS);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET" || error.code === "EPIPE") state = "reset";
    else throw error;
  });
  socket.once("close", () => {
    clearTimeout(patience);
    resolve({ text: Buffer.concat(chunks).toString("latin1"), hung: state === "hung", reset: state === "reset" });
  });
  if (halfClose) socket.end(bytes);
  else socket.write(bytes);
  return promise;
}

function isStream(head: Buffer | undefined): boolean {
  return head?.includes("content-type: text/event-stream") ?? false;
}
