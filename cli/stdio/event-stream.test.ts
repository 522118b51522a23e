import assert from "node:assert/strict";
import { test } from "node:test";
import { eventData } from "./event-stream.ts";

async function read(text: string, size: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  return Array.fromAsync(eventData(ReadableStream.from(chunks)));
}

const cases: Record<string, [string, string[]]> = {
  "one event": ["data: a\n\n", ["a"]],
  "all line ends": ["data: a\r\n\r\ndata: b\r\rdata: c\n\n", ["a", "b", "c"]],
  "several lines of data": ["data: a\ndata:b\ndata\n\n", ["a\nb\n"]],
  "one leading space is no data": ["data:  a\n\n", [" a"]],
  "comments, ids and retries": [": keep\n\nid: 1\nretry: 5\ndata: a\n\n", ["a"]],
  "other types of event": ["event: endpoint\ndata: no\n\nevent: message\ndata: a\n\n", ["a"]],
  "an event that breaks off": ["data: a\n\ndata: b\n", ["a"]],
  "characters of several bytes": ["data: 😀\u2028ü\n\n", ["😀\u2028ü"]],
  "colons in data": ['data: {"a":"b:c"}\n\n', ['{"a":"b:c"}']],
};

for (const [name, [text, expected]] of Object.entries(cases)) {
  test(`${name}, however it is cut`, async () => {
    for (const size of [1, 2, 3, 7, 1000]) assert.deepEqual(await read(text, size), expected, `in pieces of ${size}`);
  });
}
