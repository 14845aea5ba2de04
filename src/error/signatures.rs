//! Refusals of requests whose sender is not told, or is not who the signature says.

use super::exception::{Error, Kind};

/// Requests whose sender is not told.
impl Error {
    /// Signed twice over.
    pub fn signed_twice() -> Self {
        Kind::InvalidSignatureException.says(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
             header.",
        )
    }

    /// Not signed at all.
    pub fn unsigned() -> Self {
        Kind::MissingAuthenticationTokenException.says("Missing Authentication Token")
    }

    /// Signed with pieces missing.
    pub fn incompletely_signed(message: String) -> Self {
        Kind::IncompleteSignatureException.says(message)
    }
}

/// Requests whose signature is looked at and refused.
impl Error {
    /// The credential has not its five parts.
    pub fn misshapen_credential(credential: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{credential}'"
        ))
    }

    /// The host is not signed.
    pub fn host_unsigned() -> Self {
        Kind::InvalidSignatureException
            .says("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    }

    /// Signed in another way.
    pub fn unsupported_algorithm(algorithm: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
        ))
    }

    /// The date is none.
    pub fn misshapen_date(date: &str) -> Self {
        Kind::IncompleteSignatureException.says(format!(
            "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
        ))
    }

    /// Parts of the credential are for another purpose.
    pub fn misscoped(message: String) -> Self {
        Kind::InvalidSignatureException.says(message)
    }

    /// Signed too long ago: before `first`, which lies `life` before `now`.
    pub fn signature_expired(date: &str, first: &str, now: &str, life: &str) -> Self {
        Kind::InvalidSignatureException.says(format!(
            "Signature expired: {date} is now earlier than {first} ({now} - {life})"
        ))
    }

    /// Signed in the future: after `last`, which lies `life` after `now`.
    pub fn signature_not_yet_current(date: &str, last: &str, now: &str, life: &str) -> Self {
        Kind::InvalidSignatureException.says(format!(
            "Signature not yet current: {date} is still later than {last} ({now} + {life})"
        ))
    }

    /// Nobody has this access key, or its session token is another.
    pub fn unrecognized_client() -> Self {
        Kind::UnrecognizedClientException
            .says("The security token included in the request is invalid.")
    }

    /// The signature is not of this request by this key.
    pub fn signature_differs() -> Self {
        Kind::InvalidSignatureException.says(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }
}
