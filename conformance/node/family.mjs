import assert from "node:assert/strict";

/** A stream's shards as one consumer reads them: each once, and not before its parents. */
export class Family {
  /** The data of the last record of an open shard. */
  static END = Buffer.from("the end");

  /** The number that a key's next record must have. */
  next = new Map();

  #client;
  #consumer;
  #reading = [];
  #parents = new Map();
  #ended = new Set();

  constructor(client, consumer) {
    this.#client = client;
    this.#consumer = consumer;
  }

  /** Follows a shard in the background. */
  read(shardId) {
    const following = this.#follow(shardId);
    // `finished` reports a failure. No code waits for it before.
    following.catch(() => {});
    this.#reading.push(following);
  }

  /** Resolves once every shard is read to its end. */
  async finished() {
    // The list grows while it is read.
    for (const following of this.#reading) await following;
  }

  async #follow(shardId) {
    let atEnd = false;
    const { EventStream } = await this.#client.subscribeToShard({
      ConsumerARN: this.#consumer,
      ShardId: shardId,
      StartingPosition: { Type: "TRIM_HORIZON" },
    });
    for await (const { SubscribeToShardEvent: event } of EventStream) {
      for (const record of event.Records) {
        assert(!atEnd, `${shardId} goes on after its end`);
        atEnd = Family.END.equals(record.Data);
        if (!atEnd) this.#received(shardId, record);
      }
      assert.equal(event.ContinuationSequenceNumber === undefined, event.ChildShards !== undefined);
      if (event.ChildShards !== undefined) {
        this.#closed(shardId, event.ChildShards);
        atEnd = true;
      }
      if (atEnd) break;
    }
    assert(atEnd, `the subscription to ${shardId} ended before the shard did`);
  }

  #received(shardId, { PartitionKey: key, Data }) {
    const number = Number(Buffer.from(Data).toString());
    const expected = this.next.get(key) ?? 0;
    assert.equal(number, expected, `${shardId} has record ${number} of ${key}, not ${expected}`);
    this.next.set(key, number + 1);
  }

  /** Starts those children whose parents have all ended. */
  #closed(shardId, children) {
    this.#ended.add(shardId);
    for (const child of children) {
      assert(child.ParentShards.includes(shardId), `${child.ShardId} is no child of ${shardId}`);
      this.#parents.set(child.ShardId, child.ParentShards);
    }
    for (const [child, parents] of this.#parents) {
      if (!parents.every((parent) => this.#ended.has(parent))) continue;
      this.#parents.delete(child);
      this.read(child);
    }
  }
}
