// @aws-sdk/client-kinesis against minikin. It speaks nothing but HTTP/2: without TLS by prior
// knowledge, with TLS by ALPN. conformance/run sets the variables.

import {
  Kinesis,
  paginateListStreams,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from "@aws-sdk/client-kinesis";
import { SmithyRpcV2CborProtocol } from "@smithy/core/cbor";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { checksOf } from "./checks.mjs";
import { run } from "./runner.mjs";
import { subscriptionChecks } from "./subscriptions.mjs";

function connect({ endpoint, region = "us-east-1", defaultRetries }) {
  // No retries: they would hide errors of the server.
  return new Kinesis({ endpoint, region, ...(defaultRetries ? {} : { maxAttempts: 1 }) });
}

/** A client that speaks Smithy RPC v2 CBOR, which the SDK lets its users choose. */
function connectByRpcV2() {
  const protocol = new SmithyRpcV2CborProtocol({ defaultNamespace: "com.amazonaws.kinesis" });
  return new Kinesis({ endpoint: process.env.ENDPOINT, region: "us-east-1", maxAttempts: 1, protocol });
}

const waiting = (client) => ({ client, maxWaitTime: 30 });

await run("node-v3", {
  "speaks HTTP/2": async () => {
    const client = connect({ endpoint: process.env.ENDPOINT });
    assert.equal(client.config.requestHandler.metadata.handlerProtocol, "h2");
    await client.listStreams({});
  },

  "pages with the SDK's paginator": async () => {
    const client = connect({ endpoint: process.env.ENDPOINT, region: "eu-south-1" });
    const names = ["page-0", "page-1", "page-2"];
    for (const name of names) await client.createStream({ StreamName: name, ShardCount: 1 });
    const found = [];
    for await (const page of paginateListStreams({ client, pageSize: 1 }, {})) {
      found.push(page.StreamNames);
    }
    assert.deepEqual(found, names.map((name) => [name]));
  },

  "speaks Smithy RPC v2 CBOR": async () => {
    const client = connectByRpcV2();
    const StreamName = `stream-${randomUUID().slice(0, 12)}`;
    const before = Date.now();
    await client.createStream({ StreamName, ShardCount: 1 });
    await waitUntilStreamExists(waiting(client), { StreamName });
    const Data = Buffer.from([0, 1, 254, 255]);
    const { ShardId } = await client.putRecord({ StreamName, PartitionKey: "key", Data });
    const Records = [{ PartitionKey: "a", Data }, { PartitionKey: "b", Data }];
    const { FailedRecordCount } = await client.putRecords({ StreamName, Records });
    assert.equal(FailedRecordCount, 0);
    const position = { ShardId, ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(before) };
    const { ShardIterator } = await client.getShardIterator({ StreamName, ...position });
    const read = await client.getRecords({ ShardIterator });
    assert.deepEqual(read.Records.map((record) => record.PartitionKey), ["key", "a", "b"]);
    for (const record of read.Records) {
      assert.deepEqual(Buffer.from(record.Data), Data);
      const arrived = record.ApproximateArrivalTimestamp.getTime();
      assert.ok(before - 1 <= arrived && arrived <= Date.now(), `${arrived} is not now`);
    }
    await client.describeLimits({});
    await assert.rejects(client.describeStream({ StreamName: "absent" }), (error) => {
      assert.equal(error.name, "ResourceNotFoundException");
      assert.match(error.message, /^Stream absent under account/);
      return true;
    });
  },

  "is pushed records by Smithy RPC v2 CBOR": async () => {
    const client = connectByRpcV2();
    const StreamName = `stream-${randomUUID().slice(0, 12)}`;
    await client.createStream({ StreamName, ShardCount: 1 });
    await waitUntilStreamExists(waiting(client), { StreamName });
    await client.putRecord({ StreamName, PartitionKey: "key", Data: Buffer.from("one") });
    const { StreamDescriptionSummary } = await client.describeStreamSummary({ StreamName });
    const { Consumer } = await client.registerStreamConsumer({
      StreamARN: StreamDescriptionSummary.StreamARN,
      ConsumerName: "reader",
    });
    const { EventStream } = await client.subscribeToShard({
      ConsumerARN: Consumer.ConsumerARN,
      ShardId: "shardId-000000000000",
      StartingPosition: { Type: "TRIM_HORIZON" },
    });
    for await (const { SubscribeToShardEvent } of EventStream) {
      if (SubscribeToShardEvent.Records.length === 0) continue;
      const [record] = SubscribeToShardEvent.Records;
      assert.equal(Buffer.from(record.Data).toString(), "one");
      assert.ok(record.ApproximateArrivalTimestamp instanceof Date);
      break;
    }
  },

  ...subscriptionChecks(connect),

  ...checksOf({
    connect,
    untilExists: (client, StreamName) => waitUntilStreamExists(waiting(client), { StreamName }),
    hasLargeRecords: true,
    retriesOf: (answer) => answer.$metadata.attempts - 1,
    untilGone: (client, StreamName) => waitUntilStreamNotExists(waiting(client), { StreamName }),
  }),
});
