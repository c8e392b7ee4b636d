//! Keeps answers within the message limit. What does not fit is left out with a warning that
//! names it, the bulkiest and least missed part first.

use prost::Message;

use super::error::ApiError;
use super::v1;

/// Room for what surrounds the measured part of an answer: the fields beside it, a warning; or for an error.
pub const SLACK_BYTES: usize = 4096;

/// Mentions that an entity keeps in an answer that is too large otherwise.
const FEW_MENTIONS: usize = 20;

type Part = (&'static str, fn(&mut v1::DocumentAnalysis));

const PARTS: [Part; 13] = [
    ("document.blocks", |analysis| {
        if let Some(document) = &mut analysis.document {
            document.blocks.clear();
        }
    }),
    ("sentences", |analysis| analysis.sentences.clear()),
    ("mentions after an entity's first twenty", |analysis| {
        for entity in &mut analysis.entities {
            entity.mentions.truncate(FEW_MENTIONS);
        }
    }),
    ("temporal_expressions", |analysis| analysis.temporal_expressions.clear()),
    ("quotes", |analysis| analysis.quotes.clear()),
    ("key_phrases", |analysis| analysis.key_phrases.clear()),
    ("document.text", |analysis| {
        if let Some(document) = &mut analysis.document {
            document.text.clear();
        }
    }),
    ("entities", |analysis| analysis.entities.clear()),
    // What is left may be large still where the document has a sentence or a title of its size.
    ("the texts of the summary's sentences", |analysis| {
        let sentences = analysis.summary.iter_mut().flat_map(|summary| &mut summary.sentences);
        sentences.flat_map(|sentence| &mut sentence.span).for_each(|span| span.text.clear());
    }),
    ("the topics' evidence", |analysis| {
        for topic in &mut analysis.topics {
            topic.evidence.clear();
        }
    }),
    ("document.labels", |analysis| {
        if let Some(document) = &mut analysis.document {
            document.labels.clear();
        }
    }),
    ("document.authors", |analysis| {
        if let Some(document) = &mut analysis.document {
            document.authors.clear();
        }
    }),
    ("document.title", |analysis| {
        if let Some(document) = &mut analysis.document {
            document.title.clear();
        }
    }),
];

/// What is left for the answers of a batch beside the errors of the documents that have none.
pub fn room_beside_errors<T>(results: &[Result<T, ApiError>], max_message_bytes: usize) -> usize {
    let errors = results.iter().filter(|result| result.is_err()).count();
    max_message_bytes.saturating_sub(SLACK_BYTES * errors)
}

/// Leaves parts of the analyses out until they fit into one message together. Where they do
/// not, each one gets an equal share of the room.
pub fn fit<'a>(analyses: impl Iterator<Item = &'a mut v1::DocumentAnalysis>, max_message_bytes: usize) {
    let mut analyses: Vec<_> = analyses.collect();
    let room = max_message_bytes.saturating_sub(SLACK_BYTES * analyses.len());
    if analyses.iter().map(|analysis| analysis.encoded_len()).sum::<usize>() <= room {
        return;
    }
    let share = room / analyses.len().max(1);
    for analysis in &mut analyses {
        fit_one(analysis, share);
    }
}

fn fit_one(analysis: &mut v1::DocumentAnalysis, room: usize) {
    let mut left_out = Vec::new();
    for (name, leave_out) in PARTS {
        let before = analysis.encoded_len();
        if before <= room {
            break;
        }
        leave_out(analysis);
        if analysis.encoded_len() < before {
            left_out.push(name);
        }
    }
    analysis.warnings.extend(warning(&left_out));
}

/// Leaves a document's blocks out, and then its text, where it does not fit into `room` bytes
/// otherwise. The content, from which both can be had again, stays.
pub fn fit_document(document: &mut v1::Document, room: usize) -> Option<v1::Warning> {
    let room = room.saturating_sub(SLACK_BYTES);
    let mut left_out = Vec::new();
    if document.encoded_len() > room && !document.blocks.is_empty() {
        document.blocks.clear();
        left_out.push("document.blocks");
    }
    if document.encoded_len() > room && !document.text.is_empty() {
        document.text.clear();
        left_out.push("document.text");
    }
    warning(&left_out)
}

pub fn warning(left_out: &[&str]) -> Option<v1::Warning> {
    (!left_out.is_empty()).then(|| v1::Warning {
        reason: "ANSWER_TOO_LARGE".to_owned(),
        message: format!(
            "left out so that the answer stays within the message limit: {}",
            left_out.join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis() -> v1::DocumentAnalysis {
        let span = Some(v1::TextSpan { begin: 1, end: 9, text: "a mention".into(), section: 1 });
        let mention = v1::EntityMention { span: span.clone(), r#type: 1, confidence: 1.0 };
        v1::DocumentAnalysis {
            sentences: vec![v1::Sentence { span }; 1000],
            entities: vec![v1::Entity { mentions: vec![mention; 5000], ..Default::default() }],
            ..Default::default()
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        let mut fitted = analysis();
        fit([&mut fitted].into_iter(), 4 << 20);
        assert_eq!(fitted, analysis());
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_named() {
        let mut fitted = analysis();
        fit([&mut fitted].into_iter(), 20_000);
        assert!(fitted.encoded_len() <= 20_000);
        assert_eq!(fitted.entities[0].mentions.len(), FEW_MENTIONS);
        let [warning] = fitted.warnings.as_slice() else { panic!("one warning") };
        assert_eq!(warning.reason, "ANSWER_TOO_LARGE");
        assert!(warning.message.contains("sentences, mentions"), "{}", warning.message);
    }
}
