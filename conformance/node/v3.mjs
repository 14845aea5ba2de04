// @aws-sdk/client-kinesis against minikin. It speaks nothing but HTTP/2: without TLS by prior
// knowledge, with TLS by ALPN. conformance/run sets the variables.

import {
  Kinesis,
  paginateListStreams,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from "@aws-sdk/client-kinesis";
import assert from "node:assert/strict";
import { checksOf } from "./checks.mjs";
import { run } from "./runner.mjs";

function connect({ endpoint, region = "us-east-1" }) {
  // No retries: an error that the SDK hides would be an error that nobody sees.
  return new Kinesis({ endpoint, region, maxAttempts: 1 });
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

  "is pushed records, through a split to the shard's end, over HTTP/2": async () => {
    const client = connect({ endpoint: process.env.ENDPOINT });
    const StreamName = "pushed";
    await client.createStream({ StreamName, ShardCount: 1 });
    await waitUntilStreamExists(waiting(client), { StreamName });
    const summary = await client.describeStreamSummary({ StreamName });
    const { StreamARN } = summary.StreamDescriptionSummary;
    const ConsumerName = "reader";
    const { Consumer } = await client.registerStreamConsumer({ StreamARN, ConsumerName });
    const ShardId = "shardId-000000000000";
    const { EventStream } = await client.subscribeToShard({
      ConsumerARN: Consumer.ConsumerARN,
      ShardId,
      StartingPosition: { Type: "TRIM_HORIZON" },
    });
    const expected = [];
    for (let number = 0; number < 50; number++) {
      expected.push(`record ${number}`);
      const Data = Buffer.from(expected[number]);
      await client.putRecord({ StreamName, Data, PartitionKey: "key" });
    }
    const NewStartingHashKey = (2n ** 127n).toString();
    await client.splitShard({ StreamName, ShardToSplit: ShardId, NewStartingHashKey });
    const data = [];
    let children;
    for await (const { SubscribeToShardEvent: event } of EventStream) {
      for (const record of event.Records) data.push(Buffer.from(record.Data).toString());
      children = event.ChildShards ?? children;
    }
    assert.deepEqual(data, expected);
    assert.deepEqual(children.map((child) => child.ParentShards), [[ShardId], [ShardId]]);
    await client.deleteStream({ StreamName, EnforceConsumerDeletion: true });
  },

  ...checksOf({
    connect,
    untilExists: (client, StreamName) => waitUntilStreamExists(waiting(client), { StreamName }),
    untilGone: (client, StreamName) => waitUntilStreamNotExists(waiting(client), { StreamName }),
  }),
});
