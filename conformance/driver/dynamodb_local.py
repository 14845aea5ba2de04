"""DynamoDB on this machine, where the workers keep their leases."""

import socket

import boto3

import processes
from runner import until


class DynamoDbLocal:
    def __init__(self, jars):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = processes.start(
            [
                "java", "-Xmx256m", f"-Dsqlite4java.library.path={jars}", "-cp", f"{jars}/*",
                "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
                "-inMemory", "-disableTelemetry", "-port", str(port),
            ],
            output="dynamodb.log",
        )

        def answers():
            assert self.process.poll() is None, "DynamoDB Local ended: " + open("dynamodb.log").read()
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return True
            except ConnectionRefusedError:
                return False

        until(answers)

    def forget_leader(self, application):
        """Frees the lock of an application's leader, which others would respect for minutes."""
        boto3.resource("dynamodb", endpoint_url=self.endpoint).Table(
            f"{application}-CoordinatorState"
        ).delete_item(Key={"key": "Leader"})
