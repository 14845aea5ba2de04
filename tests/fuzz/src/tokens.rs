//! Iterators, page tokens, sequence numbers and shard ids: what is read is written the same.

use minikin::Timestamp;
use minikin::internals::model::{
    HashKey, PageToken, SALT_BYTES, SEQUENCE_NUMBER_DIGITS, SequenceNumber, ShardId, ShardIterator,
};

/// Any text is parsed without a panic, and an encoded position decodes to the same position.
pub fn tokens(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    read(&text);
    if let Some((salt, rest)) = input.split_first_chunk() {
        seal(*salt, rest);
    }
}

/// The kinds of text that a caller may send.
fn read(text: &str) {
    // Decoding drops the salt only: with the same salt, each position has one text.
    if let Some(iterator) = ShardIterator::decode(text) {
        let again = iterator.encode([0; SALT_BYTES]);
        assert_eq!(ShardIterator::decode(&again), Some(iterator));
        assert!(PageToken::decode(text).is_none(), "an iterator is no token");
    }
    if let Some(token) = PageToken::decode(text) {
        let again = token.encode([0; SALT_BYTES]);
        assert_eq!(PageToken::decode(&again), Some(token));
    }
    let parsed = SequenceNumber::parse(text);
    if let Some(at) = parsed.and_then(|parsed| parsed.position_at()) {
        assert_eq!(at.to_string().len(), SEQUENCE_NUMBER_DIGITS);
    }
    if let Some(number) = parsed.and_then(|parsed| parsed.as_version_two()) {
        let written = number.to_string();
        let again = SequenceNumber::parse(&written).and_then(|again| again.as_version_two());
        assert_eq!(again, Some(number));
        assert_eq!(written.len(), SEQUENCE_NUMBER_DIGITS);
        let next = number.next();
        assert!(next >= number);
        assert!(next.to_string() >= written, "texts sort like their numbers");
    }
    if let Some(shard) = ShardId::parse(text) {
        assert_eq!(ShardId::parse(&shard.to_string()), Some(shard));
    }
    if let Some(key) = HashKey::parse(text) {
        assert_eq!(HashKey::parse(&key.to_string()), Some(key));
    }
}

/// Places and pages made of the input, sealed and opened, and opened when a letter was changed.
fn seal(salt: [u8; SALT_BYTES], rest: &[u8]) {
    let number = |at: usize| {
        let bytes = rest.iter().skip(8 * at).take(8);
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let text = String::from_utf8_lossy(rest.get(40..).unwrap_or_default());
    let name: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(128)
        .collect();
    let shard = (number(0) >> 32) as u32 & ShardId::MAX_INDEX;
    let iterator = ShardIterator {
        issued: Timestamp::from_millis((number(1) % 100_000_000_000_000).cast_signed()),
        identity: number(2),
        stream: name,
        shard: ShardId::new(shard),
        position: SequenceNumber {
            created_s: number(3) % SequenceNumber::CREATED_LIMIT_S,
            shard,
            index: number(4) & SequenceNumber::LAST_INDEX,
            time_s: number(0) & SequenceNumber::LAST_TIME_S,
        },
    };
    let sealed = iterator.encode(salt);
    assert!(sealed.len() <= 512, "a client takes no longer one");
    assert_eq!(ShardIterator::decode(&sealed).as_ref(), Some(&iterator));
    assert!(PageToken::decode(&sealed).is_none());
    let token = PageToken {
        issued: Timestamp::from_millis(number(1).cast_signed()),
        fields: text.split('\n').map(str::to_owned).collect(),
    };
    let sealed = token.encode(salt);
    assert_eq!(PageToken::decode(&sealed).as_ref(), Some(&token));
    assert!(ShardIterator::decode(&sealed).is_none());
    let mut changed = sealed.into_bytes();
    let at = number(0) as usize % changed.len();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    assert!(
        PageToken::decode(&changed).is_none(),
        "a changed letter is noticed"
    );
}
