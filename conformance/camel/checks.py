"""Apache Camel against minikin: a route from one stream to another."""

import os
import sys

import processes
from runner import check, main
from scenario import LONG, Scenario, checks

WORK, NAME = sys.argv[1:]
processes.bound_time(900 if LONG else 300)


def start():
    return processes.start(
        [
            *processes.JAVA, "-cp", f"{WORK}/classes:{WORK}/jars/*", "Relay",
            os.environ["ENDPOINT"], "source", "target",
        ],
        output="camel.log",
    )


# The consumer reads the children of a shard beside what is left of the parent.
checks(Scenario("source", "target"), start, in_order=False)


@check
def nothing_is_refused():
    """is refused nothing, although it orders by numbers of another stream"""
    with open("camel.log") as log:
        refusals = [line for line in log if "Exception" in line]
    assert not refusals, refusals[0]


main(NAME)
