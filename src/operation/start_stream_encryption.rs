//! StartStreamEncryption: marks records that are written from now on as encrypted.
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
            if state.settings.key_id.as_deref() == Some(key) {
                return Ok(None);
            }
            let refusal =
                |most| Error::too_often_a_day("StartStreamEncryption", "encryptions-per-day", most);
            count_today(
                &mut state.history.encryptions,
                limits.encryptions_per_day,
                counts.now,
                refusal,
            )?;
            let mut settings = state.settings.clone();
            settings.key_id = Some(key.to_owned());
            Ok(Some(PendingChange {
                settings,
                resharding: None,
            }))
        });
        updated.await?;
        Ok(Nothing)
    }
}
