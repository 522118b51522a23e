import pg from "pg";

/**
 * A client whose lost connection does not end the process. Whoever uses it learns of the loss by the statement at work, or
 * by the next one. As an event without a listener it would be an uncaught exception, and pools have moments without one:
 * between taking off their own and the turn in which who waited for the client runs. A dying server's last word can come
 * in the same chunk of bytes as the answer before it, which is in such a moment.
 */
export class QuietClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on("error", () => {});
  }
}
