//! What pages glue to the prose of a line: metadata in front of it, notes behind it.

use std::ops::Range;

use crate::document::BlockKind;

/// Finds metadata in front of a line's prose: a publication date in machine form, and an
/// agency's name in brackets behind it (` date 2023-03-30 (Agency) -- The city …`).
///
/// An agency's name that follows no date is the dateline that the story itself opens with,
/// and stays.
pub fn head(line: &str) -> (Option<BlockKind>, Range<usize>) {
    let whole = (None, 0..line.len());
    let labelled = without_label(line);
    let Some(dated) = without_date(labelled.unwrap_or(line)) else { return whole };
    let dated = dated.trim_start();
    let bracketed = without_agency(dated);
    // "2023-03-30 was a day like any other" is prose.
    if labelled.is_none() && bracketed.is_none() {
        return whole;
    }
    let rest = bracketed.unwrap_or(dated).trim_start();
    if rest.is_empty() { whole } else { (Some(BlockKind::Dateline), line.len() - rest.len()..line.len()) }
}

fn without_label(line: &str) -> Option<&str> {
    let letters = line.find(|c: char| !c.is_alphabetic()).unwrap_or(line.len());
    let (label, rest) = line.split_at(letters);
    let known = ["date", "published", "posted", "updated", "created"];
    let rest = rest.trim_start_matches([':', '=', ' ', '\t']);
    known.iter().any(|known| label.eq_ignore_ascii_case(known)).then_some(rest)
}

/// Takes `2023-03-30` off, with a time behind it.
fn without_date(line: &str) -> Option<&str> {
    let (day, rest) = line.split_at_checked(10)?;
    let is_day = day.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => matches!(byte, b'-' | b'/'),
        _ => byte.is_ascii_digit(),
    });
    if !is_day || rest.starts_with(|c: char| c.is_alphanumeric() && c != 'T') {
        return None;
    }
    let time = rest.strip_prefix('T').unwrap_or(rest).trim_start();
    let after_time =
        time.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | 'Z'));
    Some(if time.starts_with(|c: char| c.is_ascii_digit()) && time.get(2..3) == Some(":") {
        after_time
    } else {
        rest
    })
}

/// Takes `(Agency) -- ` off.
fn without_agency(line: &str) -> Option<&str> {
    let (agency, rest) = line.strip_prefix('(')?.split_once(')')?;
    let dashes = rest.trim_start();
    let rest = dashes.trim_start_matches(['-', '–', '—']);
    (agency.len() <= 40 && rest.len() < dashes.len()).then_some(rest)
}

/// The agency that [`head`] found in front of a line's prose.
pub fn agency(head: &str) -> Option<&str> {
    let (_, rest) = head.split_once('(')?;
    rest.split_once(')').map(|(agency, _)| agency.trim()).filter(|agency| !agency.is_empty())
}

/// Finds a note of the editors in brackets between or behind the sentences of a line
/// (`… on Friday. (This story has been refiled to correct a name) It …`), or a credit
/// (`… (Reporting by Ann Lee; editing by Bob Ray)`): where it stands and what it is.
pub fn note(line: &str) -> Option<(Range<usize>, BlockKind)> {
    const LONGEST: usize = 600;
    line.match_indices(['(', '[']).find_map(|(begin, opening)| {
        let prose = line[..begin].trim_end();
        if !(prose.is_empty() || prose.ends_with(['.', '!', '?', '"', '”', '\'', '’'])) {
            return None;
        }
        let closing = if opening == "(" { ')' } else { ']' };
        let inside = &line[begin + 1..line.floor_char_boundary(begin + 1 + LONGEST)];
        let inside = &inside[..inside.find(closing)?];
        let kind = match () {
            () if is_credit(inside) => BlockKind::Byline,
            () if is_editors_note(inside) => BlockKind::Boilerplate,
            () => return None,
        };
        let end = begin + 1 + inside.len() + 1;
        let end = if line[end..].trim_end() == "." { line.len() } else { end };
        Some((begin..end, kind))
    })
}

/// Whether a line names those who helped to write the story, as agencies do after its end.
pub fn is_credit(line: &str) -> bool {
    const CREDITS: [&str; 12] = [
        "reporting by ",
        "additional reporting by ",
        "with assistance from ",
        "with assistance by ",
        "with reporting by ",
        "with additional reporting by ",
        "with contributions from ",
        "writing by ",
        "editing by ",
        "compiled by ",
        "reporting and writing by ",
        "written and edited by ",
    ];
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let begins =
        |credit: &&str| line.get(..credit.len()).is_some_and(|head| head.eq_ignore_ascii_case(credit));
    line.len() < 600 && CREDITS.iter().any(begins)
}

/// Whether a bracketed text is called an editor's note, or tells how the story itself was changed.
fn is_editors_note(note: &str) -> bool {
    let words: Vec<String> = note
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(12)
        .map(str::to_lowercase)
        .collect();
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    let opens = words.first().is_some_and(|word| {
        ["this", "the", "editor", "editors", "corrects", "updates", "refiles", "removes", "adds", "note"]
            .contains(&word.as_str())
    });
    let of_story =
        has(&["story", "article", "report", "version", "headline", "paragraph", "item", "piece", "note"]);
    let changed = has(&[
        "correct", "corrected", "corrects", "correction", "refiled", "refiles", "updated", "updates",
        "amended", "clarify", "clarifies", "clarified", "removes", "adds", "fixes", "changed", "republished",
    ]);
    let called = words.first().is_some_and(|word| word.starts_with("editor")) && has(&["note"]);
    called || opens && of_story && changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_in_front_of_prose_is_told_from_prose() {
        let rest = |line: &'static str| &line[head(line).1];
        assert_eq!(rest("date 2024-05-06 (Wire) -- Ministers met."), "Ministers met.");
        assert_eq!(rest("date 2024-05-06 Ministers meet in Lund"), "Ministers meet in Lund");
        assert_eq!(rest("Published: 2024-05-06 10:30 Ministers met."), "Ministers met.");
        assert_eq!(rest("2024-05-06 (Wire) - Ministers met."), "Ministers met.");
        for prose in [
            "2024-05-06 was a Monday.",
            "LUND (Wire) - Ministers met.",
            "(Wire) -- Ministers met.",
            "Date palms grew.",
            "date 2024-05-06",
        ] {
            assert_eq!(rest(prose), prose);
        }
        assert_eq!(agency("date 2024-05-06 (Wire) --"), Some("Wire"));
    }

    #[test]
    fn notes_behind_prose_are_told_from_asides() {
        let prose = |line: &'static str| {
            note(line).map(|(at, kind)| (line[..at.start].trim_end(), line[at.end..].trim_start(), kind))
        };
        let corrected = "They left. (This story has been corrected to give her age in paragraph 3)";
        assert_eq!(prose(corrected), Some(("They left.", "", BlockKind::Boilerplate)));
        let between = "They left. [Editor's note: her age was wrong at first.] The rest stayed.";
        assert_eq!(prose(between), Some(("They left.", "The rest stayed.", BlockKind::Boilerplate)));
        let credit = "They left. (Reporting by Ann Lee; editing by Bob Ray).";
        assert_eq!(prose(credit), Some(("They left.", "", BlockKind::Byline)));
        for aside in ["They left. (The rest stayed.)", "They left (this story is well known)", ")", "(", "()"]
        {
            assert_eq!(prose(aside), None, "{aside}");
        }
        assert!(is_credit("--With assistance from Ann Lee and Bob Ray."));
        assert!(!is_credit("Reporting bylaws were passed."));
    }
}
