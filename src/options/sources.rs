//! Where the values of options come from: flags, variables, a file.

use super::Options;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

/// One option's values, found elsewhere than on the command line.
struct Found {
    id: String,
    flag: String,
    values: Vec<OsString>,
    place: String,
}

/// What `line`, the variables and the file say together, as `command` understands it.
///
/// `line` begins with the program's name. `variable` looks a variable up.
///
/// # Errors
/// What to print in the place of running; also for `--help` and `--version`.
pub fn parse<V>(command: Command, line: Vec<OsString>, variable: V) -> Result<ArgMatches, Error>
where
    V: Fn(&str) -> Option<OsString>,
{
    let mut command = with_variables_in_help(command);
    // The line alone comes first: it may name the file, and its own mistakes read better so.
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
    let added: Vec<OsString> = found.iter().flat_map(Found::as_flags).collect();
    line.splice(position..position, added);
    let refused = |error| explain(error, &found);
    let matches = command.try_get_matches_from_mut(line).map_err(refused)?;
    let inner = matches.subcommand().map_or(&matches, |(_, inner)| inner);
    let checked = <Options as clap::FromArgMatches>::from_arg_matches(inner)?.check();
    checked.map_err(|text| failure(&mut command, text))?;
    Ok(matches)
}

/// An error about options, printed as clap prints its own.
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

/// `MINIKIN_DATA_DIR` for `data-dir`.
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

/// The options that `said` leaves open and a variable or the file answers.
fn found<V>(command: &Command, said: &ArgMatches, variable: &V) -> Result<Vec<Found>, String>
where
    V: Fn(&str) -> Option<OsString>,
{
    let options = our_options();
    let options: Vec<&Arg> = options.get_arguments().collect();
    let is_said = |id: &str| said.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
    let ids = options.iter().map(|option| option.get_id().to_string());
    let mut taken: Vec<String> = ids.filter(|id| is_said(id)).collect();
    let mut all = Vec::new();
    let mut take = |found: Vec<Found>| -> Vec<Found> {
        let open = |found: &Found| !is_taken(command, &found.id, &taken);
        let found: Vec<Found> = found.into_iter().filter(open).collect();
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
    Ok(all)
}

/// Whether one of `taken` is this option or stands in its place.
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

fn from_variables<V>(options: &[&Arg], variable: &V) -> Vec<Found>
where
    V: Fn(&str) -> Option<OsString>,
{
    let one = |option: &&Arg| {
        let flag = option.get_long()?;
        let name = variable_of(flag);
        // Container files set variables to nothing when they mean to leave them out.
        let value = variable(&name).filter(|value| !value.is_empty())?;
        let place = format!("the variable {name}");
        Some(Found::new(option, flag, vec![value], place))
    };
    options.iter().filter_map(one).collect()
}

fn read(path: &OsStr) -> Result<String, String> {
    let shown = Path::new(path).display();
    std::fs::read_to_string(path).map_err(|error| format!("--config {shown}: {error}"))
}

fn from_file(options: &[&Arg], path: &OsStr, text: &str) -> Result<Vec<Found>, String> {
    let path = Path::new(path).display();
    let table: toml::Table = text.parse().map_err(|error| unread(&path, text, &error))?;
    let one = |(key, value): (&String, &toml::Value)| {
        let is_it = |option: &&&Arg| option.get_long() == Some(key) && key != "config";
        let Some(option) = options.iter().find(is_it) else {
            return Err(format!("--config {path}: there is no option named {key}"));
        };
        let values = values_of(option, value).ok_or_else(|| {
            format!(
                "--config {path}: {key} cannot be of type {}",
                value.type_str()
            )
        })?;
        Ok(Found::new(option, key, values, format!("the file {path}")))
    };
    table.iter().map(one).collect()
}

/// Why a file cannot be read. The error itself would print the line, and a secret may stand there.
fn unread(path: &impl fmt::Display, text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().iter().take(start);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    format!("--config {path}: line {line}: {}", error.message())
}

/// The texts that would stand on the command line.
fn values_of(option: &Arg, value: &toml::Value) -> Option<Vec<OsString>> {
    let single = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(OsString::from(text)),
        toml::Value::Integer(number) => Some(OsString::from(number.to_string())),
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

impl Found {
    fn new(option: &Arg, flag: &str, values: Vec<OsString>, place: String) -> Self {
        Self {
            id: option.get_id().to_string(),
            flag: flag.to_owned(),
            values,
            place,
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

/// Says of a refused value that is not on the command line where it is.
fn explain(mut error: Error, found: &[Found]) -> Error {
    let Some(ContextValue::String(refused)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let flag = refused
        .split(' ')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-');
    if let Some(found) = found.iter().find(|found| found.flag == flag) {
        let place = format!("the value is from {}", found.place);
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![place.into()]),
        );
    }
    error
}
