package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func doubleChecks() []check {
	name := fmt.Sprintf("puts %d batches of 500 records as users do, and none of them twice", batches())
	return []check{{name: name, run: nothingIsDoubled, limit: 10 * time.Minute}}
}

func batches() int {
	if long {
		return 10_000
	}
	return 500
}

// nothingIsDoubled uses the SDK as it is, with its own HTTP client and retries. Over HTTP/1.1 an answer
// that comes too soon breaks a connection of this SDK (see clients.go), and a retried batch is doubled.
func nothingIsDoubled(ctx context.Context) {
	asItIs := func(options *kinesis.Options) {
		options.HTTPClient = awshttp.NewBuildableClient()
		options.Retryer = retry.NewStandard()
	}
	client := connect(endpoint, asItIs)
	name := createStream(ctx, client, 1)
	var records []types.PutRecordsRequestEntry
	for index := range 500 {
		records = append(records, types.PutRecordsRequestEntry{
			PartitionKey: aws.String(strconv.Itoa(index)),
			Data:         []byte("x"),
		})
	}
	retried := 0
	for range batches() {
		// The rates of a shard refuse most of the records. What counts is how often a call is sent.
		answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: name, Records: records}))
		attempts, ok := retry.GetAttemptResults(answer.ResultMetadata)
		assert(ok, "the SDK does not say how often it tried")
		retried += len(attempts.Results) - 1
	}
	equal(retried, 0)
}
