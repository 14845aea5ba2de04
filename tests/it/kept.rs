//! Data directories with impossible streams. An engine must not start with them.

use minikin::Clock;
use minikin::Profile;
use minikin::internals::engine::{
    Behaviour, Engine, PendingChange, ReshardingOrder, StreamSettings,
};
use minikin::internals::limits::Limits;
use minikin::internals::store::{
    Catalog, History, Recovered, Settings, ShardValue, Store, StreamValue,
};
use minikin::internals::world::Random;
use minikin::internals::world::World;
use std::collections::{BTreeMap, BTreeSet};

const HALF: u128 = 1 << 127;

fn settings() -> StreamSettings {
    StreamSettings {
        on_demand: false,
        retention_hours: 24,
        max_record_kib: 1024,
        auto_distribution: false,
        key_id: None,
        warm_throughput_mibps: None,
        metrics: BTreeSet::new(),
    }
}

fn stream() -> StreamValue {
    StreamValue {
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        name: "s".to_owned(),
        created_ms: 1_700_000_000_000,
        status: "ACTIVE".to_owned(),
        due_ms: None,
        was_active: true,
        expired_before_ms: 0,
        settings: settings(),
        pending: None,
        tags: BTreeMap::new(),
        policy: None,
        consumers: BTreeMap::new(),
        history: History::default(),
        identity: None,
        tail_mark: None,
        record_count: None,
    }
}

fn shard(start: u128, end: u128) -> ShardValue {
    ShardValue {
        start: start.to_be_bytes(),
        end: end.to_be_bytes(),
        created_s: 1_700_000_000,
        closed_s: None,
        parent: None,
        adjacent_parent: None,
    }
}

/// Two shards after an UpdateShardCount.
fn shards() -> Vec<(u32, ShardValue)> {
    vec![(3, shard(0, HALF - 1)), (4, shard(HALF, u128::MAX))]
}

/// True if an engine starts with this stream.
async fn begins(stream: &StreamValue, shards: &[(u32, ShardValue)]) -> bool {
    let opened = Store::open(Settings::default()).unwrap();
    let (store, _) = opened.on_thread().unwrap();
    let shards = shards.iter();
    let catalog = Catalog {
        streams: [(7, stream.clone())].into(),
        shards: shards
            .map(|(index, shard)| ((7, *index), shard.clone()))
            .collect(),
        ..Catalog::default()
    };
    let recovered = Recovered { catalog, run: 1 };
    let world = World::new(Clock::System, Random::seeded(1));
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let limits = Limits::for_profile(Profile::Standard);
    let taste = Behaviour::default();
    Engine::start(world, limits, taste, store, &recovered, stopped).is_ok()
}

fn pending(resharding: ReshardingOrder) -> StreamValue {
    let pending = PendingChange {
        settings: settings(),
        resharding: Some(resharding),
    };
    StreamValue {
        status: "UPDATING".to_owned(),
        due_ms: Some(1_700_000_000_500),
        pending: Some(pending),
        ..stream()
    }
}

fn split(shard: u32, at: u128) -> ReshardingOrder {
    let at = at.to_be_bytes();
    ReshardingOrder::Split { shard, at }
}

#[tokio::test]
async fn streams_that_can_be_are_restored() {
    let mut elsewhere = stream();
    elsewhere.region = "any text/is:a region".to_owned();
    for stream in [stream(), elsewhere] {
        assert!(begins(&stream, &shards()).await, "{stream:?}");
    }
    for order in [
        split(3, 5),
        ReshardingOrder::Merge { lower: 3, upper: 4 },
        ReshardingOrder::Scale { count: 4 },
    ] {
        assert!(
            begins(&pending(order.clone()), &shards()).await,
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn shards_that_do_not_cover_the_key_space_once_are_refused() {
    for ranges in [
        vec![],
        vec![(0, HALF)],
        vec![(1, u128::MAX)],
        vec![(0, HALF), (HALF, u128::MAX)],
        vec![(0, HALF - 1), (HALF + 1, u128::MAX)],
        vec![(u128::MAX, 0)],
    ] {
        let described = ranges.iter().map(|(start, end)| shard(*start, *end));
        let described: Vec<_> = (0..).zip(described).collect();
        assert!(!begins(&stream(), &described).await, "{ranges:?}");
    }
}

#[tokio::test]
async fn a_stream_on_its_way_out_needs_no_shards() {
    let leaving = StreamValue {
        status: "DELETING".to_owned(),
        ..stream()
    };
    assert!(begins(&leaving, &[]).await);
    assert!(begins(&leaving, &shards()).await);
}

#[tokio::test]
async fn shards_from_times_or_parents_that_cannot_be_are_refused() {
    let whole = shard(0, u128::MAX);
    let created_s = u64::MAX;
    for absurd in [
        ShardValue {
            created_s,
            ..whole.clone()
        },
        ShardValue {
            closed_s: Some(1),
            ..whole.clone()
        },
        ShardValue {
            closed_s: Some(u64::MAX),
            ..whole.clone()
        },
        ShardValue {
            parent: Some(0),
            ..whole.clone()
        },
        ShardValue {
            adjacent_parent: Some(u32::MAX),
            ..whole.clone()
        },
    ] {
        assert!(
            !begins(&stream(), &[(0, absurd.clone())]).await,
            "{absurd:?}"
        );
    }
    assert!(begins(&stream(), &[(0, whole.clone())]).await);
    assert!(!begins(&stream(), &[(u32::MAX, whole)]).await);
}

#[tokio::test]
async fn changes_that_cannot_be_made_are_refused() {
    for order in [
        split(0, 5),
        split(3, 0),
        split(3, HALF),
        ReshardingOrder::Merge { lower: 4, upper: 3 },
        ReshardingOrder::Merge {
            lower: 3,
            upper: u32::MAX,
        },
        ReshardingOrder::Scale { count: 0 },
        ReshardingOrder::Scale { count: u32::MAX },
    ] {
        assert!(
            !begins(&pending(order.clone()), &shards()).await,
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn streams_without_a_name_or_a_period_are_refused() {
    let mut nameless = stream();
    nameless.name.clear();
    let mut nobodys = stream();
    nobodys.account = "me".to_owned();
    let mut endless = stream();
    endless.settings.retention_hours = u32::MAX;
    for absurd in [nameless, nobodys, endless] {
        assert!(!begins(&absurd, &shards()).await, "{absurd:?}");
    }
}
