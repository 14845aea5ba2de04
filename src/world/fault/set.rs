//! The fault rules of one emulator, and the code that decides if a rule fires.

use super::kind::Moment;
use super::point::{Fault, Point, Rule};
use super::rule::FaultRule;
use crate::lock::Lock;
use crate::world::random::Random;
use crate::world::timestamp::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The faults to inject in one emulator: its fault rules, and the rules of tests at injection
/// points. All clones share the same rules.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// True while there is at least one rule. While there is no rule, the check for a fault costs
    /// one load of this flag.
    armed: AtomicBool,
    rules: Lock<Rules>,
    chance: Random,
}

#[derive(Debug, Default)]
struct Rules {
    points: Vec<Rule>,
    calls: Vec<ActiveRule>,
    last_id: u64,
}

/// A fault rule of the emulator, with its counters.
#[derive(Debug)]
struct ActiveRule {
    id: u64,
    rule: FaultRule,
    chance: Random,
    /// The number of calls so far that matched the rule. Calls that the rule did not hit count,
    /// too.
    matched: u64,
    hits: u64,
}

/// A fault rule in the list of an emulator's fault rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedRule {
    /// The id of the rule. A request to remove the rule names this id.
    pub id: u64,
    /// The number of calls that the rule has hit so far.
    pub hits: u64,
    /// The rule, unchanged since it was added.
    #[serde(flatten)]
    pub rule: FaultRule,
}

/// A call, an event, an invocation or a delivery that a fault rule may hit.
#[derive(Debug)]
pub struct Occasion<'a> {
    /// The type of the occasion.
    pub moment: Moment,
    /// The name of the operation to which the call, event or mapping belongs.
    pub operation: &'a str,
    /// The name and the ARN of the stream of the occasion. `None` if the stream is not known.
    pub stream: Option<(&'a str, &'a str)>,
    /// The id of the shard of the occasion. For a PutRecords call, the ids of the shards of all
    /// entries. An element is `None` if its shard is not known.
    pub shards: &'a [Option<String>],
    /// The present time of the emulator's clock.
    pub now: Timestamp,
}

/// The result of a fault rule that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The fault rule that fired.
    pub rule: FaultRule,
    /// One flag for each element of [`Occasion::shards`]. A flag is true if the fault hits the
    /// shard or the entry of the PutRecords call.
    pub chosen: Vec<bool>,
}

impl Default for Faults {
    fn default() -> Self {
        Self::by(Random::seeded(0))
    }
}

impl Faults {
    /// Creates the faults of an emulator, without any rule yet. `chance` supplies the random
    /// numbers for rules without a seed.
    pub fn by(chance: Random) -> Self {
        Self(Arc::new(Shared {
            armed: AtomicBool::new(false),
            rules: Lock::default(),
            chance,
        }))
    }

    /// Replaces all rules at injection points by `points`. If several rules are for one point, the
    /// first rule that fires determines the fault.
    pub fn set(&self, points: Vec<Rule>) {
        self.change(|rules| rules.points = points);
    }

    /// Returns true if there is at least one fault rule or rule of a test at an injection point.
    #[inline]
    pub fn is_armed(&self) -> bool {
        self.0.armed.load(Ordering::Acquire)
    }

    /// Decides if a fault is to be injected at `point` now. Returns the fault, or `None` in the
    /// usual case that no rule fires.
    #[inline]
    pub fn at(&self, point: Point) -> Option<Fault> {
        if !self.is_armed() {
            return None;
        }
        self.drawn(point)
    }

    #[cold]
    fn drawn(&self, point: Point) -> Option<Fault> {
        let mut rules = self.0.rules.lock();
        let mut here = rules.points.iter_mut();
        here.find_map(|rule| rule.fires(point, &self.0.chance))
    }

    /// Adds `rules` after the present fault rules. Returns the added rules with their ids. Returns
    /// `None` and adds nothing if there would be more than `most` rules. The caller has checked that
    /// `rules` are valid.
    pub fn add(&self, rules: Vec<FaultRule>, most: usize) -> Option<Vec<ListedRule>> {
        self.change(|state| {
            let has_space = state.calls.len() + rules.len() <= most;
            has_space.then(|| state.add(rules, &self.0.chance))
        })
    }

    /// Replaces all fault rules by `rules` in one step. Returns the new rules with their ids.
    /// Returns `None` and changes nothing if `rules` are more than `most` rules. The caller has
    /// checked that `rules` are valid.
    pub fn replace(&self, rules: Vec<FaultRule>, most: usize) -> Option<Vec<ListedRule>> {
        self.change(|state| {
            let has_space = rules.len() <= most;
            has_space.then(|| {
                state.calls.clear();
                state.add(rules, &self.0.chance)
            })
        })
    }

    /// Removes the fault rule with the id `id`. Returns false if there is no such rule.
    pub fn remove(&self, id: u64) -> bool {
        self.change(|state| {
            let before = state.calls.len();
            state.calls.retain(|active| active.id != id);
            state.calls.len() < before
        })
    }

    /// Removes all fault rules, but not the rules of tests at injection points.
    pub fn clear(&self) {
        self.change(|state| state.calls.clear());
    }

    /// Returns all fault rules, in the order in which the emulator tries the rules for a call.
    pub fn list(&self) -> Vec<ListedRule> {
        let rules = self.0.rules.lock();
        rules.calls.iter().map(ActiveRule::listed).collect()
    }

    /// Finds the first fault rule that fires on the occasion. The rules after this rule do not
    /// count the occasion, and draw no random number.
    pub fn draw(&self, occasion: &Occasion<'_>) -> Option<Hit> {
        let mut rules = self.0.rules.lock();
        let mut calls = rules.calls.iter_mut();
        calls.find_map(|active| active.draw(occasion))
    }

    fn change<R>(&self, change: impl FnOnce(&mut Rules) -> R) -> R {
        let mut rules = self.0.rules.lock();
        let result = change(&mut rules);
        let armed = !rules.points.is_empty() || !rules.calls.is_empty();
        self.0.armed.store(armed, Ordering::Release);
        result
    }
}

impl Rules {
    fn add(&mut self, rules: Vec<FaultRule>, chance: &Random) -> Vec<ListedRule> {
        let first = self.calls.len();
        for rule in rules {
            self.last_id += 1;
            let seed = rule.seed.unwrap_or_else(|| chance.number());
            self.calls.push(ActiveRule {
                id: self.last_id,
                rule,
                chance: Random::seeded(seed),
                matched: 0,
                hits: 0,
            });
        }
        self.calls[first..].iter().map(ActiveRule::listed).collect()
    }
}

impl ActiveRule {
    fn listed(&self) -> ListedRule {
        ListedRule {
            id: self.id,
            hits: self.hits,
            rule: self.rule.clone(),
        }
    }

    fn draw(&mut self, occasion: &Occasion<'_>) -> Option<Hit> {
        if !self.concerns(occasion) {
            return None;
        }
        let mut chosen: Vec<bool> = occasion
            .shards
            .iter()
            .map(|shard| self.rule.shard.is_none() || *shard == self.rule.shard)
            .collect();
        if !chosen.contains(&true) {
            return None;
        }
        self.matched += 1;
        let is_used_up = self.rule.times.is_some_and(|times| self.hits >= times);
        if is_used_up || self.matched <= self.rule.after.unwrap_or(0) {
            return None;
        }
        if self.rule.kind.is_per_entry() {
            for entry in &mut chosen {
                *entry = *entry && self.happens();
            }
        } else if !self.happens() {
            return None;
        }
        if !chosen.contains(&true) {
            return None;
        }
        self.hits += 1;
        Some(Hit {
            rule: self.rule.clone(),
            chosen,
        })
    }

    /// Returns true if the rule is for the type, the operation and the stream of the occasion, and
    /// the clock has not reached the rule's time `until`.
    fn concerns(&self, occasion: &Occasion<'_>) -> bool {
        let rule = &self.rule;
        if rule.kind.moment() != occasion.moment {
            return false;
        }
        if rule.until.is_some_and(|until| occasion.now >= until) {
            return false;
        }
        let operation = occasion.operation;
        let is_named = match (&rule.operations, rule.kind.operations()) {
            (Some(named), _) => named.iter().any(|name| name == operation),
            (None, Some(possible)) => possible.contains(&operation),
            (None, None) => true,
        };
        is_named
            && rule.stream.as_deref().is_none_or(|wanted| {
                let is_it = |(name, arn)| wanted == name || wanted == arn;
                occasion.stream.is_some_and(is_it)
            })
    }

    /// Decides at random if the rule hits a call or an entry. The percentage of the rule is the
    /// probability of a hit, with a resolution of 0.0001.
    fn happens(&self) -> bool {
        const WHOLE: f64 = 1_000_000.0;
        let percent = self.rule.percent.unwrap_or(100.0);
        percent >= 100.0 || ((self.chance.number() % 1_000_000) as f64) < percent / 100.0 * WHOLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fault::FaultKind;

    fn occasion<'a>(operation: &'a str, shards: &'a [Option<String>]) -> Occasion<'a> {
        Occasion {
            moment: Moment::Call,
            operation,
            stream: Some(("orders", "arn:orders")),
            shards,
            now: Timestamp::from_millis(1000),
        }
    }

    fn fires(faults: &Faults, operation: &str) -> bool {
        faults.draw(&occasion(operation, &[None])).is_some()
    }

    #[test]
    fn a_rule_passes_the_first_calls_and_hits_a_number_of_them() {
        let faults = Faults::default();
        assert!(!faults.is_armed());
        let rule = FaultRule {
            after: Some(2),
            times: Some(3),
            ..FaultRule::of(FaultKind::InternalError)
        };
        let id = faults.add(vec![rule], 9).unwrap()[0].id;
        let hit: Vec<bool> = (0..7).map(|_| fires(&faults, "ListStreams")).collect();
        assert_eq!(hit, [false, false, true, true, true, false, false]);
        assert_eq!(faults.list()[0].hits, 3);
        assert!(faults.remove(id) && !faults.remove(id));
        assert!(!faults.is_armed());
    }

    #[test]
    fn the_number_of_rules_is_bounded() {
        let faults = Faults::default();
        let rules = |count| vec![FaultRule::of(FaultKind::Throttle); count];
        assert!(faults.add(rules(2), 3).is_some());
        assert_eq!(faults.add(rules(2), 3), None);
        assert_eq!(faults.replace(rules(4), 3), None);
        assert_eq!(faults.list().len(), 2);
        assert!(faults.add(rules(1), 3).is_some() && faults.replace(rules(3), 3).is_some());
        assert_eq!(faults.list().len(), 3);
    }

    #[test]
    fn the_first_rule_that_fires_counts_and_later_ones_do_not_move() {
        let faults = Faults::default();
        let first = FaultRule {
            times: Some(1),
            ..FaultRule::of(FaultKind::Throttle)
        };
        faults.add(vec![first, FaultRule::of(FaultKind::Unavailable)], 9);
        let kinds: Vec<FaultKind> = (0..2)
            .map(|_| faults.draw(&occasion("PutRecord", &[None])).unwrap())
            .map(|hit| hit.rule.kind)
            .collect();
        assert_eq!(kinds, [FaultKind::Throttle, FaultKind::Unavailable]);
        let hits: Vec<u64> = faults.list().iter().map(|listed| listed.hits).collect();
        assert_eq!(hits, [1, 1]);
    }

    #[test]
    fn the_same_seed_hits_the_same_calls() {
        let drawn = |seed| {
            let faults = Faults::default();
            let rule = FaultRule {
                percent: Some(30.0),
                seed: Some(seed),
                ..FaultRule::of(FaultKind::InternalError)
            };
            faults.add(vec![rule], 9);
            (0..300)
                .map(|_| fires(&faults, "PutRecord"))
                .collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let hits = drawn(7).into_iter().filter(|hit| *hit).count();
        assert!((60..120).contains(&hits), "{hits}");
    }

    #[test]
    fn a_rule_is_for_its_operations_its_stream_its_shard_and_its_time() {
        let faults = Faults::default();
        let rule = FaultRule {
            operations: Some(vec!["PutRecords".into()]),
            stream: Some("orders".into()),
            shard: Some("b".into()),
            until: Some(Timestamp::from_millis(2000)),
            ..FaultRule::of(FaultKind::ThroughputExceeded)
        };
        faults.add(vec![rule], 9);
        let shards = [Some("a".into()), Some("b".into()), None];
        let hit = faults.draw(&occasion("PutRecords", &shards)).unwrap();
        assert_eq!(hit.chosen, [false, true, false]);
        assert_eq!(faults.draw(&occasion("PutRecord", &shards)), None);
        assert_eq!(faults.draw(&occasion("PutRecords", &shards[..1])), None);
        let other = Occasion {
            stream: Some(("other", "arn:other")),
            ..occasion("PutRecords", &shards)
        };
        assert_eq!(faults.draw(&other), None);
        let late = Occasion {
            now: Timestamp::from_millis(2000),
            ..occasion("PutRecords", &shards)
        };
        assert_eq!(faults.draw(&late), None);
        assert_eq!(faults.list()[0].hits, 1);
    }
}
