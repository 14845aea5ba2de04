"""The KCL for Python against minikin: record processors in Python under the daemon in Java.

All applications read one stream, which is written, split and merged meanwhile. The first check
does that. The later checks examine the events that the record processors have reported.
"""

import os
import subprocess
import sys
from collections import defaultdict
from itertools import zip_longest

import boto3
from aws_kinesis_agg.aggregator import RecordAggregator

import processes
from application import Application, of
from dynamodb_local import DynamoDbLocal
from producer import KEYS, Producer
from runner import check, equal, main, until

WORK, NAME = sys.argv[1:]
ENDPOINT = os.environ["ENDPOINT"]
TLS_ENDPOINT = os.environ["TLS_ENDPOINT"]
LONG = os.environ.get("LONG") == "true"

# A worker waits at random up to 30 s before it believes that it is the first.
START_SECONDS = 120
RESHARDINGS = 12 if LONG else 3
AGGREGATED = [f"user record {number}" for number in range(20)]

processes.bound_time(900 if LONG else 400)
kinesis = boto3.client("kinesis", endpoint_url=ENDPOINT)
stream = "kclpy"


def trust_store():
    """The options of a JVM that trusts minikin's certificate authority."""
    subprocess.run(
        [
            "keytool", "-importcert", "-noprompt", "-alias", "minikin", "-storetype", "PKCS12",
            "-keystore", "trust.p12", "-storepass", "minikin", "-file", os.environ["CA_FILE"],
        ],
        check=True, capture_output=True,
    )
    return [
        f"-Djavax.net.ssl.trustStore={os.path.abspath('trust.p12')}",
        "-Djavax.net.ssl.trustStorePassword=minikin",
    ]


POLLING = {"retrievalMode": "POLLING", "idleTimeBetweenReadsInMillis": 250}
FAN_OUT = {"retrievalMode": "FANOUT"}
# The name of each application here, its endpoint, and its way to read.
WAYS = {
    "polling over TLS": (TLS_ENDPOINT, POLLING),
    "enhanced fan-out over plain HTTP/2": (ENDPOINT, FAN_OUT),
}
if LONG:
    WAYS |= {
        "polling over plain HTTP/2": (ENDPOINT, POLLING),
        "enhanced fan-out over TLS": (TLS_ENDPOINT, FAN_OUT),
    }
applications = {}
# For each key, the data and the sequence number of its records, as they were put.
expected = {}


def start(way, worker="first"):
    endpoint, how = WAYS[way]
    java = trust if endpoint == TLS_ENDPOINT else []
    name = way.replace(" ", "-").replace("/", "")
    return Application(name, stream, endpoint, dynamodb.endpoint, worker, java, **how)


def shards():
    return kinesis.list_shards(StreamName=stream)["Shards"]


def open_shards():
    """The open shards, in the order of their hash keys."""
    ours = [each for each in shards() if "EndingSequenceNumber" not in each["SequenceNumberRange"]]
    return sorted(ours, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def split(shard):
    first, last = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard["ShardId"],
        NewStartingHashKey=str((first + last) // 2 + 1),
    )


def merge(left, right):
    kinesis.merge_shards(
        StreamName=stream, ShardToMerge=left["ShardId"], AdjacentShardToMerge=right["ShardId"]
    )


def initialized(application):
    return {event["shard"] for event in of(application.events(), "initialized")}


def all_shards_are_read():
    known = {shard["ShardId"] for shard in shards()}
    return all(initialized(application) == known for application in applications.values())


def processed(events):
    """For each key, the data, sequence number and number in the aggregate of its records."""
    by_key = defaultdict(list)
    for event in of(events, "records"):
        for record in event["records"]:
            by_key[record["key"]].append((record["data"], record["sequence"], record["sub"]))
    return by_key


def put_aggregate():
    aggregator = RecordAggregator()
    for data in AGGREGATED:
        aggregator.add_user_record("aggregate", data)
    key, _, data = aggregator.clear_and_get().get_contents()
    put = kinesis.put_record(StreamName=stream, PartitionKey=key, Data=data)
    return [(data, put["SequenceNumber"], number) for number, data in enumerate(AGGREGATED)]


@check
def every_record_is_processed():
    """processes every record of a stream that is split and merged while it is written"""
    global dynamodb, trust
    trust = trust_store()
    dynamodb = DynamoDbLocal(f"{WORK}/../dynamodb-local/jars")
    kinesis.create_stream(StreamName=stream, ShardCount=2)
    producer = Producer(kinesis, stream)
    for way in WAYS:
        applications[way] = start(way)
    # A shard that is written and closed before the workers come.
    until(lambda: all(len(puts) > 5 for puts in producer.put.values()))
    split(open_shards()[0])
    until(all_shards_are_read, START_SECONDS)
    for number in range(RESHARDINGS):
        ours = open_shards()
        if len(ours) > 2:
            # The parents of the merged shard end at different times.
            merge(ours[1], ours[2])
        else:
            split(ours[-1])
        until(all_shards_are_read, START_SECONDS)
    for key, numbers in producer.stop().items():
        expected[key] = [(str(index), number, 0) for index, number in enumerate(numbers)]
    expected["aggregate"] = put_aggregate()

    def all_are_processed():
        return all(
            set(expected[key]) <= set(processed(application.events())[key])
            for application in applications.values()
            for key in expected
        )

    until(all_are_processed, START_SECONDS)


def check_each(function):
    """A check of each of the applications."""
    for way in WAYS:

        def of_one(way=way):
            events = applications[way].events()
            assert events, "nothing was read"
            function(applications[way], events)

        of_one.__doc__ = f"{function.__doc__} ({way})"
        check(of_one)


@check_each
def records_are_what_was_put(application, events):
    """hands out the records of each key in order, none of them changed, twice or out of nothing"""
    # No lease was lost: after a lost lease, records may come twice.
    equal(of(events, "lease lost"), [])
    ours = processed(events)
    equal(ours.keys(), expected.keys())
    for key, records in ours.items():
        for index, (record, put) in enumerate(zip_longest(records, expected[key])):
            assert record == put, f"{key}: {record} in the place of {put}, after {index} records"


@check_each
def parents_end_first(application, events):
    """begins with no shard before it has ended that shard's parents"""
    began = {event["shard"]: event["time"] for event in of(events, "initialized")}
    ended = {event["shard"]: event["time"] for event in of(events, "ended")}
    children = 0
    for shard in shards():
        for parent in ("ParentShardId", "AdjacentParentShardId"):
            if parent in shard:
                children += 1
                assert ended[shard[parent]] < began[shard["ShardId"]], f"{shard}: {events}"
    # Each merge and each split adds two pairs of a parent and a child.
    equal(children, 2 * (RESHARDINGS + 1))


@check_each
def shards_end_once(application, events):
    """begins with every shard once, and ends exactly those that are closed, once"""
    known = {shard["ShardId"] for shard in shards()}
    still_open = {shard["ShardId"] for shard in open_shards()}
    equal(sorted(event["shard"] for event in of(events, "initialized")), sorted(known))
    equal(sorted(event["shard"] for event in of(events, "ended")), sorted(known - still_open))


@check_each
def arrival_times_are_in_order(application, events):
    """hands out the records of each shard by the time of their arrival"""
    by_shard = defaultdict(list)
    for event in of(events, "records"):
        by_shard[event["shard"]] += [record["arrived"] for record in event["records"]]
    for times in by_shard.values():
        equal(times, sorted(times))


@check
def consumers_are_registered():
    """registers a consumer for each application that uses enhanced fan-out, and no other"""
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    consumers = kinesis.list_stream_consumers(StreamARN=summary["StreamARN"])["Consumers"]
    equal(
        sorted((each["ConsumerName"], each["ConsumerStatus"]) for each in consumers),
        sorted((applications[way].name, "ACTIVE") for way in WAYS if "fan-out" in way),
    )


def has_checkpointed(application):
    events = application.events()
    return len(of(events, "records")) == len(of(events, "checkpointed"))


@check
def workers_go_on_at_checkpoints():
    """goes on at the checkpoints of a worker that has crashed"""
    until(lambda: all(has_checkpointed(application) for application in applications.values()))
    for application in applications.values():
        application.kill()
        dynamodb.forget_leader(application.name)
    puts = kinesis.put_records(
        StreamName=stream, Records=[{"PartitionKey": key, "Data": b"later"} for key in KEYS]
    )
    equal(puts["FailedRecordCount"], 0)
    later = {
        key: [("later", put["SequenceNumber"], 0)] for key, put in zip(KEYS, puts["Records"])
    }
    seconds = {way: start(way, "second") for way in WAYS}
    until(
        lambda: all(processed(each.events()).keys() >= later.keys() for each in seconds.values()),
        START_SECONDS,
    )
    for second in seconds.values():
        equal(processed(second.events()), later)
        equal(initialized(second), {shard["ShardId"] for shard in open_shards()})


main(NAME)
