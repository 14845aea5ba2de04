"""Starts processes, and ends those that are still there when the checks end, however they end."""

import atexit
import os
import signal
import subprocess
import sys

running = []


def start(command, output, errors=None, stdin=subprocess.DEVNULL, **more):
    """Starts a command that writes to the file `output`, and its errors there too or to a second."""
    with open(output, "w") as out, open(errors or os.devnull, "w") as err:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=out, stderr=err if errors else subprocess.STDOUT, **more
        )
    running.append(process)
    return process


@atexit.register
def kill_all():
    for process in running:
        process.kill()
    for process in running:
        process.wait()


def bound_time(seconds):
    """Ends this program after a time limit, and in good order after a signal."""

    def end(signal_number, frame):
        sys.exit(f"ended by signal {signal_number}")

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)


# A short-lived JVM beside others: bounded, and compiled no more than it needs.
JAVA = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
