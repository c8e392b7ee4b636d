//! The sentences that carry the story.

mod cast;
mod centrality;
mod features;
#[cfg(test)]
mod golden;
mod judge;
mod lead;
mod line;
mod query;
mod select;
mod together;
pub mod train;
mod words;

use features::Prepared;
use judge::Judge;
use lead::LeadModel;
use select::{Budget, Choice};
pub use together::Source;
use words::Lexicon;

use crate::document::{Entity, Summary, SummarySentence};
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::SegmentedArticle;

const MODEL: &[u8] = include_bytes!("../../models/summary.bin");

/// The worth of a sentence that belongs into every summary.
const FULL_WORTH: f32 = 2.0;

/// How much a sentence loses that says nothing new, in units of its worth.
const REDUNDANCY: f32 = 0.25;

/// How long a summary may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// At most so many sentences.
    Sentences(usize),
    /// At most so many characters (code points), the sentences' own, without what joins them.
    Characters(usize),
    /// At most this share of the text's characters, over 0 and at most 1.
    Share(f64),
}

impl Default for Length {
    fn default() -> Self {
        Self::Sentences(3)
    }
}

/// In which order a summary's sentences come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they stand in the text.
    #[default]
    Position,
    /// The most important first.
    Rank,
}

/// What kind of summary is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub length: Length,
    pub order: Order,
    /// What the summary should be about; empty for the document's own story.
    pub query: String,
}

/// Chooses summary sentences. Immutable; share it.
pub struct Summarizer {
    info: ModelInfo,
    reader: Reader,
    judge: Judge,
}

/// What turns a document into features.
struct Reader {
    lexicon: Lexicon,
    lead: LeadModel,
}

impl Summarizer {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let file = ModelFile::parse(MODEL)?;
        Ok(Self { info: file.info().clone(), reader: Reader::load(&file)?, judge: Judge::read(&file)? })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The sentences of the body that tell its story, or what it says about the query.
    ///
    /// A query that nothing in the text answers is as good as none, and the summary says so. It is
    /// empty where not even one sentence fits the length.
    pub fn summarize(&self, article: &SegmentedArticle, entities: &[Entity], options: &Options) -> Summary {
        let sentences = &article.body.sentences;
        let prepared = self.reader.read(article, entities);
        let budget = budget(options.length, article.body.text.chars().count());
        let mut worth = self.judge.worth(&prepared, budget.sentences);
        let relevance = query::relevance(&options.query, &article.body, entities, &worth);
        if let Some(relevance) = &relevance {
            query::turn_to(&mut worth, relevance);
        }
        let characters: Vec<usize> =
            sentences.iter().map(|sentence| sentence.span.of(article.body.text).chars().count()).collect();
        let choices = select::choose(&worth, &characters, &prepared.vectors, REDUNDANCY, budget);
        let mut chosen: Vec<SummarySentence> = choices
            .into_iter()
            .enumerate()
            .map(|(nth, Choice { sentence, worth })| SummarySentence {
                span: sentences[sentence].span,
                score: (worth / FULL_WORTH).clamp(0.0, 1.0),
                rank: nth + 1,
            })
            .collect();
        if options.order == Order::Position {
            chosen.sort_by_key(|sentence| sentence.span);
        }
        let answers = relevance.is_some() || options.query.trim().is_empty();
        Summary { sentences: chosen, source_sentence_count: sentences.len(), answers }
    }
}

impl Reader {
    fn load(file: &ModelFile) -> Result<Self, ModelError> {
        let rarity = file.bytes("rarity")?.to_vec();
        let lead = file.i8s("lead")?;
        let step = file.f32s("lead step")?;
        match step.as_slice() {
            [step] if rarity.len() == words::RARITY_BUCKETS && lead.len() == lead::BUCKETS => {
                Ok(Self { lexicon: Lexicon::new(rarity), lead: LeadModel::new(lead, *step) })
            }
            _ => Err(ModelError::Damaged(0)),
        }
    }

    fn read(&self, article: &SegmentedArticle, entities: &[Entity]) -> Prepared {
        features::prepare(article, entities, &self.lexicon, &self.lead)
    }
}

/// `characters` are those of the text.
fn budget(length: Length, characters: usize) -> Budget {
    let unbounded = Budget { sentences: usize::MAX, characters: usize::MAX };
    match length {
        Length::Sentences(sentences) => Budget { sentences, ..unbounded },
        Length::Characters(characters) => Budget { characters, ..unbounded },
        // The product is at most the length of the text, so that it fits.
        Length::Share(share) => Budget { characters: (characters as f64 * share) as usize, ..unbounded },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::document::{Article, EntityKind, Mention, MentionKind, TextSpan};
    use crate::text::segment_article;

    static SUMMARIZER: LazyLock<Summarizer> = LazyLock::new(|| Summarizer::load().unwrap());

    const FERRY: &str = "\
By Nils Aker\n\n\
A ferry with 212 people on board ran aground off the island of Hellsund early on Tuesday, and all passengers \
were brought to safety within three hours, the coastguard said.\n\n\
The ferry Hellsund pictured left on Tuesday.\n\n\
Four people were taken to hospital with minor injuries. The vessel had lost power in both engines shortly \
before it hit the rocks, according to the operator, Norlines.\n\n\
“It was dark and nobody knew what was going on,” said one passenger.\n\n\
But he praised the crew.\n\n\
Norlines said that it would keep its two sister ships in port until the cause of the failure had been found, \
which means that the island will have no ferry before the weekend.\n\n\
Read more: our photo gallery";

    fn summarize(text: &str, options: &Options) -> (Vec<String>, Summary) {
        let article = Article { text: text.to_owned(), ..Article::default() };
        let summary = SUMMARIZER.summarize(&segment_article(&article), &[], options);
        (summary.sentences.iter().map(|sentence| sentence.span.of(text).to_owned()).collect(), summary)
    }

    fn with_length(length: Length) -> Options {
        Options { length, ..Options::default() }
    }

    #[test]
    fn a_summary_tells_the_story_without_bylines_captions_and_loose_ends() {
        let (sentences, summary) = summarize(FERRY, &Options::default());
        assert_eq!(sentences.len(), 3);
        assert!(sentences[0].starts_with("A ferry with 212 people"));
        for stray in ["By Nils", "pictured", "But he", "Read more"] {
            assert!(!sentences.iter().any(|sentence| sentence.contains(stray)), "{stray}: {sentences:?}");
        }
        assert_eq!(summary.source_sentence_count, 9);
        assert!(summary.sentences.iter().all(|sentence| (0.0..=1.0).contains(&sentence.score)));
    }

    #[test]
    fn the_length_holds_in_every_unit() {
        for count in [0, 1, 2, 5, 100] {
            assert!(summarize(FERRY, &with_length(Length::Sentences(count))).0.len() <= count);
        }
        let characters =
            |sentences: &[String]| sentences.iter().map(|text| text.chars().count()).sum::<usize>();
        for most in [10, 60, 200, 400] {
            assert!(characters(&summarize(FERRY, &with_length(Length::Characters(most))).0) <= most);
        }
        let third = summarize(FERRY, &with_length(Length::Share(0.33))).0;
        assert!(!third.is_empty() && characters(&third) * 3 <= FERRY.chars().count());
    }

    #[test]
    fn ranks_run_from_one_in_either_order() {
        let by_rank = summarize(FERRY, &Options { order: Order::Rank, ..Options::default() }).1;
        let ranks: Vec<usize> = by_rank.sentences.iter().map(|sentence| sentence.rank).collect();
        assert_eq!(ranks, [1, 2, 3]);
        assert!(by_rank.sentences.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let by_position = summarize(FERRY, &Options::default()).1;
        assert!(by_position.sentences.windows(2).all(|pair| pair[0].span.end <= pair[1].span.begin));
    }

    #[test]
    fn a_query_turns_the_summary_to_its_subject() {
        let ask =
            |query: &str| Options { query: query.into(), length: Length::Sentences(1), ..Options::default() };
        for query in ["What injury?", "Who was injured?", "injuring"] {
            let (sentences, _) = summarize(FERRY, &ask(query));
            assert!(sentences[0].contains("minor injuries"), "{query}: {sentences:?}");
        }
        let nothing = summarize(FERRY, &ask("volcano eruptions"));
        assert!(!nothing.1.answers && summarize(FERRY, &ask("")).1.answers);
        assert_eq!(nothing.0, summarize(FERRY, &ask("")).0);
    }

    #[test]
    fn what_follows_a_heading_or_question_answers_with_it() {
        let text = "The town will build a wind farm on the hill above the harbour, the council decided on Monday.\n\n\
                    What about the noise?\n\n\
                    The mills stand two kilometres from the nearest house, so that nobody will hear them.\n\n\
                    Work is to begin in spring. Does it pay in winter? Yes, as winds are stronger then.";
        for (query, answer) in [("noise", "The mills stand"), ("winter", "Yes, as winds")] {
            let options = Options { query: query.into(), ..Options::default() };
            let (sentences, summary) = summarize(text, &options);
            assert!(summary.answers, "{query}");
            assert!(sentences.iter().any(|sentence| sentence.starts_with(answer)), "{query}: {sentences:?}");
        }
    }

    #[test]
    fn a_query_finds_an_entity_under_its_other_names() {
        let text = "The harbour was closed on Monday. Norlines runs the ferries between the islands. The company will \
                    refund all tickets.";
        let mention = |words: &str, kind| {
            let begin = text.find(words).unwrap();
            Mention { span: TextSpan::body(begin, begin + words.len()), kind, confidence: 1.0 }
        };
        let entity = Entity {
            name: "Norlines".into(),
            kind: EntityKind::Organization,
            salience: 1.0,
            mentions: vec![
                mention("Norlines", MentionKind::Proper),
                mention("The company", MentionKind::Common),
            ],
            links: vec![],
        };
        let article = Article { text: text.to_owned(), ..Article::default() };
        let options = Options { query: "norlines".into(), ..Options::default() };
        let summary = SUMMARIZER.summarize(&segment_article(&article), &[entity], &options);
        let spans: Vec<&str> = summary.sentences.iter().map(|sentence| sentence.span.of(text)).collect();
        assert_eq!(
            spans,
            ["Norlines runs the ferries between the islands.", "The company will refund all tickets."]
        );
    }

    #[test]
    fn text_in_other_languages_and_without_sentences_is_summarised_too() {
        assert_eq!(summarize("", &Options::default()).1, Summary { answers: true, ..Summary::default() });
        assert_eq!(summarize("Menu", &Options::default()).0, ["Menu"]);
        let german = "Der Stadtrat hat am Dienstag beschlossen, die alte Brücke über die Leine zu sperren. Das sagte \
                      Bürgermeisterin Petra Vogt. Ein Gutachten hatte Risse in zwei Pfeilern gefunden. Die Sperrung \
                      soll bis zum Frühjahr dauern.";
        assert!(summarize(german, &with_length(Length::Sentences(2))).0[0].starts_with("Der Stadtrat"));
    }

    #[test]
    fn a_megabyte_is_summarised_in_linear_time() {
        for unit in ["Yes. ", "The council met on Monday and voted. ", "a", "😀 ", "One two three\n\n"] {
            let text = unit.repeat((1 << 20) / unit.len());
            let started = std::time::Instant::now();
            summarize(&text, &with_length(Length::Share(1.0)));
            assert!(started.elapsed().as_secs() < 20, "{unit:?} took {:?}", started.elapsed());
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_sentences_of_it(text in "\\PC{0,300}", most in 0_usize..200) {
            let (sentences, _) = summarize(&text, &with_length(Length::Characters(most)));
            prop_assert!(sentences.iter().map(|text| text.chars().count()).sum::<usize>() <= most);
        }
    }
}
