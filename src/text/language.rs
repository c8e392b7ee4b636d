//! Which language a text is in.

/// The BCP 47 tag (`en`, `vi`, `pt`) of the language most of `text` is in, or none where
/// there is too little text to tell.
pub fn detect(text: &str) -> Option<&'static str> {
    let _ = text;
    None
}
