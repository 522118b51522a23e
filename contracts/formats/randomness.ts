import { randomFillSync } from "node:crypto";

const POOL_LENGTH = 8192;
const pool = Buffer.alloc(POOL_LENGTH);
let used = POOL_LENGTH;

/**
 * So many bytes of the system's generator, at most 256, drawn in bulk: one call to it costs as much as hundreds of bytes.
 * No byte is given out twice. For nonces and salts; what opens something is drawn by itself.
 */
export function drawRandom(length: number): Buffer {
  if (length > 256) throw new RangeError("drawRandom is for small pieces");
  if (used + length > POOL_LENGTH) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = Buffer.from(pool.subarray(used, used + length));
  pool.fill(0, used, used + length);
  used += length;
  return drawn;
}
