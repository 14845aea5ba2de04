// A test of Node's own runner that starts minikin.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, PutRecordCommand } from "@aws-sdk/client-kinesis";

let minikin;
let kinesis;

before(async () => {
  minikin = spawn(process.env.MINIKIN ?? "minikin", ["--port", "0", "--stream", "orders:2"], { stdio: ["ignore", "pipe", "inherit"] });
  let address;
  for await (const line of createInterface({ input: minikin.stdout })) {
    // "Listening on 127.0.0.1:41234", perhaps more addresses, and "Ready." at the end.
    address ??= line.split(" ").at(-1);
    if (line === "Ready.") break;
  }
  kinesis = new KinesisClient({
    endpoint: `http://${address}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
});

after(() => {
  kinesis.destroy();
  minikin.kill();
});

test("an order is put", async () => {
  const order = { StreamName: "orders", PartitionKey: "customer-7", Data: Buffer.from('{"total":3}') };
  const { ShardId } = await kinesis.send(new PutRecordCommand(order));
  const start = { StreamName: "orders", ShardId, ShardIteratorType: "TRIM_HORIZON" };
  const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(start));
  const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  assert.deepEqual(Records.map((record) => Buffer.from(record.Data).toString()), ['{"total":3}']);
});
