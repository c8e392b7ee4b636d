//! Which language a text is in.

use whatlang::{Detector, Info, Lang, Script};

/// Bytes read from each of the places a long text is sampled at: its begin, and two on the way.
const SAMPLE: usize = 400;

/// Letters without which no language is named.
const LEAST_LETTERS: usize = 12;

/// Letters from which on trigrams alone tell languages of one script apart.
const ENOUGH_LETTERS: usize = 160;

/// The BCP 47 tag (`en`, `vi`, `pt`) of the language most of `text` is in, or none where
/// there is too little text to tell.
pub fn detect(text: &str) -> Option<&'static str> {
    let sample = sample(text);
    let letters = sample.chars().filter(|c| c.is_alphabetic()).take(ENOUGH_LETTERS).count();
    if letters < LEAST_LETTERS && sample.is_ascii() {
        return None;
    }
    if is_plain_english(&sample) {
        return Some("en");
    }
    let info = Detector::new().detect(&sample)?;
    let lang = if letters < ENOUGH_LETTERS && info.script() == Script::Latin {
        short_latin(&sample, &info)?
    } else {
        (info.is_reliable() || info.confidence() > 0.3).then(|| info.lang())?
    };
    Some(tag(lang))
}

/// A text of so many words, this share of them English function words and so many different ones
/// among these, is English without a look at its trigrams. Nearly all English articles have that
/// share, other languages less than a third of it, unless they quote English titles.
const PLAIN_WORDS: usize = 60;
const PLAIN_SHARE: f32 = 0.07;
const PLAIN_DIFFERENT: u32 = 4;

/// Whether English function words alone tell that a text is English.
fn is_plain_english(text: &str) -> bool {
    let (mut words, mut frequent, mut different) = (0, 0, 0_u32);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        if let Some(place) = PLAIN_ENGLISH.iter().position(|english| english.eq_ignore_ascii_case(word)) {
            frequent += 1;
            different |= 1 << place;
        }
    }
    words >= PLAIN_WORDS
        && frequent as f32 >= PLAIN_SHARE * words as f32
        && different.count_ones() >= PLAIN_DIFFERENT
}

/// Function words that are rare in other languages.
const PLAIN_ENGLISH: [&str; 12] =
    ["the", "of", "and", "that", "with", "from", "this", "they", "which", "their", "were", "would"];

/// Words so frequent that a heading or caption has one, in languages that trigrams confuse in
/// short texts. No word is listed twice.
#[rustfmt::skip]
const FREQUENT_WORDS: &[(Lang, &[&str])] = &[
    (Lang::Eng, &["the", "of", "to", "and", "for", "with", "from", "after", "over", "by", "his", "says", "not", "will", "how", "at", "you", "that", "this", "new", "is"]),
    (Lang::Fra, &["le", "les", "des", "et", "du", "dans", "pour", "est", "une", "sur", "aux", "qui"]),
    (Lang::Deu, &["der", "und", "das", "ist", "nicht", "mit", "von", "für", "auf", "zu", "ein", "eine", "dem"]),
    (Lang::Spa, &["el", "los", "las", "y", "del", "una", "para", "con", "su"]),
    (Lang::Por, &["os", "da", "do", "uma", "dos", "não", "em", "com", "ao"]),
    (Lang::Ita, &["il", "di", "che", "della", "gli", "per", "nel", "è"]),
    (Lang::Nld, &["het", "een", "van", "voor", "niet", "bij", "ook", "wil", "zijn", "naar", "wordt", "jaar"]),
    (Lang::Nob, &["og", "til", "ikke", "som", "på", "av", "etter", "ble", "fra", "vil", "også"]),
    (Lang::Dan, &["af", "efter", "blev", "mere", "fik"]),
];

/// Places of Norwegian and Danish in [`FREQUENT_WORDS`].
const NOB: usize = 7;
const DAN: usize = 8;

/// English words that are words of Dutch and the Scandinavian languages, too ("to" is two).
const SHARED_WORDS: [&str; 6] = ["to", "over", "for", "at", "is", "by"];

/// The language of a short text: the one its frequent words are of, unless trigrams are sure of
/// one that has no such words in the list.
fn short_latin(text: &str, info: &Info) -> Option<Lang> {
    let mut votes = [0; FREQUENT_WORDS.len()];
    let may_share = matches!(info.lang(), Lang::Nob | Lang::Dan | Lang::Swe | Lang::Nld | Lang::Afr);
    for word in text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase) {
        if may_share && SHARED_WORDS.contains(&word.as_str()) {
            continue;
        }
        let lists = FREQUENT_WORDS.iter().map(|(_, words)| words);
        if let Some(language) = lists.into_iter().position(|words| words.contains(&word.as_str())) {
            votes[language] += 1;
        }
    }
    // Danish and Norwegian have most of their frequent words in common.
    if votes[NOB] > 0 && (votes[DAN] > 0 || info.lang() == Lang::Dan) {
        votes[DAN] += std::mem::take(&mut votes[NOB]);
    }
    let best = votes.iter().copied().max().filter(|most| *most > 0);
    let mut winners =
        votes.iter().zip(FREQUENT_WORDS).filter(|(count, _)| Some(**count) == best && best.is_some());
    match (winners.next(), winners.next()) {
        (Some((_, (lang, _))), None) if best > Some(1) || info.lang() == *lang || !info.is_reliable() => {
            Some(*lang)
        }
        (_, None) if info.is_reliable() && !matches!(info.lang(), Lang::Lat | Lang::Epo) => Some(info.lang()),
        _ => None,
    }
}

/// Pieces of the text's begin, middle and last third; the whole of a short text.
fn sample(text: &str) -> String {
    if text.len() <= 3 * SAMPLE {
        return text.to_owned();
    }
    let piece = |begin: usize| {
        let begin = text.ceil_char_boundary(begin);
        &text[begin..text.floor_char_boundary(begin + SAMPLE)]
    };
    [piece(0), piece(text.len() / 3), piece(text.len() * 2 / 3)].join(" ")
}

/// All of whatlang's languages have a two-letter code; it names them by three.
const fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Epo => "eo",
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Cmn => "zh",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Ben => "bn",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ukr => "uk",
        Lang::Kat => "ka",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Heb => "he",
        Lang::Yid => "yi",
        Lang::Pol => "pl",
        Lang::Amh => "am",
        Lang::Jav => "jv",
        Lang::Kor => "ko",
        Lang::Nob => "nb",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Fin => "fi",
        Lang::Tur => "tr",
        Lang::Nld => "nl",
        Lang::Hun => "hu",
        Lang::Ces => "cs",
        Lang::Ell => "el",
        Lang::Bul => "bg",
        Lang::Bel => "be",
        Lang::Mar => "mr",
        Lang::Kan => "kn",
        Lang::Ron => "ro",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        Lang::Tam => "ta",
        Lang::Vie => "vi",
        Lang::Urd => "ur",
        Lang::Tha => "th",
        Lang::Guj => "gu",
        Lang::Uzb => "uz",
        Lang::Pan => "pa",
        Lang::Aze => "az",
        Lang::Ind => "id",
        Lang::Tel => "te",
        Lang::Pes => "fa",
        Lang::Mal => "ml",
        Lang::Ori => "or",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Sin => "si",
        Lang::Khm => "km",
        Lang::Tuk => "tk",
        Lang::Aka => "ak",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        Lang::Afr => "af",
        Lang::Lat => "la",
        Lang::Slk => "sk",
        Lang::Cat => "ca",
        Lang::Tgl => "tl",
        Lang::Hye => "hy",
        Lang::Cym => "cy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_names_and_quotations_do_not_make_a_text_english() {
        let dutch = "De film van de Amerikaanse regisseur, die in het Engels The End of the Road heet, wordt \
            vanaf donderdag in alle bioscopen vertoond. Volgens de krant is het een van de beste films \
            van het jaar, of zelfs van de laatste tien jaar. ";
        assert_ne!(detect(&dutch.repeat(3)), Some("en"));
        let english = "The minister said that the talks with the unions would go on for another week. ";
        assert_eq!(detect(&english.repeat(6)), Some("en"));
    }

    #[test]
    fn languages_are_told_from_a_sentence() {
        for (language, text) in [
            ("en", "The minister told reporters on Tuesday that the talks would go on for another week."),
            ("vi", "Tổng bí thư đã có cuộc điện đàm với tổng thống vào tối thứ tư tại Hà Nội."),
            ("pt", "O presidente disse na terça-feira que as negociações vão continuar por mais uma semana."),
            ("de", "Der Minister sagte am Dienstag, die Gespräche würden noch eine Woche dauern."),
            ("fr", "Le ministre a déclaré mardi que les discussions se poursuivraient encore une semaine."),
            ("zh", "部长周二告诉记者，会谈将再持续一周。"),
            ("ja", "大臣は火曜日、会談がさらに一週間続くと記者団に語った。"),
            ("ru", "Министр сообщил во вторник, что переговоры продлятся ещё неделю."),
            ("ar", "قال الوزير يوم الثلاثاء إن المحادثات ستستمر أسبوعا آخر."),
        ] {
            assert_eq!(detect(text), Some(language), "{text}");
        }
    }

    #[test]
    fn one_word_does_not_make_a_sentence_english() {
        for (language, text) in [
            ("nb", "Regjeringen vil bruke to milliarder kroner på nye ferger til kysten."),
            ("da", "Regeringen vil bruge to milliarder kroner på nye færger efter sommeren."),
            ("nl", "Kabinet wil over drie jaar nieuwe veerboten naar de eilanden laten varen."),
            ("en", "Council votes to close terminal over repair bill"),
        ] {
            assert_eq!(detect(text), Some(language), "{text}");
        }
    }

    #[test]
    fn too_little_text_has_no_language() {
        for text in ["", "12,500.00", "🎉🎉🎉 🚀", "OK", "… — …", "\u{0}\u{1}"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn a_heading_is_not_called_latin() {
        for text in
            ["Senate Passes Budget Bill", "Markets rally as inflation cools", "Storm nears Florida coast"]
        {
            assert!(matches!(detect(text), None | Some("en")), "{text}: {:?}", detect(text));
        }
    }
}
