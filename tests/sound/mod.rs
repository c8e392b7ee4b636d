//! What holds of every result of the engine, whatever it was given.

#![allow(dead_code, reason = "every test binary uses its own part")]

use copydesk::analyzer::Analysis;
use copydesk::document::{Article, Section, Span, TextSpan};
use copydesk::text::Segmented;
use copydesk::text::offsets::{OffsetConverter, OffsetUnit};

/// Every span lies inside its text, on character boundaries, in order.
pub fn assert_analysis(analysis: &Analysis) {
    let texts = Texts::of(&analysis.article);
    assert_article(&analysis.article);
    let sentences: Vec<_> = analysis.sentences.iter().flatten().copied().collect();
    texts.assert_apart(&sentences);
    for entity in analysis.entities.iter().flatten() {
        assert!(!entity.name.is_empty() && !entity.mentions.is_empty());
        texts.assert_in_order(entity.mentions.iter().map(|mention| mention.span).collect());
    }
    let salience: f32 = analysis.entities.iter().flatten().map(|entity| entity.salience).sum();
    assert!((0.0..=1.001).contains(&salience), "{salience}");
    texts.assert_in_order(analysis.quotes.iter().flatten().map(|quote| quote.span).collect());
    texts.assert_in_order(analysis.temporal_expressions.iter().flatten().map(|found| found.span).collect());
    for phrase in analysis.key_phrases.iter().flatten() {
        texts.assert_in_order(phrase.spans.clone());
    }
    for topic in analysis.topics.iter().flatten() {
        assert!((0.0..=1.0).contains(&topic.confidence));
        texts.assert_in_order(topic.evidence.clone());
    }
    let summary = analysis.summary.iter().flat_map(|summary| &summary.sentences);
    texts.assert_in_order(summary.map(|sentence| body(sentence.span)).collect());
}

/// Blocks lie in the text one after another, and those alone that belong there.
pub fn assert_article(article: &Article) {
    let spans: Vec<_> = article.blocks.iter().filter_map(|block| block.span).collect();
    Texts::of(article).assert_apart(&spans);
    assert!(article.blocks.iter().all(|block| block.span.is_none() || block.kind.in_text()));
}

/// Tokens and sentences are in order; every token stands in one sentence, white space in none.
pub fn assert_segmented(segmented: &Segmented<'_>) {
    let mut end = 0;
    for token in &segmented.tokens {
        assert!(end <= token.begin && token.begin < token.end);
        assert!(!token.span().of(segmented.text).contains(char::is_whitespace));
        end = token.end;
    }
    let mut next = 0;
    for sentence in &segmented.sentences {
        assert_eq!(sentence.tokens.start, next);
        assert_eq!(segmented.span_of(sentence.tokens.clone()), sentence.span);
        next = sentence.tokens.end;
    }
    assert_eq!(next, segmented.tokens.len());
    assert!(segmented.sentences.is_sorted_by_key(|sentence| sentence.paragraph));
}

/// The two texts that spans point into, ready to be counted in other units.
pub struct Texts<'a> {
    texts: [&'a str; 2],
    converters: [[OffsetConverter<'a>; 2]; 2],
}

impl<'a> Texts<'a> {
    pub fn of(article: &'a Article) -> Self {
        let texts = [article.text.as_str(), article.title.as_str()];
        let units = [OffsetUnit::Utf16, OffsetUnit::Utf32];
        Self { texts, converters: texts.map(|text| units.map(|unit| OffsetConverter::new(text, unit))) }
    }

    /// Not empty, inside its text, on character boundaries, and so in every unit.
    pub fn assert_inside(&self, place: TextSpan) {
        let (span, which) = (place.span, usize::from(place.section == Section::Title));
        let text = self.texts[which];
        let inside = span.begin < span.end && text.get(span.range()).is_some();
        assert!(inside, "{span:?} in {} bytes", text.len());
        for converter in &self.converters[which] {
            assert!(converter.convert(span.begin) < converter.convert(span.end));
        }
    }

    pub fn assert_in_order(&self, spans: Vec<TextSpan>) {
        assert!(spans.is_sorted(), "{spans:?}");
        spans.into_iter().for_each(|span| self.assert_inside(span));
    }

    /// Places of the body, in order and without overlap.
    pub fn assert_apart(&self, spans: &[Span]) {
        assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].begin), "{spans:?}");
        self.assert_in_order(spans.iter().map(|&span| body(span)).collect());
    }
}

fn body(span: Span) -> TextSpan {
    TextSpan::body(span.begin, span.end)
}
