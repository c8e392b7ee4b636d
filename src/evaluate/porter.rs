//! Porter's stemmer, which ROUGE compares words by.
//!
//! Porter, "An algorithm for suffix stripping", 1980, with the extensions that NLTK has by
//! default and that the usual implementations of ROUGE therefore have too: short words in -ies
//! and -ied, -y only after a consonant, -alli before the other suffixes of step 2, -fulli and
//! -logi, and a list of exceptions. The crate `rust-stemmers` has the later algorithm called
//! English or Porter 2, whose stems differ.

/// Words that the rules would get wrong, with their stems.
const EXCEPTIONS: [(&str, &str); 16] = [
    ("skies", "sky"),
    ("sky", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Suffixes with what takes their place; the first that a word ends in is the one that counts.
type Rules = [(&'static str, &'static str)];

const STEP_2: [(&str, &str); 22] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
    ("logi", "log"),
];

const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
];

/// The stem of a word of lower-case ASCII letters and digits.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = EXCEPTIONS.iter().find(|(exception, _)| *exception == word) {
        return (*stem).to_owned();
    }
    let mut word = word.to_owned();
    if word.len() <= 2 {
        return word;
    }
    plural(&mut word);
    past_and_participle(&mut word);
    final_y(&mut word);
    double_suffixes(&mut word);
    replace(&mut word, &STEP_3, |stem, _| measure(stem) > 0);
    single_suffixes(&mut word);
    final_e(&mut word);
    word
}

/// Step 1a: caresses, ponies, cats; dies.
fn plural(word: &mut String) {
    let ies = if word.len() == 4 { "ie" } else { "i" };
    replace(word, &[("sses", "ss"), ("ies", ies), ("ss", "ss"), ("s", "")], |_, _| true);
}

/// Step 1b: agreed, plastered, motoring; died.
fn past_and_participle(word: &mut String) {
    if word.ends_with("ied") {
        word.truncate(word.len() - if word.len() == 4 { 1 } else { 2 });
    } else if let Some(stem) = word.strip_suffix("eed") {
        if measure(stem) > 0 {
            word.pop();
        }
    } else if let Some(stem) = word.strip_suffix("ed").or_else(|| word.strip_suffix("ing"))
        && has_vowel(stem)
    {
        word.truncate(stem.len());
        mend(word);
    }
}

/// Makes a word again of what is left without -ed or -ing: conflat(e), hop(p), fil(e).
fn mend(word: &mut String) {
    if ["at", "bl", "iz"].iter().any(|end| word.ends_with(end)) {
        word.push('e');
    } else if ends_in_double_consonant(word) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_in_short_syllable(word) {
        word.push('e');
    }
}

/// Step 1c: happy, but not enjoy.
fn final_y(word: &mut String) {
    if let Some(stem) = word.strip_suffix('y')
        && stem.len() > 1
        && consonants(stem).last() == Some(true)
    {
        word.pop();
        word.push('i');
    }
}

/// Step 2: suffixes made of two.
fn double_suffixes(word: &mut String) {
    if let Some(stem) = word.strip_suffix("alli")
        && measure(stem) > 0
    {
        word.truncate(stem.len() + "al".len());
    }
    // The l of -logi counts with the stem, so that "geologi" is treated as "archaeologi".
    replace(word, &STEP_2, |stem, suffix| match suffix {
        "logi" => measure(&format!("{stem}l")) > 0,
        _ => measure(stem) > 0,
    });
}

/// Step 4: suffixes that stand alone.
fn single_suffixes(word: &mut String) {
    let rules = STEP_4.map(|suffix| (suffix, ""));
    replace(word, &rules, |stem, suffix| {
        measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't']))
    });
}

/// Step 5: probate, controll.
fn final_e(word: &mut String) {
    if let Some(stem) = word.strip_suffix('e')
        && (measure(stem) > 1 || measure(stem) == 1 && !ends_in_short_syllable(stem))
    {
        word.pop();
    }
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
}

/// Replaces the first suffix that the word ends in, where `allowed` for the stem before it.
fn replace(word: &mut String, rules: &Rules, allowed: impl Fn(&str, &str) -> bool) {
    let found = rules.iter().find_map(|&(suffix, new)| Some((word.strip_suffix(suffix)?, suffix, new)));
    if let Some((stem, suffix, new)) = found
        && allowed(stem, suffix)
    {
        word.truncate(stem.len());
        word.push_str(new);
    }
}

/// For each letter whether it is a consonant; y is one but after a consonant.
fn consonants(word: &str) -> impl Iterator<Item = bool> {
    word.bytes().scan(false, |after_consonant, letter| {
        *after_consonant = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !*after_consonant,
            _ => true,
        };
        Some(*after_consonant)
    })
}

/// How often a consonant follows a vowel: 0 in "tree", 1 in "trouble", 2 in "private".
fn measure(stem: &str) -> usize {
    let following = consonants(stem).skip(1);
    consonants(stem).zip(following).filter(|&(first, second)| !first && second).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).any(|consonant| !consonant)
}

fn ends_in_double_consonant(stem: &str) -> bool {
    let [.., first, second] = stem.as_bytes() else { return false };
    first == second && consonants(stem).last() == Some(true)
}

/// Consonant, vowel, consonant other than w, x and y at the end, as in "hop"; or vowel and
/// consonant alone.
fn ends_in_short_syllable(stem: &str) -> bool {
    let shape: Vec<bool> = consonants(stem).collect();
    match shape.as_slice() {
        [false, true] => true,
        [.., true, false, true] => !stem.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_those_of_the_paper() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("conflated", "conflat"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("relational", "relat"),
            ("vietnamization", "vietnam"),
            ("electricity", "electr"),
            ("adoption", "adopt"),
            ("controlling", "control"),
            ("cease", "ceas"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    #[test]
    fn stems_have_the_usual_extensions() {
        for (word, expected) in [
            ("dies", "die"),
            ("died", "die"),
            ("spied", "spi"),
            ("enjoyment", "enjoy"),
            ("dying", "die"),
            ("news", "news"),
            ("succeed", "succeed"),
            ("geologically", "geolog"),
            ("geology", "geolog"),
            ("radically", "radic"),
            ("1980s", "1980"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
