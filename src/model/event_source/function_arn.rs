//! The ARN of a Lambda function, and the forms in which a request may name a function.

use super::super::arn::{AccountId, AccountRegion, Region};
use super::refusal::Refusal;
use std::fmt;

/// The ARN of a function:
/// `arn:{partition}:lambda:{region}:{account}:function:{name}[:{qualifier}]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    /// The account and region of the function.
    pub scope: AccountRegion,
    /// The name of the function, without the qualifier.
    pub name: String,
    /// The alias or version of the function. `None` if the ARN has no qualifier.
    pub qualifier: Option<String>,
}

/// Longest name of a function, in characters (Lambda's service model).
const NAME_CHARACTERS: usize = 64;
/// Longest text that names a function, in bytes (Lambda's service model).
const TEXT_BYTES: usize = 256;
/// Longest qualifier, in characters (Lambda's service model).
const QUALIFIER_CHARACTERS: usize = 128;

impl FunctionArn {
    /// Parses a name, `NAME:QUALIFIER`, a partial ARN (`ACCOUNT:function:NAME`) or a full ARN. An
    /// account or region that the text does not name is taken from `caller`.
    ///
    /// # Errors
    /// A refusal for the client when the text has none of these forms.
    pub fn resolve(text: &str, caller: &AccountRegion) -> Result<Self, Refusal> {
        Self::read(text, caller).ok_or_else(|| Refusal::function_name(text))
    }

    /// Parses a full ARN. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(':')?;
        let (region, rest) = rest.strip_prefix("lambda:")?.split_once(':')?;
        let (account, rest) = rest.split_once(':')?;
        let scope = AccountRegion {
            account: AccountId::parse(account)?,
            region: (!region.is_empty()).then(|| Region::new(region))?,
        };
        let named = rest.strip_prefix("function:")?;
        partition.starts_with("aws").then_some(())?;
        Self::of_name(named, scope)
    }

    fn read(text: &str, caller: &AccountRegion) -> Option<Self> {
        if text.len() > TEXT_BYTES {
            return None;
        }
        if text.starts_with("arn:") {
            return Self::parse(text);
        }
        if let Some((account, named)) = text.split_once(":function:") {
            let scope = AccountRegion {
                account: AccountId::parse(account)?,
                region: caller.region.clone(),
            };
            return Self::of_name(named, scope);
        }
        let named = text.strip_prefix("function:").unwrap_or(text);
        Self::of_name(named, caller.clone())
    }

    fn of_name(named: &str, scope: AccountRegion) -> Option<Self> {
        let (name, qualifier) = match named.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (named, None),
        };
        let usable = is_name(name) && qualifier.is_none_or(is_qualifier);
        usable.then(|| Self {
            scope,
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The function's name, followed by the qualifier if there is one: `NAME:QUALIFIER`.
    pub fn qualified_name(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.name),
            None => self.name.clone(),
        }
    }
}

/// True for a valid name of a function: 1 to 64 letters, digits, `-` and `_`.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=NAME_CHARACTERS).contains(&name.len()) && name.bytes().all(fits)
}

fn is_qualifier(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte);
    (1..=QUALIFIER_CHARACTERS).contains(&text.len()) && text.bytes().all(fits)
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountRegion { account, region } = &self.scope;
        let (partition, name) = (region.partition(), self.qualified_name());
        write!(
            formatter,
            "arn:{partition}:lambda:{region}:{account}:function:{name}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> AccountRegion {
        AccountRegion {
            account: AccountId::parse("000000000042").unwrap(),
            region: Region::new("eu-west-1"),
        }
    }

    #[test]
    fn a_function_is_named_in_four_ways() {
        let base = "arn:aws:lambda:eu-west-1:000000000042:function:orders";
        for (text, arn) in [
            ("orders", base.to_owned()),
            ("orders:prod", format!("{base}:prod")),
            ("000000000042:function:orders", base.to_owned()),
            (
                "000000000042:function:orders:$LATEST",
                format!("{base}:$LATEST"),
            ),
            (base, base.to_owned()),
        ] {
            let resolved = FunctionArn::resolve(text, &caller()).unwrap();
            assert_eq!(resolved.to_string(), arn, "{text}");
            assert_eq!(FunctionArn::parse(&arn), Some(resolved));
        }
        let other = "arn:aws:lambda:us-east-1:000000000007:function:f:1";
        let resolved = FunctionArn::resolve(other, &caller()).unwrap();
        assert_eq!(resolved.to_string(), other);
        assert_eq!(resolved.qualified_name(), "f:1");
    }

    #[test]
    fn other_texts_name_no_function() {
        let long = "f".repeat(65);
        for text in [
            "",
            ":",
            "a b",
            "f:",
            "f:1:2",
            "arn:aws:lambda:us-east-1:000000000042:layer:f",
            "arn:aws:sqs:us-east-1:000000000042:function:f",
            "42:function:f",
            &long,
            "arn:aws:lambda::000000000042:function:f",
        ] {
            assert!(FunctionArn::resolve(text, &caller()).is_err(), "{text}");
        }
    }
}
