"""Runs checks one by one and says how each went, in the words that conformance/run counts."""

import sys
import time
import traceback

CHECKS = []


def check(function):
    """Marks a function as a check; its docstring is the check's name."""
    CHECKS.append(function)
    return function


def equal(actual, expected):
    assert actual == expected, f"{short(actual)} in the place of {short(expected)}"


def short(value):
    text = repr(value)
    return text if len(text) < 1000 else f"{text[:1000]}…"


def until(condition, seconds=30):
    """Asks again and again until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.1)


def main(client):
    failures = 0
    for function in CHECKS:
        try:
            function()
            print(f"ok {client}: {function.__doc__}", flush=True)
        except Exception as error:
            failures += 1
            # For those who look into the folder of a run that failed, which is kept.
            with open("failures.log", "a") as log:
                traceback.print_exc(file=log)
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {client}: {function.__doc__}: {reason}", flush=True)
    sys.exit(1 if failures else 0)
