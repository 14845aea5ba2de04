"""Runs checks one by one and says how each went, in the words that conformance/run counts."""

import os
import threading
import time

CHECKS = []
CHECK_SECONDS = 300 if os.environ.get("LONG") == "true" else 60


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


def file_of(place):
    return place.tb_frame.f_code.co_filename


def is_of_a_check(place):
    """Checks that the code is neither in the SDK nor in this file."""
    folder = os.path.dirname(__file__)
    return os.path.dirname(file_of(place)) == folder and file_of(place) != __file__


def give_up(client, function):
    """Ends the process, because a single thread that hangs cannot be stopped."""
    print(f"FAILED {client}: {function.__doc__}: not over after {CHECK_SECONDS} s", flush=True)
    os._exit(1)


def main(client):
    failures = 0
    for function in CHECKS:
        alarm = threading.Timer(CHECK_SECONDS, give_up, (client, function))
        alarm.daemon = True
        alarm.start()
        try:
            function()
            print(f"ok {client}: {function.__doc__}", flush=True)
        except Exception as error:
            failures += 1
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            place = error.__traceback__
            while place.tb_next and is_of_a_check(place.tb_next):
                place = place.tb_next
            line = f"{os.path.basename(file_of(place))}:{place.tb_lineno}"
            print(f"FAILED {client}: {function.__doc__}: {line}: {reason}", flush=True)
        finally:
            alarm.cancel()
    # sys.exit would wait for the threads of a failed check.
    os._exit(1 if failures else 0)
