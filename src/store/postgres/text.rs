//! U+0000, which PostgreSQL's text cannot hold.
//!
//! Names and texts that have it, or the character that stands for it, are escaped; all others are
//! in the tables as they are.

use std::borrow::Cow;

use crate::store::columns::DocumentRow;

const ESCAPE: char = '\u{1}';

/// Text as it is kept.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => escaped.extend([ESCAPE, '0']),
            ESCAPE => escaped.extend([ESCAPE, '1']),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Text as it was before [`escape`].
pub fn unescape(text: String) -> String {
    if !text.contains(ESCAPE) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ESCAPE if chars.next() == Some('0') => plain.push('\0'),
            c => plain.push(c),
        }
    }
    plain
}

/// A row with its texts as they were.
pub fn unescape_row(mut row: DocumentRow) -> DocumentRow {
    row.corpus = unescape(row.corpus);
    row.document_id = unescape(row.document_id);
    row.content_hash = unescape(row.content_hash);
    row.text = row.text.map(unescape);
    row
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_and_no_two_are_kept_alike(a in "[\0\u{1}01a]*", b in "[\0\u{1}01a]*") {
            prop_assert!(!escape(&a).contains('\0'));
            prop_assert_eq!(unescape(escape(&a).into_owned()), a.clone());
            prop_assert_eq!(escape(&a) == escape(&b), a == b);
        }
    }
}
