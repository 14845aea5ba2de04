package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func errorChecks() []check {
	return []check{
		{name: "meets ResourceNotFoundException", run: missingStreamsAreNotFound},
		{name: "meets ResourceInUseException", run: namesAreTakenOnce},
		{name: "meets ValidationException with the service's text", run: brokenRulesAreNamed},
		{name: "meets InvalidArgumentException", run: wrongArgumentsAreRefused},
		{name: "meets ExpiredIteratorException after five minutes", run: iteratorsExpire},
		{name: "meets ExpiredNextTokenException after five minutes", run: tokensExpire},
		{name: "meets ProvisionedThroughputExceededException", run: shardsHaveTheirRate},
		{name: "meets LimitExceededException", run: consumersAreCounted},
		{name: "meets DryRunOperationException, and nothing is put", run: dryRunsPutNothing},
		{name: "meets every exception of the key service", run: keysFail},
	}
}

// broken holds if the error is an E with a message that begins with these words.
func broken[E smithy.APIError](err error, message string) {
	var typed E
	assert(errors.As(err, &typed), "%v in the place of a %T", err, typed)
	assert(strings.HasPrefix(typed.ErrorMessage(), message), "%q in the place of %q", typed.ErrorMessage(), message)
}

// refused holds if that error, moreover, is a call's answer.
func refused[E smithy.APIError](err error, message string) {
	broken[E](err, message)
	var answer *smithyhttp.ResponseError
	assert(errors.As(err, &answer), "%v is no answer", err)
	equal(answer.HTTPStatusCode(), http.StatusBadRequest)
}

func missingStreamsAreNotFound(ctx context.Context) {
	client := connect(endpoint)
	nowhere := aws.String("nowhere")
	text := "Stream nowhere under account 000000000000 not found."
	_, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{
		StreamName: nowhere,
	})
	refused[*types.ResourceNotFoundException](err, text)
	_, err = client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: nowhere})
	refused[*types.ResourceNotFoundException](err, text)
	_, err = client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName:   nowhere,
		PartitionKey: aws.String("key"),
		Data:         []byte("x"),
	})
	refused[*types.ResourceNotFoundException](err, text)
	_, err = client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName:        nowhere,
		ShardId:           aws.String(shardID(0)),
		ShardIteratorType: types.ShardIteratorTypeLatest,
	})
	refused[*types.ResourceNotFoundException](err, "Shard "+shardID(0)+" in stream nowhere under account 000000000000 does not exist")
}

func namesAreTakenOnce(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: name,
		ShardCount: aws.Int32(1),
	})
	refused[*types.ResourceInUseException](err, "Stream "+*name+" under account 000000000000 already exists.")
}

func brokenRulesAreNamed(ctx context.Context) {
	client := connect(endpoint)
	_, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{
		StreamName: aws.String("a b"),
	})
	refused[*types.ValidationException](err, "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	_, err = client.GetRecords(ctx, &kinesis.GetRecordsInput{
		ShardIterator: aws.String(""),
		Limit:         aws.Int32(0),
	})
	refused[*types.ValidationException](err, "2 validation errors detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1; Value '' at 'shardIterator' failed to satisfy constraint: Member must have length greater than or equal to 1")
}

func wrongArgumentsAreRefused(ctx context.Context) {
	client := connect(endpoint)
	_, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{
		ShardIterator: aws.String("nonsense"),
	})
	refused[*types.InvalidArgumentException](err, "Invalid ShardIterator.")
	name := createStream(ctx, client, 1)
	token := must(client.ListShards(ctx, &kinesis.ListShardsInput{
		StreamName: createStream(ctx, client, 2),
		MaxResults: aws.Int32(1),
	})).NextToken
	_, err = client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: name, NextToken: token})
	refused[*types.InvalidArgumentException](err, "NextToken and StreamName cannot be provided together.")
}

func iteratorsExpire(ctx context.Context) {
	client := connect(virtualEndpoint)
	input := &kinesis.GetRecordsInput{
		ShardIterator: iterator(ctx, client, createStream(ctx, client, 1), shardID(0), fromTip),
	}
	advanceClock(299 * time.Second)
	must(client.GetRecords(ctx, input))
	advanceClock(2 * time.Second)
	_, err := client.GetRecords(ctx, input)
	refused[*types.ExpiredIteratorException](err, "Iterator expired. The iterator was created at time ")
}

func tokensExpire(ctx context.Context) {
	client := connect(virtualEndpoint)
	name := createStream(ctx, client, 2)
	token := must(client.ListShards(ctx, &kinesis.ListShardsInput{
		StreamName: name,
		MaxResults: aws.Int32(1),
	})).NextToken
	advanceClock(299 * time.Second)
	must(client.ListShards(ctx, &kinesis.ListShardsInput{NextToken: token}))
	advanceClock(2 * time.Second)
	_, err := client.ListShards(ctx, &kinesis.ListShardsInput{NextToken: token})
	refused[*types.ExpiredNextTokenException](err, "")
}

func shardsHaveTheirRate(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	drain(ctx, client, name)
	// Nearly a second's worth: no machine is so slow that the shard takes it.
	_, err := client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName:   name,
		PartitionKey: aws.String("key"),
		Data:         make([]byte, 1_000_000),
	})
	refused[*types.ProvisionedThroughputExceededException](err, "Rate exceeded for shard "+shardID(0)+" in stream "+*name+" under account 000000000000.")
}

func consumersAreCounted(ctx context.Context) {
	client := connect(endpoint)
	arn := summary(ctx, client, createStream(ctx, client, 1)).StreamARN
	for _, name := range numbered("consumer-%d", 20) {
		registerConsumer(ctx, client, arn, name)
	}
	_, err := client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{
		StreamARN:    arn,
		ConsumerName: aws.String("one-too-many"),
	})
	refused[*types.LimitExceededException](err, "")
}

func dryRunsPutNothing(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	_, err := client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName:   name,
		PartitionKey: aws.String("key"),
		Data:         []byte("x"),
		DryRun:       aws.Bool(true),
	})
	refused[*types.DryRunOperationException](err, "")
	equal(len(read(ctx, client, name, shardID(0), fromStart)), 0)
}

func keysFail(ctx context.Context) {
	server := startServer("--kms-key", "alias/disabled=disabled", "--kms-key", "alias/pending=pending",
		"--kms-key", "alias/denied=denied", "--kms-key", "alias/missing=missing",
		"--kms-key", "alias/opt-in=opt-in", "--kms-key", "alias/throttled=throttled")
	defer server.stop()
	client := connect(server.endpoint)
	name := createStream(ctx, client, 1)
	encrypt := func(key string) error {
		_, err := client.StartStreamEncryption(ctx, &kinesis.StartStreamEncryptionInput{
			StreamName:     name,
			EncryptionType: types.EncryptionTypeKms,
			KeyId:          &key,
		})
		return err
	}
	refused[*types.KMSDisabledException](encrypt("alias/disabled"), "")
	refused[*types.KMSInvalidStateException](encrypt("alias/pending"), "")
	refused[*types.KMSAccessDeniedException](encrypt("alias/denied"), "")
	refused[*types.KMSNotFoundException](encrypt("alias/missing"), "")
	refused[*types.KMSOptInRequired](encrypt("alias/opt-in"), "")
	refused[*types.KMSThrottlingException](encrypt("alias/throttled"), "")
}
