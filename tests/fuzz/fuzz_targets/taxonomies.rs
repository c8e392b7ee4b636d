//! Files of taxonomies: read whole, or refused with the lines that are wrong; what was read tags a document.

#![no_main]

use std::sync::{Arc, LazyLock};

use copydesk::analyzer::{Checkpoint, Feature, Features, Options};
use copydesk::document::Article;
use copydesk::topics::{self, Choice, Definition};
use copydesk_fuzz::{ENGINE, article, sound};
use libfuzzer_sys::fuzz_target;

static ARTICLE: LazyLock<Article> = LazyLock::new(|| {
    article(
        "The harbour of Northwick was shut on Tuesday. Ships waited, and the council met about the bridge."
            .as_bytes(),
    )
});

fuzz_target!(|data: &[u8]| {
    for file in ["a.toml", "a.json"] {
        match Definition::parse(file, data) {
            Ok(definition) => tag(&definition),
            Err(invalid) => {
                assert!(invalid.problems.is_sorted() && !invalid.problems.is_empty());
                let lines = 1 + data.iter().filter(|&&byte| byte == b'\n').count();
                assert!(
                    invalid.problems.iter().all(|problem| (1..=lines).contains(&problem.line)),
                    "{invalid}"
                );
            }
        }
    }
});

fn tag(definition: &Definition) {
    let topics = &definition.topics;
    let parents = topics.iter().enumerate().filter_map(|(place, topic)| Some((place, topic.parent?)));
    assert!(parents.into_iter().all(|(place, parent)| parent < place));
    let taxonomy = ENGINE.learn_taxonomy(definition);
    assert_eq!(taxonomy.info().id, definition.id);
    let topics_options = topics::Options {
        taxonomy: Choice::Own(Arc::new(taxonomy)),
        min_confidence: Some(0.0),
        ..Default::default()
    };
    let options = Options {
        features: Features::NONE.with(Feature::Topics),
        topics: topics_options,
        ..Options::default()
    };
    let analysis =
        ENGINE.analyze_article(ARTICLE.clone(), &options, &Checkpoint::default(), &()).expect("no deadline");
    sound::assert_analysis(&analysis);
    for topic in analysis.topics.iter().flatten() {
        assert!(topics.iter().any(|defined| defined.id == topic.id));
    }
}
