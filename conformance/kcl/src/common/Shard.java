package common;

import java.math.BigInteger;
import java.util.List;

/** A shard as ListShards tells it, in the words of no SDK. */
public record Shard(
        String id, List<String> parents, BigInteger firstHash, BigInteger lastHash, boolean open) {

    public BigInteger middleHash() {
        return firstHash.add(lastHash).add(BigInteger.ONE).shiftRight(1);
    }
}
