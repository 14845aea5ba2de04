//! Tags of resources. The checks concern the characters in a tag, and the number of tags of one
//! resource.

use std::collections::BTreeMap;

/// The tags of one resource, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

/// The reason why tags are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagFault {
    /// A tag contains a character other than letters, digits, blank and `_ . / = + - % @ :`.
    Characters,
    /// The key of a tag has the reserved prefix `aws:`.
    Reserved,
    /// A tag contains a `%`. The service's first check of characters accepts the `%`, but a second
    /// check refuses it.
    Illegal,
    /// The resource would have more tags than allowed.
    TooMany,
}

impl Tags {
    /// Adds the tags `given` to the tags of the resource. Adds no tag if one of the given tags is
    /// refused. A tag replaces an existing tag with the same key. The resource may have at most
    /// `most` tags afterwards.
    ///
    /// # Errors
    /// The first fault that the service's checks would find. No tag is added then.
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
        if given.clone().any(|(key, _)| key.starts_with("aws:")) {
            return Err(TagFault::Reserved);
        }
        if texts.clone().any(|text| text.contains('%')) {
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

    /// Removes the tags with these keys from the tags of the resource. Ignores keys that the
    /// resource does not have.
    ///
    /// # Errors
    /// The first fault of a key. No tag is removed then.
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

    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// The tags as pairs of key and value, sorted by key.
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

/// Returns true for a character that may occur in tags. Old recordings show that the service
/// refused the colon. The newest documentation permits the colon, and this function follows the
/// documentation. Recordings also show that the service accepts every character in the two Unicode
/// ranges below, even signs such as `×`.
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
        assert_eq!(add(&mut tags, "aws:a", ""), Err(TagFault::Reserved));
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
