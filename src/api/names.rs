//! Resource names, after AIP-122: `corpora/{corpus}/documents/{document}`.

use std::fmt;

use super::error::shown;
use crate::access::is_corpus;

/// The corpus of an empty parent.
const DEFAULT_CORPUS: &str = "default";

/// A document's name in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentName {
    pub corpus: String,
    pub document_id: String,
}

impl fmt::Display for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "corpora/{}/documents/{}", self.corpus, self.document_id)
    }
}

/// The corpus that a parent names, or what is wrong with it.
pub fn parse_parent(parent: &str) -> Result<String, String> {
    if parent.is_empty() {
        return Ok(DEFAULT_CORPUS.to_owned());
    }
    let corpus = parent
        .strip_prefix("corpora/")
        .ok_or_else(|| format!("{} is not of the form corpora/{{corpus}}", shown(parent)))?;
    check_corpus(corpus)?;
    Ok(corpus.to_owned())
}

/// The parts of a document's name, or what is wrong with it.
pub fn parse_document(name: &str) -> Result<DocumentName, String> {
    let form = || format!("{} is not of the form corpora/{{corpus}}/documents/{{document}}", shown(name));
    let (corpus, document_id) =
        name.strip_prefix("corpora/").and_then(|rest| rest.split_once("/documents/")).ok_or_else(form)?;
    check_corpus(corpus)?;
    check_document_id(document_id)?;
    Ok(DocumentName { corpus: corpus.to_owned(), document_id: document_id.to_owned() })
}

fn check_corpus(corpus: &str) -> Result<(), String> {
    if is_corpus(corpus) {
        return Ok(());
    }
    Err(format!(
        "{} is no corpus: use 1 to 63 small letters, digits and hyphens, beginning with a letter and not ending with \
         a hyphen",
        shown(corpus)
    ))
}

/// Whether a client may use this id for a document, or what is wrong with it.
pub fn check_document_id(id: &str) -> Result<(), String> {
    let sound = (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        // These two mean places in a URL's path, not names.
        && !matches!(id, "." | "..");
    if sound {
        Ok(())
    } else {
        Err(format!(
            "{} is no document id: use 1 to 128 letters, digits and -._~, not . or .. alone",
            shown(id)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_it_was_written() {
        let name = "corpora/desk-2/documents/2023.03~a_B-9";
        assert_eq!(parse_document(name).unwrap().to_string(), name);
        assert_eq!(parse_parent("").unwrap(), "default");
        assert_eq!(parse_parent("corpora/x").unwrap(), "x");
    }

    #[test]
    fn a_name_of_another_form_says_what_is_wrong() {
        for name in
            ["", "x", "corpora/a", "corpora//documents/b", "corpora/a/documents/", "corpora/A/documents/b"]
        {
            assert!(parse_document(name).is_err(), "{name}");
        }
        for name in [
            "corpora/a/documents/b/c",
            "corpora/-a/documents/b",
            "corpora/a/documents/ä",
            "corpora/a/documents/..",
        ] {
            assert!(parse_document(name).is_err(), "{name}");
        }
        assert!(parse_parent("corpora/a-").unwrap_err().contains("hyphen"));
    }
}
