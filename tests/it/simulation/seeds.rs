//! The seeds that are lived: those that once found something, and many more.

use super::{channels, live, mappings, queues};

/// Seeds that found a bug, with what it was; nothing that was found is lost again.
const KEPT: &[(u64, Life, &str)] = &[
    (
        1089,
        live,
        "a commit kept in part lost records of an earlier one, where a later segment of the log \
         was kept and the one before it was not",
    ),
    (
        50371,
        mappings::live,
        "retention removed records of a shard before a mapping had read them, without an \
         on-failure record",
    ),
    (
        70785,
        mappings::live,
        "records in the commit frames of one generation were joined with records that came after a \
         segment of the next generation, and the records of that segment were lost at the next start",
    ),
    (
        2_002_896,
        mappings::live,
        "records that were discarded without an invocation opened a tumbling window again, and the \
         window had a second last invocation with an empty state",
    ),
];

/// A life of a seed. Returns the trace of the life.
type Life = fn(u64) -> Vec<String>;

/// Number of seeds that run by default, and of the parts that run side by side.
const SEEDS: u64 = 1_000;
/// Number of lives of queues that run by default.
const QUEUE_SEEDS: u64 = 100;
/// Number of lives of event source mappings that run by default.
const MAPPING_SEEDS: u64 = 300;
/// Number of lives of channels that run by default.
const CHANNEL_SEEDS: u64 = 100;
const PARTS: u64 = 4;

#[test]
fn the_seeds_that_once_found_something_find_nothing_any_more() {
    for (seed, life, _found) in KEPT {
        life(*seed);
    }
}

/// The seeds from SEEDS_FROM on: SEEDS of them, or `count` by default.
pub(super) fn seeds(count: u64) -> std::ops::Range<u64> {
    let number = |name, default| match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    };
    let from = number("SEEDS_FROM", 1_000);
    from..from + number("SEEDS", count)
}

/// Number of seeds that may fail before the rest is left out: each may fail by a wait that takes its
/// whole limit.
const FAILURES: usize = 3;

/// Lives the lives of these seeds, and names those that fail.
pub(super) fn live_all(seeds: impl Iterator<Item = u64>, live: fn(u64) -> Vec<String>) {
    let failed = |seed: &u64| std::panic::catch_unwind(|| live(*seed)).is_err();
    let failed: Vec<u64> = seeds.filter(failed).take(FAILURES).collect();
    assert!(failed.is_empty(), "seeds {failed:?}, perhaps among others");
}

/// Runs one part of the seeds.
fn live_part(part: u64) {
    let seeds = seeds(SEEDS).filter(|seed| seed % PARTS == part);
    live_all(seeds, live);
}

#[test]
fn mappings_deliver_or_discard_every_record_in_the_lives_of_many_seeds() {
    live_all(seeds(MAPPING_SEEDS), mappings::live);
}

#[test]
fn the_model_foretells_the_lives_of_queues_of_many_seeds() {
    live_all(seeds(QUEUE_SEEDS), queues::live);
}

#[test]
fn the_model_foretells_the_lives_of_channels_of_many_seeds() {
    live_all(seeds(CHANNEL_SEEDS), channels::live);
}

#[test]
fn the_oracle_foretells_the_lives_of_a_thousand_seeds_first_part() {
    live_part(0);
}

#[test]
fn the_oracle_foretells_the_lives_of_a_thousand_seeds_second_part() {
    live_part(1);
}

#[test]
fn the_oracle_foretells_the_lives_of_a_thousand_seeds_third_part() {
    live_part(2);
}

#[test]
fn the_oracle_foretells_the_lives_of_a_thousand_seeds_fourth_part() {
    live_part(3);
}
