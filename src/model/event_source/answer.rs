//! The results of invocations. A function's HTTP response is classified as a success, or as one of
//! several kinds of failure.

use bytes::Bytes;
use serde_json::Value;

/// The result of an HTTP request that invokes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The request was not sent, for example because the connection was refused, the host name has
    /// no address, or TLS failed. The text is the reason.
    NotReached(String),
    /// The request was sent, but no complete answer came, because of a timeout, a lost connection,
    /// or an answer that is too large. The text is the reason.
    Lost(String),
    /// The function's endpoint answered.
    Response(Response),
}

/// The HTTP response of a function's endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code of the response.
    pub status: u16,
    /// True if the response has the header `x-amzn-ErrorType`. Lambda's API sends this header with
    /// its own errors, but not with errors of the function.
    pub is_lambda_error: bool,
    /// The header `X-Amz-Function-Error`. It contains Lambda's name for the kind of error in the
    /// function.
    pub function_error: Option<String>,
    /// The header `X-Amz-Executed-Version`, the version of the function that ran.
    pub executed_version: Option<String>,
    /// The header `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// The body of the response, which holds the function's answer or its error.
    pub body: Bytes,
    /// True if the endpoint is Lambda's Runtime Interface Emulator, directly or behind `sam local`.
    pub from_emulator: bool,
    /// The part of the response in which the endpoint reports errors of the function.
    pub errors: ErrorSource,
}

/// The part of a response in which an endpoint reports errors of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorSource {
    /// The endpoint reports errors in a header, as Lambda does.
    Header,
    /// The endpoint reports errors only in the body, as the Runtime Interface Emulator does.
    #[default]
    Body,
}

/// The result of an invocation for the batch as a whole. After `Answered`, the body may still
/// report that some records of the batch failed. `report::outcome` reads this report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The function did not run. The invocation does not count as an attempt to deliver the batch.
    NotReached {
        /// The shortest wait before the next invocation, in milliseconds. `None` if the response
        /// names no wait.
        retry_after_ms: Option<i64>,
    },
    /// The function failed. The text is Lambda's name for the kind of error.
    FunctionError(String),
    /// The endpoint refused the event because of its size.
    TooLarge,
    /// The function ran and answered without an error.
    Answered,
}

/// Lambda's name for an error that the function did not handle itself.
const UNHANDLED: &str = "Unhandled";

impl Answer {
    /// Derives the result of the invocation from this answer.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::NotReached(_) => Verdict::NotReached {
                retry_after_ms: None,
            },
            Self::Lost(_) => Verdict::FunctionError(UNHANDLED.to_owned()),
            Self::Response(response) => response.verdict(),
        }
    }

    /// The HTTP status of the response. `None` if no response came.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Response(response) => Some(response.status),
            Self::NotReached(_) | Self::Lost(_) => None,
        }
    }

    /// The body of the response, or the reason why no response came.
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Response(response) => &response.body,
            Self::NotReached(reason) | Self::Lost(reason) => reason.as_bytes(),
        }
    }

    /// Returns the version of the function that answered. Returns `$LATEST` if the response names
    /// no version.
    pub fn executed_version(&self) -> &str {
        match self {
            Self::Response(Response {
                executed_version: Some(version),
                ..
            }) => version,
            _ => "$LATEST",
        }
    }
}

impl Response {
    fn verdict(&self) -> Verdict {
        let unhandled = Verdict::FunctionError(UNHANDLED.to_owned());
        match self.status {
            200..=299 => {}
            413 => return Verdict::TooLarge,
            502 | 504
                if !self.is_lambda_error && (self.from_emulator || has_error_type(&self.body)) =>
            {
                return unhandled;
            }
            _ => {
                let seconds = self.retry_after_s.map(|seconds| seconds.min(86_400));
                return Verdict::NotReached {
                    retry_after_ms: seconds.map(|seconds| seconds as i64 * 1000),
                };
            }
        }
        if let Some(error) = &self.function_error {
            return Verdict::FunctionError(error.clone());
        }
        if self.errors == ErrorSource::Body && self.body_is_an_error() {
            return unhandled;
        }
        Verdict::Answered
    }

    /// Returns true if the Runtime Interface Emulator reports an error in the body. Such a body is
    /// a JSON object that describes the error, a text about a timeout, or not JSON. For example,
    /// the body is empty if the function's process ended.
    fn body_is_an_error(&self) -> bool {
        if is_timeout_text(&self.body) {
            return true;
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(Value::Object(body)) => {
                let text = |name: &str| body.get(name).is_some_and(Value::is_string);
                text("errorType")
                    && text("errorMessage")
                    && !body.contains_key("batchItemFailures")
                    && !body.contains_key("state")
            }
            Ok(Value::String(text)) => is_timeout_text(text.as_bytes()),
            Ok(_) => false,
            Err(_) => self.from_emulator,
        }
    }
}

fn has_error_type(body: &[u8]) -> bool {
    let body = serde_json::from_slice::<Value>(body).ok();
    body.is_some_and(|body| body.get("errorType").is_some())
}

/// Returns true for `Task timed out after N.NN seconds`, the text that the Runtime Interface
/// Emulator sends with status 200 after a timeout. A request id may precede the text.
fn is_timeout_text(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let Some((before, rest)) = text.split_once("Task timed out after ") else {
        return false;
    };
    let number = rest.trim_end().strip_suffix(" seconds");
    let number = number.filter(|number| number.parse::<f64>().is_ok());
    number.is_some() && before.len() <= 100 && !before.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            is_lambda_error: false,
            function_error: None,
            executed_version: None,
            retry_after_s: None,
            body: Bytes::copy_from_slice(body.as_bytes()),
            from_emulator: false,
            errors: ErrorSource::Body,
        }
    }

    fn unhandled() -> Verdict {
        Verdict::FunctionError("Unhandled".to_owned())
    }

    const ERROR: &str = r#"{"errorType":"E","errorMessage":"m","stackTrace":[]}"#;

    #[test]
    fn statuses_say_whether_the_function_was_reached() {
        let not_reached = Verdict::NotReached {
            retry_after_ms: None,
        };
        for status in [400, 403, 404, 429, 500, 503, 418, 301] {
            assert_eq!(response(status, "").verdict(), not_reached, "{status}");
        }
        assert_eq!(response(413, "").verdict(), Verdict::TooLarge);
        for status in [502, 504] {
            assert_eq!(response(status, "").verdict(), not_reached);
            assert_eq!(response(status, ERROR).verdict(), unhandled());
            let emulator = Response {
                from_emulator: true,
                ..response(status, "x")
            };
            assert_eq!(emulator.verdict(), unhandled());
            let front_end = Response {
                is_lambda_error: true,
                ..emulator
            };
            assert_eq!(front_end.verdict(), not_reached);
        }
        let throttled = Response {
            retry_after_s: Some(7),
            ..response(429, "")
        };
        let retry_after_ms = Some(7000);
        assert_eq!(throttled.verdict(), Verdict::NotReached { retry_after_ms });
        let lost = Answer::Lost("timeout".to_owned());
        assert_eq!(lost.verdict(), unhandled());
        assert_eq!(Answer::NotReached(String::new()).verdict(), not_reached);
    }

    #[test]
    fn the_header_counts_where_it_is_there() {
        let failed = Response {
            function_error: Some("Handled".to_owned()),
            ..response(200, "{}")
        };
        assert_eq!(
            failed.verdict(),
            Verdict::FunctionError("Handled".to_owned())
        );
        let trusted = Response {
            errors: ErrorSource::Header,
            ..response(200, ERROR)
        };
        assert_eq!(trusted.verdict(), Verdict::Answered);
    }

    #[test]
    fn a_body_of_the_runtime_interface_emulator_can_be_an_error() {
        for body in [
            ERROR,
            "Task timed out after 3.00 seconds",
            "\"Task timed out after 3.00 seconds\"",
            "2e2c9a3e-4f4d-4a4d-8d0a-000000000000 Task timed out after 3.00 seconds\n",
        ] {
            assert_eq!(response(200, body).verdict(), unhandled(), "{body}");
        }
        for body in [
            "",
            "text",
            "{}",
            r#"{"errorType":"E"}"#,
            r#"{"errorType":1,"errorMessage":"m"}"#,
            r#"{"errorType":"E","errorMessage":"m","batchItemFailures":[]}"#,
            r#"{"errorType":"E","errorMessage":"m","state":{}}"#,
            r#"{"a":"Task timed out after 3.00 seconds"#,
            "Task timed out after some seconds",
        ] {
            assert_eq!(response(200, body).verdict(), Verdict::Answered, "{body}");
        }
        for (body, verdict) in [
            ("", unhandled()),
            ("text", unhandled()),
            ("{}", Verdict::Answered),
        ] {
            let emulator = Response {
                from_emulator: true,
                ..response(200, body)
            };
            assert_eq!(emulator.verdict(), verdict, "{body}");
        }
    }
}
