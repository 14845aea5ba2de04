package client2and3;

import software.amazon.kinesis.leases.LeaseManagementConfig;

/** The second version's: each worker takes leases for itself. */
final class Tuning {
    private Tuning() {}

    static void hasten(LeaseManagementConfig config) {
        config.leasesRecoveryAuditorExecutionFrequencyMillis(10_000);
        config.maxLeasesToStealAtOneTime(10);
    }
}
