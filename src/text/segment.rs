//! Cuts texts into sentences and tokens.

use rustc_hash::FxHashMap;

use super::stem::stem_hash;
use super::{Form, Segmented, SegmentedArticle, Token, TokenKind, sentences, tokens};
use crate::document::{Article, Section};

/// Cuts `text` into sentences and tokens. `breaks` are the offsets, in order, where a block
/// begins: no sentence runs over one.
pub fn segment<'a>(text: &'a str, section: Section, breaks: &[usize]) -> Segmented<'a> {
    segment_in("en", text, section, breaks)
}

/// Languages that write a full stop behind ordinals.
const WITH_ORDINALS: [&str; 16] =
    ["de", "da", "nb", "nn", "no", "is", "fi", "et", "lv", "cs", "sk", "sl", "hr", "sr", "pl", "hu"];

/// The same in a language, by its BCP 47 tag.
fn segment_in<'a>(language: &str, text: &'a str, section: Section, breaks: &[usize]) -> Segmented<'a> {
    let tokens = tokens::tokenize(text);
    let has_ordinals = language.split('-').next().is_some_and(|language| WITH_ORDINALS.contains(&language));
    let sentences = sentences::split(text, &tokens, breaks, has_ordinals);
    let (forms, form_of) = forms(text, &tokens);
    Segmented { text, section, tokens, sentences, forms, form_of }
}

/// The distinct forms of a text's tokens, and each token's place among them.
fn forms<'a>(text: &'a str, tokens: &[Token]) -> (Vec<Form<'a>>, Vec<u32>) {
    let mut buffer = Vec::with_capacity(32);
    let mut places = FxHashMap::<(&str, TokenKind), u32>::default();
    places.reserve(tokens.len() / 3);
    let mut forms = Vec::with_capacity(tokens.len() / 3);
    let place_of = |token: &Token| {
        let (text, kind) = (token.span().of(text), token.kind);
        *places.entry((text, kind)).or_insert_with(|| {
            let capital = text.starts_with(char::is_uppercase);
            forms.push(Form { text, kind, stem: stem_hash(text, &mut buffer), capital });
            forms.len() as u32 - 1
        })
    };
    let form_of = tokens.iter().map(place_of).collect();
    (forms, form_of)
}

/// Cuts an article's title and body.
pub fn segment_article(article: &Article) -> SegmentedArticle<'_> {
    let breaks: Vec<usize> =
        article.blocks.iter().filter_map(|block| block.span).map(|span| span.begin).collect();
    let language = &article.language_code;
    SegmentedArticle {
        article,
        title: segment_in(language, &article.title, Section::Title, &[]),
        body: segment_in(language, &article.text, Section::Body, &breaks),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use rustc_hash::FxHashSet;

    use super::*;

    fn sentences<'a>(text: &'a str, breaks: &[usize]) -> Vec<&'a str> {
        segment(text, Section::Body, breaks).sentences.iter().map(|sentence| sentence.span.of(text)).collect()
    }

    /// Cuts the text that `expected` make when a space joins them, and wants them back.
    #[track_caller]
    fn assert_sentences(expected: &[&str]) {
        assert_eq!(sentences(&expected.join(" "), &[]), expected);
    }

    #[test]
    fn abbreviations_end_sentences_only_before_a_new_one() {
        assert_sentences(&[
            "Mr. Lee met U.S. Secretary Kim Park in Washington, D.C., on Jan. 5.",
            "He left.",
        ]);
        assert_sentences(&["They live in the U.S.", "The house is small."]);
        assert_sentences(&["J. K. Rowling and George W. Bush met at 5 p.m. Tuesday at Acme Corp. in Paris."]);
        assert_sentences(&["It opens at 9 a.m.", "Visitors may enter by Gate No. 5, e.g. with a ticket."]);
        assert_sentences(&["Prices rose 2.5 percent.", "See www.example.org for more."]);
    }

    #[test]
    fn quotations_keep_their_closing_marks_and_their_speakers() {
        assert_sentences(&["“We won.", "We knew it,” she said.", "“It is over.”", "He left."]);
        assert_sentences(&["\"Why now?\" he asked.", "\"Is it true?\" Smith asked."]);
        assert_sentences(&["He waited ... and waited.", "Nothing came…", "Then it rained."]);
        assert_sentences(&["(She was not there.)", "Nobody was.[3]", "It closed."]);
    }

    #[test]
    fn other_scripts_end_sentences_their_own_way() {
        assert_eq!(sentences("他走了。她来了！真的？", &[]), ["他走了。", "她来了！", "真的？"]);
        assert_sentences(&["هل وصل؟", "نعم وصل."]);
        assert_sentences(&["वह आया।", "वह गया।"]);
    }

    #[test]
    fn ordinals_of_other_languages_end_no_sentence() {
        let german =
            "Am 3. März soll der 2. Bürgermeister z. B. zurücktreten. Das ist neu. Es waren 140. Gut.";
        let count = |language: &str| {
            let code = language.to_owned();
            let article = Article { text: german.to_owned(), language_code: code, ..Article::default() };
            segment_article(&article).body.sentences.len()
        };
        assert_eq!(count("de"), 4);
        assert_eq!(count("de-AT"), 4);
        assert!(count("en") > 4);
    }

    #[test]
    fn lines_end_sentences_unless_prose_was_wrapped() {
        assert_eq!(
            sentences("Storm hits coast\nWind tore roofs off.\n• One\n• Two", &[]),
            ["Storm hits coast", "Wind tore roofs off.", "• One", "• Two"]
        );
        let wrapped = "The storm that hit the coast on Monday tore the roofs\noff more than forty houses and left the harbour without\npower until the next morning. Nobody was hurt.";
        assert_eq!(sentences(wrapped, &[]).len(), 2);
        let headings = "A heading of some length that is no sentence at all\nAnother heading of some length that is none either";
        assert_eq!(sentences(headings, &[]).len(), 2);
    }

    #[test]
    fn blocks_end_sentences_and_paragraphs_are_counted() {
        let text = "A heading The text of it. More.\n\nThe end.";
        let segmented = segment(text, Section::Body, &[0, 10, 33]);
        let read: Vec<_> =
            segmented.sentences.iter().map(|found| (found.span.of(text), found.paragraph)).collect();
        assert_eq!(read, [("A heading", 0), ("The text of it.", 1), ("More.", 1), ("The end.", 2)]);
    }

    fn assert_sound(text: &str, breaks: &[usize]) {
        let segmented = segment(text, Section::Body, breaks);
        let mut end = 0;
        for token in &segmented.tokens {
            assert!(end <= token.begin && token.begin < token.end);
            assert!(!token.span().of(text).contains(char::is_whitespace));
            end = token.end;
        }
        let mut next = 0;
        for sentence in &segmented.sentences {
            assert_eq!(sentence.tokens.start, next);
            assert_eq!(segmented.span_of(sentence.tokens.clone()), sentence.span);
            next = sentence.tokens.end;
        }
        assert_eq!(next, segmented.tokens.len());
        for token in 0..next {
            let form = segmented.form(token);
            assert_eq!((form.text, form.kind), (segmented.word(token), segmented.tokens[token].kind));
        }
        let distinct: FxHashSet<_> = segmented.forms.iter().map(|form| (form.text, form.kind)).collect();
        assert_eq!(distinct.len(), segmented.forms.len());
        assert!(segmented.sentences.is_sorted_by_key(|sentence| sentence.paragraph));
    }

    proptest! {
        #[test]
        fn tokens_and_sentences_are_in_order_and_whole(text in "\\PC{0,200}", at in 0..200_usize) {
            assert_sound(&text, &[]);
            assert_sound(&text, &[text.floor_char_boundary(at)]);
        }

        #[test]
        fn marks_in_any_order_are_cut_soundly(text in "[a-cA-C0-3 .'’“”\"!?@:/\\-_,&()\\[\\]\n\t…。\u{301}\u{200d}👩🇻]{0,200}") {
            assert_sound(&text, &[]);
        }
    }

    #[test]
    fn long_runs_of_anything_take_no_longer_than_prose() {
        let pieces = [
            "a", ".", "\n", "\"", "'", "A. ", "[1] ", "a.", "@a", "a@", "-", "\u{301}", "👩\u{200d}", "a.b.",
            "1,", "a'", "(", "https://", "。", "a\n", " ", "\r\n", "www.", "word ",
        ];
        for piece in pieces {
            let text = piece.repeat((1 << 18) / piece.len());
            let started = Instant::now();
            assert_sound(&text, &[]);
            assert!(started.elapsed() < Duration::from_secs(2), "{piece:?} took {:?}", started.elapsed());
        }
    }
}
