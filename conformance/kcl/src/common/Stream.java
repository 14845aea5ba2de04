package common;

import java.math.BigInteger;
import java.util.List;

/** The stream that the workers read, through the SDK that the library under test brings along. */
public interface Stream {
    String name();

    /** Puts all in one request; whether each was taken, or is to be put again. */
    List<Boolean> put(List<Message> messages);

    /** All shards, those that were closed too. */
    List<Shard> shards();

    void split(Shard shard, BigInteger firstHashOfSecond);

    void merge(Shard shard, Shard adjacent);

    void scale(int shards);

    void delete();
}
