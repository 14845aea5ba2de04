module minikin-conformance-testcontainers

go 1.25.0

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7
	github.com/aws/aws-sdk-go-v2/config v1.33.6
	github.com/aws/aws-sdk-go-v2/service/kinesis v1.56.11
	github.com/testcontainers/testcontainers-go v0.45.0
)
