//! Environment variables and flags of other local tools that set an option of minikin. The tools
//! are kinesis-mock, LocalStack and kinesalite.
//!
//! Minikin's own flags, variables and file take precedence. The names are taken from the READMEs of
//! the tools.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A variable of another tool, and the option of minikin that it sets.
struct Alias {
    variable: &'static str,
    flag: &'static str,
    /// Converts the variable's value to a value of the option. Returns None if the option has no
    /// corresponding value.
    convert: fn(&str) -> Option<String>,
}

impl Alias {
    /// True for a variable that can only switch a setting on. No warning is logged for its other
    /// values, because other programs use a variable of this name, too.
    fn is_switch(&self) -> bool {
        matches!(self.variable, "DEBUG" | "DISABLE_CORS_CHECKS")
    }
}

/// The variables of other tools that set an option of minikin.
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

/// Variables of other tools for which minikin has no option. If some of them are set, the start
/// logs one warning with their names.
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

/// The way in which minikin treats a flag of kinesalite on the command line.
enum Flag {
    /// Minikin's flag, which is the first text, replaces kinesalite's flag. The second text is put
    /// before the value of the flag.
    Ours(&'static str, &'static str),
    /// The flag is removed without a warning, because minikin always behaves as if the flag were
    /// set.
    AlwaysOn,
    /// The flag is removed together with its value. A warning names the flag.
    Ignored,
}

/// The flags of kinesalite that have another name in minikin, or no counterpart.
const FLAGS: &[(&str, Flag)] = &[
    ("--path", Flag::Ours("--data-dir", "")),
    ("--createStreamMs", Flag::Ours("--transition-ms", "")),
    ("--shardLimit", Flag::Ours("--limit", "shards-per-account=")),
    // `--ssl` needs no option of minikin, because every port accepts TLS.
    ("--ssl", Flag::AlwaysOn),
    // `--deleteStreamMs` has no effect, because `--createStreamMs` already sets the transition time
    // of all changes of a stream.
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

/// Converts a log level of another tool to minikin's spelling, for example `DEBUG` to `debug`. None
/// for an unknown level.
fn level(value: &str) -> Option<String> {
    let level = match value.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "trace-internal" => "trace".to_owned(),
        other => other.to_owned(),
    };
    let known = ["error", "warn", "info", "debug", "trace"];
    known.contains(&level.as_str()).then_some(level)
}

/// True if the text is a value with which LocalStack switches a setting on.
fn is_on(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}

/// Converts the value of LocalStack's variable `DEBUG` to a log level. None for a value that does
/// not switch debugging on.
fn debug(value: &str) -> Option<String> {
    is_on(value).then(|| "debug".to_owned())
}

fn any_origin(value: &str) -> Option<String> {
    is_on(value).then(|| "any".to_owned())
}

/// Adds the origin `local` before the origins in the value, because LocalStack always allows the
/// pages of this machine, too.
fn more_origins(value: &str) -> Option<String> {
    Some(format!("local,{value}"))
}

/// Extracts the ports from a list of addresses such as `0.0.0.0:4566,:4510`.
fn ports(value: &str) -> Option<String> {
    let ports = value
        .split(',')
        .map(|part| part.rsplit(':').next().unwrap_or_default().trim());
    Some(ports.collect::<Vec<_>>().join(","))
}

/// Converts a duration such as `500ms`, `5s` or `500 milliseconds` to a number of milliseconds. A
/// number without a unit is in milliseconds. None for any other text.
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

/// Converts LocalStack's value of a limit to minikin's value. LocalStack writes `Infinity` for no
/// limit, and minikin writes `off`.
fn number_or_off(value: &str) -> Option<String> {
    if value.eq_ignore_ascii_case("infinity") {
        return Some("off".to_owned());
    }
    value.parse::<u64>().ok().map(|number| number.to_string())
}

/// An option of minikin that other tools' variables set, with its values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OptionFromOtherTool {
    pub(super) flag: &'static str,
    pub(super) values: Vec<OsString>,
    /// Names of the other tools' variables that set the option.
    pub(super) variables: Vec<&'static str>,
}

impl OptionFromOtherTool {
    /// True for the options `--limit` and `--extra-port`. The values of other tools' variables are
    /// then added to the values that minikin's own flags, variables or file give to the option. Any
    /// other option gets the value of other tools' variables only if minikin's own flags, variables
    /// and file do not set it.
    pub(super) fn is_added(&self) -> bool {
        is_added(self.flag)
    }
}

fn is_added(flag: &str) -> bool {
    matches!(flag, "limit" | "extra-port")
}

/// The name of LocalStack's variable with the probability that a write fails.
pub(super) const ERROR_PROBABILITY: &str = "KINESIS_ERROR_PROBABILITY";
/// The name of the variable that makes kinesis-mock keep its data.
const SHOULD_PERSIST_DATA: &str = "SHOULD_PERSIST_DATA";

/// The percentage of writes that fail according to LocalStack's variable. A value that is not a
/// number is returned unchanged. None if the variable is not set or is 0.
pub(super) fn error_percent<V: Fn(&str) -> Option<OsString>>(variable: V) -> Option<String> {
    let value = variable(ERROR_PROBABILITY)?;
    let text = value.to_string_lossy();
    let percent = match text.trim().parse::<f64>() {
        Ok(probability) => (probability * 100.0).to_string(),
        Err(_) => text.trim().to_owned(),
    };
    // LocalStack's default is 0, which means no errors.
    (!percent.is_empty() && percent != "0").then_some(percent)
}

fn set<V: Fn(&str) -> Option<OsString>>(variable: V, name: &str) -> Option<String> {
    let value = variable(name)?.into_string().ok()?;
    (!value.is_empty()).then_some(value)
}

/// The options that variables of other tools set, in the order of their flags. `--data-dir` comes
/// last.
pub(super) fn honoured<V: Fn(&str) -> Option<OsString>>(variable: V) -> Vec<OptionFromOtherTool> {
    let mut all: BTreeMap<&str, OptionFromOtherTool> = BTreeMap::new();
    for alias in ALIASES {
        let value = set(&variable, alias.variable).and_then(|value| (alias.convert)(&value));
        let Some(value) = value else { continue };
        let honoured = all.entry(alias.flag).or_insert(OptionFromOtherTool {
            flag: alias.flag,
            values: Vec::new(),
            variables: Vec::new(),
        });
        // Several variables can set the same option. For `--limit` and `--extra-port`, the values
        // of all these variables count. For any other option, only the first value counts.
        if honoured.values.is_empty() || is_added(alias.flag) {
            honoured.values.push(value.into());
            honoured.variables.push(alias.variable);
        }
    }
    all.into_values().chain(data_dir(variable)).collect()
}

/// The option `--data-dir` for kinesis-mock's variables. If `SHOULD_PERSIST_DATA` is `true`,
/// kinesis-mock stores its data in the folder `PERSIST_PATH`, or in `data` without this variable.
/// None for any other value.
fn data_dir<V: Fn(&str) -> Option<OsString>>(variable: V) -> Option<OptionFromOtherTool> {
    let persists = set(&variable, SHOULD_PERSIST_DATA)?;
    if !persists.eq_ignore_ascii_case("true") {
        return None;
    }
    let path = set(&variable, "PERSIST_PATH");
    let variables = match path {
        Some(_) => vec![SHOULD_PERSIST_DATA, "PERSIST_PATH"],
        None => vec![SHOULD_PERSIST_DATA],
    };
    Some(OptionFromOtherTool {
        flag: "data-dir",
        values: vec![path.unwrap_or_else(|| "data".to_owned()).into()],
        variables,
    })
}

/// The variables of other tools that have a value without a counterpart in minikin, each with this
/// value.
fn unsupported<V: Fn(&str) -> Option<OsString>>(variable: V) -> Vec<(&'static str, String)> {
    let with_value = |name| Some((name, set(&variable, name)?));
    let aliases = ALIASES.iter().filter(|alias| !alias.is_switch());
    let values = aliases.filter_map(|alias| {
        with_value(alias.variable).filter(|(_, value)| (alias.convert)(value).is_none())
    });
    let persists = with_value(SHOULD_PERSIST_DATA).filter(|(_, value)| {
        let known = ["true", "false"];
        !known.iter().any(|known| value.eq_ignore_ascii_case(known))
    });
    values.chain(persists).collect()
}

/// Logs the variables of other tools that set an option, and the variables and flags that have no
/// effect.
pub(crate) fn log<V: Fn(&str) -> Option<OsString>>(variable: V, ignored_flags: &[&str]) {
    for honoured in honoured(&variable) {
        let (variables, flag) = (honoured.variables.join(" and "), honoured.flag);
        if honoured.is_added() {
            tracing::info!("--{flag} comes from {variables}");
        } else {
            tracing::info!("--{flag} comes from {variables}, unless the option is set itself");
        }
    }
    if error_percent(&variable).is_some() {
        tracing::info!(
            "a --fault comes from {ERROR_PROBABILITY}, unless the command line has a --fault"
        );
    }
    for (name, value) in unsupported(&variable) {
        tracing::warn!("{name} is ignored, because its value is not supported: {value}");
    }
    let ignored = IGNORED.iter().filter(|name| set(&variable, name).is_some());
    let ignored: Vec<_> = ignored.chain(ignored_flags).copied().collect();
    if !ignored.is_empty() {
        tracing::warn!(
            "ignored, because minikin has no such option: {}",
            ignored.join(", ")
        );
    }
}

/// A command line after minikin's flags have replaced the flags of kinesalite.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Translated {
    /// The program's name and the arguments after the replacement.
    pub(crate) line: Vec<OsString>,
    /// The flags of kinesalite that were removed because minikin has no such flag.
    pub(crate) ignored: Vec<&'static str>,
}

/// Replaces the flags of kinesalite in a command line by minikin's flags. Arguments after `--`
/// remain unchanged.
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

/// Joins a flag and its value to one argument. `before` is put before the value. Without a value,
/// the argument is the flag alone, and the parser refuses the flag later.
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
        let texts = |honoured: OptionFromOtherTool| {
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
            ("SHOULD_PERSIST_DATA", "maybe"),
        ]);
        assert_eq!(found, []);
    }

    #[test]
    fn an_unsupported_value_is_named() {
        let variables = [
            ("CREATE_STREAM_DURATION", "soon"),
            ("SHARD_LIMIT", "7"),
            ("DEBUG", "express:*"),
            ("SHOULD_PERSIST_DATA", "maybe"),
        ];
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let expected = [
            ("CREATE_STREAM_DURATION", "soon".to_owned()),
            (SHOULD_PERSIST_DATA, "maybe".to_owned()),
        ];
        assert_eq!(unsupported(variable), expected);
    }

    #[test]
    fn an_error_probability_of_zero_sets_nothing() {
        let percent = |value: &str| error_percent(|_| Some(OsString::from(value)));
        for none in ["", "0", "0.0", " 0 "] {
            assert_eq!(percent(none), None, "{none:?}");
        }
        assert_eq!(percent("0.25").as_deref(), Some("25"));
        assert_eq!(percent("often").as_deref(), Some("often"));
        assert_eq!(error_percent(|_| None), None);
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
