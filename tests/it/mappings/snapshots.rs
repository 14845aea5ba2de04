//! A mapping in a snapshot.

use super::bench::{Say, bench_with};
use crate::lab::{Place, Stream};
use crate::snapshots::{load, save};
use serde_json::json;

#[test]
fn a_mapping_goes_on_where_the_snapshot_has_it() {
    for place in [Place::Memory, Place::Disk] {
        bench_with(
            place,
            &[],
            1,
            |_, _| Say::ok(),
            |bench| async move {
                let mapping = bench.map(json!({}));
                bench.put("a").await;
                bench.drain().await;
                let file = save(&bench.lab).await;
                bench.put("lost").await;
                bench.drain().await;
                assert_eq!(bench.script.batches(), ["a", "lost"]);
                load(&bench.lab, &file).await;
                bench.put("b").await;
                bench.drain().await;
                assert_eq!(bench.script.batches(), ["a", "lost", "b"]);
                let all = bench.lab.event_sources().all();
                let uuids: Vec<_> = all.iter().map(|mapping| mapping.uuid).collect();
                assert_eq!(uuids, [mapping.uuid]);
                if bench.lab.restart().await {
                    Stream::existing(&bench.lab, "s").put("k", "c").await;
                    bench.drain().await;
                    assert_eq!(bench.script.batches(), ["a", "lost", "b", "c"]);
                }
            },
        );
    }
}
