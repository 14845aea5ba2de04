//! Measurements, and the figures that are reported of them.

use super::process::Memory;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// Longer latencies count as this one. No request is waited for so long.
const LONGEST: Duration = Duration::from_secs(60);
const SIGNIFICANT_DIGITS: u8 = 3;

/// The measurements of one connection, or of several together.
#[derive(Debug)]
pub(super) struct Tally {
    latencies: Histogram<u64>,
    records: u64,
    errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) connections_opened: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        let latencies = Histogram::new_with_max(nanoseconds(LONGEST), SIGNIFICANT_DIGITS);
        Self {
            latencies: latencies.expect("a histogram can be of this shape"),
            records: 0,
            errors: 0,
            first_error: None,
            connections_opened: 0,
        }
    }

    pub(super) fn success(&mut self, took: Duration, records: u64) {
        self.latencies.saturating_record(nanoseconds(took));
        self.records += records;
    }

    /// Notes an error. An error of the warm-up is reported but does not count.
    pub(super) fn failure(&mut self, counts: bool, error: String) {
        self.errors += u64::from(counts);
        self.first_error.get_or_insert(error);
    }

    pub(super) fn requests(&self) -> u64 {
        self.latencies.len()
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    pub(super) fn merge(&mut self, other: Self) {
        let added = self.latencies.add(&other.latencies);
        added.expect("all histograms are of one shape");
        self.records += other.records;
        self.errors += other.errors;
        self.connections_opened += other.connections_opened;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    fn quantile(&self, quantile: f64) -> f64 {
        let bound = self.latencies.value_at_quantile(quantile);
        microseconds(bound.min(self.latencies.max()))
    }
}

/// A tally with its duration and its cost.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) tally: Tally,
    pub(super) seconds: f64,
    /// Size of each record.
    pub(super) payload_bytes: usize,
    pub(super) server_cpu: Option<Duration>,
    pub(super) client_cpu: Option<Duration>,
    pub(super) server_memory: Option<Memory>,
}

impl Sample {
    /// Adds a later part of the same measurement.
    pub(super) fn add(&mut self, later: Self) {
        let both = |one: Option<Duration>, other: Option<Duration>| Some(one? + other?);
        self.tally.merge(later.tally);
        self.seconds += later.seconds;
        self.server_cpu = both(self.server_cpu, later.server_cpu);
        self.client_cpu = both(self.client_cpu, later.client_cpu);
        self.server_memory = later.server_memory;
    }
}

/// One row of the table.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    /// The name of this part of its scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<String>,
    pub(super) requests: u64,
    pub(super) records: u64,
    pub(super) seconds: f64,
    pub(super) requests_per_second: f64,
    pub(super) records_per_second: f64,
    pub(super) megabytes_per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p90_us: f64,
    pub(super) p99_us: f64,
    pub(super) p999_us: f64,
    pub(super) max_us: f64,
    pub(super) mean_us: f64,
    pub(super) errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_error: Option<String>,
    pub(super) connections_opened: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_request: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_cpu_us_per_request: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_record: Option<f64>,
    /// Resident memory, in millions of bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_memory_mb: Option<f64>,
    /// The most there was since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_memory_peak_mb: Option<f64>,
}

impl Figures {
    pub(super) fn of(sample: &Sample) -> Self {
        let tally = &sample.tally;
        let (requests, records) = (tally.requests() as f64, tally.records as f64);
        let seconds = sample.seconds.max(1e-6);
        let megabytes = records * sample.payload_bytes as f64 / 1e6;
        let each = |time: Duration| rounded(time.as_secs_f64() * 1e6 / requests.max(1.0));
        let each_record = |time: Duration| rounded(time.as_secs_f64() * 1e6 / records);
        Self {
            part: None,
            requests: tally.requests(),
            records: tally.records,
            seconds: rounded(seconds),
            requests_per_second: rounded(requests / seconds),
            records_per_second: rounded(records / seconds),
            megabytes_per_second: rounded(megabytes / seconds),
            p50_us: tally.quantile(0.5),
            p90_us: tally.quantile(0.9),
            p99_us: tally.quantile(0.99),
            p999_us: tally.quantile(0.999),
            max_us: microseconds(tally.latencies.max()),
            mean_us: rounded(tally.latencies.mean() / 1e3),
            errors: tally.errors,
            first_error: tally.first_error.clone(),
            connections_opened: tally.connections_opened,
            server_cpu_us_per_request: sample.server_cpu.map(each),
            client_cpu_us_per_request: sample.client_cpu.map(each),
            server_cpu_us_per_record: sample
                .server_cpu
                .filter(|_| tally.records > 0)
                .map(each_record),
            ..Self::default()
        }
        .with_memory(sample.server_memory)
    }

    pub(super) fn part(self, part: String) -> Self {
        Self {
            part: Some(part),
            ..self
        }
    }

    pub(super) fn with_memory(self, memory: Option<Memory>) -> Self {
        Self {
            server_memory_mb: memory.map(|memory| rounded(memory.resident_mb)),
            server_memory_peak_mb: memory.map(|memory| rounded(memory.peak_mb)),
            ..self
        }
    }
}

/// The report of one scenario.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) scenario: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
    #[serde(flatten)]
    pub(super) parts: Parts,
}

/// The rows of a scenario: fields of its object, or objects in a list of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Parts {
    One(Box<Figures>),
    Several { parts: Vec<Figures> },
}

impl Report {
    pub(super) fn new(scenario: &'static str, measured: Result<Vec<Figures>, String>) -> Self {
        let (mut parts, failure) = match measured {
            Ok(parts) => (parts, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        let parts = match parts.pop() {
            Some(only) if parts.is_empty() => Parts::One(Box::new(only)),
            last => {
                parts.extend(last);
                Parts::Several { parts }
            }
        };
        Self {
            scenario,
            failure,
            parts,
        }
    }

    pub(super) fn figures(&self) -> &[Figures] {
        match &self.parts {
            Parts::One(figures) => std::slice::from_ref(figures),
            Parts::Several { parts } => parts,
        }
    }

    /// A JSON object and the end of the line.
    pub(super) fn json(&self) -> String {
        let json = serde_json::to_string(self);
        json.unwrap_or_default() + "\n"
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e3
}

/// `number` with at most three decimals.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close_and_survive_a_merge() {
        let (mut odd, mut even) = (Tally::new(), Tally::new());
        for latency in 1..=1000 {
            let tally = if latency % 2 == 0 {
                &mut even
            } else {
                &mut odd
            };
            tally.success(Duration::from_micros(latency), 2);
        }
        odd.failure(true, "late".to_owned());
        odd.merge(even);
        assert_eq!((odd.requests(), odd.records, odd.errors), (1000, 2000, 1));
        for (quantile, expected) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = odd.quantile(quantile);
            assert!(
                (found - expected).abs() <= expected / 500.0,
                "{quantile}: {found}"
            );
        }
    }

    #[test]
    fn a_request_without_end_counts_as_the_longest() {
        let mut tally = Tally::new();
        tally.success(Duration::MAX, 1);
        assert!(tally.quantile(0.5) >= 60e6);
    }

    #[test]
    fn a_report_is_one_flat_object_unless_it_has_parts() {
        let part = |part: &str| Figures::default().part(part.to_owned());
        let json = |measured| {
            let line = Report::new("get", measured).json();
            serde_json::from_str::<serde_json::Value>(&line).unwrap()
        };
        assert_eq!(json(Ok(vec![Figures::default()]))["errors"], 0);
        assert_eq!(
            json(Ok(vec![part("a"), part("b")]))["parts"][1]["part"],
            "b"
        );
        assert_eq!(json(Err("why".to_owned()))["failure"], "why");
    }
}
