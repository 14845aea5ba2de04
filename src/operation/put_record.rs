//! PutRecord: writes one record to the shard that its hash key selects.
use super::answer::Document;
use super::prelude::*;
use crate::engine::PutFailure;
use crate::model::ShardId;
use crate::wire::{self, Format};

pub(super) struct PutRecord;

input! { pub struct Input {
    "SequenceNumberForOrdering" => at_least: Option<SequenceNumberText>,
    "PartitionKey" => partition_key: Expected<PartitionKey>,
    "ExplicitHashKey" => explicit_hash_key: Option<HashKeyText>,
    "Data" => data: Data,
    .. stream: StreamRef,
    "DryRun" => dry_run: Option<Truth>,
} }

output! { pub struct Output {
    "EncryptionType" => encryption: Option<&'static str>,
    "SequenceNumber" => sequence_number: NumberText,
    "ShardId" => shard_id: ShardText,
} }

impl Document for Output {
    const MEMBERS: &'static [&'static str] = Self::MEMBERS;

    fn encode(&self, format: Format) -> Vec<u8> {
        match self.encryption {
            None => {
                let mut body = Vec::with_capacity(PLACEMENT_BYTES);
                write_placement(format, self.sequence_number, self.shard_id, &mut body);
                body
            }
            Some(_) => wire::encode(format, self),
        }
    }
}

impl Operation for PutRecord {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;
    const READ_FAST: bool = true;

    fn shards(context: &Context, input: &Input) -> Vec<Option<ShardId>> {
        let keys = [(&input.partition_key, input.explicit_hash_key.as_ref())];
        shards_of(context, &input.stream, keys)
    }

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let offered = [Offered {
            partition_key: input.partition_key,
            explicit_hash_key: input.explicit_hash_key,
            data: input.data,
        }];
        let path = |_, name: &str| name.to_owned();
        let (stream, settings) = admit(context, &input.stream, &offered, path)?;
        let [offered] = offered;
        let record = routed(&settings, offered)?;
        check_ordering(
            context,
            (&stream, record.hash_key),
            &settings,
            input.at_least.as_ref(),
        )?;
        if input.dry_run == Some(Truth(true)) {
            return Err(Error::dry_run("PutRecord"));
        }
        match stream.put_one(&context.engine, record).await {
            Ok(placed) => Ok(Output {
                encryption: settings.encryption_shown(),
                sequence_number: NumberText(placed.number),
                shard_id: ShardText(placed.shard),
            }),
            Err(PutFailure::Throttled(shard)) => {
                Err(Error::write_rate_exceeded(shard, &stream.arn))
            }
            Err(PutFailure::Store) => Err(Error::internal()),
        }
    }

    fn tolerates_missing(context: &Context, input: &Node) -> bool {
        is_auto(context, input)
    }
}
