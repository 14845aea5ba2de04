"""async-kinesis against minikin: its producer batches, its consumer reads all shards at once.

conformance/run sets the variables.
"""

import asyncio
import os
import sys
from collections import Counter, defaultdict

from aiobotocore.session import get_session
from kinesis import Consumer, JsonProcessor, Producer

CLIENT = {"endpoint_url": os.environ["ENDPOINT"], "region_name": os.environ["AWS_REGION"]}
# A check that hangs must not hang the others.
CHECK_SECONDS = 90
CHECKS = []
KEYS = 20
ROUNDS = 25


def check(function):
    """Marks a coroutine function as a check; its docstring is the check's name."""
    CHECKS.append(function)
    return function


def consumer_of(name):
    # The highest rate that the limit of five calls a second for each shard permits.
    return Consumer(name, sleep_time_no_records=0.25, shard_fetch_rate=5, **CLIENT)


async def produce(name, rounds):
    """Puts one item for each key and number."""
    async with Producer(name, processor=JsonProcessor(), **CLIENT) as producer:
        for number in rounds:
            for key in range(KEYS):
                item = {"key": key, "number": number}
                await producer.put(item, partition_key=f"key-{key}")


async def consume(consumer, count):
    """Reads `count` items. Returns the lists of their numbers by key."""
    numbers = defaultdict(list)
    while sum(map(len, numbers.values())) < count:
        # The loop ends, and is to be begun again, when there was nothing for a while.
        async for item in consumer:
            numbers[item["key"]].append(item["number"])
    return numbers


@check
async def items_come_back():
    """makes a stream, and consumes every item of its four shards once and in order"""
    producer = Producer("items", create_stream=True, create_stream_shards=4, **CLIENT)
    async with producer:
        pass
    await produce("items", range(ROUNDS))
    async with consumer_of("items") as consumer:
        numbers = await consume(consumer, KEYS * ROUNDS)
    assert numbers == {key: [*range(ROUNDS)] for key in range(KEYS)}, numbers


@check
async def batches_are_taken_apart():
    """takes apart what the producer packed into one record"""
    from kinesis import JsonLineProcessor

    async with Producer(
        "packed", create_stream=True, processor=JsonLineProcessor(), **CLIENT
    ) as producer:
        for number in range(1000):
            await producer.put({"number": number})
    async with Consumer("packed", processor=JsonLineProcessor(), **CLIENT) as consumer:
        found = []
        while len(found) < 1000:
            async for item in consumer:
                found.append(item["number"])
    assert Counter(found) == Counter(range(1000)), Counter(found).most_common(3)


@check
async def a_split_is_followed():
    """consumes every item once and in order through a split"""
    async with get_session().create_client("kinesis", **CLIENT) as client:
        await client.create_stream(StreamName="split", ShardCount=1)
        await client.get_waiter("stream_exists").wait(StreamName="split")
        await produce("split", range(ROUNDS))
        await client.split_shard(
            StreamName="split",
            ShardToSplit="shardId-000000000000",
            NewStartingHashKey=str(2**127),
        )
    await produce("split", range(ROUNDS, 2 * ROUNDS))
    async with consumer_of("split") as consumer:
        numbers = await consume(consumer, KEYS * 2 * ROUNDS)
        status = consumer.get_shard_status()
    assert numbers == {key: [*range(2 * ROUNDS)] for key in range(KEYS)}, numbers
    assert status["closed_shards"] == 1, status


async def main():
    status = 0
    for function in CHECKS:
        try:
            await asyncio.wait_for(function(), CHECK_SECONDS)
            print(f"ok async-kinesis: {function.__doc__}", flush=True)
        except Exception as error:
            status = 1
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:600]
            print(f"FAILED async-kinesis: {function.__doc__}: {reason}", flush=True)
    sys.exit(status)


asyncio.run(main())
