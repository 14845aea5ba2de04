package client2and3;

import software.amazon.kinesis.leases.LeaseManagementConfig;

/** The third version's: a leader gives leases to workers by the load that they report. */
final class Tuning {
    private Tuning() {}

    static void hasten(LeaseManagementConfig config) {
        config.leasesRecoveryAuditorExecutionFrequencyMillis(10_000);
        config.leaseAssignmentIntervalMillis(1000L);
        config.dynamoDbLockBasedLeaderLeaseDurationInMillis(6000);
        config.dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(1000);
        config.workerUtilizationAwareAssignmentConfig()
                .inMemoryWorkerMetricsCaptureFrequencyMillis(500)
                .workerMetricsReporterFreqInMillis(1000);
    }
}
