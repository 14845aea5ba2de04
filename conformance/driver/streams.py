"""Streams as boto3 sees them: create, split, merge, write, and read from the first record on."""

import itertools
import os
import threading

import boto3

KEYS = [f"key-{index}" for index in range(40)]
kinesis = boto3.client("kinesis", endpoint_url=os.environ["ENDPOINT"])


def create(stream, shards=2):
    kinesis.create_stream(StreamName=stream, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)


def arn_of(stream):
    summary = kinesis.describe_stream_summary(StreamName=stream)
    return summary["StreamDescriptionSummary"]["StreamARN"]


def shards_of(stream):
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=stream)
    return [shard for page in pages for shard in page["Shards"]]


def open_shards(stream):
    """The shards that take records, in the order of their hash keys."""
    ours = [
        shard for shard in shards_of(stream)
        if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    ]
    return sorted(ours, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def split(stream):
    """Splits the first open shard in the middle."""
    shard = open_shards(stream)[0]
    first, last = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard["ShardId"],
        NewStartingHashKey=str((first + last) // 2 + 1),
    )


def merge(stream):
    """Merges the last two open shards."""
    left, right = open_shards(stream)[-2:]
    kinesis.merge_shards(
        StreamName=stream, ShardToMerge=left["ShardId"], AdjacentShardToMerge=right["ShardId"]
    )


class Writer:
    """Writes numbered records of all keys until it is stopped.

    The next record of a key is written only after the service took the one before, so the order
    of each key's records is known. `encode(key, number)` gives a record's data. The writer stays at
    most `lead` rounds ahead of `passed_on`, so that a slow client is not buried in records.
    """

    def __init__(self, stream, encode, lead=50, pause_seconds=0.2):
        self.stream = stream
        self.encode = encode
        self.lead = lead
        self.pause_seconds = pause_seconds
        self.rounds = 0
        self.passed_on = 0
        self.error = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for number in itertools.count():
                self.write_round(number)
                self.rounds = number + 1
                if self.stopping.wait(self.pause_seconds):
                    return
                while self.rounds > self.passed_on + self.lead:
                    if self.stopping.wait(self.pause_seconds):
                        return
        except Exception as error:
            self.error = error

    def write_round(self, number):
        waiting = KEYS
        while waiting:
            entries = [
                {"PartitionKey": key, "Data": self.encode(key, number)} for key in waiting
            ]
            results = kinesis.put_records(StreamName=self.stream, Records=entries)["Records"]
            waiting = [key for key, result in zip(waiting, results) if "ErrorCode" in result]

    def stop(self):
        """Stops, and gives the numbers written for each key."""
        self.stopping.set()
        self.thread.join()
        if self.error:
            raise self.error
        return {key: list(range(self.rounds)) for key in KEYS}


class Reader:
    """Reads the records of a stream from the first on, each shard after its parents."""

    def __init__(self, stream):
        self.stream = stream
        self.iterators = {}
        self.ended = set()
        self.found = []

    def records(self):
        """Reads all records that the stream has up to now."""
        for shard in shards_of(self.stream):
            parents = {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")} - {None}
            if parents <= self.ended:
                self.read(shard["ShardId"])
        return self.found

    def read(self, shard):
        if shard in self.ended:
            return
        iterator = self.iterators.get(shard) or kinesis.get_shard_iterator(
            StreamName=self.stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator)
            self.found += page["Records"]
            iterator = page.get("NextShardIterator")
            self.iterators[shard] = iterator
            if iterator and not page["Records"] and page["MillisBehindLatest"] == 0:
                return
        self.ended.add(shard)
