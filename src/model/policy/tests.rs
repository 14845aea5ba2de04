//! Tests of decisions by a single policy, and by several policies together.

use super::*;
use crate::model::{AccountId, AccountRegion, Identities, Region, StreamArn, Tags};
use proptest::prelude::*;
use std::net::Ipv4Addr;
use std::sync::Arc;

const HOME: &str = "000000000001";
const ABROAD: &str = "000000000002";
const READER: &str = "arn:aws:iam::000000000001:user/reader";
const ORDERS: &str = "arn:aws:kinesis:us-east-1:000000000001:stream/orders";

fn principal(arn: &str, policies: &[&str]) -> Arc<Principal> {
    let policies = policies.join(",");
    let text = format!(r#"{{"K": {{"arn": "{arn}", "policies": [{policies}]}}}}"#);
    Identities::parse(&text).unwrap().find("K").unwrap().clone()
}

fn root(account: &str) -> Principal {
    Principal::root(AccountId::parse(account).unwrap(), "aws")
}

fn stream(arn: &str) -> Target {
    Target::Stream(StreamArn::parse(arn).unwrap())
}

/// The request `kinesis:PutRecord` on the stream `orders`, sent from this machine.
fn asked<'a>(caller: &'a Principal, target: &'a Target, tags: &'a Tags) -> Request<'a> {
    Request {
        caller,
        action: "kinesis:PutRecord",
        target,
        shared: true,
        tags,
        address: Ipv4Addr::new(10, 1, 2, 3).into(),
        over_tls: false,
    }
}

fn verdict(caller: &Principal, resource: Option<&str>) -> Result<(), Refusal> {
    let (target, tags) = (stream(ORDERS), Tags::default());
    let policy = resource.map(Policy::of_resource);
    judge(&asked(caller, &target, &tags), policy.as_ref())
}

/// True if a principal with only the statement `allow` may put records into `orders`.
fn is_allowed(allow: &str) -> bool {
    let policy = format!(r#"{{"Statement": {{"Effect": "Allow", {allow}}}}}"#);
    verdict(&principal(READER, &[&policy]), None).is_ok()
}

#[test]
fn actions_have_wildcards_and_no_case() {
    for (action, expected) in [
        (r#""*""#, true),
        (r#""kinesis:*""#, true),
        (r#""KINESIS:putrecord""#, true),
        (r#""kinesis:Put*""#, true),
        (r#""kinesis:PutRecord?""#, false),
        (r#""kinesis:?utRecord""#, true),
        (r#""kinesis:PutRecords""#, false),
        (r#""dynamodb:*""#, false),
        (r#"["kinesis:GetRecords", "kinesis:PutRecord"]"#, true),
    ] {
        let allow = format!(r#""Action": {action}, "Resource": "*""#);
        assert_eq!(is_allowed(&allow), expected, "{action}");
        let allow = format!(r#""NotAction": {action}, "Resource": "*""#);
        assert_eq!(is_allowed(&allow), !expected, "all but {action}");
    }
}

#[test]
fn resources_have_wildcards_and_case() {
    for (resource, expected) in [
        ("*", true),
        (ORDERS, true),
        ("arn:aws:kinesis:us-east-1:000000000001:stream/o*s", true),
        ("arn:aws:kinesis:*:*:stream/orders", true),
        ("arn:aws:kinesis", true),
        (
            "arn:aws:kinesis:us-east-1:000000000001:stream/Orders",
            false,
        ),
        ("arn:aws:kinesis:us-east-1:000000000001:stream/order", false),
        ("arn:aws:kinesis:us-east-1:000000000001:orders", false),
        (
            "arn:aws:kinesis:us-east-1:000000000001:stream/orders/consumer/*",
            false,
        ),
        (
            "arn:aws:kinesis:us-west-1:000000000001:stream/orders",
            false,
        ),
        (
            "arn:aws:kinesis:us-east-1:000000000002:stream/orders",
            false,
        ),
        (
            "arn:aws-cn:kinesis:us-east-1:000000000001:stream/orders",
            false,
        ),
        ("arn:aws:s3:::orders", false),
    ] {
        let allow = format!(r#""Action": "*", "Resource": "{resource}""#);
        assert_eq!(is_allowed(&allow), expected, "{resource}");
        let allow = format!(r#""Action": "*", "NotResource": "{resource}""#);
        assert_eq!(is_allowed(&allow), !expected, "all but {resource}");
    }
}

#[test]
fn a_region_with_colons_is_no_other_resource() {
    let region = Region::new("us-east-1:000000000001:stream/orders");
    let account = AccountId::parse(HOME).unwrap();
    let target = Target::Stream(StreamArn::new(AccountRegion { account, region }, "orders"));
    assert!(!target.is_like("arn:aws:kinesis:us-east-1:000000000001:stream/orders*"));
    assert!(target.is_like("arn:aws:kinesis:*:000000000001:stream/orders"));
}

#[test]
fn what_is_of_the_account_is_named_by_a_star_alone() {
    let account = Target::Account(stream(ORDERS).scope().clone());
    assert!(account.is_like("*"));
    assert!(!account.is_like("arn:*") && !account.is_like("**") && !account.is_like(ORDERS));
}

#[test]
fn conditions_hold_by_operator_and_key() {
    for (condition, expected) in [
        (
            r#""StringEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000001:user/reader"}"#,
            true,
        ),
        (
            r#""StringEquals": {"AWS:principalARN": "arn:aws:iam::000000000001:user/Reader"}"#,
            false,
        ),
        (
            r#""StringNotEquals": {"aws:PrincipalAccount": ["1", "000000000001"]}"#,
            false,
        ),
        (
            r#""StringNotEquals": {"aws:PrincipalAccount": ["1", "2"]}"#,
            true,
        ),
        (
            r#""StringEqualsIgnoreCase": {"aws:RequestedRegion": "US-East-1"}"#,
            true,
        ),
        (
            r#""StringNotEqualsIgnoreCase": {"aws:RequestedRegion": "US-East-1"}"#,
            false,
        ),
        (
            r#""StringLike": {"aws:RequestedRegion": ["eu-*", "us-*"]}"#,
            true,
        ),
        (r#""StringNotLike": {"aws:RequestedRegion": "us-*"}"#, false),
        (
            r#""StringEquals": {"aws:ResourceAccount": "000000000001"}"#,
            true,
        ),
        (
            r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/r*"}"#,
            true,
        ),
        (
            r#""ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}"#,
            false,
        ),
        (
            r#""ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}"#,
            false,
        ),
        (
            r#""ArnLike": {"aws:PrincipalAccount": "arn:*:*:*:*:*"}"#,
            false,
        ),
        (
            r#""IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "10.0.0.0/8"]}"#,
            true,
        ),
        (r#""IpAddress": {"aws:SourceIp": "10.1.2.4"}"#, false),
        (r#""IpAddress": {"aws:SourceIp": "::/0"}"#, false),
        (r#""NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}"#, false),
        (r#""Bool": {"aws:SecureTransport": "False"}"#, true),
        (r#""Bool": {"aws:SecureTransport": true}"#, false),
        (r#""StringEquals": {"aws:ResourceTag/Team": "red"}"#, true),
        (r#""StringEquals": {"aws:ResourceTag/team": "red"}"#, true),
        (r#""StringEquals": {"aws:ResourceTag/Team": "Red"}"#, false),
        (r#""StringEquals": {"aws:ResourceTag/Other": "red"}"#, false),
        (
            r#""StringNotEquals": {"aws:ResourceTag/Other": "red"}"#,
            true,
        ),
        (
            r#""StringEqualsIfExists": {"aws:ResourceTag/Other": "red"}"#,
            true,
        ),
        (
            r#""StringEqualsIfExists": {"aws:ResourceTag/Team": "blue"}"#,
            false,
        ),
        (r#""Null": {"aws:ResourceTag/Other": "true"}"#, true),
        (r#""Null": {"aws:ResourceTag/Team": true}"#, false),
        (r#""Null": {"aws:ResourceTag/Team": false}"#, true),
        // The resource has two tags that differ in case only, so the condition is ambiguous.
        (r#""StringLike": {"aws:ResourceTag/twice": "*"}"#, false),
        (r#""StringNotLike": {"aws:ResourceTag/twice": "x"}"#, false),
        // All operators and all keys of a condition must hold.
        (
            r#""Bool": {"aws:SecureTransport": false}, "Null": {"aws:ResourceTag/Team": true}"#,
            false,
        ),
        (
            r#""StringEquals": {"aws:ResourceTag/Team": "red", "aws:RequestedRegion": "x"}"#,
            false,
        ),
    ] {
        let policy = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": {{{condition}}}}}}}"#
        );
        let tags = [("Team", "red"), ("twice", "a"), ("Twice", "b")];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tags: Tags = tags.into_iter().collect();
        let (caller, target) = (principal(READER, &[&policy]), stream(ORDERS));
        let allowed = judge(&asked(&caller, &target, &tags), None).is_ok();
        assert_eq!(allowed, expected, "{condition}");
    }
}

/// Returns a resource policy with one statement. `principal` is the element `Principal` or
/// `NotPrincipal` of the statement.
fn about(effect: &str, principal: &str) -> String {
    format!(
        r#"{{"Statement": {{"Effect": "{effect}", {principal}, "Action": "kinesis:*",
            "Resource": "{ORDERS}"}}}}"#
    )
}

#[test]
fn an_account_that_is_allowed_has_to_allow_it_to_its_own() {
    let any = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let (bystander, reader) = (principal(READER, &[]), principal(READER, &[any]));
    let stranger = "arn:aws:iam::000000000002:user/reader";
    let session = "arn:aws:sts::000000000002:assumed-role/loader/today";
    let (bare, able) = (principal(stranger, &[]), principal(stranger, &[any]));
    let loader = principal(session, &[any]);
    let (here, there) = (root(HOME), root(ABROAD));
    let callers = [&*bystander, &reader, &bare, &able, &loader, &here, &there];
    for (principal, expected) in [
        (r#""Principal": "*""#, "++-++++"),
        (r#""Principal": {"AWS": "*"}"#, "++-++++"),
        (r#""Principal": {"AWS": "000000000001"}"#, "-+---+-"),
        (
            r#""Principal": {"AWS": ["000000000001", "arn:aws:iam::000000000002:root"]}"#,
            "-+-++++",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000001:user/reader"}"#,
            "++---+-",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000001:user/READER"}"#,
            "-+---+-",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000002:user/reader"}"#,
            "-+-+-+-",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000002:role/loader"}"#,
            "-+--++-",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:sts::000000000002:assumed-role/loader/today"}"#,
            "-+--++-",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:sts::000000000002:assumed-role/loader/later"}"#,
            "-+---+-",
        ),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000002:user/*"}"#,
            "-+---+-",
        ),
        (
            r#""Principal": {"Service": "lambda.amazonaws.com"}"#,
            "-+---+-",
        ),
        (r#""Principal": {"Other": "*"}"#, "-+---+-"),
        (r#""Principal": "000000000002""#, "-+---+-"),
        (r#""NotPrincipal": {"AWS": "000000000003"}"#, "-+---+-"),
        (r#""Sid": "first""#, "-+---+-"),
    ] {
        let policy = about("Allow", principal);
        let may = callers.map(|caller| verdict(caller, Some(&policy)).is_ok());
        let judged: String = may.map(|may| if may { '+' } else { '-' }).iter().collect();
        assert_eq!(judged, expected, "{principal}");
    }
}

#[test]
fn a_denial_reaches_whom_it_names_and_whom_it_might_name() {
    let any = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let (reader, here) = (principal(READER, &[any]), root(HOME));
    for (principal, expected) in [
        (r#""Principal": "*""#, "--"),
        (r#""Principal": {"AWS": "000000000001"}"#, "--"),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000001:user/reader"}"#,
            "-+",
        ),
        (r#""Principal": {"AWS": "000000000002"}"#, "++"),
        (
            r#""Principal": {"AWS": "arn:aws:iam::000000000001:user/*"}"#,
            "--",
        ),
        (r#""Principal": {"Service": "lambda.amazonaws.com"}"#, "++"),
        (r#""NotPrincipal": {"AWS": "000000000001"}"#, "-+"),
        (
            r#""NotPrincipal": {"AWS": "arn:aws:iam::000000000001:user/reader"}"#,
            "+-",
        ),
        (r#""Sid": "first""#, "--"),
    ] {
        let policy = about("Deny", principal);
        let may = [&*reader, &here].map(|caller| verdict(caller, Some(&policy)));
        let judged: String = may
            .map(|may| if may.is_ok() { '+' } else { '-' })
            .iter()
            .collect();
        assert_eq!(judged, expected, "{principal}");
        let refused = may.into_iter().filter_map(Result::err);
        assert!(
            refused
                .into_iter()
                .all(|refusal| refusal == Refusal::DeniedByResource)
        );
    }
}

#[test]
fn what_is_not_understood_allows_nothing_and_denies() {
    let other = principal(
        "arn:aws:iam::000000000002:user/x",
        &[r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#],
    );
    let good = r#""Principal": "*", "Action": "kinesis:*", "Resource": "*""#;
    for extra in [
        r#""Condition": {"StringEquals": {"aws:username": "x"}}"#,
        r#""Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}"#,
        r#""Condition": {"StringEquals": {"aws:PrincipalArn": "${aws:username}"}}"#,
        r#""Condition": "none""#,
        r#""condition": {}"#,
        r#""NotAction": "kinesis:*""#,
        r#""NotResource": "*""#,
        r#""NotPrincipal": "*""#,
    ] {
        let statement = |effect: &str| {
            format!(r#"{{"Statement": [{{"Effect": "{effect}", {good}, {extra}}}]}}"#)
        };
        assert_eq!(
            verdict(&other, Some(&statement("Allow"))),
            Err(Refusal::NotAllowedByResource),
            "{extra}"
        );
        for effect in ["Deny", "deny", "Permit"] {
            let judged = verdict(&other, Some(&statement(effect)));
            assert_eq!(judged, Err(Refusal::DeniedByResource), "{extra}");
        }
        // A statement with a flaw does not deny a request that another element of the statement
        // excludes.
        let elsewhere =
            statement("Deny").replace(r#""Action": "kinesis:*""#, r#""Action": "s3:*""#);
        let judged = verdict(&other, Some(&elsewhere));
        let expected = if extra.contains("NotAction") {
            Refusal::DeniedByResource
        } else {
            Refusal::NotAllowedByResource
        };
        assert_eq!(judged, Err(expected), "{extra}");
    }
    let allow = format!(r#"{{"Effect": "Allow", {good}}}"#);
    assert_eq!(
        verdict(&other, Some(&format!(r#"{{"Statement": {allow}}}"#))),
        Ok(())
    );
    for broken in [
        "",
        "[]",
        "{}",
        r#"{"Statement": []}"#,
        r#"{"Statement": "text"}"#,
        r#"{"Statement": {"Sid": "one"}}"#,
        &format!(r#"{{"Statement": {allow}, "Statement": {allow}}}"#),
        &format!(r#"{{"Statement": [{allow}, null]}}"#),
    ] {
        assert_eq!(
            verdict(&other, Some(broken)),
            Err(Refusal::DeniedByResource),
            "{broken}"
        );
    }
    let other_version = format!(r#"{{"Version": "2030-01-01", "Statement": {allow}}}"#);
    assert_eq!(
        verdict(&other, Some(&other_version)),
        Err(Refusal::NotAllowedByResource)
    );
}

#[test]
fn a_resource_shares_only_what_can_be_shared() {
    let (target, tags) = (stream(ORDERS), Tags::default());
    let (reader, there) = (principal(READER, &[]), root(ABROAD));
    let policy = Policy::of_resource(&about("Allow", r#""Principal": "*""#));
    for (caller, refusal) in [
        (&*reader, Refusal::NotAllowedByIdentity),
        (&there, Refusal::NotAllowedByResource),
    ] {
        let mut request = asked(caller, &target, &tags);
        assert_eq!(judge(&request, Some(&policy)), Ok(()));
        request.shared = false;
        assert_eq!(judge(&request, Some(&policy)), Err(refusal));
    }
    let denial = Policy::of_resource(&about("Deny", r#""Principal": "*""#));
    let here = root(HOME);
    let mut request = asked(&here, &target, &tags);
    request.shared = false;
    assert_eq!(
        judge(&request, Some(&denial)),
        Err(Refusal::DeniedByResource)
    );
}

/// Generates random statements. minikin understands only some of their elements.
fn statements() -> impl Strategy<Value = String> {
    let action = prop::sample::select(vec![
        r#""Action": "kinesis:Put*""#,
        r#""Action": ["kinesis:GetRecords", "s3:*"]"#,
        r#""NotAction": "kinesis:PutRecord""#,
        r#""Action": 5"#,
        r#""Sid": "without""#,
    ]);
    let resource = prop::sample::select(vec![
        r#""Resource": "*""#,
        r#""Resource": "arn:aws:kinesis:*:*:stream/orders""#,
        r#""NotResource": "arn:aws:kinesis:*:*:stream/o*""#,
        r#""Resource": "${x}""#,
    ]);
    let principal = prop::sample::select(vec![
        r#""Principal": "*""#,
        r#""Principal": {"AWS": "000000000001"}"#,
        r#""Principal": {"AWS": "arn:aws:iam::000000000002:user/x"}"#,
        r#""NotPrincipal": {"AWS": "arn:aws:iam::000000000001:user/reader"}"#,
    ]);
    let condition = prop::sample::select(vec![
        r#""Condition": {}"#,
        r#""Condition": {"Bool": {"aws:SecureTransport": true}}"#,
        r#""Condition": {"Bool": {"aws:SecureTransport": false}}"#,
        r#""Condition": {"Unheard": {"aws:of": "it"}}"#,
    ]);
    let effect = prop::sample::select(vec!["Allow", "Deny"]);
    (effect, principal, action, resource, condition)
        .prop_map(|(effect, p, a, r, c)| format!(r#"{{"Effect": "{effect}", {p}, {a}, {r}, {c}}}"#))
}

fn policy_of(statements: &[String]) -> String {
    format!(r#"{{"Statement": [{}]}}"#, statements.join(","))
}

fn callers() -> Vec<Arc<Principal>> {
    let any = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    vec![
        principal(READER, &[]),
        principal(READER, &[any]),
        principal("arn:aws:iam::000000000002:user/x", &[]),
        principal("arn:aws:iam::000000000002:user/x", &[any]),
        Arc::new(root(HOME)),
        Arc::new(root(ABROAD)),
    ]
}

proptest! {
    #[test]
    fn a_denial_of_everything_always_wins(statements in prop::collection::vec(statements(), 1..6)) {
        let all = r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#;
        for at in 0..=statements.len() {
            let mut statements = statements.clone();
            statements.insert(at, all.to_owned());
            for caller in callers() {
                let judged = verdict(&caller, Some(&policy_of(&statements)));
                prop_assert_eq!(judged, Err(Refusal::DeniedByResource));
            }
        }
    }

    #[test]
    fn another_allowance_never_takes_any_away(
        statements in prop::collection::vec(statements(), 1..6), more in statements(),
    ) {
        prop_assume!(more.contains("Allow"));
        let mut with_more = statements.clone();
        with_more.push(more);
        for caller in callers() {
            let before = verdict(&caller, Some(&policy_of(&statements)));
            let after = verdict(&caller, Some(&policy_of(&with_more)));
            prop_assert!(before.is_err() || after.is_ok());
        }
    }

    #[test]
    fn another_denial_never_allows_anything(
        statements in prop::collection::vec(statements(), 1..6), more in statements(),
    ) {
        prop_assume!(more.contains("Deny"));
        let mut with_more = statements.clone();
        with_more.push(more);
        for caller in callers() {
            let before = verdict(&caller, Some(&policy_of(&statements)));
            let after = verdict(&caller, Some(&policy_of(&with_more)));
            prop_assert!(before.is_ok() || after.is_err());
        }
    }

    #[test]
    fn no_text_makes_a_policy_of_a_resource_fail(text in "\\PC{0,60}") {
        let judged = verdict(&root(ABROAD), Some(&text));
        prop_assert_eq!(judged, Err(Refusal::DeniedByResource));
    }
}
