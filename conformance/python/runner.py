"""Runs checks one by one and says how each went, in the words that conformance/run counts."""

import sys
import time

CHECKS = []


def check(function):
    """Marks a function as a check; its docstring is the check's name."""
    CHECKS.append(function)
    return function


def equal(actual, expected):
    assert actual == expected, f"{actual!r} in the place of {expected!r}"


def until(condition, seconds=30):
    """Asks again and again until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.02)


def main(client):
    failures = 0
    for function in CHECKS:
        try:
            function()
            print(f"ok {client}: {function.__doc__}", flush=True)
        except Exception as error:
            failures += 1
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            place = error.__traceback__
            while place.tb_next and place.tb_next.tb_frame.f_code.co_filename.endswith("checks.py"):
                place = place.tb_next
            print(f"FAILED {client}: {function.__doc__}: line {place.tb_lineno}: {reason}", flush=True)
    sys.exit(1 if failures else 0)
