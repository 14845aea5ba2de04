// Starts the image, puts a record into a stream of the start, and reads it.
import assert from "node:assert";
import {
  GetRecordsCommand, GetShardIteratorCommand, KinesisClient, PutRecordCommand,
} from "@aws-sdk/client-kinesis";
import { GenericContainer, Wait } from "testcontainers";

const minikin = await new GenericContainer(process.env.MINIKIN_IMAGE)
  .withCommand(["--stream", "orders:1"])
  .withExposedPorts(4567)
  .withWaitStrategy(Wait.forHttp("/health", 4567))
  .start();
try {
  const endpoint = `http://${minikin.getHost()}:${minikin.getMappedPort(4567)}`;
  const kinesis = new KinesisClient({ endpoint });
  await kinesis.send(new PutRecordCommand({
    StreamName: "orders", PartitionKey: "customer-7", Data: Buffer.from("hello"),
  }));
  const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({
    StreamName: "orders", ShardId: "shardId-000000000000", ShardIteratorType: "TRIM_HORIZON",
  }));
  const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  assert.equal(Buffer.from(Records[0].Data).toString(), "hello");
  kinesis.destroy();
} finally {
  await minikin.stop();
}
