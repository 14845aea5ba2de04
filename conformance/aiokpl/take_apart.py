"""Prints the user records of the Kinesis records that come as lines of hexadecimal digits."""

import base64
import sys
from datetime import datetime

from aws_kinesis_agg.deaggregator import iter_deaggregate_records

for line in sys.stdin:
    record = {
        "Data": bytes.fromhex(line), "PartitionKey": "key", "SequenceNumber": "0",
        "ApproximateArrivalTimestamp": datetime.fromtimestamp(0),
    }
    for each in iter_deaggregate_records(record, data_format="Boto3"):
        data = each["kinesis"]["data"]
        # The library gives the data of an aggregate in base64, and a plain record's as it is.
        if each["kinesis"].get("aggregated"):
            data = base64.b64decode(data)
        print(data.decode())
