use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{ChildShard, ShardIteratorType};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clients::at;
use crate::events::{next_event, subscribe};

/// The data of the last record of an open shard.
pub const THE_END: &[u8] = b"the end";

/// A stream's shards as one consumer reads them: each once, and not before its parents.
pub struct Family {
    client: Client,
    consumer: String,
    readers: JoinSet<()>,
    /// Readers say here which shard has ended with which children.
    ended: mpsc::UnboundedSender<(String, Vec<ChildShard>)>,
    endings: mpsc::UnboundedReceiver<(String, Vec<ChildShard>)>,
    next: Next,
}

/// The number that a key's next record must have.
pub type Next = Arc<Mutex<HashMap<String, usize>>>;

impl Family {
    pub fn new(client: &Client, consumer: &str) -> Self {
        let (ended, endings) = mpsc::unbounded_channel();
        Self {
            client: client.clone(),
            consumer: consumer.into(),
            readers: JoinSet::new(),
            ended,
            endings,
            next: Next::default(),
        }
    }

    /// Follows a shard in the background.
    pub fn read(&mut self, shard: String) {
        let (client, consumer) = (self.client.clone(), self.consumer.clone());
        let (ended, next) = (self.ended.clone(), self.next.clone());
        self.readers.spawn(async move {
            let children = follow(&client, &consumer, &shard, &next).await;
            ended.send((shard, children)).unwrap();
        });
    }

    /// Starts children as their parents end, until every shard is read to its end.
    pub async fn follow_all(mut self) -> Next {
        let mut parents: HashMap<String, Vec<String>> = HashMap::new();
        let mut done = HashSet::new();
        while let Some(reader) = self.readers.join_next().await {
            reader.unwrap();
            while let Ok((shard, children)) = self.endings.try_recv() {
                for child in children {
                    assert!(child.parent_shards.contains(&shard), "{child:?} of {shard}");
                    parents.insert(child.shard_id, child.parent_shards);
                }
                done.insert(shard);
            }
            let ready = |parents: &[String]| parents.iter().all(|parent| done.contains(parent));
            for (child, _) in parents
                .extract_if(|_, parents| ready(parents))
                .collect::<Vec<_>>()
            {
                self.read(child);
            }
        }
        self.next
    }
}

/// Reads a shard to its end, or to the record that is the last of an open one; its children.
async fn follow(client: &Client, consumer: &str, shard: &str, next: &Next) -> Vec<ChildShard> {
    let position = at(ShardIteratorType::TrimHorizon);
    let mut stream = subscribe(client, consumer, shard, position).await.unwrap();
    while let Some(event) = next_event(&mut stream).await.unwrap() {
        for (index, record) in event.records.iter().enumerate() {
            if record.data.as_ref() == THE_END {
                assert_eq!(
                    index + 1,
                    event.records.len(),
                    "{shard} goes on after its end"
                );
                return Vec::new();
            }
            received(shard, &record.partition_key, record.data.as_ref(), next);
        }
        // The SDK of this version turns a missing number into an empty text.
        let children = event.child_shards.unwrap_or_default();
        assert_eq!(
            event.continuation_sequence_number.is_empty(),
            !children.is_empty()
        );
        if !children.is_empty() {
            return children;
        }
    }
    panic!("the subscription to {shard} ended before the shard did");
}

fn received(shard: &str, key: &str, data: &[u8], next: &Next) {
    let number: usize = std::str::from_utf8(data).unwrap().parse().unwrap();
    let mut next = next.lock().unwrap();
    let expected = next.entry(key.into()).or_default();
    assert_eq!(number, *expected, "{shard} has another record of {key}");
    *expected += 1;
}
