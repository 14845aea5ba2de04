//! The records that channels have to deliver, and their comparison with the delivered objects.

use std::collections::{BTreeMap, BTreeSet};

/// Number of partition keys of the records.
pub(super) const KEYS: usize = 6;

/// A record that was put while a channel was active.
#[derive(Debug, Clone)]
struct Offered {
    number: usize,
    text: String,
    key: usize,
    /// None if the put failed in trouble.
    shard: Option<String>,
    fate: Fate,
}

/// The duty of a channel to deliver a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The channel has to deliver the record.
    Due,
    /// The channel may deliver the record: its put failed in trouble, or a clear of the stream
    /// removed it.
    Open,
    /// The record expired before it could be delivered.
    Lost,
}

/// The records of all channels.
#[derive(Debug, Default)]
pub(super) struct Records {
    written: usize,
    /// The records of each channel in the order of the puts, by the ARN of the channel.
    expected: BTreeMap<String, Vec<Offered>>,
}

/// Returns the text of a record.
fn text_of(key: usize, number: usize) -> String {
    format!("{{\"key\":{key},\"number\":{number}}}")
}

impl Records {
    /// Number of records that were put so far.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// The text of the next record.
    pub(super) fn text(&mut self, key: usize) -> String {
        self.written += 1;
        text_of(key, self.written)
    }

    /// Notes that the newest record was put into the stream of these channels. `shard` is None if
    /// the put failed.
    pub(super) fn note<'a>(
        &mut self,
        key: usize,
        shard: Option<&str>,
        channels: impl Iterator<Item = &'a str>,
    ) {
        let offered = Offered {
            number: self.written,
            text: text_of(key, self.written),
            key,
            shard: shard.map(str::to_owned),
            fate: shard.map_or(Fate::Open, |_| Fate::Due),
        };
        for arn in channels {
            let of_channel = self.expected.entry(arn.to_owned()).or_default();
            of_channel.push(offered.clone());
        }
    }

    /// Notes that the records that were put after the first `written` ones expired before a channel
    /// could deliver them. Returns how many those were.
    pub(super) fn lose(&mut self, channel: &str, written: usize) -> usize {
        let of_channel = self.expected.get_mut(channel).into_iter().flatten();
        let lost = of_channel.filter(|one| one.number > written);
        lost.map(|one| one.fate = Fate::Lost).count()
    }

    /// Notes that a clear removed the records of these channels that are in no object so far.
    pub(super) fn clear<'a>(
        &mut self,
        channels: impl Iterator<Item = &'a str>,
        puts: &[(String, Vec<u8>)],
    ) {
        let texts = puts.iter().map(|(_, body)| str::from_utf8(body).unwrap());
        let delivered: BTreeSet<&str> = texts.flat_map(str::lines).collect();
        for arn in channels {
            for one in self.expected.get_mut(arn).into_iter().flatten() {
                if one.fate == Fate::Due && !delivered.contains(one.text.as_str()) {
                    one.fate = Fate::Open;
                }
            }
        }
    }

    /// Compares the completed objects, in their order, with the records. The channels in `living`
    /// have delivered all their records. Other channels have delivered the first records of each
    /// shard. An object that was written again must have the same content.
    pub(super) fn compare(
        &self,
        puts: &[(String, Vec<u8>)],
        living: &BTreeSet<String>,
    ) -> Result<(), String> {
        let mut first: BTreeMap<&str, &[u8]> = BTreeMap::new();
        // The lines of the objects, by the id of their channel.
        let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, body) in puts {
            if let Some(before) = first.insert(key, body) {
                if before != body.as_slice() {
                    return Err(format!("{key} was written with another content"));
                }
                continue;
            }
            let id = key.split('/').nth(2).unwrap();
            let text = str::from_utf8(body).unwrap();
            lines.entry(id).or_default().extend(text.lines());
        }
        for (arn, expected) in &self.expected {
            let id = arn.rsplit('/').next().unwrap();
            let lines = lines.remove(id).unwrap_or_default();
            compare_channel(expected, &lines, living.contains(arn))
                .map_err(|problem| format!("{arn}: {problem}: {lines:?}"))?;
        }
        match lines.first_key_value() {
            None => Ok(()),
            Some((id, lines)) => Err(format!("{id} delivered {lines:?}, which it must not")),
        }
    }
}

/// Compares the records of a channel with the lines of its objects. Each shard has to be in order,
/// and also each partition key, whose records go from a shard to its child when the stream is
/// resharded.
fn compare_channel(expected: &[Offered], lines: &[&str], is_whole: bool) -> Result<(), String> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, line) in lines.iter().enumerate() {
        if places.insert(line, place).is_some() {
            return Err(format!("{line} is repeated"));
        }
        if !expected.iter().any(|one| one.text == *line) {
            return Err(format!("{line} was not put for this channel"));
        }
    }
    for key in 0..KEYS {
        let of_key = expected.iter().filter(|one| one.key == key);
        compare_group(of_key, &places, is_whole)?;
    }
    let shards: BTreeSet<_> = expected
        .iter()
        .filter_map(|one| one.shard.as_ref())
        .collect();
    for shard in shards {
        let of_shard = expected
            .iter()
            .filter(|one| one.shard.as_ref() == Some(shard));
        compare_group(of_shard, &places, is_whole)?;
    }
    Ok(())
}

/// Compares records of one shard or of one partition key, in the order of their puts, with the
/// places of the delivered records.
fn compare_group<'a>(
    group: impl Iterator<Item = &'a Offered>,
    places: &BTreeMap<&str, usize>,
    is_whole: bool,
) -> Result<(), String> {
    let (mut last, mut missing) = (None, None);
    for Offered { text, fate, .. } in group {
        match (places.get(text.as_str()), fate) {
            (Some(_), Fate::Lost) => return Err(format!("{text} had expired")),
            (Some(place), _) => {
                if let Some(missing) = missing {
                    return Err(format!("{missing} is missing before {text}"));
                }
                if last.replace(place) > Some(place) {
                    return Err(format!("{text} is out of order"));
                }
            }
            (None, Fate::Due) => missing = missing.or(Some(text)),
            (None, Fate::Open | Fate::Lost) => {}
        }
    }
    match missing {
        Some(missing) if is_whole => Err(format!("{missing} is missing")),
        _ => Ok(()),
    }
}
