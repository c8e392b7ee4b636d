//! From bytes to text.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a page its own declaration is looked for, in bytes.
const DECLARED_WITHIN: usize = 4_096;

/// A text decoded from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    /// Whether some bytes made no character; U+FFFD stands in their place.
    pub damaged: bool,
}

/// Decodes a page. `label` is the charset that came with it (the `charset` parameter of the
/// media type), if any.
///
/// Evidence in the bytes goes before declarations: a byte order mark; valid UTF-8; then the
/// label, the page's own `<meta charset>`, and statistics, the first of them that the bytes
/// fit. Pages mostly in UTF-8 with pieces of windows-1252 are read as both.
pub fn decode(bytes: &[u8], label: Option<&str>) -> Decoded {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let (text, damaged) = encoding.decode_without_bom_handling(&bytes[length..]);
        return Decoded { text: text.into_owned(), damaged };
    }
    let named = label.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let declared = [named, declared_in_page(bytes)];
    if let Ok(text) = std::str::from_utf8(bytes)
        && !declared.iter().flatten().any(|&it| it == ISO_2022_JP)
    {
        return Decoded { text: text.to_owned(), damaged: false };
    }
    for encoding in declared.into_iter().flatten() {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            return Decoded { text: text.into_owned(), damaged: false };
        }
    }
    let says_utf8 = declared.iter().flatten().all(|&it| it == UTF_8);
    if says_utf8 && let Some(text) = mostly_utf8(bytes) {
        return Decoded { text, damaged: false };
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let (text, damaged) = detector.guess(None, Utf8Detection::Allow).decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), damaged }
}

/// The charset that a page declares in a `<meta>` or XML declaration near its beginning.
fn declared_in_page(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(DECLARED_WITHIN)].to_ascii_lowercase();
    [&b"charset"[..], b"encoding"].into_iter().find_map(|word| {
        let mut rest = head.as_slice();
        while let Some(at) = rest.windows(word.len()).position(|window| window == word) {
            rest = &rest[at + word.len()..];
            if let Some(encoding) = declared_value(rest) {
                return Some(encoding);
            }
        }
        None
    })
}

/// The charset in `="windows-1252"`.
fn declared_value(text: &[u8]) -> Option<&'static Encoding> {
    let value = text.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
    let ends = |b: &u8| !(b.is_ascii_alphanumeric() || b"-_:.".contains(b));
    let label = &value[..value.iter().position(ends).unwrap_or(value.len())];
    let encoding = Encoding::for_label(label)?;
    // A page whose ASCII declaration can be read is not in UTF-16.
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

/// Decodes UTF-8, and single bytes that are none as windows-1252. None where that is more
/// than an accident: fewer good sequences than bad ones.
fn mostly_utf8(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            bad += 1;
            text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        }
    }
    (good >= bad).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], label: Option<&str>) -> String {
        decode(bytes, label).text
    }

    #[test]
    fn declared_charsets_are_read_from_label_and_page() {
        assert_eq!(text(b"caf\xe9", Some("iso-8859-1")), "café");
        assert_eq!(
            text(b"<meta charset='windows-1251'>\xcc\xe8\xf0", None),
            "<meta charset='windows-1251'>Мир"
        );
        let page = b"<meta http-equiv=content-type content=\"text/html; charset=iso-8859-2\">\xb1";
        assert!(text(page, None).ends_with('ą'));
        assert_eq!(text(b"\xff\xfeH\0i\0", Some("utf-8")), "Hi");
    }

    #[test]
    fn wrong_declarations_are_seen_through() {
        assert_eq!(text("café".as_bytes(), Some("iso-8859-1")), "café");
        assert_eq!(text("<meta charset=utf-16>Größe".as_bytes(), None), "<meta charset=utf-16>Größe");
        let latin = b"<meta charset=utf-8>Gr\xf6\xdfe, sch\xf6n, f\xfcr Stra\xdfen und B\xe4ume";
        assert!(text(latin, None).ends_with("Größe, schön, für Straßen und Bäume"));
    }

    #[test]
    fn two_charsets_in_one_page_are_both_read() {
        let mut page = "“Größe” für Bäume, ".as_bytes().to_vec();
        page.extend(b"it\x92s");
        assert_eq!(text(&page, Some("utf-8")), "“Größe” für Bäume, it’s");
    }

    #[test]
    fn undeclared_bytes_are_guessed() {
        let (russian, _, _) = encoding_rs::WINDOWS_1251.encode("Президент подписал новый закон о выборах");
        assert_eq!(text(&russian, None), "Президент подписал новый закон о выборах");
        assert_eq!(text(b"", None), "");
        assert_eq!(text(b"charset", None), "charset");
    }
}
