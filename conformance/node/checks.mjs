// Checks of the operations that users of both JavaScript SDKs call, and of the errors they handle.
//
// Both SDKs have the same methods, inputs and outputs here; v2.mjs and v3.mjs hold what differs.
// Each check makes what it needs, so that it can be read alone.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { advanceClock, refused, until } from "./runner.mjs";

const { ENDPOINT, TLS_ENDPOINT, VIRTUAL_ENDPOINT } = process.env;
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, index) => index);
// Two, three and four bytes of UTF-8, a right-to-left script, and what JSON escapes.
const UNICODE_KEYS = ["ключ", "鍵", "🔑", "مفتاح", 'a "key"\\\n', "\u2028"];

const text = (data) => Buffer.from(data).toString();
const range = (count) => Array.from({ length: count }, (_, index) => index);

/**
 * The checks of an SDK. `connect({ endpoint, region, defaultRetries })` makes a client of it,
 * `untilExists` and `untilGone` are its waiters, called with a client and a stream's name, and
 * `retriesOf` says how often a call was retried, from its answer. `hasLargeRecords` says whether
 * the SDK knows UpdateMaxRecordSize.
 */
export function checksOf({ connect, untilExists, untilGone, retriesOf, hasLargeRecords }) {
  const kinesis = connect({ endpoint: ENDPOINT });

  /** A new stream that is ACTIVE; its name. */
  async function createStream(shards = 2, client = kinesis) {
    const name = `stream-${randomUUID().slice(0, 12)}`;
    await client.createStream({ StreamName: name, ShardCount: shards });
    await untilExists(client, name);
    return name;
  }

  async function shardIds(name) {
    const { Shards } = await kinesis.listShards({ StreamName: name });
    return Shards.map((shard) => shard.ShardId);
  }

  async function arnOf(name) {
    const { StreamDescriptionSummary } = await kinesis.describeStreamSummary({ StreamName: name });
    return StreamDescriptionSummary.StreamARN;
  }

  async function iteratorOf(name, shardId, type = "TRIM_HORIZON", position = {}, client = kinesis) {
    const input = { StreamName: name, ShardId: shardId, ShardIteratorType: type, ...position };
    return (await client.getShardIterator(input)).ShardIterator;
  }

  /** Reads a shard from a position to its tip, or to its end if it is closed, page by page. */
  async function read(name, shardId, type, position) {
    let iterator = await iteratorOf(name, shardId, type, position);
    const records = [];
    for (;;) {
      const page = await kinesis.getRecords({ ShardIterator: iterator });
      records.push(...page.Records);
      if (page.MillisBehindLatest === 0 || !page.NextShardIterator) return records;
      iterator = page.NextShardIterator;
    }
  }

  return {
    "creates a stream and waits until it is ACTIVE": async () => {
      const name = await createStream(2);
      const { StreamDescription: stream } = await kinesis.describeStream({ StreamName: name });
      assert.equal(stream.StreamARN, `arn:aws:kinesis:us-east-1:000000000000:stream/${name}`);
      assert.equal(stream.StreamStatus, "ACTIVE");
      assert.equal(stream.RetentionPeriodHours, 24);
      assert(Math.abs(stream.StreamCreationTimestamp - Date.now()) < 10_000);
      const [first, second] = stream.Shards.map((shard) => shard.HashKeyRange);
      assert.equal(BigInt(second.StartingHashKey), BigInt(first.EndingHashKey) + 1n);
      const { StreamDescriptionSummary: summary } = await kinesis.describeStreamSummary({
        StreamName: name,
      });
      assert.equal(summary.OpenShardCount, 2);
      // With a StreamId the SDK would no longer send its requests to the endpoint it was given.
      assert.equal(summary.StreamId, undefined);
    },

    "puts one record and reads back every byte value": async () => {
      const name = await createStream();
      const put = await kinesis.putRecord({ StreamName: name, PartitionKey: "key", Data: ALL_BYTES });
      const [record] = await read(name, put.ShardId);
      assert.deepEqual(Uint8Array.from(record.Data), ALL_BYTES);
      assert.equal(record.SequenceNumber, put.SequenceNumber);
      assert.equal(record.PartitionKey, "key");
      assert.equal(record.EncryptionType, undefined);
    },

    "reads back partition keys beyond ASCII": async () => {
      const name = await createStream(1);
      const entries = UNICODE_KEYS.map((key) => ({ PartitionKey: key, Data: Buffer.from(key) }));
      await kinesis.putRecords({ StreamName: name, Records: entries });
      const [shardId] = await shardIds(name);
      const records = await read(name, shardId);
      assert.deepEqual(records.map((record) => record.PartitionKey), UNICODE_KEYS);
      assert.deepEqual(records.map((record) => text(record.Data)), UNICODE_KEYS);
    },

    "puts five hundred records and reads each shard in order": async () => {
      const name = await createStream();
      const entries = range(500).map((index) => ({
        PartitionKey: `key-${index}`,
        Data: Buffer.concat([Buffer.alloc(index % 7, index % 256), Buffer.from(`${index}`)]),
      }));
      const put = await kinesis.putRecords({ StreamName: name, Records: entries });
      assert.equal(put.FailedRecordCount, 0);
      assert.equal(put.Records.length, 500);
      for (const shardId of await shardIds(name)) {
        const indexes = range(500).filter((index) => put.Records[index].ShardId === shardId);
        assert(indexes.length > 100, `only ${indexes.length} of 500 records in ${shardId}`);
        const records = await read(name, shardId);
        assert.deepEqual(
          records.map((each) => [each.SequenceNumber, each.PartitionKey, Buffer.from(each.Data)]),
          indexes.map((index) => [
            put.Records[index].SequenceNumber,
            entries[index].PartitionKey,
            entries[index].Data,
          ]),
        );
        const numbers = records.map((record) => BigInt(record.SequenceNumber));
        assert(numbers.every((number, index) => index === 0 || number > numbers[index - 1]));
      }
    },

    "reads from all five types of iterator": async () => {
      const name = await createStream(1);
      const [shardId] = await shardIds(name);
      const numbers = [];
      for (const data of ["0", "1", "2"]) {
        const put = await kinesis.putRecord({ StreamName: name, PartitionKey: "key", Data: Buffer.from(data) });
        numbers.push(put.SequenceNumber);
        // The next record is to be a later one by the clock, too, for AT_TIMESTAMP.
        const arrived = Date.now();
        await until(() => Date.now() > arrived + 1);
      }
      const Timestamp = (await read(name, shardId))[1].ApproximateArrivalTimestamp;
      const StartingSequenceNumber = numbers[1];
      const data = async (type, position) =>
        (await read(name, shardId, type, position)).map((record) => text(record.Data)).join("");
      assert.equal(await data("TRIM_HORIZON"), "012");
      assert.equal(await data("AT_SEQUENCE_NUMBER", { StartingSequenceNumber }), "12");
      assert.equal(await data("AFTER_SEQUENCE_NUMBER", { StartingSequenceNumber }), "2");
      assert.equal(await data("AT_TIMESTAMP", { Timestamp }), "12");
      assert.equal(await data("LATEST"), "");
      const latest = await iteratorOf(name, shardId, "LATEST");
      await kinesis.putRecord({ StreamName: name, PartitionKey: "key", Data: Buffer.from("3") });
      const { Records } = await kinesis.getRecords({ ShardIterator: latest });
      assert.deepEqual(Records.map((record) => text(record.Data)), ["3"]);
    },

    "follows NextShardIterator in small pages to the tip": async () => {
      const name = await createStream(1);
      const entries = range(25).map((index) => ({ PartitionKey: "key", Data: Buffer.from(`${index}`) }));
      await kinesis.putRecords({ StreamName: name, Records: entries });
      let iterator = await iteratorOf(name, (await shardIds(name))[0]);
      const pages = [];
      let behind;
      do {
        const page = await kinesis.getRecords({ ShardIterator: iterator, Limit: 10 });
        pages.push(page.Records.map((record) => text(record.Data)));
        iterator = page.NextShardIterator;
        behind = page.MillisBehindLatest;
      } while (pages.flat().length < 25);
      assert.deepEqual(pages.map((page) => page.length), [10, 10, 5]);
      assert.deepEqual(pages.flat(), range(25).map(String));
      assert.equal(behind, 0);
      assert.deepEqual((await kinesis.getRecords({ ShardIterator: iterator })).Records, []);
    },

    "says when records arrived, to the millisecond": async () => {
      const name = await createStream(1);
      const before = Date.now();
      for (const data of ["0", "1", "2", "3", "4"]) {
        await kinesis.putRecord({ StreamName: name, PartitionKey: "key", Data: Buffer.from(data) });
      }
      const after = Date.now();
      const records = await read(name, (await shardIds(name))[0]);
      const times = records.map((record) => record.ApproximateArrivalTimestamp.getTime());
      for (const time of times) assert(before <= time && time <= after, `${time} is not now`);
      assert(times.some((time) => time % 1000 !== 0), `whole seconds: ${times}`);
    },

    "pages through ListStreams": async () => {
      // A region of its own, so that no other check's streams are in the list.
      const client = connect({ endpoint: ENDPOINT, region: "eu-north-1" });
      const names = range(5).map((index) => `page-${index}`);
      for (const name of names) await client.createStream({ StreamName: name, ShardCount: 1 });
      const found = [];
      let page;
      do {
        page = await client.listStreams({ Limit: 2, NextToken: page?.NextToken });
        assert(page.StreamNames.length <= 2);
        found.push(...page.StreamNames);
      } while (page.HasMoreStreams);
      assert.deepEqual(found, names);
    },

    "pages through ListShards and DescribeStream": async () => {
      const name = await createStream(5);
      const expected = range(5).map((index) => `shardId-00000000000${index}`);
      const found = [];
      let page;
      do {
        const more = page ? { NextToken: page.NextToken } : { StreamName: name };
        page = await kinesis.listShards({ ...more, MaxResults: 2 });
        found.push(...page.Shards.map((shard) => shard.ShardId));
      } while (page.NextToken);
      assert.deepEqual(found, expected);
      const { StreamDescription: first } = await kinesis.describeStream({ StreamName: name, Limit: 3 });
      assert.deepEqual([first.Shards.length, first.HasMoreShards], [3, true]);
      const { StreamDescription: second } = await kinesis.describeStream({
        StreamName: name,
        Limit: 3,
        ExclusiveStartShardId: expected[2],
      });
      assert.deepEqual([second.Shards.length, second.HasMoreShards], [2, false]);
    },

    "meets ResourceNotFoundException": () =>
      refused("ResourceNotFoundException", "Stream nowhere under account 000000000000 not found.", () =>
        kinesis.describeStream({ StreamName: "nowhere" }),
      ),

    "meets ResourceInUseException": async () => {
      const name = await createStream();
      const message = `Stream ${name} under account 000000000000 already exists.`;
      await refused("ResourceInUseException", message, () =>
        kinesis.createStream({ StreamName: name, ShardCount: 1 }),
      );
    },

    "meets ValidationException with the service's text": () =>
      refused(
        "ValidationException",
        "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: " +
          "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        () => kinesis.describeStream({ StreamName: "a b" }),
      ),

    "meets InvalidArgumentException": () =>
      refused("InvalidArgumentException", "Invalid ShardIterator.", () =>
        kinesis.getRecords({ ShardIterator: "nonsense" }),
      ),

    "meets ExpiredIteratorException after five minutes": async () => {
      const client = connect({ endpoint: VIRTUAL_ENDPOINT });
      const name = await createStream(1, client);
      const iterator = await iteratorOf(name, "shardId-000000000000", "LATEST", {}, client);
      await advanceClock(299_000);
      await client.getRecords({ ShardIterator: iterator });
      await advanceClock(2_000);
      await refused("ExpiredIteratorException", /^Iterator expired\. The iterator was created at time /, () =>
        client.getRecords({ ShardIterator: iterator }),
      );
    },

    "puts the throttled entries of PutRecords again until all are in": async () => {
      const name = await createStream(1);
      let waiting = range(500).map((index) => ({ PartitionKey: `${index}`, Data: Buffer.alloc(5000) }));
      let throttled = 0;
      await until(async () => {
        const put = await kinesis.putRecords({ StreamName: name, Records: waiting });
        const failed = put.Records.filter((result) => result.ErrorCode !== undefined);
        assert.equal(put.FailedRecordCount, failed.length);
        for (const result of failed) {
          assert.equal(result.ErrorCode, "ProvisionedThroughputExceededException");
          assert.equal(
            result.ErrorMessage,
            `Rate exceeded for shard shardId-000000000000 in stream ${name} under account 000000000000.`,
          );
          assert.equal(result.SequenceNumber, undefined);
        }
        throttled += failed.length;
        waiting = waiting.filter((_, index) => put.Records[index].ErrorCode !== undefined);
        return waiting.length === 0;
      });
      assert(throttled > 0, "2.5 MB in less than a second were not throttled");
      const records = await read(name, "shardId-000000000000");
      const keys = records.map((record) => Number(record.PartitionKey)).sort((a, b) => a - b);
      assert.deepEqual(keys, range(500));
    },

    "pages through ListStreamConsumers and ListTagsForStream": async () => {
      const name = await createStream(1);
      const StreamARN = await arnOf(name);
      const expected = range(5).map((index) => `name-${index}`);
      for (const each of expected) {
        await kinesis.registerStreamConsumer({ StreamARN, ConsumerName: each });
        await kinesis.addTagsToStream({ StreamName: name, Tags: { [each]: "value" } });
      }
      const consumers = [];
      let page;
      do {
        const NextToken = page?.NextToken;
        page = await kinesis.listStreamConsumers({ StreamARN, MaxResults: 2, NextToken });
        assert(page.Consumers.length <= 2);
        consumers.push(...page.Consumers.map((consumer) => consumer.ConsumerName));
      } while (page.NextToken);
      assert.deepEqual(consumers.sort(), expected);
      const tags = [];
      do {
        const ExclusiveStartTagKey = tags.at(-1);
        page = await kinesis.listTagsForStream({ StreamName: name, Limit: 2, ExclusiveStartTagKey });
        assert(page.Tags.length <= 2);
        tags.push(...page.Tags.map((tag) => tag.Key));
      } while (page.HasMoreTags);
      assert.deepEqual(tags, expected);
    },

    "meets LimitExceededException": async () => {
      const StreamARN = await arnOf(await createStream(1));
      for (const index of range(20)) {
        await kinesis.registerStreamConsumer({ StreamARN, ConsumerName: `consumer-${index}` });
      }
      await refused("LimitExceededException", /./, () =>
        kinesis.registerStreamConsumer({ StreamARN, ConsumerName: "one-too-many" }),
      );
    },

    "retries a throttled put by itself": async () => {
      const StreamName = await createStream(1);
      const patient = connect({ endpoint: ENDPOINT, defaultRetries: true });
      const entry = { PartitionKey: "key", Data: Buffer.alloc(10_000) };
      const Records = range(105).map(() => entry);
      const isDrained = async () =>
        (await kinesis.putRecords({ StreamName, Records })).FailedRecordCount > 0;
      // The timing decides if the put succeeds at once or after a retry: repeat until a retry.
      await until(async () => {
        await until(isDrained);
        const data = { PartitionKey: "key", Data: Buffer.alloc(20_000) };
        return retriesOf(await patient.putRecord({ StreamName, ...data })) > 0;
      });
    },

    ...(hasLargeRecords && {
      "puts and reads a record of 10 MiB": async () => {
        const name = await createStream(1);
        // The key counts, too.
        const Data = Buffer.alloc(10 * 2 ** 20 - "key".length, ALL_BYTES);
        const put = () => kinesis.putRecord({ StreamName: name, PartitionKey: "key", Data });
        const message =
          "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must " +
          "have length less than or equal to 1048576";
        await refused("ValidationException", message, put);
        await kinesis.updateMaxRecordSize({ StreamARN: await arnOf(name), MaxRecordSizeInKiB: 10240 });
        await untilExists(kinesis, name);
        await put();
        const [record] = await read(name, "shardId-000000000000");
        assert(Data.equals(record.Data), "other data");
      },
    }),

    "speaks TLS that it verifies with minikin's certificate authority": async () => {
      // conformance/run names the authority in NODE_EXTRA_CA_CERTS.
      const name = await createStream(1, connect({ endpoint: TLS_ENDPOINT }));
      await kinesis.describeStreamSummary({ StreamName: name });
    },

    "deletes a stream and waits until it is gone": async () => {
      const name = await createStream();
      await kinesis.deleteStream({ StreamName: name });
      await untilGone(kinesis, name);
      const message = `Stream ${name} under account 000000000000 not found.`;
      await refused("ResourceNotFoundException", message, () =>
        kinesis.describeStream({ StreamName: name }),
      );
    },
  };
}
