"""Checks of enhanced fan-out with boto3, which reads it over HTTP/1.1."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from botocore.config import Config
from botocore.exceptions import EventStreamError

from clients import VIRTUAL_ENDPOINT, advance_clock, connect, create_stream, kinesis, refused
from runner import check, equal, until

# Every round puts one record for each key, so that no two records of a key are in one batch: of a
# batch that is throttled in part, any record may be in before any other.
KEYS = 250
ROUNDS = 400 if os.environ.get("LONG") == "true" else 20
# The data of the last record of an open shard.
THE_END = b"the end"

TRIM_HORIZON = {"Type": "TRIM_HORIZON"}
LATEST = {"Type": "LATEST"}


def register_consumer(name, client=kinesis):
    """A consumer of the stream; its ARN."""
    arn = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="reader")
    return consumer["Consumer"]["ConsumerARN"]


def subscribe(consumer, position, shard_id="shardId-000000000000", client=kinesis):
    subscription = client.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=shard_id, StartingPosition=position
    )
    return subscription["EventStream"]


def events(stream):
    """The events of a subscription, which ends when no more of them are asked for."""
    try:
        for event in stream:
            yield event["SubscribeToShardEvent"]
    finally:
        stream.close()


def open_shards(name):
    """In the order of their hash keys."""
    shards = kinesis.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    return sorted(shards, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def put_all(name, waiting):
    """Puts a batch, and again what was throttled."""

    def all_are_in():
        nonlocal waiting
        put = kinesis.put_records(StreamName=name, Records=waiting)
        pairs = zip(waiting, put["Records"])
        waiting = [entry for entry, result in pairs if "ErrorCode" in result]
        return not waiting

    until(all_are_in)


def split(name, shard):
    keys = shard["HashKeyRange"]
    middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
    kinesis.split_shard(
        StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
    )


def merge(name, lower, upper):
    kinesis.merge_shards(
        StreamName=name, ShardToMerge=lower["ShardId"], AdjacentShardToMerge=upper["ShardId"]
    )


def scale(name, count):
    kinesis.update_shard_count(
        StreamName=name, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
    )


# The changes of the shards, by the tenths of the writer's work after which they happen.
RESHARDS = {
    2: lambda name, shards: split(name, shards[0]),
    3: lambda name, shards: split(name, shards[-1]),
    4: lambda name, shards: merge(name, shards[1], shards[2]),
    5: lambda name, shards: scale(name, len(shards) + 2),
    7: lambda name, shards: merge(name, shards[0], shards[1]),
    8: lambda name, shards: scale(name, 4),
}


class Family:
    """A stream's shards as one consumer reads them: each once, and not before its parents."""

    def __init__(self, consumer):
        self.consumer = consumer
        # A connection for each subscription.
        strict = Config(retries={"total_max_attempts": 1}, max_pool_connections=100)
        self.client = connect(config=strict)
        self.lock = threading.Lock()
        self.readers = ThreadPoolExecutor(max_workers=100)
        self.reading = []
        self.parents = {}
        self.ended = set()
        # The number that a key's next record must have.
        self.next = {}

    def read(self, shard_id):
        """Follows a shard in the background."""
        self.reading.append(self.readers.submit(self.follow, shard_id))

    def follow(self, shard_id):
        at_end = False
        for event in events(subscribe(self.consumer, TRIM_HORIZON, shard_id, self.client)):
            for record in event["Records"]:
                assert not at_end, f"{shard_id} goes on after its end"
                at_end = record["Data"] == THE_END
                if not at_end:
                    self.received(shard_id, record["PartitionKey"], int(record["Data"]))
            equal("ContinuationSequenceNumber" in event, "ChildShards" not in event)
            if "ChildShards" in event:
                self.closed(shard_id, event["ChildShards"])
                at_end = True
            if at_end:
                break
        assert at_end, f"the subscription to {shard_id} ended before the shard did"

    def received(self, shard_id, key, number):
        with self.lock:
            expected = self.next.get(key, 0)
            assert number == expected, f"{key} goes on in {shard_id} with {number}, not {expected}"
            self.next[key] = number + 1

    def closed(self, shard_id, children):
        """Starts those children whose parents have all ended."""
        with self.lock:
            self.ended.add(shard_id)
            for child in children:
                assert shard_id in child["ParentShards"], f"{child} is no child of {shard_id}"
                self.parents[child["ShardId"]] = child["ParentShards"]
            for child in [*self.parents]:
                if self.ended.issuperset(self.parents[child]):
                    del self.parents[child]
                    self.read(child)

    def finish(self):
        """Returns once every shard is read to its end."""
        # The list grows while it is read.
        for reading in self.reading:
            reading.result(timeout=60)
        self.readers.shutdown()


@check
def fan_out_follows_reshards():
    name = create_stream(shards=4)
    family = Family(register_consumer(name))
    for shard in open_shards(name):
        family.read(shard["ShardId"])

    def write():
        for number in range(ROUNDS):
            data = str(number).encode()
            put_all(name, [{"PartitionKey": f"key-{key}", "Data": data} for key in range(KEYS)])
            written.release()

    written = threading.Semaphore(0)
    writer = ThreadPoolExecutor().submit(write)
    for number in range(ROUNDS):
        while not written.acquire(timeout=1):
            assert not writer.done(), writer.exception()
        tenth, rest = divmod(number * 10, ROUNDS)
        if rest == 0 and tenth in RESHARDS:
            RESHARDS[tenth](name, open_shards(name))
            kinesis.get_waiter("stream_exists").wait(StreamName=name)
    writer.result()
    for shard in open_shards(name):
        first = shard["HashKeyRange"]["StartingHashKey"]
        put_all(name, [{"PartitionKey": "end", "ExplicitHashKey": first, "Data": THE_END}])
    family.finish()
    equal(family.next, {f"key-{key}": ROUNDS for key in range(KEYS)})
    kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)


fan_out_follows_reshards.__doc__ = (
    f"is pushed {KEYS * ROUNDS} records once and in order while their stream is written and resharded"
)


@check
def subscriptions_are_renewed():
    """subscribes again after the five minutes, and loses and repeats nothing"""
    client = connect(VIRTUAL_ENDPOINT)
    name = create_stream(shards=1, client=client)
    consumer = register_consumer(name, client)
    client.put_record(StreamName=name, PartitionKey="key", Data=b"first")
    data = []
    for event in events(subscribe(consumer, TRIM_HORIZON, client=client)):
        if event["Records"]:
            advance_clock(timedelta(minutes=5) // timedelta(milliseconds=1))
        data += [record["Data"] for record in event["Records"]]
        last = event["ContinuationSequenceNumber"]
    client.put_record(StreamName=name, PartitionKey="key", Data=b"second")
    position = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}
    for event in events(subscribe(consumer, position, client=client)):
        data += [record["Data"] for record in event["Records"]]
        if event["Records"]:
            break
    equal(data, [b"first", b"second"])


@check
def subscriptions_are_not_doubled():
    """meets ResourceInUseException as it subscribes again within five seconds"""
    name = create_stream(shards=1)
    consumer = register_consumer(name)
    stream = subscribe(consumer, LATEST)
    refused(
        "ResourceInUseException",
        "Another active subscription exists for this consumer: "
        f"000000000000:{name}:shardId-000000000000:reader",
        subscribe, consumer=consumer, position=LATEST,
    )
    stream.close()


@check
def subscriptions_are_taken_over():
    """takes a subscription over after five seconds, which the old one meets as an error"""
    client = connect(VIRTUAL_ENDPOINT)
    name = create_stream(shards=1, client=client)
    consumer = register_consumer(name, client)
    old = subscribe(consumer, LATEST, client=client)
    advance_clock(5000)
    new = subscribe(consumer, LATEST, client=client)
    try:
        for _ in events(old):
            pass
    except EventStreamError as error:
        equal(error.response["Error"]["Code"], "ResourceInUseException")
    else:
        raise AssertionError("the old subscription just ends")
    client.put_record(StreamName=name, PartitionKey="key", Data=b"data")
    for event in events(new):
        if event["Records"]:
            equal([record["Data"] for record in event["Records"]], [b"data"])
            break
