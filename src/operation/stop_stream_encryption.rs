//! StopStreamEncryption: marks new records of a stream as not encrypted.
use super::prelude::*;
use crate::engine::PendingChange;

pub(super) struct StopStreamEncryption;

input! { pub struct Input {
    "EncryptionType" => kind: EncryptionType,
    "KeyId" => key: KeyId,
    .. stream: StreamRef,
} }

impl Operation for StopStreamEncryption {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream(&input.stream)?;
        let key = input.key.as_str();
        let limits = &context.engine.limits;
        let updated = context.engine.update(&stream, |state, counts| {
            check_active(&stream.arn, state)?;
            if input.kind == EncryptionType::None {
                return Err(Error::encryption_type_not_kms());
            }
            let mut settings = state.settings.clone();
            let Some(present) = settings.key_id.take() else {
                return Err(Error::not_encrypted());
            };
            if present != key {
                return Err(Error::other_key(key, &stream.arn));
            }
            let refusal =
                |most| Error::too_often_a_day("StopStreamEncryption", "decryptions-per-day", most);
            count_today(
                &mut state.history.decryptions,
                limits.decryptions_per_day,
                counts.now,
                refusal,
            )?;
            Ok(Some(PendingChange {
                settings,
                resharding: None,
            }))
        });
        updated.await?;
        Ok(Nothing)
    }
}
