"""Two Lambda functions that consume a stream. Nothing in them knows of minikin."""

import base64
import os

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.KinesisDataStreams)


def write(text):
    if text == "bad":
        raise ValueError("a bad record")
    with open(os.environ["OUTPUT"], "a") as output:
        print(text, file=output)


def plain(event, context):
    """Fails as a whole when one record is bad."""
    for record in event["Records"]:
        write(base64.b64decode(record["kinesis"]["data"]).decode())


def partial(event, context):
    """Reports the records that failed, as Powertools does."""
    return process_partial_response(
        event=event, context=context, processor=processor,
        record_handler=lambda record: write(record.kinesis.data_as_text()),
    )
