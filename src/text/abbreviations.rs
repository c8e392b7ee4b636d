//! English abbreviations, by what a full stop after them can mean.

/// How an abbreviation with its full stop stands to the word after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abbreviation {
    /// Before a name or a number, never last in a sentence: "Dr.", "Gen.", "vs.".
    Leading,
    /// Before a number: "No. 5", "p. 7", "Fig. 2", "Jan. 3". Before a word the sentence may end.
    Numbered,
    /// After a name or a figure; the sentence may end: "Inc.", "Jr.", "Calif.".
    Trailing,
}

/// In lower case; sorted, for binary search.
const LEADING: &[&str] = &[
    "adm", "amb", "atty", "brig", "capt", "cf", "cmdr", "col", "cpl", "cpt", "dep", "det", "dr", "drs",
    "esp", "ft", "gen", "gov", "hon", "insp", "lt", "maj", "messrs", "mgr", "mme", "mr", "mrs", "ms", "msgr",
    "mt", "mx", "ofc", "pfc", "ph", "pres", "prof", "pvt", "rep", "reps", "rev", "sen", "sens", "sgt", "spc",
    "sr", "st", "ste", "supt", "viz", "vs",
];

const NUMBERED: &[&str] = &[
    "apr", "art", "aug", "ca", "ch", "dec", "eq", "ext", "feb", "fig", "figs", "jan", "jul", "jun", "mar",
    "no", "nos", "nov", "oct", "p", "pp", "sec", "sep", "sept", "vol",
];

const TRAILING: &[&str] = &[
    "al", "ala", "approx", "ariz", "ark", "assn", "assoc", "ave", "bldg", "blvd", "bros", "calif", "cent",
    "co", "colo", "conn", "corp", "del", "dept", "dist", "ed", "eds", "esq", "est", "etc", "fla", "ga",
    "govt", "hwy", "ill", "inc", "ind", "intl", "jr", "kan", "ky", "ltd", "mass", "md", "mich", "minn", "mo",
    "mont", "neb", "nev", "okla", "ore", "pa", "penn", "rd", "rte", "tenn", "tex", "univ", "va", "vt",
    "wash", "wis", "wyo",
];

/// Domains that stand bare in prose; country codes are left out, since they are words, too.
const TOP_LEVEL_DOMAINS: &[&str] = &[
    "ai", "app", "au", "biz", "ca", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "info", "int", "io",
    "jp", "mil", "net", "news", "org", "ru", "tv", "uk", "vn",
];

/// Words that are abbreviations only with a capital: "no.", "art." and "sun." end sentences.
const ONLY_CAPITAL: &[&str] = &[
    "ala", "art", "ark", "ave", "col", "conn", "dec", "del", "dep", "fig", "gen", "ill", "ind", "jan", "jun",
    "kan", "mar", "mass", "mont", "ms", "mt", "no", "nos", "nov", "oct", "ore", "pa", "pres", "rep", "reps",
    "rev", "sec", "sen", "sept", "st", "tex", "wash", "ft", "ed", "det", "hon", "est", "cent", "ch", "co",
    "va", "md", "ga", "mo", "maj",
];

/// What kind of abbreviation `word`, written without its last full stop, is.
pub(super) fn kind(word: &str) -> Option<Abbreviation> {
    let mut lower = [0; 8];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word.as_bytes());
    let capital = lower.first()?.is_ascii_uppercase();
    lower.make_ascii_lowercase();
    let lower = std::str::from_utf8(lower).ok()?;
    let has = |words: &[&str]| words.contains(&lower);
    if !capital && has(ONLY_CAPITAL) {
        None
    } else if has(LEADING) {
        Some(Abbreviation::Leading)
    } else if has(NUMBERED) {
        Some(Abbreviation::Numbered)
    } else if has(TRAILING) {
        Some(Abbreviation::Trailing)
    } else {
        None
    }
}

pub(super) fn is_abbreviation(word: &str) -> bool {
    kind(word).is_some()
}

pub(super) fn is_top_level_domain(label: &str) -> bool {
    TOP_LEVEL_DOMAINS.contains(&label)
}
