package main

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func streamChecks() []check {
	return []check{
		{name: "takes a stream through its whole life, with the SDK's waiters", run: streamsLive},
		{name: "creates streams in a region that does not exist", run: regionsAreInvented},
		{name: "keeps two accounts apart", run: accountsAreApart},
		{name: "speaks TLS that it verifies with minikin's certificate authority", run: tlsIsVerified},
	}
}

func streamsLive(ctx context.Context) {
	client := connect(endpoint)
	before := time.Now()
	name := createStream(ctx, client, 1)
	stream := summary(ctx, client, name)
	arn := stream.StreamARN
	equal(*arn, "arn:aws:kinesis:us-east-1:000000000000:stream/"+*name)
	equal(stream.StreamStatus, types.StreamStatusActive)
	equal(stream.StreamModeDetails.StreamMode, types.StreamModeProvisioned)
	equal(stream.EncryptionType, types.EncryptionTypeNone)
	equal(*stream.RetentionPeriodHours, int32(24))
	assert(stream.StreamCreationTimestamp.Sub(before).Abs() < 10*time.Second, "created at %v", stream.StreamCreationTimestamp)
	// An SDK that has seen a StreamId no longer sends its requests to the endpoint it was given.
	equal(stream.StreamId == nil, true)

	must(client.IncreaseStreamRetentionPeriod(ctx, &kinesis.IncreaseStreamRetentionPeriodInput{
		StreamName:           name,
		RetentionPeriodHours: aws.Int32(48),
	}))
	must(client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
		StreamName:       name,
		TargetShardCount: aws.Int32(2),
		ScalingType:      types.ScalingTypeUniformScaling,
	}))
	awaitActive(ctx, client, name)
	must(client.StartStreamEncryption(ctx, &kinesis.StartStreamEncryptionInput{
		StreamName:     name,
		EncryptionType: types.EncryptionTypeKms,
		KeyId:          aws.String("alias/key"),
	}))
	awaitActive(ctx, client, name)
	must(client.EnableEnhancedMonitoring(ctx, &kinesis.EnableEnhancedMonitoringInput{
		StreamName:        name,
		ShardLevelMetrics: []types.MetricsName{types.MetricsNameIncomingBytes},
	}))
	must(client.AddTagsToStream(ctx, &kinesis.AddTagsToStreamInput{
		StreamName: name,
		Tags:       map[string]string{"owner": "us"},
	}))
	stream = summary(ctx, client, name)
	equal(*stream.RetentionPeriodHours, int32(48))
	equal(*stream.OpenShardCount, int32(2))
	equal(stream.EncryptionType, types.EncryptionTypeKms)
	equal(*stream.KeyId, "alias/key")
	equal(stream.EnhancedMonitoring[0].ShardLevelMetrics, []types.MetricsName{types.MetricsNameIncomingBytes})
	tags := must(client.ListTagsForStream(ctx, &kinesis.ListTagsForStreamInput{
		StreamARN: arn,
	})).Tags
	equal(tags, []types.Tag{{Key: aws.String("owner"), Value: aws.String("us")}})

	must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamARN: arn}))
	waiter := kinesis.NewStreamNotExistsWaiter(client)
	if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{
		StreamName: name,
	}, time.Minute); err != nil {
		fail("%v", err)
	}
}

func regionsAreInvented(ctx context.Context) {
	far, near := connect(endpoint, inRegion("mars-north-7")), connect(endpoint)
	name := createStream(ctx, far, 1)
	equal(*summary(ctx, far, name).StreamARN, "arn:aws:kinesis:mars-north-7:000000000000:stream/"+*name)
	_, err := near.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name})
	refused[*types.ResourceNotFoundException](err, "Stream "+*name+" under account 000000000000 not found.")
}

func accountsAreApart(ctx context.Context) {
	ours, theirs := connect(endpoint, inAccount("111111111111")), connect(endpoint, inAccount("222222222222"))
	name := createStream(ctx, ours, 1)
	equal(*summary(ctx, ours, name).StreamARN, "arn:aws:kinesis:us-east-1:111111111111:stream/"+*name)
	_, err := theirs.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{
		StreamName: name,
	})
	refused[*types.ResourceNotFoundException](err, "Stream "+*name+" under account 222222222222 not found.")
}

func tlsIsVerified(ctx context.Context) {
	name := createStream(ctx, connect(tlsEndpoint, trustingAuthority), 1)
	// The same port, the same streams.
	summary(ctx, connect(endpoint), name)
	_, err := connect(tlsEndpoint).ListStreams(ctx, &kinesis.ListStreamsInput{})
	var unknown x509.UnknownAuthorityError
	assert(errors.As(err, &unknown), "a client that does not know the authority meets %v", err)
}
