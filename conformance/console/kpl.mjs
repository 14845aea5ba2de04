// Aggregated records of the Kinesis Producer Library.

import { createHash } from "node:crypto";

const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);

/** A field of a Protocol Buffers message with bytes; shorter than 128 bytes. */
const field = (number, bytes) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);

/** The aggregated record of pairs of a key and a text. */
export function aggregate(records) {
  const keys = records.map(([key]) => field(1, Buffer.from(key)));
  const entries = records.map(([, data], at) =>
    field(3, Buffer.concat([Buffer.from([1 << 3, at]), field(3, Buffer.from(data))])),
  );
  const message = Buffer.concat([...keys, ...entries]);
  const digest = createHash("md5").update(message).digest();
  return Buffer.concat([MAGIC, message, digest]);
}
