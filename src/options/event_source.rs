//! The options `--event-source`, `--event-sources`, `--function` and `--destination`: the mappings,
//! the functions that the mappings invoke, and the endpoints to which mappings send discarded
//! batches.

use super::bounded_file;
use super::secret::Secret;
use crate::limits;
use crate::model::event_source::{CreateRequest, source_of_option};
use crate::model::{AccountId, AccountRegion, Region, StreamArn};
use serde_json::Value;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// A function and its URLs, written as `NAME=URL[,URL…][;KEY=VALUE…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSetting {
    /// Name of the function, as `NAME` or `NAME:QUALIFIER`. The function `*` stands for every name
    /// that no other function has.
    pub name: String,
    /// URLs at which the function can be invoked. Invocations are distributed over these URLs.
    pub urls: Vec<String>,
    /// Longest time that an invocation may take, in real time. The default is 300 seconds.
    pub timeout: Duration,
    /// Maximum number of concurrent requests to one URL. The default is 1.
    pub concurrency: usize,
    /// The parts of the function's answer in which the emulator looks for an error.
    pub errors: ErrorMode,
    /// ARN of the function's execution role, if the option gives one.
    pub role: Option<String>,
    /// The credential that signs the requests to the function, as `KEY:SECRET`. None: the requests
    /// are not signed.
    pub sign: Option<Secret>,
    /// File with the certificate authority that the client trusts for `https` URLs, in PEM.
    pub ca: Option<PathBuf>,
}

/// The parts of a function's answer in which the emulator looks for an error of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorMode {
    /// Like `Body`, until an answer from the same URL has reported an error in the header
    /// `X-Amz-Function-Error`. From then on, like `Header`.
    #[default]
    Auto,
    /// Only the header `X-Amz-Function-Error` of the answer reports errors.
    Header,
    /// Both the header `X-Amz-Function-Error` and the body of the answer report errors.
    Body,
}

/// Largest timeout of a function, in seconds. The value is the limit of Lambda.
const MOST_TIMEOUT_S: u64 = 900;
/// Default timeout of a function, in seconds. The value is the limit of Lambda's Runtime Interface
/// Emulator.
const TIMEOUT_S: u64 = 300;
/// Maximum number of characters in a function's name.
const NAME_CHARACTERS: usize = 64;

impl FunctionSetting {
    /// Makes the setting of a function with one URL and otherwise default values.
    ///
    /// # Errors
    /// The name or the URL is invalid.
    pub fn at(name: &str, url: &str) -> Result<Self, String> {
        format!("{name}={url}").parse()
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "timeout" => {
                let seconds = value.parse().ok();
                let seconds = seconds.filter(|seconds| (1..=MOST_TIMEOUT_S).contains(seconds));
                let seconds = seconds.ok_or("the timeout is a number of seconds from 1 to 900")?;
                self.timeout = Duration::from_secs(seconds);
            }
            "concurrency" => {
                let count = value
                    .parse()
                    .ok()
                    .filter(|count| (1..=1000).contains(count));
                self.concurrency = count.ok_or("the concurrency is a number from 1 to 1000")?;
            }
            "errors" => {
                self.errors = match value {
                    "auto" => ErrorMode::Auto,
                    "header" => ErrorMode::Header,
                    "body" => ErrorMode::Body,
                    _ => return Err("choose errors=auto, header or body".to_owned()),
                };
            }
            "role" => self.role = Some(value.to_owned()),
            "sign" if value.contains(':') => self.sign = Some(Secret::from(value)),
            "sign" => return Err("write sign=KEY:SECRET".to_owned()),
            "ca" => self.ca = Some(value.into()),
            _ => return Err(format!("a function has no setting {key}")),
        }
        Ok(())
    }
}

impl FromStr for FunctionSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text
            .split_once('=')
            .ok_or("a function is written as NAME=URL[,URL…][;KEY=VALUE…]")?;
        let mut parts = rest.split(';');
        let urls = parts.next().unwrap_or_default().split(',');
        let mut function = Self {
            name: function_name(name.trim())?,
            urls: urls.map(|url| url.trim().to_owned()).collect(),
            timeout: Duration::from_secs(TIMEOUT_S),
            concurrency: 1,
            errors: ErrorMode::default(),
            role: None,
            sign: None,
            ca: None,
        };
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or("write KEY=VALUE after a semicolon")?;
            function.set(key, value)?;
        }
        for url in &function.urls {
            check_url(url, function.ca.is_some())?;
        }
        Ok(function)
    }
}

fn function_name(name: &str) -> Result<String, String> {
    let base = name.split_once(':').map_or(name, |(base, _)| base);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_name = (1..=NAME_CHARACTERS).contains(&base.len()) && base.bytes().all(fits);
    if is_name || name == "*" {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is not the name of a function: 1 to 64 letters, digits, - and _, or *"
    ))
}

/// Checks a URL of another server. `has_ca` is true if the option names a certificate authority.
pub(super) fn check_url(url: &str, has_ca: bool) -> Result<(), String> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https", rest)) if has_ca => rest,
        Some(("https", _)) => {
            return Err(format!(
                "{url}: https needs ca=FILE, the CA certificates to trust"
            ));
        }
        _ => return Err(format!("`{url}` is not an http:// or https:// address")),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(format!(
            "the URL of `{host}` has a user name, which is not allowed"
        ));
    }
    let no_host = authority.is_empty() || authority.starts_with(':');
    if no_host || authority.contains(['?', '#']) || url.contains(char::is_whitespace) {
        return Err(format!("`{url}` has no host"));
    }
    // The colons of an IPv6 address stand in brackets.
    let after = authority
        .rsplit_once(']')
        .map_or(authority, |(_, after)| after);
    match after
        .split_once(':')
        .map(|(_, port)| port.parse::<NonZeroU16>())
    {
        Some(Err(_)) => Err(format!("`{url}` has no valid port: 1 to 65535")),
        _ => Ok(()),
    }
}

/// An endpoint to which mappings send failure records instead of to Amazon SQS, SNS or S3. The
/// option has the form `sqs=URL`, `sns=URL` or `s3=URL`. An `https` URL needs `;ca=FILE` after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationSetting {
    /// The AWS service that the endpoint replaces.
    pub service: DestinationService,
    /// URL of the endpoint.
    pub url: String,
    /// File with the certificate authority that the client trusts for an `https` URL, in PEM.
    pub ca: Option<PathBuf>,
}

/// An AWS service to which mappings can send failure records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationService {
    /// Amazon SQS: mappings send failure records to its queues.
    Sqs,
    /// Amazon SNS: mappings send failure records to its topics.
    Sns,
    /// Amazon S3: mappings write failure records to its buckets.
    S3,
}

impl FromStr for DestinationSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, rest) = text
            .split_once('=')
            .ok_or("write sqs=URL, sns=URL or s3=URL")?;
        let service = match service {
            "sqs" => DestinationService::Sqs,
            "sns" => DestinationService::Sns,
            "s3" => DestinationService::S3,
            _ => return Err("write sqs=URL, sns=URL or s3=URL".to_owned()),
        };
        let (url, ca) = match rest.split_once(';') {
            None => (rest, None),
            Some((url, ca)) => {
                let ca = ca
                    .strip_prefix("ca=")
                    .ok_or("only ca=FILE may follow the URL")?;
                (url, Some(PathBuf::from(ca)))
            }
        };
        check_url(url, ca.is_some())?;
        Ok(Self {
            service,
            url: url.to_owned(),
            ca,
        })
    }
}

/// The configured account and region. For an invalid account, returns the default account, because
/// another check at the start refuses an invalid account.
pub(super) fn home(account: &str, region: &str) -> AccountRegion {
    AccountRegion {
        account: AccountId::parse(account).unwrap_or_default(),
        region: Region::new(region),
    }
}

/// The ARN of the stream `name` in the configured account and region.
pub(super) fn arn_of(account: &str, region: &str, name: &str) -> String {
    StreamArn::new(home(account, region), name).to_string()
}

/// Completes the CreateEventSourceMapping request of a mapping that an option or a file defines.
/// Replaces a stream's name by its ARN, and sets a missing StartingPosition to TRIM_HORIZON.
pub(super) fn completed(mut body: Value, arn_of: impl Fn(&str) -> String) -> Value {
    if let Some(source) = body.get_mut("EventSourceArn")
        && let Some(name) = source.as_str().filter(|text| !text.starts_with("arn:"))
    {
        *source = arn_of(name).into();
    }
    if let Some(members) = body.as_object_mut() {
        let position = members.entry("StartingPosition");
        position.or_insert_with(|| "TRIM_HORIZON".into());
    }
    body
}

/// Parses a mapping written as `STREAM=FUNCTION?…`. If FUNCTION is a URL, adds a function with this
/// URL to `functions`.
pub(super) fn read_option(
    text: &str,
    arn_of: impl Fn(&str) -> String,
    functions: &mut Vec<FunctionSetting>,
) -> Result<CreateRequest, String> {
    let (body, url) = source_of_option(text, arn_of)?;
    if let Some(url) = url {
        add(functions, &url)?;
    }
    CreateRequest::read(&body).map_err(|refusal| refusal.to_string())
}

/// Adds a function named `function` with the URL `url`. Refuses a second function of this name with
/// another URL.
fn add(functions: &mut Vec<FunctionSetting>, url: &str) -> Result<(), String> {
    let setting = FunctionSetting::at("function", url)?;
    match functions.iter().find(|known| known.name == "function") {
        None => functions.push(setting),
        Some(known) if known.urls == setting.urls => {}
        Some(_) => {
            return Err("another function is called `function`: name both with --function".into());
        }
    }
    Ok(())
}

/// Reads the mappings in a file, which is a JSON list of CreateEventSourceMapping requests.
pub(super) fn read_file(
    path: &Path,
    arn_of: impl Fn(&str) -> String,
) -> Result<Vec<CreateRequest>, String> {
    let text = bounded_file::bytes(path, limits::OPTION_FILE_BYTES);
    let text = text.map_err(|error| error.to_string())?;
    let bodies: Vec<Value> = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let read = |(at, body): (usize, Value)| {
        let request = CreateRequest::read(&completed(body, &arn_of));
        request.map_err(|refusal| format!("number {}: {refusal}", at + 1))
    };
    bodies.into_iter().enumerate().map(read).collect()
}

/// Returns an error if two functions have the same name.
pub(super) fn check_functions(functions: &[FunctionSetting]) -> Result<(), String> {
    for (at, function) in functions.iter().enumerate() {
        if functions[..at]
            .iter()
            .any(|other| other.name == function.name)
        {
            return Err(format!("--function names {} more than once", function.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_addresses_and_settings() {
        let text = "orders=http://a:1,http://b:2/x;timeout=5;concurrency=2;errors=header;role=r";
        let function: FunctionSetting = text.parse().unwrap();
        assert_eq!(function.name, "orders");
        assert_eq!(function.urls, ["http://a:1", "http://b:2/x"]);
        assert_eq!(function.timeout, Duration::from_secs(5));
        assert_eq!(
            (function.concurrency, function.errors),
            (2, ErrorMode::Header)
        );
        assert_eq!(function.role.as_deref(), Some("r"));
        let least: FunctionSetting = "f:prod=http://a".parse().unwrap();
        assert_eq!((least.timeout.as_secs(), least.concurrency), (300, 1));
        assert!("*=https://a;ca=x".parse::<FunctionSetting>().is_ok());
        for text in [
            "f",
            "f=",
            "f=a:1",
            "f=ftp://a",
            "f=http://",
            "f=https://a",
            "=http://a",
            "a b=http://a",
            "f=http://a;x=1",
            "f=http://a;timeout=0",
            "f=http://a;timeout=901",
            "f=http://a;concurrency=0",
            "f=http://a;errors=x",
            "f=http://a;sign=x",
            "f=http://user@a",
            "f=http://a b",
        ] {
            assert!(text.parse::<FunctionSetting>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_destination_has_an_endpoint() {
        let setting: DestinationSetting = "s3=http://minio:9000".parse().unwrap();
        assert_eq!(
            (setting.service, setting.url.as_str()),
            (DestinationService::S3, "http://minio:9000")
        );
        assert!("sqs=https://q;ca=x".parse::<DestinationSetting>().is_ok());
        for text in [
            "s3",
            "kafka=http://a",
            "s3=a",
            "sns=https://a",
            "sns=http://a;x=1",
        ] {
            assert!(text.parse::<DestinationSetting>().is_err(), "{text}");
        }
    }
}
