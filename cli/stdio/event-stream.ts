/**
 * The data of each message in a stream of server-sent events (WHATWG HTML, section 9.2.6): comments, ids and other types
 * of event are left out. An event that the stream breaks off in is no event.
 */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let type = "message";
  let data: string[] = [];
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // a CR at the end may be half of a CRLF: it waits for what follows
    const whole = rest.slice(0, rest.endsWith("\r") ? -1 : undefined).split(/\r\n|\n|\r/);
    const unread = whole.pop() ?? "";
    rest = rest.endsWith("\r") ? `${unread}\r` : unread;
    for (const line of whole) {
      if (line === "") {
        if (data.length > 0 && type === "message") yield data.join("\n");
        type = "message";
        data = [];
        continue;
      }
      const [, field = line, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === "data") data.push(value);
      else if (field === "event") type = value;
    }
  }
}
