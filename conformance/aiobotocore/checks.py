"""aiobotocore against minikin: boto3's model and parsers over aiohttp, with many calls at once.

Each check makes what it needs, so that it can be read alone. conformance/run sets the variables.
"""

import asyncio
import json
import os
import urllib.request
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError, EventStreamError, SSLError

from runner import check, equal, main, until

ENDPOINT = os.environ["ENDPOINT"]
TLS_ENDPOINT = os.environ["TLS_ENDPOINT"]
VIRTUAL_ENDPOINT = os.environ["VIRTUAL_ENDPOINT"]
CA_FILE = os.environ["CA_FILE"]

# No retries: they would hide errors of the server.
STRICT = AioConfig(
    retries={"total_max_attempts": 1}, max_pool_connections=100, parameter_validation=False
)
ALL_BYTES = bytes(range(256))
SHARD = "shardId-000000000000"


def connect(endpoint=ENDPOINT, region="us-east-1", config=STRICT, **more):
    return get_session().create_client(
        "kinesis", endpoint_url=endpoint, region_name=region, config=config, **more
    )


async def create_stream(client, shards=1):
    """A new stream that is ACTIVE; its name."""
    name = f"stream-{uuid.uuid4().hex[:12]}"
    await client.create_stream(StreamName=name, ShardCount=shards)
    await client.get_waiter("stream_exists").wait(StreamName=name)
    return name


@asynccontextmanager
async def stream(endpoint=ENDPOINT, shards=1):
    """A client and the name of a new stream."""
    async with connect(endpoint) as client:
        yield client, await create_stream(client, shards)


async def summary_of(client, name):
    answer = await client.describe_stream_summary(StreamName=name)
    return answer["StreamDescriptionSummary"]


async def put(client, name, data=b"x", key="key", **more):
    return await client.put_record(StreamName=name, PartitionKey=key, Data=data, **more)


async def iterator_of(client, name, type="TRIM_HORIZON", **position):
    answer = await client.get_shard_iterator(
        StreamName=name, ShardId=SHARD, ShardIteratorType=type, **position
    )
    return answer["ShardIterator"]


async def read(client, name, type="TRIM_HORIZON", **position):
    """Reads the first shard from a position to its tip, or to its end if it is closed."""
    iterator = await iterator_of(client, name, type, **position)
    records = []
    while iterator:
        page = await client.get_records(ShardIterator=iterator)
        records += page["Records"]
        if page["MillisBehindLatest"] == 0:
            break
        iterator = page.get("NextShardIterator")
    return records


def data_of(records):
    return [record["Data"] for record in records]


async def advance_clock(milliseconds):
    body = json.dumps({"advance_ms": milliseconds}).encode()
    url = f"{VIRTUAL_ENDPOINT}/_minikin/clock"
    answer = await asyncio.to_thread(urllib.request.urlopen, url, body, 10)
    answer.close()


async def refused(client, exception, message, call):
    """A call that must fail with this exception, and a text that begins so."""
    try:
        await call
    except getattr(client.exceptions, exception, ClientError) as error:
        equal(error.response["Error"]["Code"], exception)
        equal(error.response["Error"]["Message"][: len(message)], message)
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        return
    raise AssertionError(f"no {exception}")


@check
async def streams_live():
    """takes a stream through its whole life, with the SDK's waiters"""
    async with stream(shards=2) as (client, name):
        summary = await summary_of(client, name)
        arn = summary["StreamARN"]
        equal(arn, f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}")
        # An SDK that has seen a StreamId no longer sends its requests to the endpoint it was given.
        assert "StreamId" not in summary
        age = datetime.now(timezone.utc) - summary["StreamCreationTimestamp"]
        assert abs(age) < timedelta(seconds=10), f"created {age} ago"
        await client.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
        await client.start_stream_encryption(
            StreamARN=arn, EncryptionType="KMS", KeyId="alias/key"
        )
        await client.add_tags_to_stream(StreamName=name, Tags={"owner": "us"})
        summary = await summary_of(client, name)
        equal((summary["RetentionPeriodHours"], summary["KeyId"]), (48, "alias/key"))
        tags = await client.list_tags_for_stream(StreamName=name)
        equal(tags["Tags"], [{"Key": "owner", "Value": "us"}])
        await client.delete_stream(StreamName=name)
        await client.get_waiter("stream_not_exists").wait(StreamName=name)


@check
async def a_hundred_puts_at_once_come_back():
    """puts a hundred records at once and reads back every byte value"""
    async with stream() as (client, name):
        data = [bytes([index]) + ALL_BYTES for index in range(100)]
        answers = await asyncio.gather(*(put(client, name, each) for each in data))
        expected = {answer["SequenceNumber"]: each for answer, each in zip(answers, data)}
        equal(len(expected), 100)
        records = await read(client, name)
        equal({record["SequenceNumber"]: record["Data"] for record in records}, expected)
        numbers = [int(record["SequenceNumber"]) for record in records]
        equal(numbers, sorted(numbers))


@check
async def iterators_of_all_types_work():
    """reads from all five types of iterator, to the millisecond"""
    async with stream() as (client, name):
        before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
        numbers = []
        for data in [b"0", b"1", b"2"]:
            numbers.append((await put(client, name, data))["SequenceNumber"])
            # The next record is to be a later one by the clock, too, for AT_TIMESTAMP.
            await asyncio.sleep(0.002)
        records = await read(client, name)
        equal(data_of(records), [b"0", b"1", b"2"])
        second = records[1]["ApproximateArrivalTimestamp"]
        assert before <= second <= datetime.now(timezone.utc), f"{second} is not now"
        for type, position, expected in [
            ("AT_SEQUENCE_NUMBER", {"StartingSequenceNumber": numbers[1]}, [b"1", b"2"]),
            ("AFTER_SEQUENCE_NUMBER", {"StartingSequenceNumber": numbers[1]}, [b"2"]),
            ("AT_TIMESTAMP", {"Timestamp": second}, [b"1", b"2"]),
            ("AT_TIMESTAMP", {"Timestamp": second + timedelta(milliseconds=1)}, [b"2"]),
        ]:
            equal(data_of(await read(client, name, type, **position)), expected)
        latest = await iterator_of(client, name, "LATEST")
        await put(client, name, b"3")
        equal(data_of((await client.get_records(ShardIterator=latest))["Records"]), [b"3"])


@check
async def throttled_entries_are_put_again():
    """puts the throttled entries of PutRecords again until all are in"""
    async with stream() as (client, name):
        waiting = [{"PartitionKey": str(index), "Data": bytes(5000)} for index in range(500)]
        throttled = 0

        async def all_are_in():
            nonlocal waiting, throttled
            answer = await client.put_records(StreamName=name, Records=waiting)
            pairs = list(zip(waiting, answer["Records"]))
            failed = [result for _, result in pairs if "ErrorCode" in result]
            equal(
                {result["ErrorCode"] for result in failed} - {"ProvisionedThroughputExceededException"},
                set(),
            )
            equal(answer["FailedRecordCount"], len(failed))
            throttled += len(failed)
            waiting = [entry for entry, result in pairs if "ErrorCode" in result]
            return not waiting

        await until(all_are_in)
        assert throttled, "2.5 MB in less than a second were not throttled"
        keys = [int(record["PartitionKey"]) for record in await read(client, name)]
        equal(sorted(keys), list(range(500)))


@check
async def throttled_puts_are_retried():
    """retries a throttled put by itself"""
    async with stream() as (client, name), connect(config=None) as patient:
        entries = [{"PartitionKey": "key", "Data": bytes(10_000)}] * 105

        async def is_drained():
            answer = await client.put_records(StreamName=name, Records=entries)
            return answer["FailedRecordCount"] > 0

        async def was_retried():
            await until(is_drained)
            return (await put(patient, name, bytes(20_000)))["ResponseMetadata"]["RetryAttempts"]

        # The timing decides if the put succeeds at once or after a retry: repeat until a retry.
        await until(was_retried)


@check
async def ten_megabytes_come_back():
    """puts and reads a record of 10 MiB"""
    async with stream() as (client, name):
        # The key counts, too.
        data = (ALL_BYTES * (10 * 2**20 // 256))[: -len("key")]
        text = "1 validation error detected: Value at 'data' failed to satisfy constraint: "
        await refused(client, "ValidationException", text, put(client, name, data))
        arn = (await summary_of(client, name))["StreamARN"]
        await client.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=10240)
        await client.get_waiter("stream_exists").wait(StreamName=name)
        await put(client, name, data)
        [record] = await read(client, name)
        assert record["Data"] == data, "other data"


@check
async def lists_come_in_pages():
    """pages through the lists of streams, shards, consumers and tags"""
    # A region of its own, so that no other check's streams are in the list.
    async with connect(region="eu-north-1") as client:
        names = [f"name-{index}" for index in range(5)]
        for name in names:
            await client.create_stream(StreamName=name, ShardCount=5)
        arn = (await summary_of(client, names[0]))["StreamARN"]
        for name in names:
            await client.register_stream_consumer(StreamARN=arn, ConsumerName=name)
            await client.add_tags_to_stream(StreamName=names[0], Tags={name: "value"})

        async def pages_of(operation, member, **arguments):
            pages = client.get_paginator(operation).paginate(
                PaginationConfig={"PageSize": 2}, **arguments
            )
            return [page[member] async for page in pages]

        pages = await pages_of("list_streams", "StreamNames")
        equal(pages, [names[:2], names[2:4], names[4:]])
        pages = await pages_of("list_stream_consumers", "Consumers", StreamARN=arn)
        equal([len(page) for page in pages], [2, 2, 1])
        equal(sorted(each["ConsumerName"] for page in pages for each in page), names)
        pages = await pages_of("describe_stream", "StreamDescription", StreamName=names[0])
        equal([len(page["Shards"]) for page in pages], [2, 2, 1])
        first = await client.list_shards(StreamName=names[0], MaxResults=4)
        second = await client.list_shards(NextToken=first["NextToken"])
        shards = first["Shards"] + second["Shards"]
        equal([shard["ShardId"] for shard in shards], [f"shardId-{index:012}" for index in range(5)])
        first = await client.list_tags_for_stream(StreamName=names[0], Limit=3)
        equal(([tag["Key"] for tag in first["Tags"]], first["HasMoreTags"]), (names[:3], True))


@check
async def errors_are_typed():
    """meets each exception as its class"""
    async with stream() as (client, name):
        missing = "Stream nowhere under account 000000000000 not found."
        await refused(client, "ResourceNotFoundException", missing, summary_of(client, "nowhere"))
        await refused(
            client, "ResourceInUseException",
            f"Stream {name} under account 000000000000 already exists.",
            client.create_stream(StreamName=name, ShardCount=1),
        )
        await refused(
            client, "ValidationException",
            "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: ",
            summary_of(client, "a b"),
        )
        await refused(
            client, "InvalidArgumentException", "Invalid ShardIterator.",
            client.get_records(ShardIterator="nonsense"),
        )
        arn = (await summary_of(client, name))["StreamARN"]
        for index in range(20):
            await client.register_stream_consumer(StreamARN=arn, ConsumerName=f"reader-{index}")
        await refused(
            client, "LimitExceededException", "",
            client.register_stream_consumer(StreamARN=arn, ConsumerName="one-too-many"),
        )


@check
async def iterators_expire():
    """meets ExpiredIteratorException after five minutes"""
    async with stream(VIRTUAL_ENDPOINT) as (client, name):
        iterator = await iterator_of(client, name)
        await advance_clock(299_000)
        await client.get_records(ShardIterator=iterator)
        await advance_clock(2_000)
        await refused(
            client, "ExpiredIteratorException", "Iterator expired. The iterator was created at time ",
            client.get_records(ShardIterator=iterator),
        )


@check
async def tls_is_verified():
    """speaks TLS that it verifies with minikin's certificate authority"""
    async with connect(TLS_ENDPOINT, verify=CA_FILE) as client:
        name = await create_stream(client)
    async with connect() as client:
        # The same port, the same streams.
        await summary_of(client, name)
    async with connect(TLS_ENDPOINT) as client:
        try:
            await client.list_streams()
        except SSLError:
            return
    raise AssertionError("a client that does not know the authority trusts it")


async def register_consumer(client, name):
    arn = (await summary_of(client, name))["StreamARN"]
    answer = await client.register_stream_consumer(StreamARN=arn, ConsumerName="reader")
    return answer["Consumer"]["ConsumerARN"]


async def subscribe(client, consumer, type, shard_id=SHARD, **position):
    answer = await client.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=shard_id, StartingPosition={"Type": type, **position}
    )
    return answer["EventStream"]


async def pushed(events, count):
    """Up to `count` records of a subscription, and its last event."""
    records = []
    async for event in events:
        event = event["SubscribeToShardEvent"]
        records += event["Records"]
        if len(records) == count:
            break
    events.close()
    return data_of(records), event


@check
async def subscriptions_follow_a_split():
    """is pushed every record in order, through a split to the ends of both children"""
    async with stream() as (client, name):
        consumer = await register_consumer(client, name)
        before = [b"before %d" % number for number in range(50)]
        for data in before:
            await put(client, name, data)
        await client.split_shard(
            StreamName=name, ShardToSplit=SHARD, NewStartingHashKey=str(2**127)
        )
        data, end = await pushed(await subscribe(client, consumer, "TRIM_HORIZON"), None)
        equal(data, before)
        assert "ContinuationSequenceNumber" not in end
        children = [child["ShardId"] for child in end["ChildShards"]]
        equal([child["ParentShards"] for child in end["ChildShards"]], [[SHARD], [SHARD]])
        subscriptions = [
            await subscribe(client, consumer, "TRIM_HORIZON", child) for child in children
        ]
        for key in ("0", str(2**128 - 1)):
            await put(client, name, b"after", ExplicitHashKey=key)
        ends = await asyncio.gather(*(pushed(events, 1) for events in subscriptions))
        equal([data for data, _ in ends], [[b"after"], [b"after"]])


@check
async def subscriptions_are_renewed():
    """subscribes again after the five minutes, and loses and repeats nothing"""
    async with stream(VIRTUAL_ENDPOINT) as (client, name):
        consumer = await register_consumer(client, name)
        await put(client, name, b"first")
        events = await subscribe(client, consumer, "TRIM_HORIZON")
        data = []
        async for event in events:
            event = event["SubscribeToShardEvent"]
            data += data_of(event["Records"])
            if event["Records"]:
                await advance_clock(300_000)
        await put(client, name, b"second")
        last = event["ContinuationSequenceNumber"]
        events = await subscribe(client, consumer, "AFTER_SEQUENCE_NUMBER", SequenceNumber=last)
        data += (await pushed(events, 1))[0]
        equal(data, [b"first", b"second"])


@check
async def subscriptions_are_taken_over():
    """subscribes again not within five seconds but after, which the old subscription meets as an error"""
    async with stream(VIRTUAL_ENDPOINT) as (client, name):
        consumer = await register_consumer(client, name)
        text = "Another active subscription exists for this consumer: "
        old = await subscribe(client, consumer, "LATEST")
        await refused(
            client, "ResourceInUseException", text, subscribe(client, consumer, "LATEST")
        )
        await advance_clock(5000)
        new = await subscribe(client, consumer, "LATEST")
        try:
            await pushed(old, None)
        except EventStreamError as error:
            equal(error.response["Error"]["Code"], "ResourceInUseException")
        else:
            raise AssertionError("the old subscription just ends")
        await put(client, name, b"data")
        equal((await pushed(new, 1))[0], [b"data"])


asyncio.run(main("aiobotocore"))
