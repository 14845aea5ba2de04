//! The records that channels have to deliver, and their comparison with the delivered objects.

use std::collections::{BTreeMap, BTreeSet};

/// Number of partition keys of the records.
pub(super) const KEYS: usize = 6;

/// The records that were put while a channel was active, by shard.
type Expected = BTreeMap<String, Vec<Offered>>;

/// A record that was put.
#[derive(Debug, Clone)]
struct Offered {
    text: String,
    /// False if the put failed. The record may then exist or not.
    is_certain: bool,
}

/// The records of all channels.
#[derive(Debug, Default)]
pub(super) struct Records {
    written: usize,
    /// The shard of each stream and partition key.
    shards: BTreeMap<(&'static str, usize), String>,
    /// The records of each channel, by the ARN of the channel.
    expected: BTreeMap<String, Expected>,
}

impl Records {
    /// The text of the next record.
    pub(super) fn text(&mut self, key: usize) -> String {
        self.written += 1;
        format!("{{\"key\":{key},\"number\":{}}}", self.written)
    }

    /// Notes that the newest record was put into the stream of these channels. `shard` is None if
    /// the put failed.
    pub(super) fn note<'a>(
        &mut self,
        (stream, key): (&'static str, usize),
        shard: Option<&str>,
        channels: impl Iterator<Item = &'a str>,
    ) {
        if let Some(shard) = shard {
            let known = self.shards.entry((stream, key));
            assert_eq!(known.or_insert_with(|| shard.to_owned()), shard);
        }
        let offered = Offered {
            text: format!("{{\"key\":{key},\"number\":{}}}", self.written),
            is_certain: shard.is_some(),
        };
        let shard = &self.shards[&(stream, key)];
        for arn in channels {
            let of_channel = self.expected.entry(arn.to_owned()).or_default();
            let of_shard = of_channel.entry(shard.clone()).or_default();
            of_shard.push(offered.clone());
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
                .map_err(|problem| format!("{arn}: {problem}"))?;
        }
        match lines.first_key_value() {
            None => Ok(()),
            Some((id, lines)) => Err(format!("{id} delivered {lines:?}, which it must not")),
        }
    }
}

/// Compares the records of a channel with the lines of its objects.
fn compare_channel(expected: &Expected, lines: &[&str], is_whole: bool) -> Result<(), String> {
    let mut delivered = 0;
    for (shard, offered) in expected {
        let of_shard: BTreeSet<&str> = offered.iter().map(|one| one.text.as_str()).collect();
        let mut found = lines
            .iter()
            .filter(|line| of_shard.contains(**line))
            .peekable();
        for one in offered {
            let is_next = found.next_if(|line| **line == one.text).is_some();
            delivered += usize::from(is_next);
            if !is_next && one.is_certain {
                if is_whole {
                    return Err(format!("{} of {shard} is missing: {lines:?}", one.text));
                }
                break;
            }
        }
        if let Some(line) = found.next() {
            return Err(format!(
                "{line} of {shard} is out of order, or repeated: {lines:?}"
            ));
        }
    }
    match delivered == lines.len() {
        true => Ok(()),
        false => Err(format!("some of {lines:?} do not belong to {expected:?}")),
    }
}
