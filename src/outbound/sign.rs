//! Signs the requests of clients with Signature Version 4.

use crate::options::Secret;
use aws_credential_types::Credentials;
pub(super) use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use hyper::Request;
use std::time::{Duration, UNIX_EPOCH};

/// The credential that signs the requests of a client.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    credentials: Credentials,
}

/// The AWS service and the region that a signature names, and the time of signing by the machine's
/// clock, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct SigningScope<'a> {
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) now_ms: i64,
}

impl Signer {
    /// Parses a credential of the form `KEY:SECRET`. None if the text has another form.
    pub(super) fn read(text: &Secret) -> Option<Self> {
        let (key, secret) = text.expose().split_once(':')?;
        Some(Self {
            credentials: Credentials::new(key, secret, None, None, "minikin"),
        })
    }

    /// Adds the headers of a signature to `request`. `url` and `body` are the URL and the body that
    /// are signed.
    pub(super) fn sign<B>(
        &self,
        request: &mut Request<B>,
        (url, body): (&str, SignableBody<'_>),
        scope: SigningScope<'_>,
    ) -> Result<(), String> {
        let identity = self.credentials.clone().into();
        let mut settings = SigningSettings::default();
        if scope.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let now = Duration::from_millis(scope.now_ms.unsigned_abs());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(UNIX_EPOCH + now)
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let method = request.method().as_str();
        let signable =
            SignableRequest::new(method, url, headers, body).map_err(|error| error.to_string())?;
        let signed = sign(signable, &params).map_err(|error| error.to_string())?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}
