//! Page tokens: where a listing goes on, bound to what was listed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use prost::Message;
use sha2::{Digest, Sha256};

use super::v1;
use crate::store::Cursor;

/// Format of the token, its first byte.
const VERSION: u8 = 1;

/// The token that goes on after `cursor` in the listing of `corpus` by `filter`.
pub fn encode(cursor: Cursor, corpus: &str, filter: Option<&v1::DocumentFilter>) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&cursor.0.to_be_bytes());
    bytes.extend_from_slice(&fingerprint(corpus, filter));
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Where a token goes on, or what is wrong with it.
pub fn decode(token: &str, corpus: &str, filter: Option<&v1::DocumentFilter>) -> Result<Cursor, String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| unreadable())?;
    let bytes: [u8; 17] = bytes.try_into().map_err(|_| unreadable())?;
    let [version, rest @ ..] = bytes;
    let (cursor, print) = rest.split_at(8);
    if version != VERSION {
        return Err(unreadable());
    }
    if print != fingerprint(corpus, filter) {
        return Err("the page token belongs to another parent or filter; begin again without one".to_owned());
    }
    cursor.try_into().map(|cursor| Cursor(i64::from_be_bytes(cursor))).map_err(|_| unreadable())
}

/// Format of a token of taxonomies, its first byte.
const TAXONOMY_VERSION: u8 = 2;

/// The token that goes on after a taxonomy.
pub fn encode_taxonomy(id: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([&[TAXONOMY_VERSION], id.as_bytes()].concat())
}

/// The taxonomy that a token goes on after, or what is wrong with it.
pub fn decode_taxonomy(token: &str) -> Result<String, String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let id = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&[TAXONOMY_VERSION]));
    id.and_then(|id| String::from_utf8(id.to_vec()).ok()).ok_or_else(unreadable)
}

fn unreadable() -> String {
    "this is no page token of this server; begin again without one".to_owned()
}

fn fingerprint(corpus: &str, filter: Option<&v1::DocumentFilter>) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(corpus);
    hash.update([0]);
    hash.update(filter.map(Message::encode_to_vec).unwrap_or_default());
    let digest: [u8; 32] = hash.finalize().into();
    let mut print = [0; 8];
    print.copy_from_slice(&digest[..8]);
    print
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_serves_only_the_listing_it_was_made_for() {
        let filter = v1::DocumentFilter { publisher: "Example Times".into(), ..Default::default() };
        let token = encode(Cursor(42), "default", Some(&filter));
        assert_eq!(decode(&token, "default", Some(&filter)), Ok(Cursor(42)));
        assert!(decode(&token, "default", None).unwrap_err().contains("filter"));
        assert!(decode(&token, "other", Some(&filter)).unwrap_err().contains("parent"));
    }

    proptest! {
        #[test]
        fn no_string_panics_and_every_cursor_comes_back(text in ".*", cursor: i64) {
            let _ = decode(&text, "default", None);
            let _ = decode_taxonomy(&text);
            prop_assert_eq!(decode_taxonomy(&encode_taxonomy(&text)), Ok(text));
            prop_assert_eq!(decode(&encode(Cursor(cursor), "c", None), "c", None), Ok(Cursor(cursor)));
        }
    }
}
