//! Changes one byte of a signed request, and checks that the verifier refuses the changed request.

use super::*;
use proptest::prelude::*;

/// The position of a byte in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Method(usize),
    Target(usize),
    /// A byte in the name of a header: the index of the header, and the index of the byte in the
    /// name.
    Name(usize, usize),
    /// A byte in the value of a header: the index of the header, and the index of the byte in the
    /// value.
    Value(usize, usize),
    Body(usize),
}

/// The positions of all bytes that the signature covers, and of all bytes of the signature itself.
fn positions(request: &Sent) -> Vec<Position> {
    let mut positions: Vec<Position> = (0..request.method.len()).map(Position::Method).collect();
    positions.extend((0..request.target.len()).map(Position::Target));
    positions.extend((0..request.body.len()).map(Position::Body));
    let head = request.head().unwrap();
    let parts = SignatureParts::of(&head).unwrap();
    for (at, (name, value)) in request.headers.iter().enumerate() {
        if name == "authorization" {
            positions.extend(values(value, &parts).map(|byte| Position::Value(at, byte)));
        } else if parts.signed_headers.split(';').any(|signed| signed == name) {
            positions.extend((0..name.len()).map(|byte| Position::Name(at, byte)));
            positions.extend((0..value.len()).map(|byte| Position::Value(at, byte)));
        }
    }
    positions
}

/// The positions of the bytes in the parts of an `Authorization` header. The bytes between the
/// parts are left out, because any number of commas and blanks is valid there.
fn values<'a>(header: &'a str, parts: &'a SignatureParts) -> impl Iterator<Item = usize> + 'a {
    let texts = [
        &parts.algorithm,
        &parts.credential,
        &parts.signed_headers,
        &parts.signature,
    ];
    texts.into_iter().flat_map(|text| {
        let start = header.find(text.as_str()).unwrap();
        start..start + text.len()
    })
}

fn set(text: &mut String, at: usize, byte: u8) {
    text.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
}

fn changed(request: &Sent, position: Position, byte: u8) -> Sent {
    let mut request = request.clone();
    match position {
        Position::Method(at) => set(&mut request.method, at, byte),
        Position::Target(at) => set(&mut request.target, at, byte),
        Position::Name(header, at) => set(&mut request.headers[header].0, at, byte),
        Position::Value(header, at) => set(&mut request.headers[header].1, at, byte),
        Position::Body(at) => request.body[at] = byte,
    }
    request
}

/// True if both requests mean the same. The case of header names and of the hexadecimal digits in
/// escapes makes no difference.
fn are_equivalent(one: &Sent, other: &Sent) -> bool {
    let names = |request: &Sent| -> Vec<(String, String)> {
        let headers = request.headers.iter();
        headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect()
    };
    let target = |request: &Sent| {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let decoded = form_urlencoded::parse(query.as_bytes()).into_owned();
        (path.to_owned(), decoded.collect::<Vec<_>>())
    };
    one.method == other.method
        && one.body == other.body
        && names(one) == names(other)
        && target(one) == target(other)
}

fn assert_refused(verifier: &Verifier, good: &Sent, changed: &Sent) {
    // A changed request that is not valid HTTP does not reach the verifier.
    let Some(head) = changed.head() else { return };
    let refused = verifier.check(&head, &changed.body, NOW).is_err();
    assert_eq!(refused, !are_equivalent(good, changed), "{changed:?}");
}

#[test]
fn every_byte_counts() {
    let verifier = verifier();
    for way in [HEADER, QUERY, TEMPORARY] {
        let good = signed(way);
        assert_eq!(good.check(), Ok(()));
        for position in positions(&good) {
            for byte in [b'0', b'a', b'B', b' ', b'/', b'.', b'%', b'&'] {
                assert_refused(&verifier, &good, &changed(&good, position, byte));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn no_changed_request_comes_in(
        way in prop::sample::select(vec![HEADER, QUERY, TEMPORARY]),
        position in any::<prop::sample::Index>(),
        byte in 0_u8..128,
    ) {
        let good = signed(way);
        let positions = positions(&good);
        let changed = changed(&good, *position.get(&positions), byte);
        assert_refused(&verifier(), &good, &changed);
    }
}
