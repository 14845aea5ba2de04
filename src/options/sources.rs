//! The sources of options: the command line, environment variables and the TOML file.

use super::bounded_file;
use super::definition::Options;
use super::error::OptionsError;
use super::other_tools;
use crate::limits;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

/// The values of an option in one source: in a variable or in the file.
struct Setting {
    id: String,
    flag: String,
    values: Vec<OsString>,
    /// The name of the variable or of the file, for error messages.
    source: String,
}

impl Options {
    /// Parses options from command-line flags. No environment variable is read. A file is read only
    /// if `--config` names it.
    ///
    /// # Errors
    /// A flag is unknown or has an invalid value, or options contradict one another.
    pub fn read<T: Into<OsString>>(
        flags: impl IntoIterator<Item = T>,
    ) -> Result<Self, OptionsError> {
        let command = Self::augment_args(Command::new("minikin"));
        let line = std::iter::once("minikin".into()).chain(flags.into_iter().map(T::into));
        parse(command, line.collect(), |_| None)
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| OptionsError::Arguments(error.to_string()))
    }
}

/// Parses the command line `line` together with the environment variables and the file.
///
/// `line` begins with the program's name. `variable` returns the value of an environment variable.
///
/// # Errors
/// An option is invalid, or the command line asks for `--help` or `--version`. In all of these
/// cases the error contains the text to print.
pub(crate) fn parse<V>(
    command: Command,
    line: Vec<OsString>,
    variable: V,
) -> Result<ArgMatches, Error>
where
    V: Fn(&str) -> Option<OsString>,
{
    let mut command = with_variables_in_help(command);
    // Parse the command line alone first, because it may name the file. Errors in the command line
    // are also clearer before the flags of other sources are added.
    let said = command.try_get_matches_from_mut(&line)?;
    let (inner, said_inner, position) = match said.subcommand() {
        Some((name, inner)) => match command.find_subcommand(name) {
            Some(subcommand) => (subcommand.clone(), inner, 2),
            None => return Ok(said),
        },
        None => (command.clone(), &said, 1),
    };
    if !takes_options(&inner) {
        return Ok(said);
    }
    let found = found(&inner, said_inner, &variable).map_err(|text| failure(&mut command, text))?;
    let mut line = line;
    let added: Vec<OsString> = found.iter().flat_map(Setting::as_flags).collect();
    line.splice(position..position, added);
    let refused = |error| explain(error, &found);
    let matches = command.try_get_matches_from_mut(line).map_err(refused)?;
    let inner = matches.subcommand().map_or(&matches, |(_, inner)| inner);
    let checked = Options::from_arg_matches(inner)?.check();
    checked.map_err(|error| failure(&mut command, error.to_string()))?;
    Ok(matches)
}

/// Makes an error with the message `text` that looks like clap's own errors.
fn failure(command: &mut Command, text: String) -> Error {
    command.error(ErrorKind::ValueValidation, text)
}

fn our_options() -> Command {
    Options::augment_args(Command::new("options"))
}

fn takes_options(command: &Command) -> bool {
    command
        .get_arguments()
        .any(|arg| arg.get_id() == "data_dir")
}

/// The name of the variable that sets the option of a flag: `MINIKIN_DATA_DIR` for `data-dir`.
fn variable_of(flag: &str) -> String {
    format!("MINIKIN_{}", flag.to_uppercase().replace('-', "_"))
}

fn with_variables_in_help(command: Command) -> Command {
    let options = our_options();
    let with_variables = |command: Command| {
        if !takes_options(&command) {
            return command;
        }
        options.get_arguments().fold(command, |command, option| {
            let Some(flag) = option.get_long() else {
                return command;
            };
            let help = option
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let help = format!("{help} [env: {}]", variable_of(flag));
            command.mut_arg(option.get_id(), |arg| arg.help(help))
        })
    };
    with_variables(command).mut_subcommands(with_variables)
}

/// The values of all options that a variable or the file sets and that the command line does not
/// set.
fn found<V>(command: &Command, said: &ArgMatches, variable: &V) -> Result<Vec<Setting>, String>
where
    V: Fn(&str) -> Option<OsString>,
{
    let options = our_options();
    let options: Vec<&Arg> = options.get_arguments().collect();
    let is_said = |id: &str| said.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
    let ids = options.iter().map(|option| option.get_id().to_string());
    let mut taken: Vec<String> = ids.filter(|id| is_said(id)).collect();
    let mut all = Vec::new();
    let mut take = |found: Vec<Setting>| -> Vec<Setting> {
        let open = |found: &Setting| !is_taken(command, &found.id, &taken);
        let found: Vec<Setting> = found.into_iter().filter(open).collect();
        taken.extend(found.iter().map(|found| found.id.clone()));
        found
    };
    all.extend(take(from_variables(&options, variable)));
    let from_line = said
        .get_one::<std::path::PathBuf>("config")
        .map(|path| path.into());
    let from_variable = || {
        all.iter()
            .find(|found| found.id == "config")?
            .values
            .first()
            .cloned()
    };
    if let Some(path) = from_line.or_else(from_variable) {
        let text = read(&path)?;
        all.extend(take(from_file(&options, &path, &text)?));
    }
    let (added, others) = from_other_tools(&options, variable);
    all.extend(take(others));
    // Put the values of other tools before minikin's own values. If both set the same limit, the
    // last value counts.
    all.splice(0..0, added);
    Ok(all)
}

/// True if the option `id` must not get a further value. `taken` lists the options that already
/// have values. The result is true if `id` is in `taken`, or if `id` conflicts with an option in
/// `taken`.
fn is_taken(command: &Command, id: &str, taken: &[String]) -> bool {
    let conflicts = |left: &str, right: &str| {
        let arg = command.get_arguments().find(|arg| arg.get_id() == left);
        let conflicts = arg
            .map(|arg| command.get_arg_conflicts_with(arg))
            .unwrap_or_default();
        conflicts.iter().any(|arg| arg.get_id() == right)
    };
    taken
        .iter()
        .any(|other| other == id || conflicts(id, other) || conflicts(other, id))
}

fn from_variables<V>(options: &[&Arg], variable: &V) -> Vec<Setting>
where
    V: Fn(&str) -> Option<OsString>,
{
    let one = |option: &&Arg| {
        let flag = option.get_long()?;
        let name = variable_of(flag);
        // An empty variable counts as unset, because compose files and Dockerfiles often unset a
        // variable by an empty value.
        let value = variable(&name).filter(|value| !value.is_empty())?;
        let source = format!("the variable {name}");
        Some(Setting::new(option, flag, vec![value], source))
    };
    let mut all: Vec<Setting> = options.iter().filter_map(one).collect();
    if let Some(rule) = error_probability(options, variable) {
        match all.iter_mut().find(|setting| setting.id == rule.id) {
            Some(setting) => setting.values.extend(rule.values),
            None => all.push(rule),
        }
    }
    all
}

/// The fault rule that LocalStack's variable KINESIS_ERROR_PROBABILITY stands for, as a value of
/// the option `--fault`. None if the variable is not set or is 0.
fn error_probability<V>(options: &[&Arg], variable: &V) -> Option<Setting>
where
    V: Fn(&str) -> Option<OsString>,
{
    let percent = other_tools::error_percent(variable)?;
    let option = options.iter().find(|option| option.get_id() == "fault")?;
    let rule =
        format!("kind=throughput-exceeded,operations=PutRecord+PutRecords,percent={percent}");
    let source = format!("the variable {}", other_tools::ERROR_PROBABILITY);
    Some(Setting::new(option, "fault", vec![rule.into()], source))
}

/// The values that variables of other tools give to options, in two lists. A value of the first
/// list is added to the values from minikin's own sources. A value of the second list counts only
/// if no source of minikin sets the option.
fn from_other_tools<V>(options: &[&Arg], variable: &V) -> (Vec<Setting>, Vec<Setting>)
where
    V: Fn(&str) -> Option<OsString>,
{
    let (mut added, mut others) = (Vec::new(), Vec::new());
    for honoured in other_tools::honoured(variable) {
        let is_it = |option: &&&Arg| option.get_long() == Some(honoured.flag);
        let Some(option) = options.iter().find(is_it) else {
            continue;
        };
        let source = format!("the variable {}", honoured.variables.join(", "));
        let list = match honoured.is_added() {
            true => &mut added,
            false => &mut others,
        };
        list.push(Setting::new(option, honoured.flag, honoured.values, source));
    }
    (added, others)
}

fn read(path: &OsStr) -> Result<String, String> {
    let shown = Path::new(path).display();
    let text = bounded_file::text(Path::new(path), limits::OPTION_FILE_BYTES);
    text.map_err(|error| format!("--config {shown}: {error}"))
}

fn from_file(options: &[&Arg], path: &OsStr, text: &str) -> Result<Vec<Setting>, String> {
    let path = Path::new(path).display();
    let table: toml::Table = text.parse().map_err(|error| unread(&path, text, &error))?;
    let mut all = Vec::new();
    for (key, value) in &table {
        all.extend(from_key(options, &path, key, value)?);
    }
    Ok(all)
}

/// The values of the options that one key of the file sets. A key may have a table as its value.
/// The key is then the beginning of several options' names, such as `channels` for
/// `channels-s3-region`.
fn from_key(
    options: &[&Arg],
    path: &impl fmt::Display,
    key: &str,
    value: &toml::Value,
) -> Result<Vec<Setting>, String> {
    let name = key.replace(['.', '_'], "-");
    let is_it = |option: &&&Arg| {
        // A key that is not in a table must be exactly the name of an option. In a table,
        // underscores may replace hyphens.
        let same = if key.contains('.') { &name } else { key };
        option.get_long() == Some(same) && key != "config"
    };
    let option = options.iter().find(is_it);
    match (option, value) {
        (Some(option), value) => {
            let values = values_of(option, value).ok_or_else(|| {
                let kind = value.type_str();
                format!("--config {path}: {key} cannot be of type {kind}")
            })?;
            let source = format!("the file {path}");
            let flag = option.get_long().unwrap_or_default();
            Ok(vec![Setting::new(option, flag, values, source)])
        }
        (None, toml::Value::Table(table)) if begins_option(options, &name) => {
            let mut all = Vec::new();
            for (inner, value) in table {
                all.extend(from_key(options, path, &format!("{key}.{inner}"), value)?);
            }
            Ok(all)
        }
        (None, _) => Err(format!("--config {path}: there is no option named {key}")),
    }
}

/// True if the name of any option begins with `name` and a hyphen.
fn begins_option(options: &[&Arg], name: &str) -> bool {
    let mut names = options.iter().filter_map(|option| option.get_long());
    names.any(|long| {
        let rest = long.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('-'))
    })
}

/// The error message for a file that is not valid TOML. The parser's full message is not used,
/// because it quotes the line, which may contain a secret.
fn unread(path: &impl fmt::Display, text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().iter().take(start);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    format!("--config {path}: line {line}: {}", error.message())
}

/// Converts the TOML value of an option to texts that have the same meaning on a command line. None
/// if the option does not accept a value of this type.
fn values_of(option: &Arg, value: &toml::Value) -> Option<Vec<OsString>> {
    let single = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(OsString::from(text)),
        toml::Value::Integer(number) => Some(OsString::from(number.to_string())),
        toml::Value::Boolean(is_on) if is_switch(option) => {
            Some(OsString::from(if *is_on { "on" } else { "off" }))
        }
        toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => None,
    };
    match (value, option.get_action()) {
        (toml::Value::Array(values), ArgAction::Append) => values.iter().map(single).collect(),
        _ => Some(vec![single(value)?]),
    }
}

/// True if the option has the values `on` and `off`.
fn is_switch(option: &Arg) -> bool {
    let names = option.get_value_names().unwrap_or_default();
    names.iter().any(|name| name == "SWITCH")
}

impl Setting {
    fn new(option: &Arg, flag: &str, values: Vec<OsString>, source: String) -> Self {
        Self {
            id: option.get_id().to_string(),
            flag: flag.to_owned(),
            values,
            source,
        }
    }

    fn as_flags(&self) -> impl Iterator<Item = OsString> + '_ {
        self.values.iter().map(|value| {
            let mut flag = OsString::from(format!("--{}=", self.flag));
            flag.push(value);
            flag
        })
    }
}

/// Adds the name of the source to the error message about a value from a variable or the file.
fn explain(mut error: Error, found: &[Setting]) -> Error {
    let Some(ContextValue::String(refused)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let flag = refused
        .split(' ')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-');
    if let Some(setting) = found.iter().find(|setting| setting.flag == flag) {
        let source = format!("the value is from {}", setting.source);
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![source.into()]),
        );
    }
    error
}
