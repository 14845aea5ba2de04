//! Files of policies that make a start fail, and the messages.

use super::{READER, READER_ARN, STRANGER, policies, written};
use crate::lab::block_on;
use minikin::{Emulator, Options};
use serde_json::{Value, json};
use std::process::Command;

/// The message of a start that fails, with these flags and a file of policies with this text.
fn refused(text: &str, flags: &[&str]) -> String {
    let file = written(text);
    let path = file.path().to_str().unwrap();
    let all = ["--port", "0", "--host", "127.0.0.1", "--policies", path];
    let options = Options::read(all.iter().chain(flags).copied()).unwrap();
    let message = block_on(Emulator::start(options)).unwrap_err().to_string();
    let place = format!("--policies {path}: ");
    message.strip_prefix(&place).unwrap_or(&message).to_owned()
}

#[test]
fn policies_that_cannot_be_enforced_are_refused_with_their_place() {
    let statement = json!({
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"NumericLessThan": {"s3:max-keys": "10"}},
    });
    assert_eq!(
        refused(&policies(&statement, &Value::Null), &[]),
        format!(
            "{READER}.policies.0: Statement.Condition.NumericLessThan.s3:max-keys \
             NumericLessThan is not a supported operator"
        )
        .replace("Statement.", "Statement.0.")
    );
    let message = refused("[policies]\nuser = 'toml'", &[]);
    assert!(message.starts_with("expected value at line 1"), "{message}");
    let message = refused(&" ".repeat((1 << 20) + 1), &[]);
    assert_eq!(message, "has more than 1048576 bytes");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let options = Options::read(["--port", "0", "--policies", "/nowhere/policies.json"]).unwrap();
    let message = block_on(Emulator::start(options)).unwrap_err().to_string();
    let expected = "--policies /nowhere/policies.json: No such file or directory";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn policies_need_the_access_key_of_each_request() {
    let file = written("{}");
    let path = file.path().to_str().unwrap();
    let options = Options::read(["--policies", path, "--auth", "off"]);
    let message = options.unwrap_err().to_string();
    let expected =
        "--policies needs the access key of each request, which --auth off does not read";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_policy_for_a_key_without_a_credential_is_refused() {
    let all = policies(&Value::Null, &Value::Null);
    let credential = format!("{READER}:hush");
    let flags = ["--auth", "verify", "--credential", &credential];
    assert_eq!(
        refused(&all, &flags),
        format!("no --credential has the access key {STRANGER}")
    );
}

#[test]
fn the_variable_and_the_file_of_options_name_it_as_well() {
    let misspelt = written(&json!({"K": {"arn": READER_ARN, "policy": []}}).to_string());
    let path = misspelt.path().to_str().unwrap();
    let config = written(&format!("policies = '{path}'\n"));
    let mut by_variable = Command::new(env!("CARGO_BIN_EXE_minikin"));
    by_variable.env("MINIKIN_POLICIES", path);
    let mut by_file = Command::new(env!("CARGO_BIN_EXE_minikin"));
    by_file.arg("--config").arg(config.path());
    for mut command in [by_variable, by_file] {
        let ended = command.args(["--port", "0"]).output().unwrap();
        assert!(!ended.status.success());
        let output = String::from_utf8(ended.stderr).unwrap();
        let expected = format!("--policies {path}: K.policy is not supported");
        assert!(output.contains(&expected), "{output}");
    }
}
