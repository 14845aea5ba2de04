//! Page tokens: the `NextToken` of ListShards, ListStreams, ListStreamConsumers and other listings.

use super::sealed_text::{Purpose, SALT_BYTES, open, seal};
use crate::limits;
use crate::world::Timestamp;
use std::fmt::Write as _;

/// The position at which the next page of a listing begins. The first field names the operation
/// that issued the token. This operation defines the meaning of the other fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken {
    /// The time at which the token was issued.
    pub issued: Timestamp,
    /// The name of the operation, then the fields that the operation defines, such as the stream
    /// and the last item of the previous page.
    pub fields: Vec<String>,
}

impl PageToken {
    /// Encodes the token as an opaque text for the client. `salt` must be random, so that no two
    /// texts are the same.
    pub fn encode(&self, salt: [u8; SALT_BYTES]) -> String {
        seal(Purpose::PageToken, salt, &self.plain())
    }

    /// Returns the plain text of the token, which [`Self::encode`] turns into an opaque text. The
    /// plain text is `{time of issue in ms}/`, then each field as `{length in bytes}:{field}`.
    fn plain(&self) -> String {
        let mut plain = format!("{}/", self.issued.millis());
        for field in &self.fields {
            write!(plain, "{}:{field}", field.len()).expect("a string takes every text");
        }
        plain
    }

    /// Decodes a text made by [`Self::encode`]. `None` for a text that the service would refuse as
    /// an invalid token.
    pub fn decode(text: &str) -> Option<Self> {
        let plain = open(Purpose::PageToken, text)?;
        let (issued_ms, mut rest) = plain.split_once('/')?;
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_once(':')?;
            let (field, after) = after.split_at_checked(length.parse().ok()?)?;
            fields.push(field.to_owned());
            rest = after;
        }
        let token = Self {
            issued: Timestamp::from_millis(issued_ms.parse().ok()?),
            fields,
        };
        (token.plain() == plain).then_some(token)
    }

    /// Returns true if the age of the token at the time `now` exceeds the lifetime of page tokens.
    pub fn expired(&self, now: Timestamp) -> bool {
        now.millis_since(self.issued) > limits::PAGE_TOKEN_LIFE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SequenceNumber, ShardId, ShardIterator};
    use proptest::prelude::*;

    const SALT: [u8; SALT_BYTES] = [9; SALT_BYTES];

    fn token(fields: &[&str]) -> PageToken {
        let fields = fields.iter().map(ToString::to_string).collect();
        PageToken {
            issued: Timestamp::from_millis(1_700_000_000_000),
            fields,
        }
    }

    #[test]
    fn tokens_live_for_300_seconds() {
        let token = token(&["ListShards"]);
        assert!(!token.expired(token.issued.plus_millis(300_000)));
        assert!(token.expired(token.issued.plus_millis(300_001)));
    }

    #[test]
    fn an_iterator_is_no_token_and_a_token_no_iterator() {
        let iterator = ShardIterator {
            issued: Timestamp::from_millis(0),
            identity: 0,
            stream: "orders".to_owned(),
            shard: ShardId::new(0),
            position: SequenceNumber::first_of(0, 0),
        };
        assert_eq!(PageToken::decode(&iterator.encode(SALT)), None);
        assert_eq!(
            ShardIterator::decode(&token(&["orders"]).encode(SALT)),
            None
        );
    }

    #[test]
    fn sealed_texts_with_broken_fields_are_refused() {
        let decode = |text: &str| PageToken::decode(&seal(Purpose::PageToken, SALT, text));
        assert!(decode("1/1:a0:").is_some());
        for text in [
            "", "1", "x/", "+1/", "01/", "1/1:", "1/2:a", "1/01:a", "1/a", "1/1:é",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn tokens_read_back(
            issued_ms: i64,
            fields in proptest::collection::vec("\\PC{0,40}", 0..6),
            salt: [u8; SALT_BYTES],
        ) {
            let token = PageToken { issued: Timestamp::from_millis(issued_ms), fields };
            prop_assert_eq!(PageToken::decode(&token.encode(salt)), Some(token));
        }

        #[test]
        fn any_changed_character_is_noticed(at: prop::sample::Index, other in "[A-Za-z0-9+/=]") {
            let text = token(&["ListShards", "orders", "", "shardId-000000000007"]).encode(SALT);
            let at = at.index(text.len());
            let changed = [&text[..at], &other, &text[at + 1..]].concat();
            prop_assert!(changed == text || PageToken::decode(&changed).is_none());
        }
    }
}
