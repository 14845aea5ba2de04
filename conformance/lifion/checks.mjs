// lifion-kinesis against minikin: it shares a stream's shards among consumers by leases in DynamoDB,
// for which dynalite stands in here. conformance/run sets the variables.

import assert from "node:assert/strict";
import dns from "node:dns";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import AWS from "aws-sdk";
import dynalite from "dynalite";
import EventStream from "lifion-aws-event-stream";
import Kinesis from "lifion-kinesis";

const { ENDPOINT: endpoint, AWS_REGION: region } = process.env;
// A check that hangs must not hang the others.
const CHECK_SECONDS = 90;
const KEYS = 20;
const ROUNDS = 10;

const { Parser, parse } = EventStream;
const kinesis = new AWS.Kinesis({ endpoint, region });
const dynamoDb = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });

// For a subscription, the client takes only the port from its endpoint, and connects to the host
// name of the service. Users map this name to the emulator, as this lookup does.
const { lookup } = dns;
dns.lookup = (host, ...rest) =>
  lookup(host === `kinesis.${region}.amazonaws.com` ? "127.0.0.1" : host, ...rest);

// The client's parser takes one message of each chunk of an event stream and leaves the rest in its
// buffer. This breaks the subscription when two messages arrive together, as they do if records are
// waiting at its start. Replace the parser, so that the code behind it can be checked.
Parser.prototype._transform = function (chunk, _, callback) {
  let rest = Buffer.concat([this.dataBuffer, chunk]);
  while (rest.length >= 4 && rest.length >= rest.readUInt32BE()) {
    const length = rest.readUInt32BE();
    this.push(parse(rest.subarray(0, length)));
    rest = rest.subarray(length);
  }
  this.dataBuffer = rest;
  callback();
};

// The client knows only one parent of a merged shard and promises no order there: no check merges.
const checks = {
  "polls every record once and in order, through a split": () => consumes("polled", {}),
  "is pushed every record once and in order, through a split": () =>
    consumes("pushed", { useEnhancedFanOut: true }),
};

async function consumes(streamName, mode) {
  const client = new Kinesis({
    endpoint,
    region,
    streamName,
    shardCount: 2,
    consumerGroup: streamName,
    dynamoDb: { endpoint: `http://127.0.0.1:${dynamoDb.address().port}`, region, tableName: streamName },
    initialPositionInStream: "TRIM_HORIZON",
    // The interval at which the client looks for shards to take; the default is 20 s.
    leaseAcquisitionInterval: 500,
    leaseAcquisitionRecoveryInterval: 500,
    maxEnhancedConsumers: 2,
    ...mode,
  });
  const numbers = new Map();
  const shards = new Set();
  let count = 0;
  let failure;
  client.on("error", (error) => (failure ??= error));
  client.on("data", ({ records, shardId }) => {
    shards.add(shardId);
    for (const { data, partitionKey } of records) {
      numbers.set(partitionKey, [...(numbers.get(partitionKey) ?? []), data.number]);
      count++;
    }
  });
  // The client creates the stream. It is not stopped: stopConsumer fails after the end of a shard.
  await client.startConsumer();
  let round = 0;
  const writeAndRead = async () => {
    for (const last = round + ROUNDS; round < last; round++) await write(client, round);
    for (; count < round * KEYS; await sleep(50)) if (failure) throw failure;
  };
  await writeAndRead();
  const ShardToSplit = "shardId-000000000000";
  const NewStartingHashKey = (2n ** 126n).toString();
  await kinesis.splitShard({ StreamName: streamName, ShardToSplit, NewStartingHashKey }).promise();
  await writeAndRead();
  assert.equal(numbers.size, KEYS);
  const expected = Array.from({ length: round }, (_, number) => number);
  for (const [key, actual] of numbers) assert.deepEqual(actual, expected, `records of ${key}`);
  assert.equal(shards.size, 4, `read from ${[...shards].sort()}`);
}

/** Puts one record for each key. */
async function write(client, number) {
  const keys = Array.from({ length: KEYS }, (_, key) => `key-${key}`);
  const records = keys.map((partitionKey) => ({ partitionKey, data: { number } }));
  const answer = await client.putRecords({ records });
  assert(answer.records.every((record) => record.sequenceNumber), "a record was throttled");
}

dynamoDb.listen(0, "127.0.0.1");
await once(dynamoDb, "listening");
let status = 0;
for (const [name, check] of Object.entries(checks)) {
  const late = async () => {
    await sleep(CHECK_SECONDS * 1000);
    throw new Error(`not over after ${CHECK_SECONDS} s`);
  };
  try {
    await Promise.race([check(), late()]);
    console.log(`ok lifion: ${name}`);
  } catch (error) {
    status = 1;
    console.log(`FAILED lifion: ${name}: ${`${error.name}: ${error.message}`.replace(/\s+/g, " ")}`);
  }
}
// The client's timers and dynalite would keep the process alive.
process.exit(status);
