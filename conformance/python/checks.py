"""boto3 against minikin: what users of the SDK do, and what their error handling relies on.

Each check makes what it needs, so that it can be read alone. conformance/run sets the variables.
"""

import uuid
from datetime import datetime, timedelta, timezone

from botocore.exceptions import SSLError

from clients import (
    CA_FILE,
    TLS_ENDPOINT,
    VIRTUAL_ENDPOINT,
    advance_clock,
    connect,
    create_stream,
    kinesis,
    read,
    read_all,
    refused,
    shard_ids,
)
from runner import check, equal, main, until

ALL_BYTES = bytes(range(256))
# Two, three and four bytes of UTF-8, a right-to-left script, and what JSON escapes.
UNICODE_KEYS = ["ключ", "鍵", "🔑", "مفتاح", 'a "key"\\\n', "\u2028"]


@check
def a_stream_is_created():
    """creates a stream and waits until it is ACTIVE"""
    before = datetime.now(timezone.utc)
    name = create_stream(shards=2)
    stream = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    equal(stream["StreamName"], name)
    equal(stream["StreamARN"], f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}")
    equal(stream["StreamStatus"], "ACTIVE")
    equal(stream["StreamModeDetails"], {"StreamMode": "PROVISIONED"})
    equal(stream["RetentionPeriodHours"], 24)
    equal(stream["EncryptionType"], "NONE")
    equal(stream["EnhancedMonitoring"], [{"ShardLevelMetrics": []}])
    assert abs(stream["StreamCreationTimestamp"] - before) < timedelta(seconds=10)
    ranges = [shard["HashKeyRange"] for shard in stream["Shards"]]
    equal(ranges[0]["StartingHashKey"], "0")
    equal(int(ranges[1]["StartingHashKey"]), int(ranges[0]["EndingHashKey"]) + 1)
    equal(ranges[1]["EndingHashKey"], str(2**128 - 1))
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    equal(summary["OpenShardCount"], 2)
    equal(summary["ConsumerCount"], 0)
    # An SDK that has seen a StreamId no longer sends its requests to the endpoint it was given.
    assert "StreamId" not in summary


@check
def an_on_demand_stream_is_created():
    """creates an on-demand stream of four shards"""
    name = f"on-demand-{uuid.uuid4().hex[:12]}"
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    equal(len(shard_ids(name)), 4)


@check
def one_record_comes_back():
    """puts one record and reads back every byte value"""
    name = create_stream()
    put = kinesis.put_record(StreamName=name, PartitionKey="key", Data=ALL_BYTES)
    [record] = read(name, put["ShardId"])
    equal(record["Data"], ALL_BYTES)
    equal(record["PartitionKey"], "key")
    equal(record["SequenceNumber"], put["SequenceNumber"])
    assert "EncryptionType" not in put and "EncryptionType" not in record


@check
def empty_data_comes_back():
    """puts a record without a byte of data"""
    name = create_stream()
    put = kinesis.put_record(StreamName=name, PartitionKey="key", Data=b"")
    equal(read(name, put["ShardId"])[0]["Data"], b"")


@check
def unicode_keys_come_back():
    """reads back partition keys beyond ASCII"""
    name = create_stream()
    entries = [{"PartitionKey": key, "Data": key.encode()} for key in UNICODE_KEYS]
    equal(kinesis.put_records(StreamName=name, Records=entries)["FailedRecordCount"], 0)
    records = {record["PartitionKey"]: record["Data"] for record in read_all(name)}
    equal(records, {key: key.encode() for key in UNICODE_KEYS})


@check
def five_hundred_records_come_back_in_order():
    """puts five hundred records and reads each shard in order"""
    name = create_stream()
    entries = [
        {"PartitionKey": f"key-{index}", "Data": bytes([index % 256]) * (index % 7) + str(index).encode()}
        for index in range(500)
    ]
    put = kinesis.put_records(StreamName=name, Records=entries)
    equal(put["FailedRecordCount"], 0)
    equal(len(put["Records"]), 500)
    for shard_id in shard_ids(name):
        expected = [
            (result["SequenceNumber"], entry["PartitionKey"], entry["Data"])
            for entry, result in zip(entries, put["Records"])
            if result["ShardId"] == shard_id
        ]
        assert len(expected) > 100, f"only {len(expected)} of 500 records in {shard_id}"
        numbers = [int(number) for number, _, _ in expected]
        equal(numbers, sorted(set(numbers)))
        records = read(name, shard_id)
        actual = [(each["SequenceNumber"], each["PartitionKey"], each["Data"]) for each in records]
        equal(actual, expected)


@check
def explicit_hash_keys_pick_the_shard():
    """picks the shard by an explicit hash key"""
    name = create_stream()
    for index, hash_key in enumerate(["0", str(2**128 - 1)]):
        put = kinesis.put_record(
            StreamName=name, PartitionKey="same", ExplicitHashKey=hash_key, Data=b"x"
        )
        equal(put["ShardId"], f"shardId-{index:012}")


@check
def iterators_of_all_types_work():
    """reads from all five types of iterator"""
    name = create_stream(shards=1)
    [shard_id] = shard_ids(name)
    numbers = []
    for index in range(3):
        put = kinesis.put_record(StreamName=name, PartitionKey="key", Data=str(index).encode())
        numbers.append(put["SequenceNumber"])
        # The next record is to be a later one by the clock, too, for AT_TIMESTAMP.
        arrived = datetime.now(timezone.utc)
        until(lambda: datetime.now(timezone.utc) - arrived > timedelta(milliseconds=2))
    records = read(name, shard_id)
    second = records[1]["ApproximateArrivalTimestamp"]

    def data(type, **position):
        return [record["Data"] for record in read(name, shard_id, type, **position)]

    equal(data("TRIM_HORIZON"), [b"0", b"1", b"2"])
    equal(data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]), [b"1", b"2"])
    equal(data("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]), [b"2"])
    equal(data("AT_TIMESTAMP", Timestamp=second), [b"1", b"2"])
    equal(data("AT_TIMESTAMP", Timestamp=second + timedelta(milliseconds=1)), [b"2"])
    equal(data("LATEST"), [])
    latest = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard_id, ShardIteratorType="LATEST"
    )["ShardIterator"]
    kinesis.put_record(StreamName=name, PartitionKey="key", Data=b"3")
    equal([each["Data"] for each in kinesis.get_records(ShardIterator=latest)["Records"]], [b"3"])


@check
def reading_follows_the_next_iterator():
    """follows NextShardIterator in small pages to the tip and beyond"""
    name = create_stream(shards=1)
    [shard_id] = shard_ids(name)
    entries = [{"PartitionKey": "key", "Data": str(index).encode()} for index in range(25)]
    kinesis.put_records(StreamName=name, Records=entries)
    iterator = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    pages, iterators = [], {iterator}
    while sum(pages) < 25:
        page = kinesis.get_records(ShardIterator=iterator, Limit=10)
        data = [record["Data"] for record in page["Records"]]
        equal(data, [entry["Data"] for entry in entries[sum(pages) :][: len(data)]])
        pages.append(len(data))
        iterator = page["NextShardIterator"]
        iterators.add(iterator)
    equal(pages, [10, 10, 5])
    equal(page["MillisBehindLatest"], 0)
    equal(len(iterators), 4)
    equal(kinesis.get_records(ShardIterator=iterator)["Records"], [])
    kinesis.put_record(StreamName=name, PartitionKey="key", Data=b"late")
    [record] = kinesis.get_records(ShardIterator=iterator)["Records"]
    equal(record["Data"], b"late")


@check
def arrival_times_have_milliseconds():
    """says when records arrived, to the millisecond"""
    name = create_stream(shards=1)
    before = datetime.now(timezone.utc)
    for _ in range(5):
        put = kinesis.put_record(StreamName=name, PartitionKey="key", Data=b"x")
    after = datetime.now(timezone.utc)
    times = [each["ApproximateArrivalTimestamp"] for each in read(name, put["ShardId"])]
    equal(times, sorted(times))
    for time in times:
        assert before - timedelta(milliseconds=1) <= time <= after, f"{time} is not now"
        equal(time.microsecond % 1000, 0)
    assert any(time.microsecond for time in times), f"whole seconds: {times}"


@check
def lag_is_measured():
    """measures MillisBehindLatest on the clock"""
    client = connect(VIRTUAL_ENDPOINT)
    name = create_stream(shards=1, client=client)
    client.put_record(StreamName=name, PartitionKey="key", Data=b"old")
    advance_clock(5000)
    client.put_record(StreamName=name, PartitionKey="key", Data=b"new")
    [shard_id] = shard_ids(name, client)
    iterator = client.get_shard_iterator(
        StreamName=name, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    page = client.get_records(ShardIterator=iterator, Limit=1)
    equal(page["MillisBehindLatest"], 5000)
    page = client.get_records(ShardIterator=page["NextShardIterator"], Limit=1)
    equal(page["MillisBehindLatest"], 0)


@check
def streams_are_listed_in_pages():
    """pages through ListStreams"""
    # A region of its own, so that no other check's streams are in the list.
    client = connect(region="eu-north-1")
    names = [f"page-{index}" for index in range(5)]
    for name in reversed(names):
        client.create_stream(StreamName=name, ShardCount=1)
    first = client.list_streams(Limit=2)
    equal((first["StreamNames"], first["HasMoreStreams"]), (names[:2], True))
    equal([each["StreamName"] for each in first["StreamSummaries"]], names[:2])
    second = client.list_streams(Limit=2, NextToken=first["NextToken"])
    equal((second["StreamNames"], second["HasMoreStreams"]), (names[2:4], True))
    third = client.list_streams(Limit=2, ExclusiveStartStreamName="page-3")
    equal((third["StreamNames"], third["HasMoreStreams"]), (names[4:], False))
    assert "NextToken" not in third
    pages = client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1})
    equal([name for page in pages for name in page["StreamNames"]], names)


@check
def shards_are_listed_in_pages():
    """pages through ListShards and DescribeStream"""
    name = create_stream(shards=5)
    expected = [f"shardId-{index:012}" for index in range(5)]
    equal(shard_ids(name), expected)
    pages = [kinesis.list_shards(StreamName=name, MaxResults=2)]
    while "NextToken" in pages[-1]:
        pages.append(kinesis.list_shards(MaxResults=2, NextToken=pages[-1]["NextToken"]))
    equal([len(page["Shards"]) for page in pages], [2, 2, 1])
    equal([shard["ShardId"] for page in pages for shard in page["Shards"]], expected)
    # The SDK's paginator names the stream again beside the token, which the service refuses too.
    refused(
        "InvalidArgumentException", "NextToken and StreamName cannot be provided together.",
        kinesis.list_shards, StreamName=name, NextToken=pages[0]["NextToken"],
    )
    after = kinesis.list_shards(StreamName=name, ExclusiveStartShardId=expected[3])["Shards"]
    equal([shard["ShardId"] for shard in after], expected[4:])
    first = kinesis.describe_stream(StreamName=name, Limit=3)["StreamDescription"]
    equal((len(first["Shards"]), first["HasMoreShards"]), (3, True))
    second = kinesis.describe_stream(
        StreamName=name, Limit=3, ExclusiveStartShardId=expected[2]
    )["StreamDescription"]
    equal((len(second["Shards"]), second["HasMoreShards"]), (2, False))


@check
def missing_streams_are_not_found():
    """meets ResourceNotFoundException"""
    text = "Stream nowhere under account 000000000000 not found."
    for call in [kinesis.describe_stream, kinesis.describe_stream_summary, kinesis.delete_stream]:
        refused("ResourceNotFoundException", text, call, StreamName="nowhere")
    refused(
        "ResourceNotFoundException", text,
        kinesis.put_record, StreamName="nowhere", PartitionKey="key", Data=b"x",
    )
    refused(
        "ResourceNotFoundException",
        "Shard shardId-000000000000 in stream nowhere under account 000000000000 does not exist",
        kinesis.get_shard_iterator,
        StreamName="nowhere", ShardId="shardId-000000000000", ShardIteratorType="LATEST",
    )


@check
def names_are_taken_once():
    """meets ResourceInUseException"""
    name = create_stream()
    text = f"Stream {name} under account 000000000000 already exists."
    refused("ResourceInUseException", text, kinesis.create_stream, StreamName=name, ShardCount=1)


@check
def broken_rules_are_all_named():
    """meets ValidationException with the service's text"""
    refused(
        "ValidationException",
        "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        kinesis.describe_stream, StreamName="a b",
    )
    refused(
        "ValidationException",
        "2 validation errors detected: Value '0' at 'limit' failed to satisfy constraint: Member "
        "must have value greater than or equal to 1; Value '' at 'shardIterator' failed to satisfy "
        "constraint: Member must have length greater than or equal to 1",
        kinesis.get_records, ShardIterator="", Limit=0,
    )


@check
def wrong_arguments_are_refused():
    """meets InvalidArgumentException"""
    refused(
        "InvalidArgumentException", "Invalid ShardIterator.",
        kinesis.get_records, ShardIterator="nonsense",
    )
    name = create_stream()
    refused(
        "InvalidArgumentException",
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current "
        "request has no timestamp parameter.",
        kinesis.get_shard_iterator,
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="AT_TIMESTAMP",
    )


@check
def iterators_expire():
    """meets ExpiredIteratorException after five minutes"""
    client = connect(VIRTUAL_ENDPOINT)
    name = create_stream(shards=1, client=client)
    iterator = client.get_shard_iterator(
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="LATEST"
    )["ShardIterator"]
    advance_clock(299_000)
    client.get_records(ShardIterator=iterator)
    advance_clock(2_000)
    try:
        client.get_records(ShardIterator=iterator)
    except client.exceptions.ExpiredIteratorException as error:
        text = error.response["Error"]["Message"]
        assert text.startswith("Iterator expired. The iterator was created at time "), text
        assert text.endswith("the tolerated delay of 300000 milliseconds."), text
    else:
        raise AssertionError("the iterator still works")


@check
def throttled_entries_are_put_again():
    """puts the throttled entries of PutRecords again until all are in"""
    name = create_stream(shards=1)
    waiting = [{"PartitionKey": str(index), "Data": b"x" * 5000} for index in range(500)]
    throttled = 0

    def all_are_in():
        nonlocal waiting, throttled
        put = kinesis.put_records(StreamName=name, Records=waiting)
        failed = [
            (entry, result) for entry, result in zip(waiting, put["Records"]) if "ErrorCode" in result
        ]
        equal(put["FailedRecordCount"], len(failed))
        for _, result in failed:
            equal(
                result,
                {
                    "ErrorCode": "ProvisionedThroughputExceededException",
                    "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream "
                    f"{name} under account 000000000000.",
                },
            )
        throttled += len(failed)
        waiting = [entry for entry, _ in failed]
        return not waiting

    until(all_are_in)
    assert throttled, "2.5 MB in less than a second were not throttled"
    keys = [int(record["PartitionKey"]) for record in read(name, "shardId-000000000000")]
    equal(sorted(keys), list(range(500)))


@check
def consumers_and_tags_are_listed_in_pages():
    """pages through ListStreamConsumers and ListTagsForStream"""
    name = create_stream(shards=1)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    expected = [f"name-{index}" for index in range(5)]
    for each in expected:
        kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=each)
        kinesis.add_tags_to_stream(StreamName=name, Tags={each: "value"})
    pages = kinesis.get_paginator("list_stream_consumers").paginate(
        StreamARN=arn, PaginationConfig={"PageSize": 2}
    )
    pages = [[consumer["ConsumerName"] for consumer in page["Consumers"]] for page in pages]
    equal([len(page) for page in pages], [2, 2, 1])
    equal(sorted(sum(pages, [])), expected)
    first = kinesis.list_tags_for_stream(StreamName=name, Limit=3)
    equal(([tag["Key"] for tag in first["Tags"]], first["HasMoreTags"]), (expected[:3], True))
    second = kinesis.list_tags_for_stream(
        StreamName=name, Limit=3, ExclusiveStartTagKey=expected[2]
    )
    equal(([tag["Key"] for tag in second["Tags"]], second["HasMoreTags"]), (expected[3:], False))


@check
def consumers_are_counted():
    """meets LimitExceededException"""
    name = create_stream(shards=1)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    for index in range(20):
        kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=f"consumer-{index}")
    try:
        kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="one-too-many")
    except kinesis.exceptions.LimitExceededException as error:
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
    else:
        raise AssertionError("a stream has 21 consumers")


@check
def throttled_puts_are_retried():
    """retries a throttled put by itself"""
    name = create_stream(shards=1)
    patient = connect(config=None)
    entries = [{"PartitionKey": "key", "Data": bytes(10_000)}] * 105

    def was_retried():
        until(lambda: kinesis.put_records(StreamName=name, Records=entries)["FailedRecordCount"])
        put = patient.put_record(StreamName=name, PartitionKey="key", Data=bytes(20_000))
        return put["ResponseMetadata"]["RetryAttempts"]

    # The timing decides if the put succeeds at once or after a retry: repeat until a retry.
    until(was_retried)


@check
def ten_megabytes_come_back():
    """puts and reads a record of 10 MiB"""
    name = create_stream(shards=1)
    # The key counts, too.
    data = ALL_BYTES * (10 * 2**20 // 256)
    record = {"StreamName": name, "PartitionKey": "key", "Data": data[: -len("key")]}
    refused(
        "ValidationException",
        "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must "
        "have length less than or equal to 1048576",
        kinesis.put_record, **record,
    )
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    kinesis.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=10240)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    kinesis.put_record(**record)
    [stored] = read_all(name)
    assert stored["Data"] == record["Data"], "other data"


@check
def streams_are_addressed_by_arn():
    """addresses a stream by its ARN"""
    name = create_stream()
    arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"
    put = kinesis.put_record(StreamARN=arn, PartitionKey="key", Data=b"by arn")
    iterator = kinesis.get_shard_iterator(
        StreamARN=arn, ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    [record] = kinesis.get_records(StreamARN=arn, ShardIterator=iterator)["Records"]
    equal(record["Data"], b"by arn")
    equal(kinesis.describe_stream(StreamARN=arn)["StreamDescription"]["StreamName"], name)
    equal(len(kinesis.list_shards(StreamARN=arn)["Shards"]), 2)
    kinesis.delete_stream(StreamARN=arn)
    refused(
        "ResourceNotFoundException", f"Stream {name} under account 000000000000 not found.",
        kinesis.describe_stream, StreamARN=arn,
    )


@check
def regions_are_apart():
    """keeps two regions apart"""
    north, south = connect(region="ca-central-1"), connect(region="sa-east-1")
    for client in (north, south):
        client.create_stream(StreamName="same", ShardCount=1)
    north.put_record(StreamName="same", PartitionKey="key", Data=b"north")
    equal([record["Data"] for record in read_all("same", north)], [b"north"])
    equal(read_all("same", south), [])
    arn = south.describe_stream(StreamName="same")["StreamDescription"]["StreamARN"]
    equal(arn, "arn:aws:kinesis:sa-east-1:000000000000:stream/same")
    south.delete_stream(StreamName="same")
    equal(north.list_streams()["StreamNames"], ["same"])


@check
def accounts_are_apart():
    """keeps two accounts apart, each an access key of twelve digits"""
    ours, theirs = (
        connect(aws_access_key_id=account, aws_secret_access_key="secret")
        for account in ("111111111111", "222222222222")
    )
    name = create_stream(client=ours)
    equal(ours.list_streams()["StreamNames"], [name])
    equal(theirs.list_streams()["StreamNames"], [])
    arn = ours.describe_stream(StreamName=name)["StreamDescription"]["StreamARN"]
    equal(arn, f"arn:aws:kinesis:us-east-1:111111111111:stream/{name}")
    refused(
        "ResourceNotFoundException", f"Stream {name} under account 222222222222 not found.",
        theirs.describe_stream, StreamName=name,
    )


@check
def tls_is_verified():
    """speaks TLS that it verifies with minikin's certificate authority"""
    name = create_stream(client=connect(TLS_ENDPOINT, verify=CA_FILE))
    # The same port, the same streams.
    kinesis.describe_stream_summary(StreamName=name)
    try:
        connect(TLS_ENDPOINT).list_streams()
    except SSLError:
        return
    raise AssertionError("a client that does not know the authority trusts it")


@check
def a_stream_lives_its_whole_life():
    """changes each attribute of a stream, reads it back, and meets no surprise the second time"""
    name = f"stream-{uuid.uuid4().hex[:12]}"
    kinesis.create_stream(StreamName=name, ShardCount=1, Tags={"stage": "test"})
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    summary = lambda: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    arn = summary()["StreamARN"]
    for _ in range(2):
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
        kinesis.update_shard_count(
            StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING"
        )
        kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/key")
        kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["IncomingBytes"])
        kinesis.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=2048)
        kinesis.add_tags_to_stream(StreamName=name, Tags={"owner": "us"})
        now = summary()
        equal(now["RetentionPeriodHours"], 48)
        equal(now["OpenShardCount"], 2)
        equal((now["EncryptionType"], now["KeyId"]), ("KMS", "alias/key"))
        equal(now["EnhancedMonitoring"], [{"ShardLevelMetrics": ["IncomingBytes"]}])
        equal(now["MaxRecordSizeInKiB"], 2048)
    tags = kinesis.list_tags_for_stream(StreamName=name)["Tags"]
    equal({tag["Key"]: tag["Value"] for tag in tags}, {"owner": "us", "stage": "test"})
    kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    equal(summary()["StreamModeDetails"], {"StreamMode": "ON_DEMAND"})
    kinesis.delete_stream(StreamName=name)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name)


@check
def streams_are_deleted():
    """deletes a stream and waits until it is gone"""
    name = create_stream()
    kinesis.delete_stream(StreamName=name)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name)
    refused(
        "ResourceNotFoundException", f"Stream {name} under account 000000000000 not found.",
        kinesis.describe_stream, StreamName=name,
    )


# These modules contain more checks.
import queues  # noqa: E402, F401
import subscriptions  # noqa: E402, F401

main("python")
