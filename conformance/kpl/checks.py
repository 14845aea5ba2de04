"""The Kinesis Producer Library against minikin: its native daemon speaks nothing but TLS."""

import os
import sys
import time
import uuid
from collections import Counter
from itertools import zip_longest

import boto3

import processes
from consumer import read, take_apart_with_kcl, take_apart_with_python
from producer import Producer
from runner import check, equal, main, until

WORK, NAME = sys.argv[1:]
LONG = os.environ.get("LONG") == "true"
ADDRESS = os.environ["TLS_ENDPOINT"].removeprefix("https://")
TRUSTED = {"CaCertFile": os.environ["CA_FILE"]}
# The first bytes of each aggregated record.
MAGIC = b"\xf3\x89\x9a\xc2"
LAST_HASH_KEY = 2**128 - 1

processes.bound_time(900 if LONG else 400)
kinesis = boto3.client("kinesis", endpoint_url=os.environ["ENDPOINT"])


def create_stream(shards=4, **more):
    name = f"stream-{uuid.uuid4().hex[:12]}"
    if not more:
        more = {"ShardCount": shards}
    kinesis.create_stream(StreamName=name, **more)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    return name


def open_shards(stream):
    """The open shards, in the order of their hash keys."""
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    ours = [each for each in shards if "EndingSequenceNumber" not in each["SequenceNumberRange"]]
    return sorted(ours, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def wait_for_first(producer):
    """Waits until a record is in."""
    producer.flush()
    until(producer.results)


def all_in(outcome):
    for put, result in outcome:
        assert result.ok, f"the record of {put.key} is not in: {result}"


def is_aggregated(found):
    return found.record["Data"].startswith(MAGIC)


def is_exact(outcome, user_records):
    """Checks that exactly the records that were put are found, where the results say."""
    all_in(outcome)
    put = Counter((put.key, put.data, result.shard, result.sequence) for put, result in outcome)
    found = Counter((each.key, each.data, each.shard, each.sequence) for each in user_records)
    lost, strange = put - found, found - put
    assert not lost and not strange, (
        f"{lost.total()} lost and {strange.total()} too many of {put.total()}; "
        f"the first are {list(lost)[:1]} and {list(strange)[:1]}"
    )


def is_there(outcome, user_records):
    """Checks that all records that were put are found, and twice only those that were put twice.

    The producer puts a record again if it did not go to the expected shard. The KCL drops a record
    whose hash key does not belong to the shard.
    """
    all_in(outcome)
    put = {(put.key, put.data, result.shard, result.sequence) for put, result in outcome}
    again = {(put.key, put.data) for put, result in outcome if result.errors}
    found = {(each.key, each.data, each.shard, each.sequence) for each in user_records}
    lost = put - found
    strange = {each for each in found - put if each[:2] not in again}
    assert not lost and not strange, (
        f"{len(lost)} lost and {len(strange)} too many of {len(put)}; "
        f"the first are {list(lost)[:1]} and {list(strange)[:1]}"
    )
    equal({error for _, result in outcome for error in result.errors} - {"Wrong Shard"}, set())


@check
def tls_is_verified():
    """verifies the certificate with minikin's authority"""
    stream = create_stream()
    producer = Producer(WORK, stream, ADDRESS, **TRUSTED)
    producer.put("key", b"verified")
    outcome = producer.close()
    is_exact(outcome, take_apart_with_python(read(kinesis, stream)))


@check
def strangers_are_not_trusted():
    """trusts no certificate of an authority that it was not given"""
    stream = create_stream()
    producer = Producer(WORK, stream, ADDRESS, RecordTtl=2000)
    producer.put("key", b"trusted too much")
    [(_, result)] = producer.close()
    assert not result.ok and "Expired" in result.errors, result
    equal(read(kinesis, stream), [])


@check
def verification_can_be_off():
    """puts records without verifying the certificate, and calls no other service"""
    stream = create_stream()
    producer = Producer(WORK, stream, ADDRESS, VerifyCertificate="false")
    producer.put("key", b"not verified")
    is_exact(producer.close(), take_apart_with_python(read(kinesis, stream)))
    assert "curlCode" not in open(producer.log).read(), f"see {producer.log}"


@check
def aggregates_are_taken_apart():
    """finds every user record of many in few Kinesis records, by both libraries"""
    count, size = (400_000, 200) if LONG else (20_000, 50)
    keys = [f"key-{index}" for index in range(100)]
    stream = create_stream()
    producer = Producer(WORK, stream, ADDRESS, RecordTtl=120_000, **TRUSTED)
    for number in range(count):
        producer.put(keys[number % len(keys)], b"%d %s" % (number, b"x" * (number % size)))
    outcome = producer.close(300)
    found = read(kinesis, stream)
    assert len(found) < count / 10, f"{len(found)} Kinesis records for {count} user records"
    assert any(is_aggregated(each) for each in found)
    by_python = list(take_apart_with_python(found))
    is_exact(outcome, by_python)
    by_kcl = list(take_apart_with_kcl(WORK, found))
    for one, other in zip_longest(by_kcl, by_python):
        # The hash keys are left out: where a record has none, the one for Python says another's.
        equal(one._replace(hash_key=None), other._replace(hash_key=None))
    equal({result.shard for _, result in outcome}, {each["ShardId"] for each in open_shards(stream)})


@check
def records_are_put_one_by_one():
    """puts user records that are not aggregated, from none to a mebibyte of data"""
    stream = create_stream()
    producer = Producer(WORK, stream, ADDRESS, AggregationEnabled="false", **TRUSTED)
    for index, size in enumerate([0, 1, 255, 256, 51_200, 500_000, 2**20 - 10]):
        producer.put(f"key-{index}", bytes([index]) * size)
    outcome = producer.close()
    found = read(kinesis, stream)
    equal(len(found), len(outcome))
    put = {(put.key, put.data, result.shard, result.sequence) for put, result in outcome}
    equal(
        {
            (each["PartitionKey"], each["Data"], shard["ShardId"], each["SequenceNumber"])
            for shard, each in found
        },
        put,
    )


@check
def keys_beyond_ascii_come_back():
    """finds partition keys beyond ASCII"""
    stream = create_stream()
    producer = Producer(WORK, stream, ADDRESS, **TRUSTED)
    for key in ["ключ", "鍵", "🔑", "مفتاح", "k" * 256]:
        producer.put(key, key.encode())
        producer.put(key, b"a second, so that there is something to aggregate")
    outcome = producer.close()
    found = read(kinesis, stream)
    is_exact(outcome, take_apart_with_python(found))
    is_exact(outcome, take_apart_with_kcl(WORK, found))


@check
def explicit_hash_keys_pick_the_shard():
    """picks the shard by explicit hash keys, at both ends of every shard"""
    stream = create_stream(shards=4)
    producer = Producer(WORK, stream, ADDRESS, **TRUSTED)
    expected = [open_shards(stream)[0]["ShardId"]]
    producer.put("key", b"0", 0)
    # The producer aggregates nothing before it knows the shards.
    wait_for_first(producer)
    for shard in open_shards(stream):
        first, last = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
        for hash_key in [first, first + 1, (first + last) // 2, last - 1, last]:
            # The same partition key for all shards: the explicit hash key alone picks the shard.
            producer.put("key", str(hash_key).encode(), hash_key)
            expected.append(shard["ShardId"])
    outcome = producer.close()
    equal([result.shard for _, result in outcome], expected)
    found = read(kinesis, stream)
    is_exact(outcome, take_apart_with_python(found))
    by_kcl = list(take_apart_with_kcl(WORK, found))
    is_exact(outcome, by_kcl)
    # A record that was sent alone is not aggregated, and only aggregates contain the hash key.
    hash_keys = {each.hash_key: each.data.decode() for each in by_kcl if each.hash_key}
    equal(list(hash_keys), list(hash_keys.values()))
    assert hash_keys, "nothing was aggregated"


@check
def throttled_records_are_put_again():
    """puts again what a shard throttles, until all is in"""
    megabytes = 20 if LONG else 5
    stream = create_stream(shards=1)
    # RateLimit is a percentage of the write limit of a shard.
    producer = Producer(WORK, stream, ADDRESS, RateLimit=400, RecordTtl=120_000, **TRUSTED)
    for number in range(megabytes * 100):
        producer.put(f"key-{number}", b"%d %s" % (number, b"x" * 10_000))
    outcome = producer.close(180)
    is_exact(outcome, take_apart_with_python(read(kinesis, stream)))
    errors = Counter(error for _, result in outcome for error in result.errors)
    assert errors["ProvisionedThroughputExceededException"], f"nothing was throttled: {errors}"


@check
def streams_can_distribute():
    """learns that a stream distributes its records itself, and leaves keys and aggregates alone"""
    stream = create_stream(StreamModeDetails={"StreamMode": "ON_DEMAND"})
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    kinesis.update_stream_record_distribution_strategy(
        StreamARN=arn, RecordDistributionStrategy="AUTO"
    )
    producer = Producer(
        WORK, stream, ADDRESS, RecordMaxBufferedTime=100, DescribeStreamSummaryIntervalMs=500,
        **TRUSTED,
    )
    producer.put("key", b"first")
    wait_for_first(producer)
    last = 20
    for number in range(last + 1):
        # The producer asks for the strategy while it puts. The last puts come after the answer.
        for _ in range(50):
            producer.put("key", b"%d" % number)
        producer.flush()
        time.sleep(0.2)
    outcome = producer.close()
    found = read(kinesis, stream)
    is_there(outcome, take_apart_with_python(found))
    at_last = [each for each in found if each.record["Data"] == b"%d" % last]
    equal(len(at_last), 50)
    equal(len({each.shard["ShardId"] for each in at_last}), 4)


@check
def missing_streams_are_reported():
    """fails the records of a stream that is not there, and says why"""
    producer = Producer(WORK, "nowhere", ADDRESS, RecordTtl=3000, **TRUSTED)
    producer.put("key", b"lost")
    [(_, result)] = producer.close()
    assert not result.ok and "ResourceNotFoundException" in result.errors, result


class Stage:
    """Puts records at a pace while the stream is split and merged under way."""

    def __init__(self, stream):
        self.keys = [f"key-{index}" for index in range(50)]
        self.producer = Producer(
            WORK, stream, ADDRESS, RecordTtl=120_000, RecordMaxBufferedTime=100, **TRUSTED
        )
        self.number = 0

    def put_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key in self.keys:
                self.producer.put(key, b"%d" % self.number)
                self.number += 1
            self.producer.flush()
            time.sleep(0.02)


def nothing_is_lost(reshape, times):
    stream = create_stream(shards=2)
    ours = Stage(stream)
    ours.put_for(1)
    wait_for_first(ours.producer)
    for _ in range(times):
        reshape(stream)
        ours.put_for(2)
    outcome = ours.producer.close(180)
    user_records = list(take_apart_with_kcl(WORK, read(kinesis, stream)))
    is_there(outcome, user_records)
    used = {each.shard for each in user_records}
    assert used >= {shard["ShardId"] for shard in open_shards(stream)}, f"only {used} are used"


@check
def splits_lose_nothing():
    """loses nothing while shards are split, and finds the new ones"""

    def split(stream):
        shard = max(
            open_shards(stream),
            key=lambda shard: int(shard["HashKeyRange"]["EndingHashKey"])
            - int(shard["HashKeyRange"]["StartingHashKey"]),
        )
        first, last = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
        kinesis.split_shard(
            StreamName=stream, ShardToSplit=shard["ShardId"],
            NewStartingHashKey=str((first + last) // 2 + 1),
        )

    nothing_is_lost(split, times=6 if LONG else 2)


@check
def reshaping_loses_nothing():
    """loses nothing while the stream is reshaped by splits and merges"""
    targets = iter([4, 3, 5, 3, 6, 4] if LONG else [4, 3])

    def reshape(stream):
        kinesis.update_shard_count(
            StreamName=stream, TargetShardCount=next(targets), ScalingType="UNIFORM_SCALING"
        )

    nothing_is_lost(reshape, times=6 if LONG else 2)


main(NAME)
