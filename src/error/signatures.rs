//! Errors about missing, malformed and wrong signatures.

use super::exception::{Error, Kind};

/// Errors about missing and incomplete signatures.
impl Error {
    /// The request has a signature both in the Authorization header and in the query string.
    pub fn signed_twice() -> Self {
        Kind::InvalidSignatureException.says(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
             header.",
        )
    }

    /// The request has no signature.
    pub fn unsigned() -> Self {
        Kind::MissingAuthenticationTokenException.says("Missing Authentication Token")
    }

    /// The Authorization header or the query string lacks parts of the signature. `message` names
    /// the parts.
    pub fn incompletely_signed(message: String) -> Self {
        Kind::IncompleteSignatureException.says(message)
    }
}

/// Errors about wrong signatures.
impl Error {
    /// The signature's credential does not have the five parts access key, date, region, service
    /// and `aws4_request`.
    pub fn misshapen_credential(credential: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{credential}'"
        ))
    }

    /// The signature does not cover the Host header.
    pub fn host_unsigned() -> Self {
        Kind::InvalidSignatureException
            .says("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    }

    /// The signature names an algorithm other than AWS4-HMAC-SHA256.
    pub fn unsupported_algorithm(algorithm: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
        ))
    }

    /// The date of the signature does not have the form `YYYYMMDDTHHMMSSZ`.
    pub fn misshapen_date(date: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
        ))
    }

    /// The signature's credential is for another date, region or service than the request.
    /// `message` describes the difference.
    pub fn misscoped(message: String) -> Self {
        Kind::InvalidSignatureException.says(message)
    }

    /// The signature's date `date` is before `first`, the earliest date that the emulator accepts.
    /// `first` is `now` minus `life`.
    pub fn signature_expired(date: &str, first: &str, now: &str, life: &str) -> Self {
        Kind::InvalidSignatureException.says(format!(
            "Signature expired: {date} is now earlier than {first} ({now} - {life})"
        ))
    }

    /// The signature's date `date` is after `last`, the latest date that the emulator accepts.
    /// `last` is `now` plus `life`.
    pub fn signature_not_yet_current(date: &str, last: &str, now: &str, life: &str) -> Self {
        Kind::InvalidSignatureException.says(format!(
            "Signature not yet current: {date} is still later than {last} ({now} + {life})"
        ))
    }

    /// The access key is unknown, or the session token does not belong to the access key.
    pub fn unrecognized_client() -> Self {
        Kind::UnrecognizedClientException
            .says("The security token included in the request is invalid.")
    }

    /// The signature differs from the signature that the emulator computed with the secret key.
    pub fn signature_differs() -> Self {
        Kind::InvalidSignatureException.says(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }
}
