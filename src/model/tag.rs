//! Tags: the permitted characters, and the number of tags of one resource.

use std::collections::BTreeMap;

/// A set of tags, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

/// The reason why tags are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagFault {
    /// A character outside letters, digits, blank and `_ . / = + - % @ :`.
    Characters,
    /// A `%`, which only the second check finds, or the reserved prefix `aws:` (its text is a
    /// choice).
    Illegal,
    /// The resource would have too many tags.
    TooMany,
}

impl Tags {
    /// Adds all of the tags or none. A tag with an existing key replaces the value. The result has
    /// at most `most` tags.
    ///
    /// # Errors
    /// The first fault, in the service's order of checks.
    pub fn add<'a>(
        &mut self,
        given: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        most: usize,
    ) -> Result<(), TagFault> {
        let texts = given.clone().flat_map(|(key, value)| [key, value]);
        if texts
            .clone()
            .flat_map(str::chars)
            .any(|character| !is_known(character))
        {
            return Err(TagFault::Characters);
        }
        let reserved = given.clone().any(|(key, _)| key.starts_with("aws:"));
        if reserved || texts.clone().any(|text| text.contains('%')) {
            return Err(TagFault::Illegal);
        }
        let new = given
            .clone()
            .filter(|(key, _)| !self.0.contains_key(*key))
            .count();
        if self.0.len() + new > most {
            return Err(TagFault::TooMany);
        }
        self.0
            .extend(given.map(|(key, value)| (key.to_owned(), value.to_owned())));
        Ok(())
    }

    /// Removes the tags with these keys. Keys without a tag are ignored.
    ///
    /// # Errors
    /// The first fault of a key. Then no tag is removed.
    pub fn remove<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), TagFault> {
        if keys
            .clone()
            .flat_map(str::chars)
            .any(|character| !is_known(character))
        {
            return Err(TagFault::Characters);
        }
        if keys.clone().any(|key| key.contains('%')) {
            return Err(TagFault::Illegal);
        }
        for key in keys {
            self.0.remove(key);
        }
        Ok(())
    }

    /// The tags by key.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// The tags by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Tags {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(tags: I) -> Self {
        Self(tags.into_iter().collect())
    }
}

/// Old recordings refuse the colon, and the newest documentation permits it. Recordings accept the
/// whole of the two ranges, with signs such as `×`.
fn is_known(character: char) -> bool {
    character.is_alphanumeric()
        || " _./=+-%@:".contains(character)
        || matches!(character, '\u{C0}'..='\u{1FFF}' | '\u{2C00}'..='\u{D7FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(tags: &mut Tags, key: &str, value: &str) -> Result<(), TagFault> {
        tags.add([(key, value)].into_iter(), 50)
    }

    #[test]
    fn faults_come_in_the_services_order() {
        let mut tags = Tags::default();
        for bad in ["a;b", "a\tb", "a,b", "a\nb"] {
            assert_eq!(add(&mut tags, bad, "%"), Err(TagFault::Characters));
        }
        assert_eq!(add(&mut tags, "a%", ""), Err(TagFault::Illegal));
        assert_eq!(add(&mut tags, "aws:a", ""), Err(TagFault::Illegal));
        assert_eq!(add(&mut tags, "ÿ _./=+-@:9", "Ⰰ"), Ok(()));
    }

    #[test]
    fn fifty_tags_are_the_most() {
        let mut tags = Tags::default();
        for number in 0..50 {
            assert_eq!(add(&mut tags, &number.to_string(), ""), Ok(()));
        }
        assert_eq!(add(&mut tags, "49", "again"), Ok(()));
        assert_eq!(add(&mut tags, "50", ""), Err(TagFault::TooMany));
    }
}
