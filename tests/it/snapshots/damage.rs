//! Damaged and invalid snapshots.

use super::{load, refusal, rich, save, send};
use crate::lab::{Lab, Place, Stream, kinesis_test, wire_test};

/// A snapshot of a rich emulator.
async fn file() -> Vec<u8> {
    let source = Lab::start(Place::Memory, &[]).await;
    rich(&source).await;
    let file = save(&source).await;
    source.stop().await;
    file
}

/// Creates a stream in the emulator. Returns all contents of the emulator.
async fn standing(lab: &Lab) -> serde_json::Value {
    let stream = lab.stream("mine").shards(2).create().await;
    for number in 0..10 {
        stream.put(&format!("{number}"), "v").await;
    }
    lab.everything().await
}

kinesis_test!(a_damaged_file_changes_nothing, |lab| async move {
    let file = file().await;
    let before = standing(&lab).await;
    let mine = save(&lab).await;
    let step = file.len() / 60 + 1;
    for at in (0..file.len()).step_by(step) {
        let cut = refusal(&lab, &file[..at]).await;
        assert_eq!(cut, "the snapshot is cut off: its end is missing");
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        match send(&lab, &changed).await.status {
            400 => {}
            // Some bits of a zstd frame have no meaning, so the load succeeds.
            204 => {
                assert_eq!(Stream::existing(&lab, "orders").read_all().await.len(), 40);
                load(&lab, &mine).await;
            }
            other => panic!("{other} at {at}"),
        }
    }
    let longer = refusal(&lab, &[&file[..], b"more"].concat()).await;
    assert_eq!(longer, "the snapshot has data after its end");
    assert_eq!(lab.everything().await, before);
    Stream::existing(&lab, "mine").put("k", "after").await;
    if lab.restart().await {
        let mine = Stream::existing(&lab, "mine");
        assert_eq!(
            mine.read_all().await.len(),
            11,
            "the directory opens as before"
        );
    }
    load(&lab, &file).await;
    assert_eq!(Stream::existing(&lab, "orders").read_all().await.len(), 40);
});

wire_test!(the_reason_of_a_refusal_is_clear, |lab| async move {
    let before = standing(&lab).await;
    let newer = zstd::bulk::compress(b"minikin snapshot 2\n", 1).unwrap();
    assert_eq!(
        refusal(&lab, &newer).await,
        "the snapshot is of version 2, and this program reads version 1: a newer minikin wrote it"
    );
    for (file, reason) in [
        (&b"{}"[..], "the file is not a snapshot of minikin"),
        (b"(\xb5/", "the snapshot is cut off: its end is missing"),
        (
            b"(\xb5/\xfd\x00\xff",
            "the snapshot is damaged: Frame requires too much memory for decoding",
        ),
        (b"", "the snapshot is cut off: its end is missing"),
    ] {
        assert_eq!(refusal(&lab, file).await, reason);
    }
    assert_eq!(lab.everything().await, before);
});

/// Changes the content of a valid file: changes the uncompressed bytes, and computes every checksum
/// again.
pub(crate) fn forged(file: &[u8], change: impl Fn(u8, &mut Vec<u8>)) -> Vec<u8> {
    let plain = zstd::bulk::decompress(file, 1 << 24).unwrap();
    let (title, mut rest) = plain.split_at(19);
    let mut forged = title.to_vec();
    let mut number = 0_u64;
    while let Some((header, after)) = rest.split_at_checked(5) {
        let length = u32::from_le_bytes(header[1..].try_into().unwrap()) as usize;
        let mut body = after[..length].to_vec();
        change(header[0], &mut body);
        rest = &after[length + 4..];
        let mut block = vec![header[0]];
        block.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        block.extend(&body);
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&number.to_le_bytes());
        checksum.update(&block);
        forged.extend(block);
        forged.extend(checksum.finalize().to_le_bytes());
        number += 1;
    }
    zstd::bulk::compress(&forged, 1).unwrap()
}

kinesis_test!(
    a_file_with_impossible_content_changes_nothing,
    |lab| async move {
        let file = file().await;
        let before = standing(&lab).await;
        // Records of a missing shard, of a later run, and out of order. A head with an impossible
        // run, and a head with an impossible time. The entry of a shard under the key of a stream,
        // a truncated entry of a stream, and a wrong number of records at the end.
        type Change = fn(u8, &mut Vec<u8>);
        let changes: [Change; 8] = [
            |kind, body| {
                if kind == b'r' {
                    body[8] = 9;
                }
            },
            |kind, body| {
                if kind == b'r' {
                    body[12 + 7] = 0x3f;
                }
            },
            |kind, body| {
                if kind == b'r' {
                    let twice = body[12..].to_vec();
                    body.extend(twice);
                }
            },
            |kind, body| {
                if kind == b'h' {
                    body[..8].fill(0xff);
                }
            },
            |kind, body| {
                if kind == b'h' {
                    body[15] = 0x80;
                }
            },
            |kind, body| {
                if kind == b'e' && body[2] == b'h' {
                    body[2] = b's';
                }
            },
            |kind, body| {
                if kind == b'e' && body[2] == b's' {
                    body.truncate(40);
                }
            },
            |kind, body| {
                if kind == b'z' {
                    body[0] ^= 1;
                }
            },
        ];
        assert_eq!(send(&lab, &forged(&file, |_, _| {})).await.status, 204);
        assert_ne!(lab.everything().await, before);
        let now = lab.everything().await;
        for (at, change) in changes.into_iter().enumerate() {
            let reason = refusal(&lab, &forged(&file, change)).await;
            assert!(
                reason.starts_with("the snapshot is damaged"),
                "{at}: {reason}"
            );
            assert_eq!(lab.everything().await, now, "{at}");
        }
        if lab.restart().await {
            assert_eq!(lab.everything().await, now);
        }
    }
);

/// The file with another run in its head and, if `of_records` is given, in its records.
fn ahead(file: &[u8], run: u64, of_records: Option<u64>) -> Vec<u8> {
    forged(file, |kind, body| match (kind, of_records) {
        (b'h', _) => body[..8].copy_from_slice(&run.to_le_bytes()),
        (b'r', Some(run)) => {
            let mut at = 12;
            while let Some(header) = body.get_mut(at..at + 23) {
                let index = u64::from_le_bytes(header[..8].try_into().unwrap());
                let index = index % (1 << 44) + (run << 44);
                header[..8].copy_from_slice(&index.to_le_bytes());
                let data = u32::from_le_bytes(header[16..20].try_into().unwrap());
                let key = u16::from_le_bytes(header[20..22].try_into().unwrap());
                at += 23 + data as usize + usize::from(key);
            }
        }
        _ => {}
    })
}

kinesis_test!(a_refused_load_uses_up_no_run, |lab| async move {
    let file = file().await;
    let before = standing(&lab).await;
    for run in [524_286, 65_537, 65_536, 60_000, 200] {
        // A file with only the head, as after a truncation.
        let whole = ahead(&file, run, None);
        let plain = zstd::bulk::decompress(&whole, 1 << 24).unwrap();
        let head = zstd::bulk::compress(&plain[..19 + 5 + 16 + 4], 1).unwrap();
        refusal(&lab, &head).await;
        // The load writes records of this run before it finds the fault in the last block or in the
        // account of a stream.
        let with_records = ahead(&file, run, Some(run));
        let of_end = forged(&with_records, |kind, body| {
            if kind == b'z' {
                body[0] ^= 1;
            }
        });
        let of_account = forged(&with_records, |kind, body| {
            if kind == b'e' && body[2] == b's' {
                let account = b"000000000000";
                let at = body.windows(12).position(|part| part == account).unwrap();
                body[at] = b'x';
            }
        });
        let expected = [
            "the snapshot is damaged",
            "the account of a stream is invalid",
        ];
        for (faulty, expected) in [of_end, of_account].iter().zip(expected) {
            let reason = refusal(&lab, faulty).await;
            let expected = match run > 65_536 {
                true => "and this emulator takes at most 65536",
                false => expected,
            };
            assert!(reason.contains(expected), "{run}: {reason}");
        }
    }
    assert_eq!(lab.everything().await, before);
    // The next sequence numbers still belong to the first run.
    let mine = save(&lab).await;
    assert_eq!(run_in(&mine), 0);
    if lab.restart().await {
        assert_eq!(lab.everything().await, before);
        assert_eq!(run_in(&save(&lab).await), 1);
    }
    load(&lab, &file).await;
    assert_eq!(Stream::existing(&lab, "orders").read_all().await.len(), 40);
    Stream::existing(&lab, "orders").put("k", "after").await;
    for _ in 0..2 {
        if lab.restart().await {
            let orders = Stream::existing(&lab, "orders");
            assert_eq!(orders.read_all().await.len(), 41);
        }
    }
    assert!(run_in(&save(&lab).await) < 10);
});

kinesis_test!(forged_files_use_up_few_runs, |lab| async move {
    let file = file().await;
    for _ in 0..3 {
        load(&lab, &ahead(&file, 65_536, None)).await;
        let run = run_in(&save(&lab).await);
        let refused = refusal(&lab, &ahead(&file, run + 1, None)).await;
        assert!(
            refused.ends_with(&format!("takes at most {run}")),
            "{refused}"
        );
    }
    assert_eq!(run_in(&save(&lab).await), 65_539);
    if lab.restart().await {
        assert_eq!(Stream::existing(&lab, "orders").read_all().await.len(), 40);
    }
});

/// The run in the head of a snapshot.
fn run_in(file: &[u8]) -> u64 {
    let plain = zstd::bulk::decompress(file, 1 << 24).unwrap();
    let run = plain[19 + 5..][..8].try_into().unwrap();
    u64::from_le_bytes(run)
}
