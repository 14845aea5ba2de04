//! The file that the option `--policies` names. For each access key, the file gives the principal
//! and the principal's policies.
//!
//! ```json
//! {
//!   "AKIDREADER": {
//!     "arn": "arn:aws:iam::000000000000:user/reader",
//!     "policies": [{
//!       "Version": "2012-10-17",
//!       "Statement": [{"Effect": "Allow", "Action": "kinesis:Get*", "Resource": "*"}]
//!     }]
//!   }
//! }
//! ```

use super::arn::AccountId;
use super::policy::{Document, Policy, Principal};
use std::collections::HashMap;
use std::sync::Arc;

/// The principal of each access key in the file that the option `--policies` names.
#[derive(Debug, Default)]
pub struct Identities(HashMap<String, Arc<Principal>>);

impl Identities {
    /// Parses the text of the file that the option `--policies` names. An empty text stands for a
    /// file without access keys.
    ///
    /// # Errors
    /// A message for the user with the place in the file and the reason. An element of a policy
    /// that minikin would not enforce is an error, too.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let document = Document::read(text)?;
        let keys = document
            .members()
            .ok_or("is not a JSON object of access keys")?;
        let mut all = HashMap::new();
        for (key, entry) in keys {
            all.insert(key.clone(), Arc::new(principal(key, entry)?));
        }
        Ok(Self(all))
    }

    /// The principal of the access key `key`. `None` when the file does not have the key.
    pub fn find(&self, key: &str) -> Option<&Arc<Principal>> {
        self.0.get(key)
    }

    /// All access keys in the file that the option `--policies` names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn principal(key: &str, entry: &Document) -> Result<Principal, String> {
    // Slashes and blanks separate the access key from other parts of the Authorization header, so
    // an access key contains neither.
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    if !is_key {
        return Err(format!("{key} is not an access key"));
    }
    let members = entry
        .members()
        .ok_or_else(|| format!("{key} is not an object with arn and policies"))?;
    let (mut arn, mut policies) = (None, None);
    for (name, value) in members {
        match name.as_str() {
            "arn" => arn = Some(value),
            "policies" => policies = Some(value),
            _ => return Err(format!("{key}.{name} is not supported")),
        }
    }
    let policies = policies_of(key, policies)?;
    let binds_nothing = policies.is_empty();
    let Some(Document::Text(arn)) = arn else {
        return Err(format!("{key} has no arn"));
    };
    let principal = Principal::named(arn, policies).ok_or_else(|| {
        format!("{key}.arn is not the ARN of a user, a role, a role's session or an account's root")
    })?;
    if principal.is_root() && !binds_nothing {
        return Err(format!(
            "{key} is the root of its account, which may do everything: policies do not bind it"
        ));
    }
    match AccountId::parse(key).filter(|account| *account != principal.account()) {
        Some(_) => Err(format!(
            "{key} is an access key of twelve digits, which is the account of that number: its \
             arn is of another"
        )),
        None => Ok(principal),
    }
}

fn policies_of(key: &str, document: Option<&Document>) -> Result<Vec<Policy>, String> {
    let document = document.ok_or_else(|| format!("{key} has no policies; [] allows nothing"))?;
    let Document::List(policies) = document else {
        return Err(format!("{key}.policies is not a list"));
    };
    let numbered = policies.iter().enumerate();
    let read = numbered.map(|(at, policy)| {
        let read = Policy::of_identity(policy);
        read.map_err(|flaw| format!("{key}.policies.{at}: {}", flaw.trim_start()))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: &str = "arn:aws:iam::000000000001:user/reader";

    fn refused(text: &str) -> String {
        Identities::parse(text).unwrap_err()
    }

    fn with_statement(statement: &str) -> String {
        format!(r#"{{"K": {{"arn": "{READER}", "policies": [{{"Statement": {statement}}}]}}}}"#)
    }

    #[test]
    fn an_empty_file_names_no_principal() {
        for text in ["", " \n", "{}"] {
            assert_eq!(Identities::parse(text).unwrap().keys().count(), 0);
        }
    }

    #[test]
    fn keys_are_found_by_their_letters() {
        let text = with_statement(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
        let all = Identities::parse(&text).unwrap();
        assert_eq!(all.find("K").unwrap().arn(), READER);
        assert!(all.find("k").is_none() && all.find("").is_none());
    }

    #[test]
    fn what_is_not_enforced_is_refused_with_its_place() {
        let good = r#""Effect": "Allow", "Action": "kinesis:*", "Resource": "*""#;
        for (statement, expected) in [
            (r#"{}"#, "K.policies.0: Statement.0 has no Effect"),
            (
                r#"{"Effect": "allow", "Action": "*", "Resource": "*"}"#,
                "K.policies.0: Statement.0.Effect is not supported",
            ),
            (
                r#"[{"Effect": "Deny", "Action": "PutRecord", "Resource": "*"}]"#,
                "K.policies.0: Statement.0.Action is not supported",
            ),
            (
                r#"{"Effect": "Deny", "Action": "*", "Resource": "orders"}"#,
                "K.policies.0: Statement.0.Resource is not supported",
            ),
            (
                r#"{"Effect": "Deny", "Action": "*", "Resource": ["*", "arn:aws:s3:::${x}"]}"#,
                "K.policies.0: Statement.0.Resource is not supported",
            ),
            (
                r#"{"Effect": "Deny", "Action": [], "Resource": "*"}"#,
                "K.policies.0: Statement.0.Action is not supported",
            ),
            (r#"[]"#, "K.policies.0: has no Statement"),
            (r#""Allow""#, "K.policies.0: Statement.0 is not an object"),
        ] {
            assert_eq!(refused(&with_statement(statement)), expected);
        }
        for (more, expected) in [
            (r#""Principal": "*""#, "Principal is not supported"),
            (r#""Effects": "Deny""#, "Effects is not supported"),
            (r#""NotAction": "*""#, "has Action and NotAction"),
            (r#""Condition": []"#, "Condition is not an object"),
            (
                r#""Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}"#,
                "Condition.DateLessThan.aws:CurrentTime DateLessThan is not a supported \
                 operator",
            ),
            (
                r#""Condition": {"StringEquals": {"aws:username": "x"}}"#,
                "Condition.StringEquals.aws:username is not a supported key",
            ),
            (
                r#""Condition": {"ForAnyValue:StringLike": {"aws:PrincipalArn": "x"}}"#,
                "Condition.ForAnyValue:StringLike.aws:PrincipalArn ForAnyValue:StringLike is not a \
                 supported operator",
            ),
            (
                r#""Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}"#,
                "Condition.IpAddress.aws:SourceIp has a value that is not supported",
            ),
            (
                r#""Condition": {"StringNotEquals": {"aws:PrincipalArn": []}}"#,
                "Condition.StringNotEquals.aws:PrincipalArn has a value that is not supported",
            ),
            (
                r#""Condition": {"NullIfExists": {"aws:PrincipalArn": true}}"#,
                "Condition.NullIfExists.aws:PrincipalArn NullIfExists is not a supported \
                 operator",
            ),
        ] {
            let refusal = refused(&with_statement(&format!("{{{good}, {more}}}")));
            let refusal = refusal.strip_prefix("K.policies.0: Statement.0").unwrap();
            assert_eq!(refusal.trim_start_matches(['.', ' ']), expected);
        }
    }

    #[test]
    fn a_file_that_says_nothing_useful_is_refused() {
        for (text, expected) in [
            ("[]", "is not a JSON object of access keys"),
            (r#"{"K": []}"#, "K is not an object with arn and policies"),
            (
                r#"{"K": {"arn": "x"}}"#,
                "K has no policies; [] allows nothing",
            ),
            (r#"{"K": {"policies": []}}"#, "K has no arn"),
            (r#"{"K": {"policies": {}}}"#, "K.policies is not a list"),
            (r#"{"K": {"policy": []}}"#, "K.policy is not supported"),
            (r#"{"a/b": {}}"#, "a/b is not an access key"),
            (
                r#"{"000000000002": {"arn": "arn:aws:iam::000000000001:root", "policies": []}}"#,
                "000000000002 is an access key of twelve digits, which is the account of that \
                 number: its arn is of another",
            ),
            (
                r#"{"K": {"arn": "arn:aws:iam::000000000001:root", "policies": [{"Statement":
                   {"Effect": "Deny", "Action": "*", "Resource": "*"}}]}}"#,
                "K is the root of its account, which may do everything: policies do not bind it",
            ),
        ] {
            assert_eq!(refused(text), expected);
        }
        let twice = refused(r#"{"K": {}, "K": {}}"#);
        assert!(twice.starts_with("K is there twice"), "{twice}");
    }

    #[test]
    fn principals_are_users_roles_sessions_and_roots() {
        let with = |arn: &str| format!(r#"{{"K": {{"arn": "{arn}", "policies": []}}}}"#);
        for arn in [
            "arn:aws:iam::000000000001:user/a/path/reader",
            "arn:aws-cn:iam::000000000001:role/reader",
            "arn:aws:sts::000000000001:assumed-role/reader/session@example.com",
            "arn:aws:iam::000000000001:root",
        ] {
            assert!(Identities::parse(&with(arn)).is_ok(), "{arn}");
        }
        for arn in [
            "reader",
            "arn:aws:iam::1:user/reader",
            "arn:aws:iam::000000000001:user/",
            "arn:aws:iam::000000000001:user/*",
            "arn:aws:iam::000000000001:group/readers",
            "arn:aws:iam:us-east-1:000000000001:user/reader",
            "arn:aws:sts::000000000001:assumed-role/reader",
            "arn:aws:s3::000000000001:user/reader",
        ] {
            let refusal = refused(&with(arn));
            assert!(
                refusal.starts_with("K.arn is not the ARN of a user"),
                "{arn}"
            );
        }
    }
}
