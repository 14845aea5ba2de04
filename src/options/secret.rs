//! Secrets, which are never printed, and the credentials that contain them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A secret text. Its `Debug` output is `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for comparing and hashing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Parsing never fails, because the error message of a parser would quote the secret.
impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A credential that `--auth verify` accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The access key id, which is public.
    pub key: String,
    /// The secret access key, with which requests are signed.
    pub secret: Secret,
    /// The session token of a temporary credential.
    pub token: Option<Secret>,
}

impl Credential {
    /// Parses a credential written as `KEY:SECRET` or `KEY:SECRET:TOKEN`. None if the text has
    /// another form.
    pub(super) fn parse(text: &Secret) -> Option<Self> {
        let mut parts = text.expose().splitn(3, ':');
        let (key, secret) = (parts.next()?, parts.next()?);
        let token = parts.next();
        // An access key id must not contain a slash or a space, because in the `Authorization`
        // header these characters end the id.
        let named = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
        let whole = named && !secret.is_empty() && token != Some("");
        whole.then(|| Self {
            key: key.to_owned(),
            secret: secret.into(),
            token: token.map(Secret::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_two_parts_or_three() {
        let read = |text: &str| Credential::parse(&text.into());
        let plain = read("AKIA:a/b+c=").unwrap();
        assert_eq!((plain.key.as_str(), plain.token), ("AKIA", None));
        assert_eq!(plain.secret.expose(), "a/b+c=");
        let token = read("AKIA:s:t:u").unwrap().token.unwrap();
        assert_eq!(token.expose(), "t:u", "only the token may have colons");
        for text in ["", "AKIA", "AKIA:", ":s", "AKIA:s:", "A/B:s", "A B:s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let credential = Credential::parse(&"AKIA:hush:quiet".into()).unwrap();
        let printed = format!("{credential:?}");
        assert!(printed.contains("AKIA"), "{printed}");
        assert!(
            !printed.contains("hush") && !printed.contains("quiet"),
            "{printed}"
        );
    }
}
