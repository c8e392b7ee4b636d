//! Quotations and who said them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;

use super::counts::{Share, harmonic_mean};
use super::gold::{self, Span, or_default};
use super::prediction::{self, Prediction, in_body};
use super::words::is_letter_or_digit;
use super::{Report, Scorer};

/// How much of a quotation must agree.
const ENOUGH: f64 = 0.8;

const PRONOUNS: [&str; 18] = [
    "he", "she", "it", "they", "we", "i", "you", "who", "him", "her", "them", "us", "me", "one", "that",
    "this", "these", "those",
];

/// What follows one of these words is no head of the phrase, unless the phrase so far is only
/// one of [`NO_HEAD`].
const AFTER_HEAD: [&str; 14] =
    ["of", "who", "whose", "which", "that", "for", "in", "at", "from", "on", "with", "to", "and", "the"];

const NO_HEAD: [&str; 5] = ["the", "one", "some", "many", "all"];

#[derive(Deserialize)]
struct Gold {
    text: String,
    quotes: Vec<GoldQuote>,
}

#[derive(Deserialize)]
struct GoldQuote {
    #[serde(flatten)]
    span: Span,
    /// direct, mixed or indirect.
    kind: String,
    speaker: Option<Span>,
    /// The pieces of a quotation that is interrupted.
    #[serde(default, deserialize_with = "or_default")]
    parts: Vec<Span>,
    /// What of a mixed one stands inside quotation marks.
    #[serde(default, deserialize_with = "or_default")]
    quoted: Vec<Span>,
}

/// Offsets of letters and digits: marks and spaces at a quotation's ends make no difference.
type Characters = BTreeSet<usize>;

/// A gold quotation with its characters.
struct Wanted<'a> {
    quote: &'a GoldQuote,
    characters: Characters,
    quoted: Characters,
}

/// A right prediction of one gold quotation.
struct Hit<'a> {
    /// How many characters the two share.
    shared: usize,
    characters: &'a Characters,
    speaker: Option<&'a prediction::TextSpan>,
}

/// Scores quotations in two settings: direct ones, and direct and mixed ones.
#[derive(Debug)]
pub struct Quotes {
    settings: [Setting; 2],
}

impl Default for Quotes {
    fn default() -> Self {
        Self { settings: [Setting::new(&["direct"]), Setting::new(&["direct", "mixed"])] }
    }
}

/// Scores quotations of some kinds.
///
/// A prediction is right when 80% of its characters lie in one gold quotation of these kinds; it
/// is set aside when that one is of another kind. A gold quotation is found when 80% of its
/// characters are covered by predictions of it that are right; of a mixed one, 80% of those
/// inside quotation marks will do. Precision is the share of right predictions, recall that of
/// found quotations.
///
/// The speaker of a found quotation is right when the prediction that shares most with it has a
/// speaker that touches the head word of the gold's, or whose own head word is the same name.
/// `unknown` is the share without a predicted speaker; the figures that are `named` leave out
/// speakers that are pronouns.
#[derive(Debug, Default)]
struct Setting {
    kinds: &'static [&'static str],
    right: Share,
    set_aside: usize,
    found: Share,
    missing: usize,
    speaker: Share,
    named_speaker: Share,
    unknown: usize,
}

impl Scorer for Quotes {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let text: Vec<char> = gold.text.chars().collect();
        gold::check("quotes", gold.quotes.iter().map(|quote| quote.span), &text)?;
        for (at, quote) in gold.quotes.iter().enumerate() {
            gold::check(&format!("quotes[{at}].parts"), quote.parts.iter().copied(), &text)?;
            gold::check(&format!("quotes[{at}].quoted"), quote.quoted.iter().copied(), &text)?;
            gold::check(&format!("quotes[{at}].speaker"), quote.speaker, &text)?;
        }
        let wanted: Vec<Wanted> = gold.quotes.iter().map(|quote| Wanted::new(quote, &text)).collect();
        let predicted = prediction.map(|prediction| prediction.quotes.as_slice()).unwrap_or_default();
        let spans = predicted.iter().map(|quote| in_body(&quote.span));
        let covered: Vec<Characters> = spans.map(|span| characters(&text, span)).collect();
        for setting in &mut self.settings {
            setting.missing += usize::from(prediction.is_none());
            let hits = setting.match_up(&wanted, predicted, &covered);
            for (wanted, hits) in wanted.iter().zip(&hits) {
                setting.score(wanted, hits, &text);
            }
        }
        Ok(())
    }

    fn report(&self) -> Report {
        let settings = self.settings.iter();
        settings.fold(Report::default(), |report, one| report.group(&one.kinds.join("+"), one.report()))
    }
}

impl Setting {
    fn new(kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..Self::default() }
    }

    /// The right predictions of each gold quotation. A prediction that lies in several belongs to
    /// one of the setting's kinds, and of those to the shortest.
    fn match_up<'a>(
        &mut self,
        wanted: &[Wanted],
        predicted: &'a [prediction::Quote],
        covered: &'a [Characters],
    ) -> Vec<Vec<Hit<'a>>> {
        let mut hits: Vec<Vec<Hit>> = wanted.iter().map(|_| Vec::new()).collect();
        for (quote, characters) in predicted.iter().zip(covered).filter(|(_, c)| !c.is_empty()) {
            let fits = (0..wanted.len()).filter(|&n| enough(characters, &wanted[n].characters));
            let preference = |&n: &usize| (self.counts(&wanted[n]), Reverse(wanted[n].characters.len()), n);
            let Some(best) = fits.max_by_key(preference) else {
                self.right.count(false);
                continue;
            };
            if !self.counts(&wanted[best]) {
                self.set_aside += 1;
                continue;
            }
            self.right.count(true);
            let shared = shared(characters, &wanted[best].characters);
            hits[best].push(Hit { shared, characters, speaker: quote.speaker.as_ref() });
        }
        hits
    }

    fn counts(&self, wanted: &Wanted) -> bool {
        self.kinds.contains(&wanted.quote.kind.as_str())
    }

    fn score(&mut self, wanted: &Wanted, hits: &[Hit], text: &[char]) {
        if !self.counts(wanted) || wanted.characters.is_empty() {
            return;
        }
        let got: Characters = hits.iter().flat_map(|hit| hit.characters).copied().collect();
        let inside_marks = wanted.quote.kind == "mixed" && !wanted.quoted.is_empty();
        let found = enough(&wanted.characters, &got) || inside_marks && enough(&wanted.quoted, &got);
        self.found.count(found);
        let best = hits.iter().rev().max_by_key(|hit| hit.shared);
        if let (true, Some(speaker), Some(best)) = (found, wanted.quote.speaker, best) {
            let known = best.speaker.filter(|known| known.end() > 0 || !known.text.is_empty());
            self.unknown += usize::from(known.is_none());
            let right = known.is_some_and(|known| is_same_speaker(text, speaker, known));
            self.speaker.count(right);
            if !is_pronoun(&lower(speaker.of(text))) {
                self.named_speaker.count(right);
            }
        }
    }

    fn report(&self) -> Report {
        let (precision, recall) = (self.right.value(), self.found.value());
        Report::default()
            .count("gold", self.found.of)
            .count("found", self.found.yes)
            .count("predicted", self.right.of)
            .count("set_aside", self.set_aside)
            .count("missing", self.missing)
            .share("p", precision)
            .share("r", recall)
            .share("f1", harmonic_mean(precision, recall))
            .count("speakers", self.speaker.of)
            .share("speaker_accuracy", self.speaker.value())
            .count("speakers_named", self.named_speaker.of)
            .share("speaker_accuracy_named", self.named_speaker.value())
            .share("unknown", Share { yes: self.unknown, of: self.speaker.of }.value())
    }
}

impl<'a> Wanted<'a> {
    fn new(quote: &'a GoldQuote, text: &[char]) -> Self {
        let parts = if quote.parts.is_empty() { vec![quote.span] } else { quote.parts.clone() };
        Self {
            quote,
            characters: characters(text, parts),
            quoted: characters(text, quote.quoted.iter().copied()),
        }
    }
}

fn characters(text: &[char], spans: impl IntoIterator<Item = Span>) -> Characters {
    let offsets = spans.into_iter().flat_map(|span| span.within(text.len()));
    offsets.filter(|&at| is_letter_or_digit(text[at])).collect()
}

fn shared(a: &Characters, b: &Characters) -> usize {
    a.intersection(b).count()
}

/// Whether enough of `part` lies in `whole`.
fn enough(part: &Characters, whole: &Characters) -> bool {
    shared(part, whole) as f64 >= ENOUGH * part.len() as f64
}

fn is_same_speaker(text: &[char], gold: Span, predicted: &prediction::TextSpan) -> bool {
    let head = {
        let head = head(gold.of(text));
        Span::new(gold.begin + head.start, gold.begin + head.end)
    };
    let place = predicted.in_body();
    if place.is_some_and(|place| place.shared(head) > 0) {
        return true;
    }
    let words: Vec<char> = match place {
        Some(place) if predicted.text.is_empty() => place.of(text).to_vec(),
        _ => predicted.text.chars().collect(),
    };
    let name = head.of(text);
    name.first().is_some_and(|c| c.is_uppercase())
        && !is_pronoun(&lower(name))
        && lower(name) == lower(&words[self::head(&words)])
}

/// The head word of a noun phrase, without a possessive ending: the last word of its first part,
/// which ends before a comma, a bracket or a word like "of". The whole phrase if it has no word.
fn head(phrase: &[char]) -> Range<usize> {
    let mut head: Option<Range<usize>> = None;
    for word in compound_words(phrase) {
        if let Some(head) = &head {
            let between = &phrase[head.end..word.start];
            let ends = between.iter().any(|c| ",;:()[]—–".contains(*c))
                || AFTER_HEAD.contains(&lower(&phrase[word.clone()]).as_str())
                    && !NO_HEAD.contains(&lower(&phrase[head.clone()]).as_str());
            if ends {
                break;
            }
        }
        head = Some(word);
    }
    let Some(head) = head else { return 0..phrase.len() };
    match phrase[head.clone()] {
        [.., '\'' | '’', 's'] => head.start..head.end - 2,
        _ => head,
    }
}

/// Runs of letters and digits, also when hyphens, full stops, apostrophes or ampersands join them.
fn compound_words(phrase: &[char]) -> Vec<Range<usize>> {
    let is_letter = |at: usize| phrase.get(at).is_some_and(|c| is_letter_or_digit(*c));
    let is_joint = |at: usize| phrase.get(at).is_some_and(|c| "-.'’&".contains(*c));
    let mut words = Vec::new();
    let mut at = 0;
    while at < phrase.len() {
        let start = at;
        while is_letter(at) || at > start && is_joint(at) && is_letter(at + 1) {
            at += 1;
        }
        if at > start {
            words.push(start..at);
        }
        at += 1;
    }
    words
}

fn is_pronoun(words: &str) -> bool {
    PRONOUNS.contains(&words.trim())
}

fn lower(text: &[char]) -> String {
    text.iter().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_phrase_is_what_its_speaker_is_called() {
        for (phrase, expected) in [
            ("Jane Doe, the mayor of Oslo", "Doe"),
            ("the spokesman for the Smith-O'Hara Co.", "spokesman"),
            ("the man in charge", "man"),
            ("the mayor’s", "mayor"),
            ("J.K. (Jo) Rowling", "J.K"),
            ("“…”", "“…”"),
        ] {
            let phrase: Vec<char> = phrase.chars().collect();
            assert_eq!(phrase[head(&phrase)].iter().collect::<String>(), expected);
        }
    }
}
