//! Statements of policies: effect, principals, actions, resources and conditions.

use super::attributes::Attributes;
use super::condition::{self, Condition};
use super::document::Document;
use super::flaws::Flaws;
use super::pattern::is_like;
use super::principals::{Principals, Reach};
use super::target::Target;
use super::truth::Truth;

/// The effect of a statement on the requests to which the statement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    /// A statement whose `Effect` is missing or unknown also has the effect Deny, so that it allows
    /// nothing.
    Deny,
}

/// A statement of a policy, with marks for the elements that minikin does not understand.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    /// The principals that a statement of a resource policy names. `None` for a statement of a
    /// principal's own policy. Such a statement applies to this principal only.
    principals: Option<Principals>,
    actions: List,
    resources: List,
    conditions: Vec<Condition>,
    /// True if the statement has an element that minikin does not understand.
    has_flaw: bool,
}

/// The patterns that one element of a statement lists. The element is `Action`, `NotAction`,
/// `Resource` or `NotResource`.
#[derive(Debug, Clone)]
struct List {
    /// True for `NotAction` and `NotResource`, whose patterns name the exceptions.
    is_negated: bool,
    patterns: Vec<String>,
    /// True if the list has an item that minikin does not understand.
    has_flaw: bool,
}

/// Counts the occurrences of each element in a statement. Both forms of an element, such as
/// `Action` and `NotAction`, share one count.
#[derive(Debug, Default)]
struct Seen {
    effects: u32,
    actions: u32,
    resources: u32,
    principals: u32,
}

/// Reads the statements of a policy. If `of_resource` is true, the policy belongs to a resource,
/// and its statements must name principals.
pub(super) fn read_all(
    document: &Document,
    of_resource: bool,
    flaws: &mut Flaws,
) -> Vec<Statement> {
    let Some(members) = document.members() else {
        flaws.note("is not an object");
        return vec![Statement::malformed()];
    };
    let mut statements = Vec::new();
    let mut has_flaw = false;
    for (name, value) in members {
        flaws.within(name, |flaws| match name.as_str() {
            "Version" if matches!(value.text(), Some("2012-10-17" | "2008-10-17")) => {}
            "Id" if value.text().is_some() => {}
            "Statement" => {
                for (at, statement) in value.items().iter().enumerate() {
                    flaws.within(&at.to_string(), |flaws| {
                        statements.push(Statement::read(statement, of_resource, flaws));
                    });
                }
            }
            _ => {
                flaws.note("is not supported");
                has_flaw = true;
            }
        });
    }
    if statements.is_empty() {
        flaws.note("has no Statement");
        return vec![Statement::malformed()];
    }
    for statement in &mut statements {
        statement.has_flaw |= has_flaw;
    }
    statements
}

impl Statement {
    /// Creates the statement that replaces a malformed statement. The replacement denies every
    /// request.
    pub(super) fn malformed() -> Self {
        Self {
            effect: Effect::Deny,
            principals: None,
            actions: List::malformed(),
            resources: List::malformed(),
            conditions: Vec::new(),
            has_flaw: true,
        }
    }

    fn read(document: &Document, of_resource: bool, flaws: &mut Flaws) -> Self {
        let mut read = Self::malformed();
        let Some(members) = document.members() else {
            flaws.note("is not an object");
            return read;
        };
        let before = flaws.found.len();
        let mut seen = Seen::default();
        for (name, value) in members {
            flaws.within(name, |flaws| {
                read.take(name, value, of_resource, &mut seen, flaws);
            });
        }
        read.settle(of_resource, &seen, flaws);
        read.has_flaw = flaws.found.len() > before;
        read
    }

    fn take(
        &mut self,
        name: &str,
        value: &Document,
        of_resource: bool,
        seen: &mut Seen,
        flaws: &mut Flaws,
    ) {
        match (name, of_resource) {
            ("Sid", _) if value.text().is_some() => {}
            ("Effect", _) if matches!(value.text(), Some("Allow" | "Deny")) => {
                if value.text() == Some("Allow") {
                    self.effect = Effect::Allow;
                }
                seen.effects += 1;
            }
            ("Action" | "NotAction", _) => {
                self.actions = List::read(value, name == "NotAction", is_action, flaws);
                seen.actions += 1;
            }
            ("Resource" | "NotResource", _) => {
                self.resources = List::read(value, name == "NotResource", is_resource, flaws);
                seen.resources += 1;
            }
            ("Principal" | "NotPrincipal", true) => {
                self.principals = Some(Principals::read(value, name == "NotPrincipal"));
                seen.principals += 1;
            }
            ("Condition", _) => self.conditions = condition::read(value, flaws),
            _ => flaws.note("is not supported"),
        }
    }

    /// Records a flaw for each required element that the statement lacks, and for each element that
    /// occurs both with and without `Not`.
    fn settle(&mut self, of_resource: bool, seen: &Seen, flaws: &mut Flaws) {
        for (name, count) in [
            ("Effect", seen.effects),
            ("Action", seen.actions),
            ("Resource", seen.resources),
            ("Principal", seen.principals),
        ] {
            match count {
                1 => {}
                0 if name == "Principal" && !of_resource => {}
                0 => flaws.note(format!("has no {name}")),
                _ => flaws.note(format!("has {name} and Not{name}")),
            }
        }
        if seen.actions > 1 {
            self.actions = List::malformed();
        }
        if seen.resources > 1 {
            self.resources = List::malformed();
        }
        if seen.principals > 1 {
            self.principals = None;
        }
    }

    pub(super) fn denies(&self, request: &Attributes<'_>) -> Truth {
        let reaches = self
            .principals
            .as_ref()
            .map(|them| them.deny(request.caller));
        Truth::every([reaches.unwrap_or(Truth::Yes), self.applies(request)].into_iter())
    }

    /// Decides if the statement allows the request. If `delegated` is true, an Allow for the
    /// caller's account as a whole is sufficient.
    pub(super) fn allows(&self, request: &Attributes<'_>, delegated: bool) -> Truth {
        let reach = self
            .principals
            .as_ref()
            .map(|them| them.allow(request.caller));
        let reaches = match reach {
            None | Some(Reach::Itself) => Truth::Yes,
            Some(Reach::Account) => Truth::from(delegated),
            Some(Reach::Unknown) => Truth::Unknown,
            Some(Reach::No) => Truth::No,
        };
        Truth::every([reaches, self.applies(request)].into_iter())
    }

    fn applies(&self, request: &Attributes<'_>) -> Truth {
        let action = self.actions.holds(|pattern| {
            is_like(
                &pattern.to_ascii_lowercase(),
                &request.action.to_ascii_lowercase(),
            )
        });
        let target: &Target = request.target;
        let resource = self.resources.holds(|pattern| target.is_like(pattern));
        let flaw = if self.has_flaw {
            Truth::Unknown
        } else {
            Truth::Yes
        };
        let conditions = self
            .conditions
            .iter()
            .map(|condition| condition.holds(request));
        Truth::every([action, resource, flaw].into_iter().chain(conditions))
    }
}

impl List {
    fn malformed() -> Self {
        Self {
            is_negated: false,
            patterns: Vec::new(),
            has_flaw: true,
        }
    }

    fn read(
        document: &Document,
        is_negated: bool,
        is_one: fn(&str) -> bool,
        flaws: &mut Flaws,
    ) -> Self {
        let items = document.items();
        let known = |item: &Document| Some(item.text().filter(|text| is_one(text))?.to_owned());
        let patterns: Vec<String> = items.iter().filter_map(known).collect();
        let has_flaw = items.is_empty() || patterns.len() < items.len();
        if has_flaw {
            flaws.note("is not supported");
        }
        Self {
            is_negated,
            patterns,
            has_flaw,
        }
    }

    fn holds(&self, is_like: impl Fn(&str) -> bool) -> Truth {
        let flaw = if self.has_flaw {
            Truth::Unknown
        } else {
            Truth::No
        };
        let listed = self
            .patterns
            .iter()
            .map(|pattern| Truth::from(is_like(pattern)));
        let found = Truth::any(listed.chain([flaw]));
        if self.is_negated { found.not() } else { found }
    }
}

/// True for `*` and for an action with the prefix of a service, such as `kinesis:Get*`.
fn is_action(text: &str) -> bool {
    let named = text
        .split_once(':')
        .is_some_and(|(service, _)| !service.is_empty());
    (text == "*" || named) && !text.contains("${")
}

/// True for `*` and for an ARN. Policy variables (`${…}`) in the ARN are not supported.
fn is_resource(text: &str) -> bool {
    (text == "*" || text.starts_with("arn:")) && !text.contains("${")
}
