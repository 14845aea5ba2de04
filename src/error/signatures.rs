//! Errors about missing and wrong signatures.

use super::exception::{Error, Kind};

/// Missing and incomplete signatures.
impl Error {
    /// The request is signed by header and by query string.
    pub fn signed_twice() -> Self {
        Kind::InvalidSignatureException.says(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
             header.",
        )
    }

    /// The request is not signed.
    pub fn unsigned() -> Self {
        Kind::MissingAuthenticationTokenException.says("Missing Authentication Token")
    }

    /// Parts of the signature are missing.
    pub fn incompletely_signed(message: String) -> Self {
        Kind::IncompleteSignatureException.says(message)
    }
}

/// Wrong signatures.
impl Error {
    /// The credential does not have five parts.
    pub fn misshapen_credential(credential: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{credential}'"
        ))
    }

    /// The Host header is not signed.
    pub fn host_unsigned() -> Self {
        Kind::InvalidSignatureException
            .says("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    }

    /// The algorithm is not supported.
    pub fn unsupported_algorithm(algorithm: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
        ))
    }

    /// The date is malformed.
    pub fn misshapen_date(date: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
        ))
    }

    /// The credential's scope is for another date, region or service.
    pub fn misscoped(message: String) -> Self {
        Kind::InvalidSignatureException.says(message)
    }

    /// Signed before `first`, the moment `life` before `now`.
    pub fn signature_expired(date: &str, first: &str, now: &str, life: &str) -> Self {
        Kind::InvalidSignatureException.says(format!(
            "Signature expired: {date} is now earlier than {first} ({now} - {life})"
        ))
    }

    /// Signed after `last`, the moment `life` after `now`.
    pub fn signature_not_yet_current(date: &str, last: &str, now: &str, life: &str) -> Self {
        Kind::InvalidSignatureException.says(format!(
            "Signature not yet current: {date} is still later than {last} ({now} + {life})"
        ))
    }

    /// The access key is unknown, or its session token is another.
    pub fn unrecognized_client() -> Self {
        Kind::UnrecognizedClientException
            .says("The security token included in the request is invalid.")
    }

    /// The signature does not match the request.
    pub fn signature_differs() -> Self {
        Kind::InvalidSignatureException.says(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }
}
