//! Articles of ten kinds, written for this test: what a summary of three sentences says, the
//! topics, and the key phrases. A person has read what is expected (tests/golden_articles/*.snap).

use std::sync::LazyLock;

use copydesk::analyzer::{Analysis, Analyzer, Checkpoint, Feature, Features, Options};
use copydesk::document::{Content, Source};
use copydesk::extract::Mode;

static ENGINE: LazyLock<Analyzer> =
    LazyLock::new(|| Analyzer::load().expect("the embedded models are sound"));

/// What stands above an article on the page of a newspaper, and below it.
const ABOVE: &str = "Skip to content\nMenu\nHome\nNews\nPolitics\nBusiness\nSport\nCulture\nSubscribe\nSign in\n\
    The Ellery Courier\nTrending\nHow to sleep through a heatwave\nQuiz of the week\n";
const BELOW: &str = "\nShare this article\nFacebook\nX\nCopy link\nRelated stories\n\
    Ten gardens to see before autumn\nBakers fear for the flour harvest\nWhy the ferry to Lorne is always late\n\
    Most read\n1\nMan finds wedding ring in potato\n2\nCouncil votes to keep the geese\n\
    Sign up to our newsletter\nGet the day's best stories in your inbox every morning.\n\
    About us\nContact\nPrivacy policy\nTerms of use\n© 2026 The Ellery Courier. All rights reserved.\n";

fn analyze(content: &str) -> Analysis {
    let source = Source { content: Content::Text(content.to_owned()), ..Source::default() };
    let features = [Feature::KeyPhrases, Feature::Summary, Feature::Topics];
    let options = Options { features: features.into_iter().collect::<Features>(), ..Options::default() };
    ENGINE.analyze(&source, Mode::Auto, &options, &Checkpoint::default(), &()).expect("no deadline")
}

fn summary(analysis: &Analysis) -> Vec<&str> {
    let text = &analysis.article.text;
    let summary = analysis.summary.as_ref().expect("was asked for");
    summary.sentences.iter().map(|sentence| sentence.span.of(text)).collect()
}

/// What a reader of the answer sees.
fn told(article: &str) -> String {
    let analysis = analyze(article);
    let topics = analysis.topics.as_ref().expect("was asked for");
    let phrases = analysis.key_phrases.as_ref().expect("was asked for");
    let topics: Vec<&str> = topics.iter().map(|topic| topic.display_name.as_str()).collect();
    let phrases: Vec<&str> = phrases.iter().map(|phrase| phrase.text.as_str()).collect();
    format!(
        "{}\n\n- {}\n\ntopics: {}\nkey phrases: {}\n",
        analysis.article.title,
        summary(&analysis).join("\n- "),
        topics.join("; "),
        phrases.join("; "),
    )
}

macro_rules! golden {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let article = include_str!(concat!("golden_articles/", stringify!($name), ".txt"));
            insta::with_settings!({ snapshot_path => "golden_articles", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), told(article));
            });
        })*

        const ARTICLES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("golden_articles/", stringify!($name), ".txt")))),*];
    };
}

golden! {
    sport_report
    market_report
    court_case
    obituary
    election
    explainer
    listicle
    live_blog
    press_release
    interview
}

/// Not all: where a teaser reads like the title, or short lines like a menu, the page's reading of
/// the article differs, and with it the summary.
#[test]
fn most_articles_have_the_same_summary_with_a_page_around_them() {
    let is_same = |(name, article): &&(&str, &str)| {
        let (alone, on_page) = (analyze(article), analyze(&format!("{ABOVE}{article}{BELOW}")));
        let same = summary(&alone) == summary(&on_page);
        println!("{name}: {}", if same { "the same" } else { "differs" });
        same
    };
    assert!(ARTICLES.iter().filter(is_same).count() >= 8);
}
