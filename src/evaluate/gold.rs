//! What all gold records share: how they are read, and spans in code points.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// A half-open range of Unicode code points, `begin..end`. An absent begin is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub(super) struct Span {
    #[serde(default, deserialize_with = "number")]
    pub begin: usize,
    #[serde(deserialize_with = "number")]
    pub end: usize,
}

impl Span {
    pub const fn new(begin: usize, end: usize) -> Self {
        Self { begin, end }
    }

    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.begin)
    }

    /// How many code points the two share.
    pub fn shared(self, other: Self) -> usize {
        self.end.min(other.end).saturating_sub(self.begin.max(other.begin))
    }

    /// As much of the span as lies in a text of that length.
    pub fn within(self, length: usize) -> std::ops::Range<usize> {
        let end = self.end.min(length);
        self.begin.min(end)..end
    }

    /// The code points it covers in a text, as far as it lies in it.
    pub fn of(self, text: &[char]) -> &[char] {
        &text[self.within(text.len())]
    }

    /// The span without white space at its ends; none if nothing is left.
    pub fn trimmed(self, text: &[char]) -> Option<Self> {
        let covered = self.of(text);
        let first = covered.iter().position(|c| !c.is_whitespace())?;
        let last = covered.iter().rposition(|c| !c.is_whitespace())?;
        Some(Self::new(self.begin + first, self.begin + last + 1))
    }
}

/// Reads a gold record.
///
/// # Errors
/// What is missing or of the wrong type, with its column.
pub(super) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| {
        let message = error.to_string();
        // The line that serde names is always the first: the reader knows the real one.
        let place = format!(" at line {} column {}", error.line(), error.column());
        match message.strip_suffix(&place) {
            Some(problem) => format!("{problem} (before column {})", error.column() + 1),
            None => message,
        }
    })
}

/// The record's id as text; a number is as good as its digits.
///
/// # Errors
/// If the line is no JSON object or has no id.
pub fn record_id(line: &[u8]) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Identified {
        id: Value,
    }
    match parse::<Identified>(line)?.id {
        Value::String(id) => Ok(id),
        Value::Null => Err("\"id\" is null".to_owned()),
        id => Ok(id.to_string()),
    }
}

/// Refuses spans that do not lie in the text.
pub(super) fn check(name: &str, spans: impl IntoIterator<Item = Span>, text: &[char]) -> Result<(), String> {
    let wrong = |span: &Span| span.begin > span.end || span.end > text.len();
    match spans.into_iter().enumerate().find(|(_, span)| wrong(span)) {
        None => Ok(()),
        Some((at, Span { begin, end })) => Err(format!(
            "{name}[{at}] has begin {begin} and end {end}, which is no span of a text of {} code points",
            text.len()
        )),
    }
}

/// A count or offset. Proto3 JSON may write numbers as strings; null is 0.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::Null => Some(0),
        Value::Number(number) => number.as_u64(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    };
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| D::Error::custom(format!("{value} is no offset or count")))
}

/// A value, or its default for null.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_missing_and_where() {
        let missing = parse::<Span>(br#"{"begin": "3"}"#).unwrap_err();
        assert_eq!(missing, "missing field `end` (before column 15)");
        let negative = parse::<Span>(br#"{"begin": -3, "end": 4}"#).unwrap_err();
        assert!(negative.starts_with("-3 is no offset or count"), "{negative}");
        let text: Vec<char> = "naïve".chars().collect();
        let outside = check("entities", [Span::new(0, 5), Span::new(4, 6)], &text).unwrap_err();
        assert!(outside.starts_with("entities[1] has begin 4 and end 6"), "{outside}");
    }

    #[test]
    fn numbers_may_be_strings_and_begins_absent() {
        assert_eq!(parse::<Span>(br#"{"end": "12"}"#).unwrap(), Span::new(0, 12));
        assert_eq!(record_id(br#"{"id": 7}"#).unwrap(), record_id(br#"{"id": "7"}"#).unwrap());
    }
}
