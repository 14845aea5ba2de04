//! Expired records stay expired, whatever the retention period is later.

use super::{HALF, indexes, ok, shard_id, shards};
use crate::lab::stream::texts;
use crate::lab::{hours, kinesis_test, ms};
use serde_json::json;

kinesis_test!(
    an_increase_does_not_bring_expired_records_back,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("k", "old").await;
        lab.clock.advance(hours(12)).await;
        stream.put("k", "new").await;
        lab.clock.advance(hours(12)).await;
        assert_eq!(texts(&stream.read_all().await), ["new"]);
        let longer = json!({"StreamName": "s", "RetentionPeriodHours": 100});
        ok(&lab, "IncreaseStreamRetentionPeriod", longer).await;
        assert_eq!(texts(&stream.read_all().await), ["new"]);
    }
);

kinesis_test!(
    a_decrease_taken_back_at_once_has_expired_what_it_expired,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let longer = json!({"StreamName": "s", "RetentionPeriodHours": 100});
        ok(&lab, "IncreaseStreamRetentionPeriod", longer.clone()).await;
        stream.put("k", "old").await;
        lab.clock.advance(hours(30)).await;
        stream.put("k", "new").await;
        let shorter = json!({"StreamName": "s", "RetentionPeriodHours": 24});
        ok(&lab, "DecreaseStreamRetentionPeriod", shorter).await;
        ok(&lab, "IncreaseStreamRetentionPeriod", longer).await;
        assert_eq!(texts(&stream.read_all().await), ["new"]);
    }
);

kinesis_test!(
    a_closed_shard_that_was_removed_does_not_come_back,
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        let split =
            json!({"StreamName": "s", "ShardToSplit": shard_id(0), "NewStartingHashKey": HALF});
        ok(&lab, "SplitShard", split).await;
        lab.clock.advance(hours(24) + ms(501)).await;
        assert_eq!(indexes(&shards(&lab, "s").await), [1, 2]);
        let longer = json!({"StreamName": "s", "RetentionPeriodHours": 100});
        ok(&lab, "IncreaseStreamRetentionPeriod", longer).await;
        assert_eq!(indexes(&shards(&lab, "s").await), [1, 2]);
    }
);
