//! The scenarios, and the figures by which they are compared.

use super::figures::Figures;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Scenario {
    /// PutRecord
    Put1,
    /// PutRecords in JSON
    Put500,
    /// PutRecords in CBOR
    #[value(name = "put500cbor")]
    Put500Cbor,
    /// GetRecords of 1,000, each connection walking a filled shard again and again
    Get,
    /// GetRecords of 100 at the head, the middle and the end of ever deeper shards
    #[value(name = "getdeep")]
    GetDeep,
    /// ReceiveQueueRecords of 10 and AcknowledgeQueueRecords of these, from a queue that is filled
    /// ahead of them
    Queue,
    /// From a PutRecord to the answer of the receive that waits for its record
    QueueWait,
    /// An event source mapping of BatchSize 1,000 from a filled stream to a function, which this
    /// process serves
    Invoke,
    /// From a PutRecord to the invocation of that function with its record
    InvokeLatency,
    /// A channel to a folder while records are put, and after
    Deliver,
    /// Creating a stream, describing it until it is ACTIVE, deleting it, describing it until gone
    Streams,
    /// From the start of this program to its first answer, and its memory when idle
    Startup,
    /// The server's memory while records are put, and after
    Memory,
}

impl Scenario {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Put1 => "put1",
            Self::Put500 => "put500",
            Self::Put500Cbor => "put500cbor",
            Self::Get => "get",
            Self::GetDeep => "getdeep",
            Self::Queue => "queue",
            Self::QueueWait => "queue-wait",
            Self::Invoke => "invoke",
            Self::InvokeLatency => "invoke-latency",
            Self::Deliver => "deliver",
            Self::Streams => "streams",
            Self::Startup => "startup",
            Self::Memory => "memory",
        }
    }

    /// True if the scenario serves a function.
    pub(super) fn serves_function(self) -> bool {
        matches!(self, Self::Invoke | Self::InvokeLatency)
    }

    /// The figure by which a scenario is compared: more is better.
    pub(super) fn rate(self, figures: &Figures) -> f64 {
        match self.measure() {
            Measure::Calls | Measure::Streams => figures.requests_per_second,
            Measure::Records => figures.records_per_second,
            // The pause between two rounds is chosen, so the latency is compared.
            Measure::Latency => 1e6 / figures.p50_us,
        }
    }

    /// The unit of a scenario's rates.
    pub(super) fn unit(self) -> &'static str {
        match self.measure() {
            Measure::Calls => "calls/s",
            Measure::Streams => "streams/s",
            Measure::Records => "records/s",
            Measure::Latency => "1/p50 in 1/s",
        }
    }

    fn measure(self) -> Measure {
        match self {
            Self::GetDeep | Self::Startup | Self::Memory => Measure::Calls,
            Self::Streams => Measure::Streams,
            Self::QueueWait | Self::InvokeLatency => Measure::Latency,
            Self::Put1
            | Self::Put500
            | Self::Put500Cbor
            | Self::Get
            | Self::Queue
            | Self::Invoke
            | Self::Deliver => Measure::Records,
        }
    }
}

/// The quantity that a scenario is compared by.
enum Measure {
    Calls,
    Streams,
    Records,
    Latency,
}
