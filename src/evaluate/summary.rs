//! Summaries against summaries that people wrote.

use serde::Deserialize;

use super::bootstrap::resampled_means;
use super::counts::{Documents, mean, ratio};
use super::gold::{self, Span};
use super::prediction::{Prediction, in_body};
use super::rouge::{Stems, rouge_lsum, rouge_n};
use super::words::{is_word_character, single_spaced};
use super::{Report, Scorer};

const METRICS: [&str; 3] = ["rouge1", "rouge2", "rougeLsum"];

/// Words that end in a full stop inside a sentence.
const ABBREVIATIONS: [&str; 28] = [
    "mr", "mrs", "ms", "dr", "sen", "rep", "gov", "gen", "lt", "col", "sgt", "st", "jr", "sr", "inc", "corp",
    "co", "ltd", "no", "vs", "jan", "feb", "aug", "sept", "oct", "nov", "dec", "etc",
];

#[derive(Deserialize)]
struct Gold {
    text: Option<String>,
    /// Summarised together, in place of one text.
    documents: Option<Vec<Document>>,
    /// A sentence a line, or all of it on one line.
    reference: String,
}

/// One of several documents that are summarised together.
#[derive(Deserialize)]
struct Document {
    text: String,
}

/// ROUGE-1, -2 and -Lsum: F1 times 100, the mean over the records. Each is also given for the
/// document's first sentences, as many as the summary has (`lead_f1`; of several documents, the first
/// sentence of each in turn, then the second), with the difference and
/// its bounds at 95% certainty.
pub struct Summaries {
    /// How many sentences of best rank to take; all if none.
    length: Option<usize>,
    documents: Documents,
    sentences: usize,
    words: usize,
    ours: Vec<[f64; 3]>,
    leads: Vec<[f64; 3]>,
}

impl Summaries {
    pub fn new(length: Option<usize>) -> Self {
        let documents = Documents::default();
        Self { length, documents, sentences: 0, words: 0, ours: Vec::new(), leads: Vec::new() }
    }
}

impl Scorer for Summaries {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let prediction = self.documents.count(prediction);
        let summary = match (&gold.text, &gold.documents) {
            (_, Some(_)) => joint_summary(&prediction, self.length),
            (Some(text), None) => summary(&prediction, text, self.length),
            (None, None) => return Err("neither \"text\" nor \"documents\" is there".to_owned()),
        };
        let length = self.length.unwrap_or(if summary.is_empty() { 3 } else { summary.len() });
        let lead = match &gold.documents {
            Some(documents) => joint_lead(documents, length),
            None => lead(&prediction, gold.text.as_deref().unwrap_or_default(), length),
        };
        let lines = gold.reference.split('\n').filter(|line| !line.trim().is_empty());
        let mut reference: Vec<String> = lines.map(str::to_owned).collect();
        if let [line] = reference.as_slice() {
            reference = plain_sentences(line);
        }
        let reference = Stems::new(&reference);
        self.ours.push(rouge(&reference, &Stems::new(&summary)));
        self.leads.push(rouge(&reference, &Stems::new(&lead)));
        self.sentences += summary.len();
        self.words += summary.iter().map(|sentence| sentence.split_whitespace().count()).sum::<usize>();
        Ok(())
    }

    fn report(&self) -> Report {
        let records = self.documents.all;
        let mut report = Report::default()
            .count("records", records)
            .count("missing", self.documents.missing)
            .share("sentences_per_summary", ratio(self.sentences as f64, records as f64))
            .share("words_per_summary", ratio(self.words as f64, records as f64));
        for (metric, name) in METRICS.into_iter().enumerate() {
            let scores = |rows: &[[f64; 3]]| rows.iter().map(|row| row[metric]).collect::<Vec<_>>();
            let (ours, lead) = (scores(&self.ours), scores(&self.leads));
            let differences: Vec<f64> = ours.iter().zip(&lead).map(|(ours, lead)| ours - lead).collect();
            let means = resampled_means(&differences, 17);
            let figures = Report::default()
                .share("f1", mean(ours))
                .share("lead_f1", mean(lead))
                .share("difference", mean(differences))
                .share("low", means[25])
                .share("high", means[975]);
            report = report.group(name, figures);
        }
        report
    }
}

fn rouge(reference: &Stems, summary: &Stems) -> [f64; 3] {
    [rouge_n(reference, summary, 1), rouge_n(reference, summary, 2), rouge_lsum(reference, summary)]
        .map(|f1| 100.0 * f1)
}

/// The sentences of a predicted summary in the order of the document.
fn summary(prediction: &Prediction, text: &str, length: Option<usize>) -> Vec<String> {
    let mut sentences: Vec<_> = prediction.summary.sentences.iter().collect();
    if let Some(length) = length.filter(|&length| length < sentences.len()) {
        sentences.sort_by_key(|sentence| sentence.rank());
        sentences.truncate(length);
    }
    let place = |span| in_body(span).unwrap_or(Span::new(0, 0));
    sentences.sort_by_key(|sentence| place(&sentence.span));
    let text = text_of(prediction, text);
    let texts = sentences.iter().map(|sentence| match &sentence.span {
        Some(span) if !span.text.is_empty() => single_spaced(&span.text),
        span => covered(&text, place(span)),
    });
    texts.filter(|sentence| !sentence.is_empty()).collect()
}

/// The sentences of a predicted summary of several documents, in the order of the prediction.
fn joint_summary(prediction: &Prediction, length: Option<usize>) -> Vec<String> {
    let texts = prediction.summary.sentences.iter().filter_map(|sentence| sentence.span.as_ref());
    let texts = texts.map(|span| single_spaced(&span.text)).filter(|text| !text.is_empty());
    texts.take(length.unwrap_or(usize::MAX)).collect()
}

/// The first sentence of each document, then the second of each, and so on.
fn joint_lead(documents: &[Document], length: usize) -> Vec<String> {
    let sentences: Vec<Vec<String>> =
        documents.iter().map(|document| plain_sentences(&document.text)).collect();
    let deepest = sentences.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn = (0..deepest).flat_map(|depth| sentences.iter().filter_map(move |of| of.get(depth)));
    in_turn.take(length).cloned().collect()
}

/// The document's first sentences: as the analysis has them, or else by a plain rule.
fn lead(prediction: &Prediction, text: &str, length: usize) -> Vec<String> {
    let spans = prediction.sentences.iter().filter_map(|sentence| in_body(&sentence.span));
    let mut spans: Vec<Span> = spans.filter(|span| span.len() > 0).collect();
    if spans.is_empty() {
        let mut sentences = plain_sentences(text);
        sentences.truncate(length);
        return sentences;
    }
    spans.sort_unstable();
    let text = text_of(prediction, text);
    let sentences = spans.into_iter().map(|span| covered(&text, span));
    sentences.filter(|sentence| !sentence.is_empty()).take(length).collect()
}

/// What the offsets of an analysis count in: the text that it kept, or else the record's.
fn text_of(prediction: &Prediction, text: &str) -> Vec<char> {
    let kept = prediction.document.text.as_deref().filter(|kept| !kept.is_empty());
    kept.unwrap_or(text).chars().collect()
}

fn covered(text: &[char], span: Span) -> String {
    single_spaced(&span.of(text).iter().collect::<String>())
}

/// Sentences by a plain rule: they end at line ends, and at full stops, exclamation and question
/// marks before a capital or a digit, but not after initials and some abbreviations.
fn plain_sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for line in text.split('\n') {
        let mut rest = line;
        // Where in `rest` to look for the next end.
        let mut at = 0;
        while let Some(mark) = rest[at..].find(['.', '!', '?']).map(|found| at + found) {
            let after = rest[mark..].trim_start_matches(['.', '!', '?']);
            let closed = after.trim_start_matches(['"', '”', '’', '\'', ')', ']']);
            let next = closed.trim_start();
            if next.len() == closed.len() || !can_begin_a_sentence(next) {
                at = rest.len() - after.len();
            } else if is_abbreviation(last_word(&rest[..mark])) {
                at = rest.len() - next.len();
            } else {
                sentences.push(rest[..rest.len() - next.len()].trim().to_owned());
                (rest, at) = (next, 0);
            }
        }
        if !rest.trim().is_empty() {
            sentences.push(rest.trim().to_owned());
        }
    }
    sentences
}

fn can_begin_a_sentence(text: &str) -> bool {
    let text = text.strip_prefix(['"', '“', '‘', '\'', '(', '[']).unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// The word at the end of a text, full stops inside it taken as part of it.
fn last_word(text: &str) -> &str {
    let before = text.trim_end_matches(|c| is_word_character(c) || c == '.');
    &text[before.len()..]
}

/// Whether a word is a known abbreviation, an initial, or initials with full stops between.
fn is_abbreviation(word: &str) -> bool {
    let word = word.to_lowercase();
    let is_initial = |part: &str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    ABBREVIATIONS.contains(&word.as_str()) || word.split('.').all(is_initial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_sentences_end_where_a_capital_follows() {
        let text =
            "Mr. J. Doe of the U.S. Senate left. “Why?” Nobody knew...  1 vote (of 3.5m.) \n Then he won! he";
        let expected = [
            "Mr. J. Doe of the U.S. Senate left.",
            "“Why?”",
            "Nobody knew...",
            "1 vote (of 3.5m.)",
            "Then he won! he",
        ];
        assert_eq!(plain_sentences(text), expected);
    }
}
