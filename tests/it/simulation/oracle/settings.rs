//! The settings of a stream: its key and its tags.

use super::{ARGUMENT, Change, Foretold, IN_USE, NOT_FOUND, Oracle, count};

impl Oracle {
    pub(in crate::simulation) fn encrypt(&mut self, name: &str, key: &'static str) -> Foretold {
        self.settled(name)?;
        let now_ms = self.now_ms;
        let stream = self.streams.get_mut(name).unwrap();
        if stream.key != Some(key) {
            count(&mut stream.encryptions, now_ms, 25)?;
        }
        self.begin(name, Change::Key(Some(key)));
        Ok(())
    }

    pub(in crate::simulation) fn decrypt(&mut self, name: &str, key: &str) -> Foretold {
        self.settled(name)?;
        let now_ms = self.now_ms;
        let stream = self.streams.get_mut(name).unwrap();
        match stream.key {
            Some(present) if present == key => {}
            _ => return ARGUMENT,
        }
        count(&mut stream.decryptions, now_ms, 25)?;
        self.begin(name, Change::Key(None));
        Ok(())
    }

    pub(super) fn settled(&self, name: &str) -> Foretold {
        match self.state(name) {
            None => NOT_FOUND,
            Some("ACTIVE") => Ok(()),
            Some(_) => IN_USE,
        }
    }

    /// Sets a tag, or removes it.
    pub(in crate::simulation) fn tag(
        &mut self,
        name: &str,
        key: &str,
        value: Option<&str>,
    ) -> Foretold {
        match self.state(name) {
            None => return NOT_FOUND,
            Some("CREATING" | "DELETING") => return IN_USE,
            Some(_) => {}
        }
        let tags = &mut self.streams.get_mut(name).unwrap().tags;
        match value {
            Some(value) => tags.insert(key.to_owned(), value.to_owned()),
            None => tags.remove(key),
        };
        Ok(())
    }
}
