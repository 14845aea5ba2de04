//! The option `--allow-origin`: the web pages that may call the service.

use std::str::FromStr;

/// A set of web pages that may call the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// The pages of every origin, as AWS allows.
    Any,
    /// The pages of this machine: the hosts `localhost` and `*.localhost`, and loopback addresses.
    Local,
    /// The pages of one origin, such as `https://app.example.com`.
    Origin(String),
}

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "any" | "*" => return Ok(Self::Any),
            "local" => return Ok(Self::Local),
            "null" => return Ok(Self::Origin(text.to_owned())),
            _ => {}
        }
        let host = text.split_once("://").map(|(_, host)| host);
        if host.is_some_and(|host| !host.is_empty() && !host.contains('/')) {
            Ok(Self::Origin(text.to_ascii_lowercase()))
        } else {
            Err("choose local, any, null or an origin such as https://app.example.com".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_no_path() {
        let parse = |text: &str| text.parse::<AllowedOrigin>().ok();
        assert_eq!(parse("*"), Some(AllowedOrigin::Any));
        assert_eq!(parse("local"), Some(AllowedOrigin::Local));
        let app = AllowedOrigin::Origin("https://app.example.com:3000".to_owned());
        assert_eq!(parse("https://APP.example.com:3000"), Some(app));
        for text in [
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
