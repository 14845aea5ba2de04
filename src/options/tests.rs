//! Tests flags, variables and the file together, and their error messages.

use super::*;
use crate::limits::Profile;
use clap::FromArgMatches;
use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// The options that result from a command line and from `variables`, each written as `NAME=value`.
fn options(line: &str, variables: &[&str]) -> Result<Options, String> {
    let words = std::iter::once("minikin").chain(line.split_whitespace());
    let look_up = |name: &str| {
        let mut pairs = variables
            .iter()
            .filter_map(|variable| variable.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| OsString::from(value))
    };
    let command = <Options as clap::Args>::augment_args(clap::Command::new("minikin"));
    let matches = parse(command, words.map(OsString::from).collect(), look_up)
        .map_err(|error| error.to_string())?;
    Options::from_arg_matches(&matches).map_err(|error| error.to_string())
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn refusal(line: &str) -> String {
    options(line, &[]).unwrap_err()
}

#[test]
fn nothing_said_gives_the_defaults() {
    let options = options("", &[]).unwrap();
    let addresses: Vec<String> = options
        .addresses()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(addresses, ["127.0.0.1:4567", "[::1]:4567"]);
    assert_eq!(options.durability(), Durability::None);
    assert_eq!(options.memory, 64 << 20);
    assert_eq!(options.account, "000000000000");
    assert_eq!(options.region, "us-east-1");
    assert_eq!(options.clock, ClockChoice::System);
    assert_eq!(options.auth, Authentication::Structure);
    assert_eq!(options.log_format, LogFormat::Text);
}

#[test]
fn the_defaults_of_flags_are_the_defaults_of_fields() {
    let read = Options::read::<OsString>([]).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", Options::default()));
}

#[test]
fn a_flag_goes_before_a_variable_before_the_file_before_the_default() {
    let file = file("region = \"file\"\naccount = \"111111111111\"\nport = 1\nmemory = \"1MiB\"");
    let path = file.path().display().to_string();
    let variables = [
        "MINIKIN_REGION=variable",
        "MINIKIN_ACCOUNT=222222222222",
        "MINIKIN_PORT=",
    ];
    let options = options(&format!("--config {path} --region flag"), &variables).unwrap();
    assert_eq!(options.region, "flag");
    assert_eq!(options.account, "222222222222");
    assert_eq!((options.port, options.memory), (1, 1 << 20));
    assert_eq!(options.profile, Profile::Standard);
}

#[test]
fn a_variable_may_name_the_file() {
    let file = file("limit = [\"shard-write-bytes=1\", \"shard-write-bytes=2\"]");
    let variable = format!("MINIKIN_CONFIG={}", file.path().display());
    assert_eq!(options("", &[&variable]).unwrap().limit.len(), 2);
}

#[test]
fn a_repeated_option_is_taken_from_one_place() {
    let variables = ["MINIKIN_TLS_NAME=one,two"];
    assert_eq!(options("", &variables).unwrap().tls_name, ["one", "two"]);
    let from_line = options("--tls-name three --tls-name four", &variables).unwrap();
    assert_eq!(from_line.tls_name, ["three", "four"]);
}

#[test]
fn a_port_on_the_line_goes_before_addresses_in_a_variable() {
    let variables = ["MINIKIN_LISTEN=0.0.0.0:1,[::]:1"];
    assert_eq!(options("", &variables).unwrap().addresses().len(), 2);
    let options = options("--port 5 --host 127.0.0.9", &variables).unwrap();
    assert_eq!(
        options.addresses(),
        [SocketAddr::new(IpAddr::from([127, 0, 0, 9]), 5)]
    );
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    assert!(refusal("--durability always").contains("add --data-dir"));
    assert!(refusal("--durability interval=5").contains("--durability interval=5 needs"));
    assert!(refusal("--tls-cert a.pem").contains("add --tls-key"));
    assert!(refusal("--tls-key a.pem").contains("--tls-cert"));
    assert!(refusal("--listen 127.0.0.1:1 --port 2").contains("cannot be used with"));
    assert!(refusal("--limit nonsense=1").contains("--limit nonsense=1: "));
    let with_folder = options("--data-dir somewhere", &[]).unwrap();
    assert_eq!(with_folder.durability(), Durability::Always);
}

#[test]
fn values_that_cannot_be_are_refused_with_the_way_to_write_them() {
    assert!(refusal("--account 12345").contains("an account is 12 digits"));
    assert!(refusal("--host example.test").contains("names are not looked up"));
    assert!(refusal("--memory 5MB").contains("the units are KiB, MiB and GiB"));
    assert!(refusal("--profile slow").contains("choose standard, fast or strict"));
    assert!(refusal("--log =").contains("--log"));
    assert!(refusal("--tls-name ä").contains("host names"));
}

#[test]
fn credentials_are_from_the_line_a_variable_or_the_file() {
    let keys = |options: Options| -> Vec<String> {
        let credentials = options.credentials().unwrap();
        credentials
            .into_iter()
            .map(|credential| credential.key)
            .collect()
    };
    let line = "--auth verify --credential A:s --credential B:s:t,C:s";
    assert_eq!(keys(options(line, &[]).unwrap()), ["A", "B", "C"]);
    let variables = ["MINIKIN_AUTH=verify", "MINIKIN_CREDENTIAL=A:s,B:s:t"];
    assert_eq!(keys(options("", &variables).unwrap()), ["A", "B"]);
    let file = file("auth = \"verify\"\ncredential = [\"A:s\", \"B:s:t\"]");
    let line = format!("--config {}", file.path().display());
    assert_eq!(keys(options(&line, &[]).unwrap()), ["A", "B"]);
    assert_eq!(keys(options("", &[]).unwrap()), Vec::<String>::new());
}

#[test]
fn credentials_that_cannot_be_verified_are_refused() {
    assert!(refusal("--auth verify").contains("add --credential"));
    assert!(
        refusal("--credential A:s").contains("--credential has no effect without --auth verify")
    );
    assert!(refusal("--auth verify --credential A:s,A:t").contains("the key A more than once"));
    assert!(refusal("--auth verify --credential A:s,B").contains("number 2 is not"));
    assert!(refusal("--admin-token=").contains("--admin-token is empty"));
    assert!(refusal("--auth both").contains("choose structure, verify or off"));
}

#[test]
fn a_refusal_says_where_the_value_is_from() {
    let refused = options("", &["MINIKIN_PORT=x"]).unwrap_err();
    assert!(refused.contains("'x' for '--port <N>'"), "{refused}");
    assert!(
        refused.contains("from the variable MINIKIN_PORT"),
        "{refused}"
    );
    let file = file("port = 99999");
    let path = file.path().display().to_string();
    let refused = refusal(&format!("--config {path}"));
    assert!(
        refused.contains("99999") && refused.contains(&format!("from the file {path}")),
        "{refused}"
    );
}

#[test]
fn a_file_with_mistakes_is_refused() {
    let refused = |text: &str| {
        let file = file(text);
        refusal(&format!("--config {}", file.path().display()))
    };
    assert!(refused("prot = 1").contains("there is no option named prot"));
    assert!(refused("config = \"x\"").contains("there is no option named config"));
    assert!(refused("port = [1]").contains("port cannot be of type array"));
    assert!(refused("port =").contains("--config"));
    assert!(refusal("--config absent.toml").contains("--config absent.toml: "));
}

#[test]
fn ports_and_limits_of_other_tools_stand_beside_ours() {
    let variables = [
        "MINIKIN_EXTRA_PORT=4568,4566",
        "KINESIS_MOCK_PLAIN_PORT=5000",
        "MINIKIN_LIMIT=on-demand-streams=3",
        "ON_DEMAND_STREAM_COUNT_LIMIT=4",
        "SHARD_LIMIT=7",
    ];
    let options = options("--port 5000", &variables).unwrap();
    let mut ports = options.extra_port.clone();
    ports.sort_unstable();
    assert_eq!(ports, [4566, 4568, 5000]);
    let addresses = options.addresses();
    assert_eq!(addresses.len(), 6, "each once: {addresses:?}");
    let limits = options.limits().unwrap();
    assert_eq!(limits.on_demand_streams, Some(3), "ours counts");
    assert_eq!(limits.shards_per_account, Some(7));
}

#[test]
fn fault_rules_come_from_flags_variables_and_localstacks_variable() {
    let line =
        "--fault kind=throttle,operations=PutRecord+GetRecords,percent=5 --fault kind=unavailable";
    let kinds = |options: &Options| -> Vec<String> {
        let rules = options.fault.iter();
        rules
            .map(|FaultSetting(rule)| rule.kind.to_string())
            .collect()
    };
    assert_eq!(
        kinds(&options(line, &[]).unwrap()),
        ["throttle", "unavailable"]
    );
    let probability = |value: &str| {
        let probability = format!("KINESIS_ERROR_PROBABILITY={value}");
        options("", &["MINIKIN_FAULT=kind=throttle", &probability])
    };
    let both = probability("0.25").unwrap();
    assert_eq!(kinds(&both), ["throttle", "throughput-exceeded"]);
    assert_eq!(both.fault[1].0.percent, Some(25.0));
    for none in ["0", "0.0", ""] {
        assert_eq!(kinds(&probability(none).unwrap()), ["throttle"], "{none}");
    }
    for bad in ["2", "-1", "often"] {
        let refusal = probability(bad).unwrap_err();
        assert!(
            refusal.contains("percent") || refusal.contains("often"),
            "{bad}: {refusal}"
        );
    }
    assert!(
        refusal("--fault kind=delay")
            .contains("--fault: delay_ms: a delay of at least 1 ms is needed")
    );
    assert!(refusal("--fault kind=explode").contains("kind: there is no such kind"));
}

#[test]
fn options_for_channels_stand_in_tables_of_the_file() {
    let file = file(
        "region = \"eu-west-1\"\n\
         [channels]\nflush_interval_ms = 50\nmax_object_bytes = \"1MiB\"\n\
         [channels.s3]\nendpoint = \"http://127.0.0.1:9000\"\naccess_key_id = \"k\"\n\
         secret_access_key = \"s\"\nregion = \"us-west-2\"\npath_style = false\n\
         create_buckets = true\n\
         [channels.s3tables]\nlocal_dir = \"tables\"\n\
         [channels.schemas]\ndir = \"schemas\"\n",
    );
    let line = format!("--config {}", file.path().display());
    let read = options(&line, &["MINIKIN_CHANNELS_FLUSH_INTERVAL_MS=70"]).unwrap();
    assert_eq!(read.region, "eu-west-1");
    let expected = ChannelOptions {
        s3_endpoint: Some("http://127.0.0.1:9000".to_owned()),
        s3_access_key_id: Some("k".to_owned()),
        s3_secret_access_key: Some(Secret::from("s")),
        s3_region: Some("us-west-2".to_owned()),
        s3_path_style: Switch(false),
        s3tables_local_dir: Some("tables".into()),
        schemas_dir: Some("schemas".into()),
        flush_interval_ms: 70,
        max_object_bytes: 1 << 20,
        ..ChannelOptions::default()
    };
    assert_eq!(read.channels, expected);
    assert_eq!(read.channels.flush_interval(), Some(70));
    assert_eq!(ChannelOptions::default().flush_interval(), None);
    let flat = options("--channels-s3-local-dir here", &[]).unwrap();
    assert_eq!(flat.channels.s3_local_dir, Some("here".into()));
}

#[test]
fn mistakes_in_options_for_channels_are_refused() {
    let refused = |text: &str| {
        let file = file(text);
        refusal(&format!("--config {}", file.path().display()))
    };
    let unknown = "there is no option named channels.s3.bucket";
    assert!(refused("[channels.s3]\nbucket = \"b\"").contains(unknown));
    assert!(refused("[chan]\nx = 1").contains("there is no option named chan"));
    assert!(refused("channels = 1").contains("there is no option named channels"));
    assert!(refused("[port]\nx = 1").contains("port cannot be of type table"));
    assert!(refused("port = true").contains("port cannot be of type boolean"));
    let both = refused("[channels.s3]\nlocal_dir = \"a\"\nendpoint = \"http://b\"");
    assert!(both.contains("not both"), "{both}");
    for (line, expected) in [
        (
            "--channels-s3tables-local-dir a --channels-s3tables-rest-catalog http://b",
            "not both",
        ),
        (
            "--channels-s3-endpoint http://b --channels-s3-access-key-id k",
            "need each other",
        ),
        (
            "--channels-s3-region us-east-1",
            "need --channels-s3-endpoint",
        ),
        ("--channels-max-object-bytes 0", "at least 1"),
        (
            "--channels-s3-endpoint http://127.0.0.1:99999",
            "--channels-s3-endpoint: `http://127.0.0.1:99999` has no valid port",
        ),
        (
            "--channels-s3-endpoint http://u:p@h/",
            "--channels-s3-endpoint: the URL of `h` has a user name",
        ),
        (
            "--channels-s3-endpoint ftp://x",
            "--channels-s3-endpoint: `ftp://x` is not an http:// or https:// address",
        ),
        ("--channels-s3-endpoint x", "`x` is not an http:// or"),
        ("--channels-s3-endpoint https://x", "https needs ca=FILE"),
        ("--channels-s3-endpoint http://:80", "has no host"),
        (
            "--channels-s3tables-rest-catalog https://x",
            "--channels-s3tables-rest-catalog: `https://x` is not an http:// address",
        ),
        (
            "--channels-s3tables-rest-catalog http://x:0",
            "has no valid port",
        ),
        ("--function f=http://x:99999", "has no valid port"),
        ("--function f=http://[::1]:x", "has no valid port"),
        ("--destination sqs=http://x:", "has no valid port"),
    ] {
        let refusal = refusal(line);
        assert!(refusal.contains(expected), "{line}: {refusal}");
    }
}
