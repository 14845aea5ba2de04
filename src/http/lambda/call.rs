//! Finds the operation of Lambda's API that the method and path of a request name.

use hyper::Method;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

/// An operation of Lambda's API. Its parameters come from the path and the query string of a
/// request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Create,
    Get(String),
    List(ListQuery),
    Update(String),
    Delete(String),
    Tag(String),
    Untag(String, Vec<String>),
    ListTags(String),
    /// An operation that minikin does not implement.
    Unknown,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) source: Option<String>,
    pub(super) function: Option<String>,
    pub(super) marker: Option<String>,
    pub(super) most: Option<String>,
}

const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
const TAGS: &str = "/2017-03-31/tags/";

/// True for a path of Lambda's API. Such a path begins with a date, unlike all other paths that
/// minikin serves.
pub(in crate::http) fn is_lambda_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let dashes = bytes.get(5) == Some(&b'-') && bytes.get(8) == Some(&b'-');
    dashes && (1..5).all(is_digit) && bytes.get(11) == Some(&b'/')
}

impl Call {
    pub(super) fn of(head: &Parts) -> Self {
        let path = head.uri.path();
        if let Some(arn) = path.strip_prefix(TAGS) {
            return Self::of_tags(head, &decoded(arn));
        }
        let Some(rest) = path.strip_prefix(MAPPINGS) else {
            return Self::Unknown;
        };
        // Older clients send a slash at the end of the path.
        let uuid = rest.trim_matches('/');
        match (&head.method, uuid) {
            (&Method::POST, "") => Self::Create,
            (&Method::GET, "") => Self::List(ListQuery::of(head)),
            (_, "") => Self::Unknown,
            (_, uuid) if uuid.contains('/') || !rest.starts_with('/') => Self::Unknown,
            (&Method::GET, uuid) => Self::Get(decoded(uuid)),
            (&Method::PUT, uuid) => Self::Update(decoded(uuid)),
            (&Method::DELETE, uuid) => Self::Delete(decoded(uuid)),
            _ => Self::Unknown,
        }
    }

    fn of_tags(head: &Parts, arn: &str) -> Self {
        let arn = arn.to_owned();
        match head.method {
            Method::POST => Self::Tag(arn),
            Method::GET => Self::ListTags(arn),
            Method::DELETE => {
                let keys = parameters(head).filter(|(name, _)| name == "tagKeys");
                Self::Untag(arn, keys.map(|(_, value)| value).collect())
            }
            _ => Self::Unknown,
        }
    }
}

impl ListQuery {
    fn of(head: &Parts) -> Self {
        let mut query = Self::default();
        for (name, value) in parameters(head) {
            match name.as_str() {
                "EventSourceArn" => query.source = Some(value),
                "FunctionName" => query.function = Some(value),
                "Marker" => query.marker = Some(value),
                "MaxItems" => query.most = Some(value),
                _ => {}
            }
        }
        query
    }
}

fn parameters(head: &Parts) -> impl Iterator<Item = (String, String)> {
    let query = head.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn call(method: Method, path: &str) -> Call {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        Call::of(&request.into_parts().0)
    }

    #[test]
    fn operations_are_named_by_method_and_path() {
        let uuid = "6f9e0000-0000-4000-8000-000000000000";
        let of = |end: &str| format!("{MAPPINGS}{end}");
        assert_eq!(call(Method::POST, &of("")), Call::Create);
        assert_eq!(call(Method::POST, &of("/")), Call::Create);
        assert_eq!(
            call(Method::GET, &of(&format!("/{uuid}"))),
            Call::Get(uuid.to_owned())
        );
        assert_eq!(
            call(Method::PUT, &of(&format!("/{uuid}"))),
            Call::Update(uuid.to_owned())
        );
        assert_eq!(
            call(Method::DELETE, &of(&format!("/{uuid}/"))),
            Call::Delete(uuid.to_owned())
        );
        let list = ListQuery {
            function: Some("f:prod".to_owned()),
            most: Some("5".to_owned()),
            ..ListQuery::default()
        };
        let query = of("?FunctionName=f%3Aprod&MaxItems=5");
        assert_eq!(call(Method::GET, &query), Call::List(list));
        let tags = format!("{TAGS}arn%3Aaws?tagKeys=a&tagKeys=b%20c");
        assert_eq!(
            call(Method::GET, &tags),
            Call::ListTags("arn:aws".to_owned())
        );
        let keys = vec!["a".to_owned(), "b c".to_owned()];
        assert_eq!(
            call(Method::DELETE, &tags),
            Call::Untag("arn:aws".to_owned(), keys)
        );
        for (method, path) in [
            (Method::DELETE, of("")),
            (Method::POST, of("/x")),
            (Method::GET, of("/x/y")),
            (Method::GET, of("x")),
            (Method::GET, "/2015-03-31/functions/".to_owned()),
        ] {
            assert_eq!(call(method, &path), Call::Unknown, "{path}");
        }
    }

    #[test]
    fn lambdas_paths_begin_with_a_date() {
        for path in [
            "/2015-03-31/functions/f",
            "/2017-03-31/tags/x",
            "/2020-06-30/x",
        ] {
            assert!(is_lambda_path(path), "{path}");
        }
        for path in [
            "/",
            "/_minikin/x",
            "/2015-03-31",
            "/2015/03/31/x",
            "/service/Kinesis/x",
        ] {
            assert!(!is_lambda_path(path), "{path}");
        }
    }
}
