"""Puts numbered records of all keys into a stream with aiokpl: produce.py STREAM FIRST SECONDS.

FIRST is the first number. The number after the last is printed.
"""

import asyncio
import os
import sys
import time

from aiokpl import Config, Producer

STREAM, FIRST, SECONDS = sys.argv[1:]
KEYS = [f"key-{index}" for index in range(40)]


async def main():
    config = Config(region=os.environ["AWS_REGION"], endpoint_url=os.environ["ENDPOINT"])
    end = time.monotonic() + float(SECONDS)
    number = int(FIRST)
    async with Producer(config) as producer:
        while time.monotonic() < end:
            outcomes = [
                await producer.put_record(
                    stream=STREAM, partition_key=key, data=f"{key} {number}".encode()
                )
                for key in KEYS
            ]
            # A key's next record follows when the one before is in, so that their order is known.
            for outcome in outcomes:
                result = await outcome.wait()
                assert result.success, result
            number += 1
    print(number)


asyncio.run(main())
