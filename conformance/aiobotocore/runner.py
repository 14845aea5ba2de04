"""Runs checks one by one and says how each went, in the words that conformance/run counts."""

import asyncio
import os
import sys
import traceback

CHECKS = []
# A check that hangs must not hang the others.
CHECK_SECONDS = 60


def check(function):
    """Marks a coroutine function as a check; its docstring is the check's name."""
    CHECKS.append(function)
    return function


def equal(actual, expected):
    assert actual == expected, f"{actual!r:.300} in the place of {expected!r:.300}"


async def until(condition):
    """Asks again and again until the condition holds; the check's limit ends it."""
    while not await condition():
        await asyncio.sleep(0.02)


def place_of(error):
    """The last line of the checks that the error went through."""
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith("checks.py")
    ]
    return f"line {own[-1].lineno}" if own else "in the SDK"


async def main(client):
    failures = 0
    for function in CHECKS:
        try:
            await asyncio.wait_for(function(), CHECK_SECONDS)
            print(f"ok {client}: {function.__doc__}", flush=True)
        except Exception as error:
            failures += 1
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {client}: {function.__doc__}: {place_of(error)}: {reason}", flush=True)
    # sys.exit would wait for threads of the SDK.
    sys.stdout.flush()
    os._exit(1 if failures else 0)
