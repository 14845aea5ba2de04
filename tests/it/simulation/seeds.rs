//! The seeds of the simulation: seeds that once found a bug, and many more.

use super::{channels, live, mappings, queues};

/// Seeds that found a bug, each with a description of the bug. They stay in this list, so that the
/// bug is noticed if it comes back.
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

/// Runs the simulation with a seed. Returns the log of the run.
type Life = fn(u64) -> Vec<String>;

/// Number of seeds that run by default, and number of parts that run in parallel.
const SEEDS: u64 = 1_000;
/// Number of seeds for queues that run by default.
const QUEUE_SEEDS: u64 = 100;
/// Number of seeds for event source mappings that run by default.
const MAPPING_SEEDS: u64 = 300;
/// Number of seeds for channels that run by default.
const CHANNEL_SEEDS: u64 = 60;
const PARTS: u64 = 4;

#[test]
fn the_seeds_that_once_found_something_find_nothing_any_more() {
    for (seed, life, _found) in KEPT {
        life(*seed);
    }
}

/// The seeds from SEEDS_FROM on. SEEDS is their number, and `count` is the default of this number.
pub(super) fn seeds(count: u64) -> std::ops::Range<u64> {
    let number = |name, default| match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    };
    let from = number("SEEDS_FROM", 1_000);
    from..from + number("SEEDS", count)
}

/// Number of failed seeds after which the remaining seeds do not run. Each failure may take the
/// whole time limit of a wait.
const FAILURES: usize = 3;

/// Runs the simulation with each of these seeds. Panics with the list of the seeds that failed.
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
