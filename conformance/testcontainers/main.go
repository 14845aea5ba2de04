// Starts the image, puts a record into a stream of the start, and reads it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

func main() {
	ctx := context.Background()
	minikin, err := testcontainers.Run(ctx, os.Getenv("MINIKIN_IMAGE"),
		testcontainers.WithCmd("--stream", "orders:1"),
		testcontainers.WithExposedPorts("4567/tcp"),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/health").WithPort("4567/tcp")),
	)
	defer testcontainers.TerminateContainer(minikin)
	check(err)
	endpoint, err := minikin.PortEndpoint(ctx, "4567/tcp", "http")
	check(err)
	client := kinesis.New(kinesis.Options{
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		Region:       "us-east-1",
	})
	_, err = client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName: aws.String("orders"), PartitionKey: aws.String("customer-7"), Data: []byte("hello"),
	})
	check(err)
	iterator, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName:        aws.String("orders"),
		ShardId:           aws.String("shardId-000000000000"),
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	check(err)
	read, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator.ShardIterator})
	check(err)
	if len(read.Records) != 1 || string(read.Records[0].Data) != "hello" {
		log.Fatalf("%v", read.Records)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
