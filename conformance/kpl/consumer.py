"""Reads a stream to its end, and takes the Kinesis records apart in two ways."""

import base64
import subprocess
from collections import namedtuple

from aws_kinesis_agg.deaggregator import iter_deaggregate_records

# A Kinesis record and the shard, as ListShards has it, that it was found in.
Found = namedtuple("Found", "shard record")
# `index` is its number in the Kinesis record; the hash key is None if it had none of its own.
UserRecord = namedtuple("UserRecord", "shard sequence index key hash_key data")


def read_shard(kinesis, stream, shard):
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while iterator:
        page = kinesis.get_records(ShardIterator=iterator)
        yield from (Found(shard, record) for record in page["Records"])
        if page["MillisBehindLatest"] == 0 and not page["Records"]:
            return
        iterator = page.get("NextShardIterator")


def read(kinesis, stream):
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    return [found for shard in shards for found in read_shard(kinesis, stream, shard)]


def take_apart_with_python(found):
    """The aggregation library for Python; it knows nothing of shards."""
    for shard, record in found:
        for each in iter_deaggregate_records(record, data_format="Boto3"):
            each = each["kinesis"]
            data = each["data"]
            if each.get("aggregated"):
                # The package returns the data in base64, as Lambda passes it to a function.
                data = base64.b64decode(data)
            yield UserRecord(
                shard["ShardId"], each["sequenceNumber"], each.get("subSequenceNumber", 0),
                each["partitionKey"], each.get("explicitHashKey"), data,
            )


def take_apart_with_kcl(work, found):
    """The KCL, which leaves out what does not belong to the shard that it was found in."""
    lines = []
    for shard, record in found:
        hash_keys = shard["HashKeyRange"]
        parts = [
            hash_keys["StartingHashKey"], hash_keys["EndingHashKey"], record["SequenceNumber"],
            record["PartitionKey"], base64.b64encode(record["Data"]).decode(),
        ]
        lines.append("\t".join(parts) + "\n")
    printed = subprocess.run(
        ["java", "-Xmx512m", "-cp", f"{work}/consumer:{work}/consumer/*", "Deaggregate"],
        input="".join(lines), check=True, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, timeout=60,
    ).stdout
    shard_of = {record["SequenceNumber"]: shard["ShardId"] for shard, record in found}
    for line in printed.splitlines():
        sequence, index, key, hash_key, data = line.split("\t")
        yield UserRecord(
            shard_of[sequence], sequence, int(index), key, hash_key or None, base64.b64decode(data)
        )
