//! Builds the canonical form of a request. Client and server both compute the hash of this text.

use super::parts::SignatureParts;
use hyper::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// The characters that are percent-encoded in a canonical request: all except the unreserved
/// characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The canonical form of a request. None if the request lacks a header that its signature lists.
pub(super) fn request(head: &Parts, parts: &SignatureParts, body_hash: &str) -> Option<Vec<u8>> {
    let query = head.uri.query().unwrap_or_default();
    let path = path(head.uri.path());
    let query = self::query(query, parts.in_query);
    let mut text = format!("{}\n{path}\n{query}\n", head.method).into_bytes();
    for name in parts.signed_headers.split(';') {
        let name = name.to_ascii_lowercase();
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend(value(head, &name)?);
        text.push(b'\n');
    }
    // Do not sort the list of signed headers or change its case. The client's signature covers the
    // list exactly as it was sent.
    let end = format!("\n{}\n{body_hash}", parts.signed_headers);
    text.extend_from_slice(end.as_bytes());
    Some(text)
}

/// The canonical form of a path: without empty segments and dot segments, and percent-encoded once
/// more, although the path of the request is already encoded.
fn path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut text: String = segments
        .iter()
        .flat_map(|segment| ["/".to_owned(), encoded(segment.as_bytes())])
        .collect();
    // A path that ends with an empty segment or a dot segment names a folder. The final slash of
    // such a path is part of the canonical path.
    let folder = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    if text.is_empty() || folder {
        text.push('/');
    }
    text
}

/// The canonical form of a query string: its parameters, sorted and encoded anew. If
/// `without_signature` is true, the first parameter `X-Amz-Signature` is left out, because a
/// signature does not cover itself. A second parameter of this name is an ordinary parameter.
fn query(query: &str, without_signature: bool) -> String {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut parameters: Vec<(String, String)> = parameters
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (recoded(name), recoded(value))
        })
        .collect();
    if without_signature {
        let signature = parameters
            .iter()
            .position(|(name, _)| name == "X-Amz-Signature");
        signature.map(|at| parameters.remove(at));
    }
    parameters.sort_unstable();
    let parameters = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    parameters.collect::<Vec<_>>().join("&")
}

fn recoded(text: &str) -> String {
    // Encode bytes and not characters. Otherwise different texts that are not UTF-8 could get the
    // same encoding.
    let bytes: Vec<u8> = percent_decode(text.replace('+', " ").as_bytes()).collect();
    encoded(&bytes)
}

fn encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

/// The values of all headers with the name `name`, joined by commas. None if there is no such
/// header. Over HTTP/2, the host stands in the request's URI, and clients sign it as `host` or as
/// `:authority`.
fn value(head: &Parts, name: &str) -> Option<Vec<u8>> {
    let authority = || {
        head.uri
            .authority()
            .map(|host| host.as_str().as_bytes().to_vec())
    };
    match name {
        ":authority" => authority().or_else(|| header(head, "host")),
        "host" => header(head, "host").or_else(authority),
        _ => header(head, name),
    }
}

fn header(head: &Parts, name: &str) -> Option<Vec<u8>> {
    let values = head.headers.get_all(name).iter();
    let values: Vec<Vec<u8>> = values.map(|value| collapsed(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(&b','))
}

/// Removes the blanks at both ends of a header's value, and replaces each sequence of blanks by one
/// blank.
fn collapsed(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| *byte == b' ');
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    #[test]
    fn a_path_is_encoded_once_more_and_normalized() {
        for (received, signed) in [
            ("", "/"),
            ("/", "/"),
            ("/a%20b", "/a%2520b"),
            ("/a b~-._", "/a%20b~-._"),
            ("//a//b/", "/a/b/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a/b.", "/a/b."),
            ("/./a/../b", "/b"),
            ("/../..", "/"),
        ] {
            assert_eq!(path(received), signed, "{received}");
        }
    }

    #[test]
    fn parameters_are_sorted_and_encoded_in_one_way() {
        for (received, signed) in [
            ("", ""),
            ("b=2&a=1&&a=0", "a=0&a=1&b=2"),
            ("a", "a="),
            ("a=x=y", "a=x%3Dy"),
            ("a=b+c&d=%7e%2f%e4", "a=b%20c&d=~%2F%E4"),
            ("a-b=1&a=2", "a=2&a-b=1"),
        ] {
            assert_eq!(query(received, true), signed, "{received}");
        }
        let twice = "X-Amz-Signature=1&X-Amz-Signature=2";
        assert_eq!(query(twice, true), "X-Amz-Signature=2");
        assert_eq!(query(twice, false), twice);
    }

    #[test]
    fn headers_are_joined_and_the_host_is_found_under_either_name() {
        let request = Request::post("http://there:1/");
        let request = request.header("a", " x  y ").header("a", "z");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let value = |head: &Parts, name| value(head, name).map(|v| String::from_utf8(v).unwrap());
        assert_eq!(value(&head, "a").unwrap(), "x y,z");
        assert_eq!(value(&head, "b"), None);
        assert_eq!(value(&head, "host").unwrap(), "there:1");
        assert_eq!(value(&head, ":authority").unwrap(), "there:1");
        let request = Request::post("/").header("host", "here:1");
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(value(&head, ":authority").unwrap(), "here:1");
        assert_eq!(value(&head, "host").unwrap(), "here:1");
    }
}
