//! Words without their endings, as numbers.

/// The hash of a word without letters, as of a possessive that stands alone.
pub const EMPTY: u32 = 0x811c_9dc5;

/// FNV-1a over a word in lower case and without possessive and plural ending: stable over
/// machines and releases, unlike the hashes of hash maps, because model files keep it.
/// `buffer` is scratch space.
pub fn stem_hash(word: &str, buffer: &mut Vec<u8>) -> u32 {
    buffer.clear();
    if matches!(word, "US" | "U.S." | "U.S") {
        // The country, not the pronoun.
        return fnv(EMPTY, b"usa");
    }
    if word.is_ascii() {
        buffer.extend(word.bytes().filter(|&byte| byte != b'.').map(|byte| byte.to_ascii_lowercase()));
    } else {
        for c in word.chars().flat_map(char::to_lowercase) {
            let c = if c == '’' { '\'' } else { c };
            buffer.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    fnv(EMPTY, singular(buffer))
}

/// Goes on hashing from `start`.
pub fn fnv(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Takes the possessive and the plural ending off a word in lower case, after Harman's
/// S stemmer ("How effective is suffixing?", 1991): a stronger stemmer would make one word
/// of "university" and "universe".
fn singular(word: &mut Vec<u8>) -> &[u8] {
    if word.ends_with(b"'s") {
        word.truncate(word.len() - 2);
    }
    if word.len() > 4 && word.ends_with(b"ies") {
        word.truncate(word.len() - 3);
        word.push(b'y');
    } else if word.len() > 3
        && word.ends_with(b"s")
        && ![b"ss", b"us", b"is"].iter().any(|end| word.ends_with(*end))
    {
        word.truncate(word.len() - 1);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plural_possessive_and_case_make_no_difference() {
        let hash = |word| stem_hash(word, &mut Vec::new());
        for (one, other) in
            [("Elections", "election"), ("policies", "policy"), ("Vietnam’s", "Vietnam"), ("U.S.", "USA")]
        {
            assert_eq!(hash(one), hash(other), "{one}");
        }
        assert_ne!(hash("university"), hash("universe"));
        assert_ne!(hash("US"), hash("us"));
        assert_ne!(hash("crisis"), hash("crisi"));
        assert_eq!(hash("'s"), EMPTY);
    }
}
