//! StartStreamEncryption: marks new records of a stream as encrypted. The emulator does not encrypt
//! the records.
use super::prelude::*;
use crate::engine::PendingChange;

pub(super) struct StartStreamEncryption;

input! { pub struct Input {
    "EncryptionType" => kind: EncryptionType,
    "KeyId" => key: KeyId,
    .. stream: StreamRef,
} }

impl Operation for StartStreamEncryption {
    type Input = Input;
    type Output = Nothing;

    fn key(input: &Input) -> Option<&str> {
        Some(input.key.as_str())
    }

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let key = input.key.as_str();
        let limits = &context.engine.limits;
        let updated = context.engine.update(&stream, |state, counts| {
            check_active(&stream.arn, state)?;
            if input.kind == EncryptionType::None {
                return Err(Error::encryption_type_not_kms());
            }
            check_key(context, key, &stream.arn, KeyPurpose::Describe)?;
            let mut settings = state.settings.clone();
            let before = settings.key_id.replace(key.to_owned());
            // A request with the stream's present key also sets the stream to UPDATING, as was
            // recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
            // The emulator does not count such a request against the daily limit, which is a
            // choice.
            if before.as_deref() != Some(key) {
                let refusal = |most| {
                    Error::too_often_a_day("StartStreamEncryption", "encryptions-per-day", most)
                };
                count_today(
                    &mut state.history.encryptions,
                    limits.encryptions_per_day,
                    counts.now,
                    refusal,
                )?;
            }
            Ok(Some(PendingChange {
                settings,
                resharding: None,
            }))
        });
        updated.await?;
        Ok(Nothing)
    }
}
