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
import { subscriptionChecks } from "./subscriptions.mjs";

function connect({ endpoint, region = "us-east-1", defaultRetries }) {
  // No retries: an error that the SDK hides would be an error that nobody sees.
  return new Kinesis({ endpoint, region, ...(defaultRetries ? {} : { maxAttempts: 1 }) });
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

  ...subscriptionChecks(connect),

  ...checksOf({
    connect,
    untilExists: (client, StreamName) => waitUntilStreamExists(waiting(client), { StreamName }),
    hasLargeRecords: true,
    retriesOf: (answer) => answer.$metadata.attempts - 1,
    untilGone: (client, StreamName) => waitUntilStreamNotExists(waiting(client), { StreamName }),
  }),
});
