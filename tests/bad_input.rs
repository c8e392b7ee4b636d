//! Whatever is sent, the engine answers: sound spans, no panic, no waiting.

mod sound;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use copydesk::analyzer::{Analysis, Analyzer, Checkpoint, Features, Options};
use copydesk::document::{Content, MimeType, Source};
use copydesk::extract::Mode;
use proptest::prelude::*;

static ENGINE: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::load().expect("the models are sound"));

fn analyze(content: Content, mime_type: MimeType, mode: Mode) -> Analysis {
    let source = Source { content, mime_type, ..Source::default() };
    let options = Options { features: Features::ALL, ..Options::default() };
    let analysis = ENGINE.analyze(&source, mode, &options, &Checkpoint::default(), &()).expect("no deadline");
    assert!(analysis.failed.is_empty(), "failed: {:?}", analysis.failed);
    sound::assert_analysis(&analysis);
    analysis
}

fn plain(text: &str) -> Analysis {
    analyze(Content::Text(text.to_owned()), MimeType::Plain, Mode::Auto)
}

/// Far more than any of these inputs takes on a loaded machine, and far less than quadratic
/// work on them would.
const PATIENCE: Duration = Duration::from_secs(60);

fn answers_in_time(name: &str, content: &str, mime_type: MimeType) {
    for mode in [Mode::Auto, Mode::None] {
        let started = Instant::now();
        analyze(Content::Text(content.to_owned()), mime_type, mode);
        assert!(started.elapsed() < PATIENCE, "{name} took {:?}", started.elapsed());
    }
}

const MIB: usize = 1 << 20;

#[test]
fn a_mebibyte_of_anything_is_answered() {
    let names: String = (0..10_000).map(|n| format!("Person Nr{n} Smith met Ann Lee{n}. ")).collect();
    let inputs: [(&str, String); 13] = [
        ("one word", "a".repeat(MIB)),
        ("one capital word", "A".repeat(MIB)),
        ("words", "word ".repeat(MIB / 5)),
        ("one name", "Ann Lee ".repeat(50_000)),
        ("many names", names),
        ("full stops", ".".repeat(MIB)),
        ("line feeds", "a\n".repeat(MIB / 2)),
        ("quotation marks", "\"".repeat(MIB)),
        ("quotations in one sentence", "Ann kept saying: “we go” ".repeat(MIB / 29)),
        ("short sentences", "No. Yes! ".repeat(MIB / 9)),
        ("numbers", "2023-03-30 ".repeat(MIB / 11)),
        ("emoji", "😀".repeat(MIB / 4)),
        ("right to left", "مرحبا بالعالم. ".repeat(MIB / 26)),
    ];
    for (name, input) in &inputs {
        answers_in_time(name, input, MimeType::Plain);
    }
}

#[test]
fn hostile_markup_is_answered() {
    let inputs: [(&str, String); 8] = [
        ("nested div", "<div>".repeat(MIB / 5)),
        ("nested formatting", "<b><i>".repeat(MIB / 6)),
        ("nested tables", "<table><tr><td>".repeat(MIB / 15)),
        ("open anchors", "<a href=x>y".repeat(MIB / 11)),
        ("attributes", format!("<p {}>text</p>", "a=b ".repeat(MIB / 5))),
        ("an open comment", format!("<!--{}", "-".repeat(MIB))),
        ("angle brackets", "<".repeat(MIB)),
        ("character references", "&#x26;&amp;".repeat(MIB / 11)),
    ];
    for (name, input) in &inputs {
        answers_in_time(name, input, MimeType::Html);
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_decoded() {
    let latin = "Le maire, très fâché, a quitté la réunion à Genève. ".repeat(20);
    let bytes: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    let content = Content::Bytes { bytes, charset: None };
    let analysis = analyze(content, MimeType::Plain, Mode::Auto);
    assert!(analysis.article.text.contains("très fâché"), "{}", analysis.article.text);
    let garbage: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    analyze(
        Content::Bytes { bytes: garbage, charset: Some("no-such-charset".into()) },
        MimeType::Html,
        Mode::Auto,
    );
}

#[test]
fn a_language_without_models_is_named_and_still_summarised() {
    let text = "Der Stadtrat von Neustadt hat am Mittwoch beschlossen, die alte Brücke über den Fluss zu erneuern. \
                Die Arbeiten sollen im kommenden Frühjahr beginnen und etwa zwei Jahre dauern. \
                Bürgermeisterin Anna Keller sagte, die Stadt habe lange auf diese Entscheidung gewartet. \
                Anwohner befürchten jedoch, dass der Verkehr während der Bauzeit durch ihre Straßen geleitet wird.";
    let analysis = plain(text);
    assert_eq!(analysis.article.language_code, "de");
    assert!(analysis.warnings.iter().any(|w| w.reason == "NO_MODEL_FOR_LANGUAGE"), "{:?}", analysis.warnings);
    assert!(!analysis.summary.expect("a summary").sentences.is_empty());
}

#[test]
fn nothing_to_read_is_said_and_not_guessed() {
    for text in ["", " \n\t ", "😀😀😀"] {
        let analysis = plain(text);
        assert!(!analysis.warnings.is_empty(), "{text:?}");
        assert!(analysis.topics.is_none_or(|topics| topics.is_empty()), "{text:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_answer() {
    let page = include_str!("../examples/articles/harbour-bridge.txt");
    let first = format!("{:?}", plain(page));
    let again = Analyzer::load().expect("the models are sound");
    let source = Source { content: Content::Text(page.to_owned()), ..Source::default() };
    let options = Options { features: Features::ALL, ..Options::default() };
    let second =
        again.analyze(&source, Mode::Auto, &options, &Checkpoint::default(), &()).expect("no deadline");
    assert_eq!(first, format!("{second:?}"));
}

/// Strings with what breaks tokenisers: marks, quotes, several scripts, line ends.
fn awkward() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[A-Z][a-z]{1,8}",
        "[a-z]{1,10}",
        "[0-9]{1,4}",
        Just("U.S.".to_owned()),
        Just("“".to_owned()),
        Just("” he said.".to_owned()),
        Just("&#039;".to_owned()),
        Just("on Wednesday".to_owned()),
        Just("\n\n".to_owned()),
        Just("Nguyễn".to_owned()),
        Just("e\u{301}\u{200d}👩‍👩‍👧".to_owned()),
        "\\PC{1,6}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gives_sound_spans(text in prop_oneof![awkward(), any::<String>()]) {
        plain(&text);
        let whole = analyze(Content::Text(text.clone()), MimeType::Plain, Mode::None);
        prop_assert_eq!(&whole.article.text, &text);
    }

    #[test]
    fn any_markup_gives_sound_spans(text in awkward(), tags in "(<[a-z]{1,6}( [a-z]{1,5}=\"[a-z]{0,5}\")?>|</[a-z]{1,6}>|[a-z ]{1,9}){0,40}") {
        analyze(Content::Text(format!("{tags}{text}</p>{tags}")), MimeType::Html, Mode::Auto);
    }

    #[test]
    fn any_bytes_give_sound_spans(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        analyze(Content::Bytes { bytes, charset: None }, MimeType::Plain, Mode::Auto);
    }
}
