"""Runs checks one by one and reports each result in the form that conformance/run counts."""

import sys
import time
import traceback

CHECKS = []


def check(function):
    """Marks a function as a check; its docstring is the check's name."""
    CHECKS.append(function)
    return function


def equal(actual, expected):
    assert actual == expected, f"{short(actual)} instead of {short(expected)}"


def short(value):
    text = repr(value)
    return text if len(text) < 1000 else f"{text[:1000]}…"


def until(condition, seconds=30):
    """Evaluates the condition again and again until it holds."""
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
            # conformance/run keeps the folder of a failed run, with this file.
            with open("failures.log", "a") as log:
                traceback.print_exc(file=log)
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {client}: {function.__doc__}: {reason}", flush=True)
    sys.exit(1 if failures else 0)
