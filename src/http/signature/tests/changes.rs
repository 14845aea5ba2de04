//! One byte of a good request changed: nobody comes in with it.

use super::*;
use proptest::prelude::*;

/// Where a byte can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Method(usize),
    Target(usize),
    /// In the name of this header.
    Name(usize, usize),
    /// In its value.
    Value(usize, usize),
    Body(usize),
}

/// Every place that the signature covers or consists of.
fn places(request: &Sent) -> Vec<Place> {
    let mut places: Vec<Place> = (0..request.method.len()).map(Place::Method).collect();
    places.extend((0..request.target.len()).map(Place::Target));
    places.extend((0..request.body.len()).map(Place::Body));
    let head = request.head().unwrap();
    let parts = SignatureParts::of(&head).unwrap();
    for (at, (name, value)) in request.headers.iter().enumerate() {
        if name == "authorization" {
            places.extend(values(value, &parts).map(|byte| Place::Value(at, byte)));
        } else if parts.signed_headers.split(';').any(|signed| signed == name) {
            places.extend((0..name.len()).map(|byte| Place::Name(at, byte)));
            places.extend((0..value.len()).map(|byte| Place::Value(at, byte)));
        }
    }
    places
}

/// The bytes of the header's parts; how many commas and blanks part them does not matter.
fn values<'a>(header: &'a str, parts: &'a SignatureParts) -> impl Iterator<Item = usize> + 'a {
    let said = [
        &parts.algorithm,
        &parts.credential,
        &parts.signed_headers,
        &parts.signature,
    ];
    said.into_iter().flat_map(|piece| {
        let start = header.find(piece.as_str()).unwrap();
        start..start + piece.len()
    })
}

fn set(text: &mut String, at: usize, byte: u8) {
    text.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
}

fn changed(request: &Sent, place: Place, byte: u8) -> Sent {
    let mut request = request.clone();
    match place {
        Place::Method(at) => set(&mut request.method, at, byte),
        Place::Target(at) => set(&mut request.target, at, byte),
        Place::Name(header, at) => set(&mut request.headers[header].0, at, byte),
        Place::Value(header, at) => set(&mut request.headers[header].1, at, byte),
        Place::Body(at) => request.body[at] = byte,
    }
    request
}

/// Whether two requests say the same: names of headers have no case, nor have escapes in a query.
fn means_the_same(one: &Sent, other: &Sent) -> bool {
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
    // What is no request at all is refused before anybody looks at a signature.
    let Some(head) = changed.head() else { return };
    let refused = verifier.check(&head, &changed.body, NOW).is_err();
    assert_eq!(refused, !means_the_same(good, changed), "{changed:?}");
}

#[test]
fn every_byte_counts() {
    let verifier = verifier();
    for way in [HEADER, QUERY, PASSING] {
        let good = signed(way);
        assert_eq!(good.check(), Ok(()));
        for place in places(&good) {
            for byte in [b'0', b'a', b'B', b' ', b'/', b'.', b'%', b'&'] {
                assert_refused(&verifier, &good, &changed(&good, place, byte));
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
        way in prop::sample::select(vec![HEADER, QUERY, PASSING]),
        place in any::<prop::sample::Index>(),
        byte in 0_u8..128,
    ) {
        let good = signed(way);
        let places = places(&good);
        let changed = changed(&good, *place.get(&places), byte);
        assert_refused(&verifier(), &good, &changed);
    }
}
