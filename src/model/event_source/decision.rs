//! The next step for a batch after a failed invocation: retries, back-off and bisecting.

use super::settings::Settings;

/// The waits between a failed invocation and the next invocation with the same batch. Each further
/// failure of the batch doubles the wait, up to `most_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The wait after the first failure, in milliseconds.
    pub first_ms: i64,
    /// The longest wait after a failure, in milliseconds.
    pub most_ms: i64,
}

/// The kind of failure of an invocation. It determines the next step for the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// The function did not run. The failure does not count as an attempt to deliver the batch.
    NotReached {
        /// The shortest wait before the next invocation, in milliseconds. `None` if the response
        /// names no wait.
        retry_after_ms: Option<i64>,
    },
    /// The function ran and failed. The failure counts as an attempt to deliver the batch, unless
    /// the batch is split.
    Batch,
    /// The event is larger than allowed although it contains a single record. The failure counts as
    /// an attempt to deliver the batch, and the batch is not split.
    Oversized,
}

/// The next step for a batch after a failed invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Invoke the function again with the same batch.
    Retry {
        /// The wait before the invocation, in milliseconds.
        after_ms: i64,
    },
    /// Split the batch in two, and deliver the first part before the second.
    Split {
        /// Number of records in the first part.
        first: usize,
    },
    /// Discard the batch.
    Discard,
}

impl BackOff {
    /// Returns the wait in milliseconds after the failure with the number `failures`. The first
    /// failure of a batch has the number 1.
    pub fn after(self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(40);
        let wait = self.first_ms.saturating_mul(1 << doublings);
        wait.min(self.most_ms)
    }
}

/// Counts of the failed invocations with one batch so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// Number of failures that count as attempts to deliver the batch.
    pub attempts: u32,
    /// Number of consecutive failures in which the function did not run.
    pub unreached: u32,
}

/// Decides the next step for a batch of `records` records after a failed invocation. `failing` is
/// the kind of this failure. `failures` counts the earlier failures of the batch, and this function
/// adds the new failure.
pub fn next_step(
    settings: &Settings,
    back_off: BackOff,
    records: usize,
    failing: Failing,
    failures: &mut Failures,
) -> Next {
    let Failures {
        attempts,
        unreached,
    } = failures;
    if let Failing::NotReached { retry_after_ms } = failing {
        *unreached = unreached.saturating_add(1);
        let after_ms = back_off.after(*unreached).max(retry_after_ms.unwrap_or(0));
        return Next::Retry { after_ms };
    }
    *unreached = 0;
    if settings.bisect && records > 1 && failing == Failing::Batch {
        return Next::Split { first: records / 2 };
    }
    *attempts = attempts.saturating_add(1);
    if settings
        .max_retries
        .is_some_and(|retries| *attempts > retries)
    {
        return Next::Discard;
    }
    Next::Retry {
        after_ms: back_off.after(*attempts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(retries: Option<u32>, bisect: bool) -> Settings {
        Settings {
            max_retries: retries,
            bisect,
            ..Settings::default()
        }
    }

    const BACK_OFF: BackOff = BackOff {
        first_ms: 200,
        most_ms: 60_000,
    };

    fn step(
        settings: &Settings,
        records: usize,
        failing: Failing,
        failures: &mut Failures,
    ) -> Next {
        next_step(settings, BACK_OFF, records, failing, failures)
    }

    #[test]
    fn the_wait_doubles_from_200_ms_up_to_a_minute() {
        let waits: Vec<i64> = (1..=11).map(|count| BACK_OFF.after(count)).collect();
        let doubled = [
            200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000,
        ];
        assert_eq!(waits, doubled);
        assert_eq!(BACK_OFF.after(u32::MAX), 60_000);
    }

    proptest! {
        #[test]
        fn a_failing_batch_is_tried_once_more_than_it_has_retries(retries in 0_u32..50) {
            let (mut failures, mut tries) = (Failures::default(), 1);
            let settings = settings(Some(retries), false);
            while step(&settings, 3, Failing::Batch, &mut failures) != Next::Discard {
                tries += 1;
            }
            prop_assert_eq!(tries, retries + 1);
            prop_assert_eq!(failures.attempts, tries);
        }

        #[test]
        fn bisecting_ends_with_single_records_and_spends_nothing(records in 2_usize..10_000) {
            let mut failures = Failures::default();
            let next = step(&settings(Some(0), true), records, Failing::Batch, &mut failures);
            let Next::Split { first } = next else { panic!("{next:?}") };
            prop_assert!(first >= 1 && first < records && first == records / 2);
            prop_assert_eq!(failures.attempts, 0);
        }

        #[test]
        fn what_is_not_reached_is_tried_for_ever(before in 0_u32..1000, after in 0_i64..100_000) {
            let mut failures = Failures { attempts: 0, unreached: before };
            let failing = Failing::NotReached { retry_after_ms: Some(after) };
            let next = step(&settings(Some(0), true), 5, failing, &mut failures);
            let after_ms = BACK_OFF.after(before + 1).max(after);
            prop_assert_eq!(next, Next::Retry { after_ms });
            prop_assert_eq!(failures.attempts, 0);
        }
    }

    #[test]
    fn an_oversized_record_is_not_split_and_spends_the_quota() {
        let mut failures = Failures::default();
        let mut next = || {
            step(
                &settings(Some(2), true),
                1,
                Failing::Oversized,
                &mut failures,
            )
        };
        assert_eq!(next(), Next::Retry { after_ms: 200 });
        assert_eq!(next(), Next::Retry { after_ms: 400 });
        assert_eq!(next(), Next::Discard);
        assert_eq!(failures.attempts, 3);
    }
}
