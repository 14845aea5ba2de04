//! Variables and flags of other local tools that have a meaning here: those of kinesis-mock,
//! LocalStack and kinesalite.
//!
//! They stand behind our own flags, variables and file. The names are from the tools' READMEs.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A variable of another tool and the option that it sets.
struct Alias {
    variable: &'static str,
    flag: &'static str,
    /// The option's value, or nothing where the variable's value has no meaning here.
    convert: fn(&str) -> Option<String>,
}

/// The variables that are honoured.
const ALIASES: &[Alias] = &[
    alias("INITIALIZE_STREAMS", "initialize-streams", as_it_is),
    alias("KINESIS_INITIALIZE_STREAMS", "initialize-streams", as_it_is),
    alias("KINESIS_MOCK_PLAIN_PORT", "extra-port", as_it_is),
    alias("KINESIS_MOCK_TLS_PORT", "extra-port", as_it_is),
    alias("GATEWAY_LISTEN", "extra-port", ports),
    alias("EDGE_PORT", "extra-port", as_it_is),
    alias("CREATE_STREAM_DURATION", "transition-ms", milliseconds),
    alias("KINESIS_LATENCY", "transition-ms", milliseconds),
    alias("SHARD_LIMIT", "limit", shard_limit),
    alias("KINESIS_SHARD_LIMIT", "limit", shard_limit),
    alias("ON_DEMAND_STREAM_COUNT_LIMIT", "limit", on_demand_limit),
    alias(
        "KINESIS_ON_DEMAND_STREAM_COUNT_LIMIT",
        "limit",
        on_demand_limit,
    ),
    alias("AWS_ACCOUNT_ID", "account", as_it_is),
    alias("AWS_REGION", "region", as_it_is),
    alias("DEFAULT_REGION", "region", as_it_is),
    alias("KINESIS_MOCK_LOG_LEVEL", "log", level),
    alias("LOG_LEVEL", "log", level),
    alias("LS_LOG", "log", level),
    alias("DEBUG", "log", debug),
    alias("DISABLE_CORS_CHECKS", "allow-origin", any_origin),
    alias("EXTRA_CORS_ALLOWED_ORIGINS", "allow-origin", more_origins),
];

/// Variables that have no meaning here. A start names those that are set in one warning.
const IGNORED: &[&str] = &[
    "DELETE_STREAM_DURATION",
    "REGISTER_STREAM_CONSUMER_DURATION",
    "DEREGISTER_STREAM_CONSUMER_DURATION",
    "START_STREAM_ENCRYPTION_DURATION",
    "STOP_STREAM_ENCRYPTION_DURATION",
    "MERGE_SHARDS_DURATION",
    "SPLIT_SHARD_DURATION",
    "UPDATE_SHARD_COUNT_DURATION",
    "UPDATE_STREAM_MODE_DURATION",
    "ROOT_LOG_LEVEL",
    "LOAD_DATA_IF_EXISTS",
    "PERSIST_FILE_NAME",
    "PERSIST_INTERVAL",
    "KINESIS_MOCK_KEYSTORE_PASSWORD",
    "KINESIS_MOCK_KEYMANAGER_PASSWORD",
    "KINESIS_MOCK_CERT_PASSWORD",
    "KINESIS_MOCK_CERT_PATH",
    "KINESIS_PROVIDER",
    "KINESIS_MOCK_PROVIDER_ENGINE",
    "KINESIS_MOCK_INITIAL_HEAP_SIZE",
    "KINESIS_MOCK_MAXIMUM_HEAP_SIZE",
    "KINESIS_MOCK_PERSIST_INTERVAL",
    "KINESIS_PERSISTENCE",
    "SYNCHRONOUS_KINESIS_EVENTS",
    "DATA_DIR",
    "PERSISTENCE",
    "SNAPSHOT_LOAD_STRATEGY",
    "SNAPSHOT_SAVE_STRATEGY",
    "EAGER_SERVICE_LOADING",
    "LOCALSTACK_API_KEY",
    "LOCALSTACK_AUTH_TOKEN",
    "LOCALSTACK_HOST",
    "SERVICES",
    "USE_SSL",
];

/// The meaning of a flag of kinesalite.
enum Flag {
    /// One of our flags, with a text that stands before the value.
    Ours(&'static str, &'static str),
    /// A switch for a property that is always on here.
    AlwaysOn,
    /// A flag whose value has no meaning here.
    Ignored,
}

/// The flags of kinesalite that have other names here, or no meaning.
const FLAGS: &[(&str, Flag)] = &[
    ("--path", Flag::Ours("--data-dir", "")),
    ("--createStreamMs", Flag::Ours("--transition-ms", "")),
    ("--shardLimit", Flag::Ours("--limit", "shards-per-account=")),
    // Every port speaks TLS.
    ("--ssl", Flag::AlwaysOn),
    // One time applies to all changes of a stream: the one of --createStreamMs.
    ("--deleteStreamMs", Flag::Ignored),
    ("--updateStreamMs", Flag::Ignored),
];

const fn alias(
    variable: &'static str,
    flag: &'static str,
    convert: fn(&str) -> Option<String>,
) -> Alias {
    Alias {
        variable,
        flag,
        convert,
    }
}

fn as_it_is(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// `DEBUG` as `debug`; a level that is not known here has no meaning.
fn level(value: &str) -> Option<String> {
    let level = match value.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "trace-internal" => "trace".to_owned(),
        other => other.to_owned(),
    };
    let known = ["error", "warn", "info", "debug", "trace"];
    known.contains(&level.as_str()).then_some(level)
}

/// True for the values that LocalStack takes for a switch that is on.
fn is_on(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}

/// LocalStack's switch `DEBUG`. Other programs use the variable for texts, which have no meaning here.
fn debug(value: &str) -> Option<String> {
    is_on(value).then(|| "debug".to_owned())
}

fn any_origin(value: &str) -> Option<String> {
    is_on(value).then(|| "any".to_owned())
}

/// Origins beside the pages of this machine, which LocalStack permits too.
fn more_origins(value: &str) -> Option<String> {
    Some(format!("local,{value}"))
}

/// The ports of `0.0.0.0:4566,:4510`.
fn ports(value: &str) -> Option<String> {
    let ports = value
        .split(',')
        .map(|part| part.rsplit(':').next().unwrap_or_default().trim());
    Some(ports.collect::<Vec<_>>().join(","))
}

/// `500ms`, `5s` or `500 milliseconds` in milliseconds; a number alone is milliseconds.
fn milliseconds(value: &str) -> Option<String> {
    let value = value.trim();
    let end = value.find(|letter: char| !letter.is_ascii_digit());
    let (number, unit) = value.split_at(end.unwrap_or(value.len()));
    let number: u64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        _ => return None,
    };
    Some(number.checked_mul(factor)?.to_string())
}

fn shard_limit(value: &str) -> Option<String> {
    Some(format!("shards-per-account={}", number_or_off(value)?))
}

fn on_demand_limit(value: &str) -> Option<String> {
    Some(format!("on-demand-streams={}", number_or_off(value)?))
}

/// LocalStack writes a limit that is off as `Infinity`.
fn number_or_off(value: &str) -> Option<String> {
    if value.eq_ignore_ascii_case("infinity") {
        return Some("off".to_owned());
    }
    value.parse::<u64>().ok().map(|number| number.to_string())
}

/// An option that variables of other tools set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Honoured {
    pub(super) flag: &'static str,
    pub(super) values: Vec<OsString>,
    /// The names of the variables.
    pub(super) variables: Vec<&'static str>,
}

impl Honoured {
    /// True for a list whose values stand beside those of our own flags and variables.
    pub(super) fn is_added(&self) -> bool {
        is_added(self.flag)
    }
}

fn is_added(flag: &str) -> bool {
    matches!(flag, "limit" | "extra-port")
}

fn set<V: Fn(&str) -> Option<OsString>>(variable: V, name: &str) -> Option<String> {
    let value = variable(name)?.into_string().ok()?;
    (!value.is_empty()).then_some(value)
}

/// The options that the variables of other tools set, by flag.
pub(super) fn honoured<V: Fn(&str) -> Option<OsString>>(variable: V) -> Vec<Honoured> {
    let mut all: BTreeMap<&str, Honoured> = BTreeMap::new();
    for alias in ALIASES {
        let value = set(&variable, alias.variable).and_then(|value| (alias.convert)(&value));
        let Some(value) = value else { continue };
        let honoured = all.entry(alias.flag).or_insert(Honoured {
            flag: alias.flag,
            values: Vec::new(),
            variables: Vec::new(),
        });
        // Of two variables for one value the first counts; lists take all.
        if honoured.values.is_empty() || is_added(alias.flag) {
            honoured.values.push(value.into());
            honoured.variables.push(alias.variable);
        }
    }
    all.into_values().chain(data_dir(variable)).collect()
}

/// kinesis-mock keeps its data under `PERSIST_PATH`, if `SHOULD_PERSIST_DATA` says so.
fn data_dir<V: Fn(&str) -> Option<OsString>>(variable: V) -> Option<Honoured> {
    let persists = set(&variable, "SHOULD_PERSIST_DATA")?;
    let path = set(&variable, "PERSIST_PATH").unwrap_or_else(|| "data".to_owned());
    persists.eq_ignore_ascii_case("true").then(|| Honoured {
        flag: "data-dir",
        values: vec![path.into()],
        variables: vec!["SHOULD_PERSIST_DATA", "PERSIST_PATH"],
    })
}

/// Logs which variables of other tools are honoured, and which variables and flags are set for nothing.
pub(crate) fn log<V: Fn(&str) -> Option<OsString>>(variable: V, ignored_flags: &[&str]) {
    for honoured in honoured(&variable) {
        let (variables, flag) = (honoured.variables.join(", "), honoured.flag);
        if honoured.is_added() {
            tracing::info!("{variables} stands for --{flag}");
        } else {
            tracing::info!("{variables} stands for --{flag}, unless that is set itself");
        }
    }
    let ignored = IGNORED.iter().filter(|name| set(&variable, name).is_some());
    let ignored: Vec<_> = ignored.chain(ignored_flags).copied().collect();
    if !ignored.is_empty() {
        tracing::warn!("no meaning here: {}", ignored.join(", "));
    }
}

/// A command line in our words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Translated {
    /// The program's name and the arguments.
    pub(crate) line: Vec<OsString>,
    /// The flags that were left out because they have no meaning here.
    pub(crate) ignored: Vec<&'static str>,
}

/// The command line with kinesalite's flags in our words. Arguments after `--` stay as they are.
pub(crate) fn translate(line: Vec<OsString>) -> Translated {
    let mut translated = Translated::default();
    let mut line = line.into_iter();
    while let Some(argument) = line.next() {
        if argument == "--" {
            translated.line.push(argument);
            break;
        }
        let text = argument.to_str().unwrap_or_default();
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text, None),
        };
        let Some((name, flag)) = FLAGS.iter().find(|(theirs, _)| *theirs == name) else {
            translated.line.push(argument);
            continue;
        };
        match flag {
            Flag::AlwaysOn => {}
            Flag::Ours(ours, before) => {
                let value = joined.or_else(|| line.next());
                translated.line.push(joined_flag(ours, before, value));
            }
            Flag::Ignored => {
                let _value = joined.or_else(|| line.next());
                translated.ignored.push(name);
            }
        }
    }
    translated.line.extend(line);
    translated
}

/// A flag and its value as one argument; without a value the flag alone, which is refused later.
fn joined_flag(flag: &str, before: &str, value: Option<OsString>) -> OsString {
    let mut joined = OsString::from(flag);
    if let Some(value) = value {
        joined.push("=");
        joined.push(before);
        joined.push(value);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<(&'static str, Vec<String>)> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let texts = |honoured: Honoured| {
            let values = honoured.values.into_iter();
            let values = values.map(|value| value.into_string().unwrap());
            (honoured.flag, values.collect())
        };
        honoured(variable).into_iter().map(texts).collect()
    }

    fn owned(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn variables_of_other_tools_set_options() {
        let found = of(&[
            ("INITIALIZE_STREAMS", "a:1"),
            ("KINESIS_MOCK_PLAIN_PORT", "5000"),
            ("GATEWAY_LISTEN", "0.0.0.0:4566,:4510"),
            ("CREATE_STREAM_DURATION", "5s"),
            ("SHARD_LIMIT", "7"),
            ("KINESIS_ON_DEMAND_STREAM_COUNT_LIMIT", "Infinity"),
            ("LOG_LEVEL", "DEBUG"),
            ("AWS_REGION", ""),
            ("SHOULD_PERSIST_DATA", "true"),
            ("PERSIST_PATH", "/tmp/kept"),
        ]);
        let expected = [
            ("extra-port", owned(&["5000", "4566,4510"])),
            ("initialize-streams", owned(&["a:1"])),
            (
                "limit",
                owned(&["shards-per-account=7", "on-demand-streams=off"]),
            ),
            ("log", owned(&["debug"])),
            ("transition-ms", owned(&["5000"])),
            ("data-dir", owned(&["/tmp/kept"])),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn values_without_a_meaning_set_nothing() {
        let found = of(&[
            ("CREATE_STREAM_DURATION", "soon"),
            ("LOG_LEVEL", "verbose"),
            ("SHARD_LIMIT", "many"),
        ]);
        assert_eq!(found, []);
    }

    #[test]
    fn the_first_of_two_variables_for_one_value_counts() {
        let found = of(&[
            ("LS_LOG", "warning"),
            ("DEBUG", "1"),
            ("AWS_REGION", "eu-west-1"),
            ("DEFAULT_REGION", "eu-west-2"),
        ]);
        let expected = [("log", owned(&["warn"])), ("region", owned(&["eu-west-1"]))];
        assert_eq!(found, expected);
        assert_eq!(of(&[("DEBUG", "express:*")]), []);
    }

    #[test]
    fn origins_of_localstack_are_permitted() {
        let found = of(&[("EXTRA_CORS_ALLOWED_ORIGINS", "https://app.example.com")]);
        let expected = owned(&["local,https://app.example.com"]);
        assert_eq!(found, [("allow-origin", expected)]);
        let found = of(&[("DISABLE_CORS_CHECKS", "1")]);
        assert_eq!(found, [("allow-origin", owned(&["any"]))]);
        assert_eq!(of(&[("DISABLE_CORS_CHECKS", "0")]), []);
    }

    fn translated(line: &str) -> (String, Vec<&'static str>) {
        let translated = translate(line.split(' ').map(OsString::from).collect());
        let line = translated.line.join(" ".as_ref());
        (line.into_string().unwrap(), translated.ignored)
    }

    #[test]
    fn flags_of_kinesalite_are_translated() {
        let line = "kinesalite --path db --ssl --createStreamMs=50 --deleteStreamMs 5 --shardLimit 7 \
                    --updateStreamMs=6 --port 5";
        let expected =
            "kinesalite --data-dir=db --transition-ms=50 --limit=shards-per-account=7 --port 5";
        let ignored = vec!["--deleteStreamMs", "--updateStreamMs"];
        assert_eq!(translated(line), (expected.to_owned(), ignored));
    }

    #[test]
    fn a_flag_without_its_value_and_arguments_after_two_dashes_stay() {
        let flag = "kinesalite --shardLimit";
        assert_eq!(translated(flag), ("kinesalite --limit".to_owned(), vec![]));
        let put = "minikin put orders -- --ssl";
        assert_eq!(translated(put), (put.to_owned(), vec![]));
    }
}
