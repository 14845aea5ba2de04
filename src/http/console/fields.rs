//! The fields of a form that a browser has sent, and their conversion to the members of a request.

use crate::http::admin::Refused;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// The fields of a form: their names and values. An action removes the fields that it has read.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses the fields from the body of a request that sends a form.
    pub(super) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Removes the field `name` and returns its value. None if the field is missing or empty.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1).filter(|value| !value.is_empty())
    }

    /// Removes the field `name` and returns its value.
    ///
    /// # Errors
    /// The field is missing or empty.
    pub(super) fn need(&mut self, name: &str) -> Result<String, Refused> {
        self.take(name)
            .ok_or_else(|| bad(&format!("the field {name} is empty")))
    }

    /// Converts the remaining fields to the members of a request, as a JSON object. Leaves out
    /// empty fields.
    ///
    /// The name of a field is the path of a member, such as `StreamModeDetails.StreamMode`. A
    /// suffix of the name gives the type of the value: `:int`, `:bool`, `:list` for a list of words
    /// between commas, or `:one` for a list with the value as its only item. Without a suffix, the
    /// value is a text.
    pub(super) fn members(&self) -> Result<Value, Refused> {
        let mut members = Value::Object(Map::new());
        for (name, text) in &self.0 {
            if text.trim().is_empty() {
                continue;
            }
            let (path, kind) = name.split_once(':').unwrap_or((name, "text"));
            let value = match kind {
                "int" => json!(
                    text.trim()
                        .parse::<i64>()
                        .map_err(|_| { bad(&format!("{path} is a whole number")) })?
                ),
                "bool" => json!(text == "true"),
                "one" => json!([text]),
                "list" => text.split(',').map(|word| json!(word.trim())).collect(),
                _ => json!(text),
            };
            let mut place = &mut members;
            for part in path.split('.') {
                place = &mut place[part];
            }
            *place = value;
        }
        Ok(members)
    }
}

/// A refusal with status 400 and the message `text`.
pub(super) fn bad(text: &str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_members() {
        let fields = Fields::read(
            b"StreamName=a+b&ShardCount:int=2&Empty=&Details.Mode=ON&Keys:list=a,+b&Is:bool=true",
        );
        assert_eq!(
            fields.members().unwrap(),
            json!({"StreamName": "a b", "ShardCount": 2, "Details": {"Mode": "ON"},
                   "Keys": ["a", "b"], "Is": true})
        );
        assert!(Fields::read(b"ShardCount:int=two").members().is_err());
    }
}
