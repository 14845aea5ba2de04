// Checks of enhanced fan-out with version 3 of the SDK; version 2 has no event streams.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { Family } from "./family.mjs";
import { advanceClock, refused, until } from "./runner.mjs";

const { ENDPOINT, TLS_ENDPOINT, VIRTUAL_ENDPOINT, LONG } = process.env;

// Every round puts one record for each key, so that no two records of a key are in one batch: of a
// batch that is throttled in part, any record may be in before any other.
const KEYS = 250;
const ROUNDS = LONG === "true" ? 400 : 20;

const SHARD = "shardId-000000000000";
const LATEST = { Type: "LATEST" };

export function subscriptionChecks(connect) {
  const many = `${KEYS * ROUNDS} records once and in order while their stream is written and resharded`;
  return {
    [`is pushed ${many}, over HTTP/2`]: () => fanOut(connect({ endpoint: ENDPOINT })),
    [`is pushed ${many}, over HTTP/2 and TLS`]: () => fanOut(connect({ endpoint: TLS_ENDPOINT })),
    "subscribes again after the five minutes, and loses and repeats nothing": () =>
      renewed(connect({ endpoint: VIRTUAL_ENDPOINT })),
    "meets ResourceInUseException as it subscribes again within five seconds": () =>
      notDoubled(connect({ endpoint: ENDPOINT })),
    "takes a subscription over after five seconds, which the old one meets as ResourceInUseException": () =>
      takenOver(connect({ endpoint: VIRTUAL_ENDPOINT })),
  };
}

const untilActive = (client, StreamName) =>
  waitUntilStreamExists({ client, maxWaitTime: 30 }, { StreamName });

/** A new stream and the ARN of a consumer of it. */
async function streamWithConsumer(client, ShardCount) {
  const StreamName = `stream-${randomUUID().slice(0, 12)}`;
  await client.createStream({ StreamName, ShardCount });
  await untilActive(client, StreamName);
  const { StreamDescriptionSummary } = await client.describeStreamSummary({ StreamName });
  const { StreamARN } = StreamDescriptionSummary;
  const { Consumer } = await client.registerStreamConsumer({ StreamARN, ConsumerName: "reader" });
  return [StreamName, Consumer.ConsumerARN];
}

async function subscribe(client, ConsumerARN, StartingPosition) {
  const input = { ConsumerARN, ShardId: SHARD, StartingPosition };
  return (await client.subscribeToShard(input)).EventStream;
}

const put = (client, StreamName, data) =>
  client.putRecord({ StreamName, PartitionKey: "key", Data: Buffer.from(data) });

const dataOf = (event) => event.Records.map((record) => Buffer.from(record.Data).toString());

async function fanOut(client) {
  const [name, consumer] = await streamWithConsumer(client, 4);
  const family = new Family(client, consumer);
  for (const shard of await openShards(client, name)) family.read(shard.ShardId);
  let written = 0;
  await Promise.all([
    (async () => {
      for (; written < ROUNDS; written++) await putAll(client, name, roundOf(written));
    })(),
    (async () => {
      for (const [tenths, reshard] of RESHARDS) {
        await until(() => written * 10 >= tenths * ROUNDS, 120);
        await reshard(client, name, await openShards(client, name));
        await untilActive(client, name);
      }
    })(),
  ]);
  for (const { HashKeyRange } of await openShards(client, name)) {
    const ExplicitHashKey = HashKeyRange.StartingHashKey;
    await putAll(client, name, [{ PartitionKey: "end", ExplicitHashKey, Data: Family.END }]);
  }
  await family.finished();
  assert.equal(family.next.size, KEYS);
  for (const [key, next] of family.next) assert.equal(next, ROUNDS, `records of ${key}`);
  await client.deleteStream({ StreamName: name, EnforceConsumerDeletion: true });
}

/** The entries that put one record for each key. */
function roundOf(number) {
  const Data = Buffer.from(`${number}`);
  return Array.from({ length: KEYS }, (_, key) => ({ PartitionKey: `key-${key}`, Data }));
}

/** Puts a batch, and again what was throttled. */
async function putAll(client, StreamName, waiting) {
  await until(async () => {
    const { Records } = await client.putRecords({ StreamName, Records: waiting });
    waiting = waiting.filter((_, index) => Records[index].ErrorCode !== undefined);
    return waiting.length === 0;
  });
}

/** The open shards, in the order of their hash keys. */
async function openShards(client, StreamName) {
  const { Shards } = await client.listShards({ StreamName, ShardFilter: { Type: "AT_LATEST" } });
  const start = (shard) => BigInt(shard.HashKeyRange.StartingHashKey);
  return Shards.sort((one, other) => (start(one) < start(other) ? -1 : 1));
}

function split(client, StreamName, { ShardId, HashKeyRange }) {
  const [start, end] = [HashKeyRange.StartingHashKey, HashKeyRange.EndingHashKey].map(BigInt);
  const NewStartingHashKey = ((start + end) / 2n).toString();
  return client.splitShard({ StreamName, ShardToSplit: ShardId, NewStartingHashKey });
}

function merge(client, StreamName, lower, upper) {
  const shards = { ShardToMerge: lower.ShardId, AdjacentShardToMerge: upper.ShardId };
  return client.mergeShards({ StreamName, ...shards });
}

function scale(client, StreamName, TargetShardCount) {
  return client.updateShardCount({ StreamName, TargetShardCount, ScalingType: "UNIFORM_SCALING" });
}

/** The changes of the shards, by the tenths of the writer's work after which they happen. */
const RESHARDS = [
  [2, (client, name, shards) => split(client, name, shards[0])],
  [3, (client, name, shards) => split(client, name, shards.at(-1))],
  [4, (client, name, shards) => merge(client, name, shards[1], shards[2])],
  [5, (client, name, shards) => scale(client, name, shards.length + 2)],
  [7, (client, name, shards) => merge(client, name, shards[0], shards[1])],
  [8, (client, name) => scale(client, name, 4)],
];

async function renewed(client) {
  const [name, consumer] = await streamWithConsumer(client, 1);
  await put(client, name, "first");
  const data = [];
  let last;
  for await (const { SubscribeToShardEvent: event } of await subscribe(client, consumer, { Type: "TRIM_HORIZON" })) {
    if (event.Records.length > 0) await advanceClock(5 * 60_000);
    data.push(...dataOf(event));
    last = event.ContinuationSequenceNumber;
  }
  await put(client, name, "second");
  const after = { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last };
  for await (const { SubscribeToShardEvent: event } of await subscribe(client, consumer, after)) {
    data.push(...dataOf(event));
    if (event.Records.length > 0) break;
  }
  assert.deepEqual(data, ["first", "second"]);
}

const taken = (name) =>
  `Another active subscription exists for this consumer: 000000000000:${name}:${SHARD}:reader`;

async function notDoubled(client) {
  const [name, consumer] = await streamWithConsumer(client, 1);
  await subscribe(client, consumer, LATEST);
  await refused("ResourceInUseException", taken(name), () => subscribe(client, consumer, LATEST));
  // Ends the first.
  client.destroy();
}

async function takenOver(client) {
  const [name, consumer] = await streamWithConsumer(client, 1);
  const old = await subscribe(client, consumer, LATEST);
  await advanceClock(5000);
  const stream = await subscribe(client, consumer, LATEST);
  const drained = (async () => {
    for await (const event of old) assert.deepEqual(dataOf(event.SubscribeToShardEvent), []);
  })();
  await assert.rejects(drained, { name: "ResourceInUseException", message: taken(name) });
  await put(client, name, "data");
  for await (const { SubscribeToShardEvent: event } of stream) {
    if (event.Records.length === 0) continue;
    assert.deepEqual(dataOf(event), ["data"]);
    break;
  }
}
