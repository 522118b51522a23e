/**
 * One-dimensional arrays in PostgreSQL's binary form: half the work of text arrays, on both sides. node-postgres sends
 * Buffers as binary parameters; the server reads them as the type that the statement gives the parameter.
 */
interface ElementType<T> {
  readonly oid: number;
  /** Bytes of an element. */
  length(item: T): number;
  write(item: T, into: Buffer, at: number): void;
}

function fixed<T>(oid: number, length: number, write: ElementType<T>["write"]): ElementType<T> {
  return { oid, length: () => length, write };
}

/** Without BigInt, which is many times slower: our numbers are safe integers from 0. */
function writeInt8(value: number, into: Buffer, at: number): void {
  into.writeInt32BE(Math.floor(value / 2 ** 32), at);
  into.writeUInt32BE(value >>> 0, at + 4);
}

const EPOCH_2000_MS = Date.UTC(2000, 0, 1);

export const BOOL = fixed<boolean>(16, 1, (value, into, at) => into.writeUInt8(value ? 1 : 0, at));
export const INT4 = fixed<number>(23, 4, (value, into, at) => into.writeInt32BE(value, at));
export const INT8 = fixed<number>(20, 8, writeInt8);
export const UUID = fixed<string>(2950, 16, (uuid, into, at) => into.write(uuid.replaceAll("-", ""), at, 16, "hex"));
export const TIMESTAMPTZ = fixed<Date>(1184, 8, (time, into, at) =>
  writeInt8((time.getTime() - EPOCH_2000_MS) * 1_000, into, at),
);
export const BYTEA: ElementType<Buffer> = {
  oid: 17,
  length: (bytes) => bytes.length,
  write: (bytes, into, at) => bytes.copy(into, at),
};
export const TEXT: ElementType<string> = {
  oid: 25,
  length: (text) => Buffer.byteLength(text),
  write: (text, into, at) => into.write(text, at),
};

const HEADER_LENGTH = 20;

/** `undefined` becomes NULL. */
export function binaryArray<T>(type: ElementType<T>, items: readonly (T | undefined)[]): Buffer {
  let size = HEADER_LENGTH;
  for (const item of items) size += 4 + (item === undefined ? 0 : type.length(item));
  const array = Buffer.allocUnsafe(size);
  array.writeInt32BE(1, 0); // dimensions
  array.writeInt32BE(1, 4); // may hold nulls
  array.writeUInt32BE(type.oid, 8);
  array.writeInt32BE(items.length, 12);
  array.writeInt32BE(1, 16); // first index
  let at = HEADER_LENGTH;
  for (const item of items) {
    const length = item === undefined ? -1 : type.length(item);
    array.writeInt32BE(length, at);
    at += 4;
    if (item === undefined) continue;
    type.write(item, array, at);
    at += length;
  }
  return array;
}
