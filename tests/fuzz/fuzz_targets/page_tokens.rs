//! Page tokens: what a server gave is understood as it was meant, and anything else is refused or is itself
//! a token that a server might have given.

#![no_main]

use copydesk::api::page_token;
use copydesk::api::v1::DocumentFilter;
use copydesk::store::Cursor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, i64, u8, u8)| {
    let (text, corpus, publisher, cursor, at, byte) = input;
    let filter = DocumentFilter { publisher: publisher.to_owned(), ..DocumentFilter::default() };
    let token = page_token::encode(Cursor(cursor), corpus, Some(&filter));
    assert_eq!(page_token::decode(&token, corpus, Some(&filter)), Ok(Cursor(cursor)));
    // A filter that lets everything through is as none.
    assert_eq!(page_token::decode(&token, corpus, None).is_ok(), publisher.is_empty());

    let mut changed = token.into_bytes();
    let place = usize::from(at) % changed.len();
    changed[place] = byte;
    for token in [text, &String::from_utf8_lossy(&changed)] {
        match page_token::decode(token, corpus, Some(&filter)) {
            Ok(cursor) => assert_eq!(page_token::encode(cursor, corpus, Some(&filter)), token),
            Err(why) => assert!(!why.is_empty()),
        }
        if let Ok(id) = page_token::decode_taxonomy(token) {
            assert_eq!(page_token::encode_taxonomy(&id), token);
        }
    }
    assert_eq!(page_token::decode_taxonomy(&page_token::encode_taxonomy(text)), Ok(text.to_owned()));
});
