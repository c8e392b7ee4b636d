//! What a document is about, in the terms of a taxonomy.

mod catalogue;
mod features;
mod latent;
mod naming;
mod own;
mod taxonomy;
pub mod train;

use crate::document::{TextSpan, Topic};
use crate::model::linear::{Calibration, QuantizedWeights, Sparse};
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::SegmentedArticle;
pub use catalogue::{Catalogue, Choice};
pub use own::{Definition, InvalidTaxonomy, MAX_FILE_BYTES, OwnTaxonomy, Problem, TopicDefinition};

use features::{Occurrence, Reader, Vocabulary};
use latent::Latent;
use naming::{Context, Judge, Named, Names, Traits};
use own::Knowledge;
use taxonomy::{Place, Taxonomy};

/// Which topics are wanted.
#[derive(Clone, Debug)]
pub struct Options {
    pub taxonomy: Choice,
    /// At most so many topics.
    pub max_topics: usize,
    /// None below this confidence, 0 to 1; the taxonomy's own threshold where nothing is said.
    pub min_confidence: Option<f32>,
}

impl Default for Options {
    fn default() -> Self {
        // An article has four topics of the first two levels of the Media Topics on average.
        Self { taxonomy: Choice::BuiltIn, max_topics: 8, min_confidence: None }
    }
}

/// Where nothing else is asked for: micro F1 on cross-validated texts is best here, for both levels.
const MIN_CONFIDENCE: f32 = 0.35;

/// The same for a concept that is only named: of those from here on, four in five are topics.
const MIN_NAMED_CONFIDENCE: f32 = 0.45;

/// The taxonomy's id.
pub const TAXONOMY_ID: &str = "iptc-media-topics";

/// A topic as its taxonomy has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicInfo<'a> {
    pub id: &'a str,
    pub display_name: &'a str,
    /// The parent's id.
    pub parent: Option<&'a str>,
    /// What it covers; empty where the taxonomy does not say.
    pub description: &'a str,
}

/// A tree of topics, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxonomyInfo {
    /// As `iptc-media-topics`.
    pub id: String,
    pub display_name: String,
    pub version: String,
    /// How many topics the model can give.
    pub topic_count: usize,
}

/// Of the model file.
const VERSION: &str = "1";
static WEIGHTS: &[u8] = include_bytes!("../../models/topics.bin");

/// How many words of a document speak for a topic at most.
const EVIDENCE: usize = 4;
/// A word is evidence where it adds this share of what the best one adds.
const EVIDENCE_SHARE: f32 = 0.25;

/// Tags documents with IPTC Media Topics. Immutable; share it.
pub struct TopicModel {
    info: ModelInfo,
    taxonomy_info: TaxonomyInfo,
    taxonomy: Taxonomy,
    reader: Reader,
    words: Vocabulary,
    latent: Latent,
    weights: QuantizedWeights,
    outputs: Outputs,
    /// What each output's [signs] mean.
    ///
    /// [signs]: Outputs::signs
    calibration: Vec<Calibration<SIGNS>>,
    /// The concepts that are not learnt but read.
    names: Names,
    judge: Judge,
    blank: Blank,
}

/// A topic that may be given: where it is in the taxonomy, how sure it is and why.
struct Candidate {
    concept: Place,
    confidence: f32,
    reason: Reason,
}

/// Why a topic may be given.
enum Reason {
    /// The weights of this output say so.
    Learnt(usize),
    /// The text names it here.
    Named(Vec<TextSpan>),
}

impl TopicModel {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let file = ModelFile::parse(WEIGHTS)?;
        let taxonomy = Taxonomy::from_model(&file, "taxonomy")?;
        let outputs: Vec<Place> = file.u16s("outputs")?.into_iter().map(Place::from).collect();
        let (words, idf) = (file.u32s("words")?, file.f32s("idf")?);
        let weights = QuantizedWeights { scales: file.f32s("scales")?, values: file.i8s("weights")? };
        let calibration = Calibration::from_weights(&file.f32s("calibration")?);
        let blank = Calibration::from_weights(&file.f32s("blank")?);
        let (traits, leanings) = (file.f32s("naming")?, file.f32s("leanings")?);
        let blank_weights =
            QuantizedWeights { scales: file.f32s("blank_scales")?, values: file.i8s("blank_weights")? };
        let scales = file.f32s("latent_scales")?;
        let values = file.i8s("latent")?;
        let latent = Latent { dimensions: values.len() / scales.len().max(1), scales, values };
        let sizes_agree = idf.len() == words.len()
            && latent.values.len() == latent.scales.len() * latent.dimensions
            && weights.values.len() == (words.len() + latent.dimensions) * outputs.len()
            && weights.scales.len() == outputs.len()
            && calibration.len() == outputs.len()
            && leanings.len() == taxonomy.concepts().len()
            && blank.len() == 1
            && blank_weights.scales.len() == 1
            && blank_weights.values.len() == words.len() + latent.dimensions
            && outputs.iter().all(|&place| place < taxonomy.concepts().len());
        let weights_of_traits = Traits::try_from(traits).ok().filter(|_| sizes_agree);
        let Some(weights_of_traits) = weights_of_traits else { return Err(ModelError::Damaged(0)) };
        let countries = file.u32s("country_names")?.into_iter().zip(file.u16s("countries")?);
        let reader = Reader::new(countries.collect());
        let read = (0..taxonomy.concepts().len()).filter(|place| !outputs.contains(place));
        let names = Names::new(&taxonomy, &reader, read);
        Ok(Self {
            info: file.info().clone(),
            taxonomy_info: TaxonomyInfo {
                id: TAXONOMY_ID.to_owned(),
                display_name: "IPTC Media Topics".into(),
                version: "2023-10-24".into(),
                topic_count: taxonomy.concepts().len(),
            },
            outputs: Outputs::new(&taxonomy, outputs),
            words: Vocabulary::new(&words, idf),
            latent,
            judge: Judge { weights: weights_of_traits, leanings },
            blank: Blank { weights: blank_weights, calibration: blank[0] },
            taxonomy,
            reader,
            weights,
            calibration,
            names,
        })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    pub fn taxonomy(&self) -> &TaxonomyInfo {
        &self.taxonomy_info
    }

    /// The ids from the top level of the taxonomy down to a topic itself; none for an unknown id.
    pub fn lineage(&self, id: &str) -> Vec<&str> {
        let Some(place) = self.taxonomy.place(id) else { return Vec::new() };
        let mut places: Vec<Place> = std::iter::once(place).chain(self.taxonomy.ancestors(place)).collect();
        places.reverse();
        places.into_iter().map(|place| self.taxonomy.concept(place).code.as_str()).collect()
    }

    /// Every topic of a taxonomy, parents before their children.
    pub fn topics<'a>(&'a self, taxonomy: &'a Choice) -> impl ExactSizeIterator<Item = TopicInfo<'a>> {
        let tree = match taxonomy {
            Choice::BuiltIn => &self.taxonomy,
            Choice::Own(own) => own.tree(),
        };
        tree.concepts().iter().map(|concept| TopicInfo {
            id: &concept.code,
            display_name: &concept.name,
            parent: concept.parent.map(|parent| tree.concept(parent).code.as_str()),
            description: &concept.description,
        })
    }

    /// A taxonomy of the user's own, ready to tag documents.
    pub fn learn(&self, definition: &Definition) -> OwnTaxonomy {
        OwnTaxonomy::new(definition, self.knowledge())
    }

    fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { reader: &self.reader, words: &self.words, latent: &self.latent }
    }

    /// The document's topics, most confident first; a topic comes after its parent.
    pub fn tag(&self, article: &SegmentedArticle, options: &Options) -> Vec<Topic> {
        match &options.taxonomy {
            Choice::BuiltIn => self.media_topics(article, options),
            Choice::Own(own) => {
                own.tag(article, options.max_topics, options.min_confidence, self.knowledge())
            }
        }
    }

    fn media_topics(&self, article: &SegmentedArticle, options: &Options) -> Vec<Topic> {
        let occurrences = self.reader.read(article);
        let (mut vector, first_at) = self.words.vector(&occurrences);
        if vector.is_empty() {
            return Vec::new();
        }
        let latent_factor = self.latent.add_to(&mut vector, &self.words);
        if self.blank.holds(&vector) {
            return Vec::new();
        }
        self.weights.fetch(&vector);
        let confidences = self.outputs.confidences(&self.calibration, &self.weights.scores(&vector));
        let mut candidates: Vec<Candidate> = confidences
            .iter()
            .enumerate()
            .map(|(output, &confidence)| Candidate {
                concept: self.outputs.concepts[output],
                confidence,
                reason: Reason::Learnt(output),
            })
            .collect();
        candidates.extend(self.named(&occurrences, &vector, &confidences));
        candidates.retain(|candidate| {
            let least = match candidate.reason {
                Reason::Learnt(_) => MIN_CONFIDENCE,
                Reason::Named(_) => MIN_NAMED_CONFIDENCE,
            };
            candidate.confidence >= options.min_confidence.unwrap_or(least)
        });
        // A parent is at least as sure as its children and stands before them in the taxonomy.
        candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.concept.cmp(&b.concept)));
        candidates.truncate(options.max_topics);
        let topic = |candidate: Candidate| {
            let concept = self.taxonomy.concept(candidate.concept);
            Topic {
                id: concept.code.clone(),
                display_name: concept.name.clone(),
                path: self.taxonomy.path(candidate.concept),
                confidence: candidate.confidence,
                evidence: match candidate.reason {
                    Reason::Learnt(output) => {
                        self.evidence(output, &vector, latent_factor, &first_at, &occurrences)
                    }
                    Reason::Named(spans) => some_of(spans),
                },
            }
        };
        candidates.into_iter().map(topic).collect()
    }

    /// The concepts below the learnt ones that the text names, as sure as their ancestors allow.
    fn named(&self, occurrences: &[Occurrence], vector: &Sparse, confidences: &[f32]) -> Vec<Candidate> {
        let context = Context { words: &self.words, latent: &self.latent, vector };
        let named = self.names.find(occurrences, context, &self.taxonomy);
        let candidate = |named: Named| {
            let above = self.outputs.above(&self.taxonomy, named.concept)?;
            Some(Candidate {
                concept: named.concept,
                confidence: confidences[above] * self.judge.probability(&named),
                reason: Reason::Named(named.spans),
            })
        };
        named.into_iter().filter_map(candidate).collect()
    }

    /// Where the words are that add most to an output's score.
    fn evidence(
        &self,
        output: usize,
        vector: &[(u32, f32)],
        latent_factor: f32,
        first_at: &[u32],
        occurrences: &[Occurrence],
    ) -> Vec<TextSpan> {
        let latent_weights: Vec<i16> =
            self.weights.column(self.words.len()..self.weights.features(), output).map(i16::from).collect();
        let latent_factor = latent_factor * self.weights.scales[output];
        let weight = |word| {
            let latent =
                self.latent.row(word).map_or(0.0, |(row, scale)| scale * dot(row, &latent_weights) as f32);
            self.weights.weight(word, output) + latent_factor * latent
        };
        let mut adding: Vec<(f32, u32)> =
            vector.iter().zip(first_at).map(|(&(word, value), &at)| (value * weight(word), at)).collect();
        let best = adding.iter().fold(0.0_f32, |best, (value, _)| best.max(*value));
        let least = (best * EVIDENCE_SHARE).max(f32::MIN_POSITIVE);
        adding.retain(|(value, _)| *value >= least);
        adding.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        some_of(adding.into_iter().map(|(_, at)| occurrences[at as usize].span()))
    }
}

/// The product of two rows of one length; the second is as wide as processors multiply and add in one step.
fn dot(row: &[i8], other: &[i16]) -> i32 {
    row.iter().zip(other).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

/// The first few spans, without those that overlap an earlier one, sorted.
fn some_of(spans: impl IntoIterator<Item = TextSpan>) -> Vec<TextSpan> {
    let mut chosen: Vec<TextSpan> = Vec::with_capacity(EVIDENCE);
    for span in spans {
        if chosen.len() == EVIDENCE {
            break;
        }
        if !chosen.iter().any(|known| known.section == span.section && known.span.overlaps(span.span)) {
            chosen.push(span);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// The topics that the weights are for, and which is whose parent.
struct Outputs {
    /// Each output's concept; parents come before their children.
    concepts: Vec<Place>,
    parents: Vec<Option<usize>>,
}

impl Outputs {
    fn new(taxonomy: &Taxonomy, concepts: Vec<Place>) -> Self {
        let output = |place| concepts.iter().position(|&concept| concept == place);
        let parents = concepts.iter().map(|&place| taxonomy.concept(place).parent.and_then(output)).collect();
        Self { concepts, parents }
    }

    fn output(&self, place: Place) -> Option<usize> {
        self.concepts.iter().position(|&concept| concept == place)
    }

    /// The output of a concept's nearest learnt ancestor.
    fn above(&self, taxonomy: &Taxonomy, concept: Place) -> Option<usize> {
        taxonomy.ancestors(concept).find_map(|place| self.output(place))
    }

    /// Scores as confidences; a topic is never surer than its parent.
    fn confidences(&self, calibration: &[Calibration<SIGNS>], scores: &[f32]) -> Vec<f32> {
        let mut confidences: Vec<f32> = Vec::with_capacity(scores.len());
        for ((calibration, signs), parent) in calibration.iter().zip(self.signs(scores)).zip(&self.parents) {
            let above = parent.and_then(|parent| confidences.get(parent)).copied().unwrap_or(1.0);
            confidences.push(calibration.probability(signs).min(above));
        }
        confidences
    }

    /// What speaks for and against each output: its own score; that of its parent, or of its best child
    /// where it has no parent; and those of the two best others of its level, since a text of much else
    /// is seldom about this, too.
    fn signs(&self, scores: &[f32]) -> Vec<[f32; SIGNS]> {
        let scores: Vec<f32> = scores.iter().map(|&score| evened(score)).collect();
        let level = |output: usize| usize::from(self.parents[output].is_some());
        let mut best_child = vec![evened(0.0); scores.len()];
        // Of each level the outputs with the best three scores.
        let mut best = [[None; 3]; 2];
        for (output, &score) in scores.iter().enumerate() {
            if let Some(parent) = self.parents[output] {
                best_child[parent] = score.max(best_child[parent]);
            }
            let best = &mut best[level(output)];
            let place =
                best.partition_point(|known| known.is_some_and(|known: usize| scores[known] >= score));
            if place < best.len() {
                best[place..].rotate_right(1);
                best[place] = Some(output);
            }
        }
        let signs = |output: usize| {
            let kin = self.parents[output].map_or(best_child[output], |parent| scores[parent]);
            let mut others = best[level(output)].into_iter().flatten().filter(|&other| other != output);
            let mut other = || others.next().map_or(evened(0.0), |other| scores[other]);
            [scores[output], kin, other(), other()]
        };
        (0..scores.len()).map(signs).collect()
    }
}

/// How many numbers speak for or against a topic.
const SIGNS: usize = 4;

/// Tells texts about nothing: notices, menus, footers.
struct Blank {
    weights: QuantizedWeights,
    calibration: Calibration<1>,
}

impl Blank {
    /// Whether a text is surely about nothing; it has no topic then.
    fn holds(&self, vector: &Sparse) -> bool {
        is_blank(self.calibration, self.weights.scores(vector)[0])
    }
}

/// From here on a text is taken to be about nothing. What is calibrated on has as many texts about
/// nothing as articles; what comes to a desk is mostly articles.
const SURELY_BLANK: f32 = 0.75;

fn is_blank(calibration: Calibration<1>, score: f32) -> bool {
    calibration.probability([score]) > SURELY_BLANK
}

/// Scores crowd near 0 and 1; on this scale their odds are near a straight line.
fn evened(score: f32) -> f32 {
    (score.max(0.0) + 0.1).ln()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::document::{Article, Section};
    use crate::text::segment_article;

    static MODEL: LazyLock<TopicModel> = LazyLock::new(|| TopicModel::load().unwrap());

    fn tag(title: &str, text: &str, options: Options) -> Vec<Topic> {
        let article = Article { title: title.into(), text: text.into(), ..Article::default() };
        MODEL.tag(&segment_article(&article), &options)
    }

    fn most(max_topics: usize, min_confidence: f32) -> Options {
        Options { max_topics, min_confidence: Some(min_confidence), ..Options::default() }
    }

    fn names(title: &str, text: &str) -> Vec<String> {
        tag(title, text, Options::default()).into_iter().map(|topic| topic.display_name).collect()
    }

    #[test]
    fn articles_of_many_kinds_get_the_topic_a_reader_would_give_first() {
        for (first, title, text) in [
            (
                "sport",
                "Late goal sends Harbour Town through",
                "Striker Leo Marsh scored in stoppage time as Harbour Town beat Eastvale 2-1 to reach the cup \
                 semi-final. The visitors led at half-time after a penalty, but the home side levelled through a \
                 header before their captain crossed for the winner. The coach praised his players and the fans.",
            ),
            (
                "economy, business and finance",
                "Shares slip as chip maker cuts forecast",
                "Stocks fell on Tuesday after a large chip maker lowered its sales forecast and blamed weak demand. \
                 The benchmark index closed 1.2 percent lower while bond yields rose. Analysts said investors were \
                 waiting for quarterly earnings and the central bank's decision on interest rates.",
            ),
            (
                "crime, law and justice",
                "Man jailed for nine years over warehouse robbery",
                "A judge sentenced a 34-year-old man to nine years in prison on Friday for the armed robbery of a \
                 warehouse. The jury found him guilty on two counts after a three-week trial. Prosecutors told the \
                 court that police had arrested him a day after the raid. His lawyer said he would appeal.",
            ),
            (
                "politics",
                "Opposition leads as polls close",
                "Voters went to the polls on Sunday in a parliamentary election that could end a decade of rule by the \
                 governing party. Exit polls gave the opposition 48 percent of the vote. The prime minister said she \
                 would wait for the count before she talks to other party leaders about a coalition.",
            ),
            (
                "health",
                "Hospitals fill as flu spreads",
                "Doctors have warned that hospitals are running out of beds as influenza infects thousands of patients. \
                 The health ministry urged older people to get the vaccine, which protects against the virus. Nurses \
                 said that most of those treated for the disease had not been vaccinated.",
            ),
            (
                "disaster, accident and emergency incident",
                "Dozens missing after river bursts its banks",
                "Rescue workers searched for survivors on Monday after floods swept through three villages. At least 19 \
                 people died and dozens are missing. The earthquake last month had already damaged homes, and \
                 firefighters pulled families from the rubble of a collapsed bridge.",
            ),
            (
                "arts, culture, entertainment and media",
                "Composer of the harbour symphonies dies at 91",
                "The composer Ada Lindqvist, whose film music won two awards, has died at 91. She wrote six symphonies, \
                 an opera and the songs of a musical that ran in theatres for ten years. Singers and actors paid \
                 tribute to an artist whose albums still sell.",
            ),
        ] {
            assert_eq!(
                names(title, text).first().map(String::as_str),
                Some(first),
                "{title}: {:?}",
                names(title, text)
            );
        }
    }

    #[test]
    fn a_headline_is_enough_and_nonsense_has_no_topic() {
        assert_eq!(names("Senate passes bill after president drops veto threat", "")[0], "politics");
        for text in [
            "",
            "\u{1f600} \u{1f600}",
            "lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor",
            "12 34 56",
        ] {
            assert_eq!(names("", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_topic_is_judged_beside_its_kin_and_the_best_others_of_its_level() {
        // Two topics, each with a child, and a third without.
        let outputs =
            Outputs { concepts: (0..5).collect(), parents: vec![None, Some(0), None, Some(2), None] };
        let signs = outputs.signs(&[0.9, 0.1, 0.4, 0.7, 0.2]);
        let of = |scores: [f32; SIGNS]| scores.map(evened);
        assert_eq!(signs[0], of([0.9, 0.1, 0.4, 0.2]));
        assert_eq!(signs[1], of([0.1, 0.9, 0.7, 0.0]));
        assert_eq!(signs[2], of([0.4, 0.7, 0.9, 0.2]));
        assert_eq!(signs[4], of([0.2, 0.0, 0.9, 0.4]));
    }

    #[test]
    fn children_come_after_their_parents_and_are_no_surer() {
        let text = "The president and the foreign minister of the neighbouring country agreed in a telephone call to \
            deepen diplomatic ties. The embassy said that a summit and a trade treaty would follow.";
        let topics = tag("Leaders agree to deepen ties", text, Options::default());
        let found: Vec<&str> = topics.iter().map(|topic| topic.display_name.as_str()).collect();
        assert!(found.starts_with(&["politics", "international relations"]), "{found:?}");
        for (at, topic) in topics.iter().enumerate() {
            for parent in &topic.path {
                let known = topics.iter().position(|other| other.id == parent.id);
                assert!(known.is_none_or(|known| known < at && topics[known].confidence >= topic.confidence));
            }
            assert!(
                !topic.evidence.is_empty() && topic.evidence.len() <= EVIDENCE && topic.evidence.is_sorted()
            );
        }
        assert_eq!(
            topics[1].path.iter().map(|topic| topic.id.as_str()).collect::<Vec<_>>(),
            ["medtop:11000000"]
        );
    }

    #[test]
    fn a_deeper_topic_is_read_where_the_text_names_it() {
        let text = "The figure skating final drew a full house. Figure skating champion Rin Sato landed every jump and won \
            gold at the winter games, ahead of two skaters from the national team. The competition ends on Sunday.";
        let topics = tag("Sato wins figure skating gold", text, Options::default());
        let skating = topics.iter().find(|topic| topic.display_name == "figure skating").unwrap();
        assert_eq!(skating.path.len(), 2);
        assert!(skating.evidence.iter().any(|span| span.section == Section::Title));
    }

    #[test]
    fn texts_about_nothing_have_no_topic() {
        for (title, text) in [
            ("", "About us\nContact\nPrivacy policy\nTerms of use\n\u{a9} 2026. All rights reserved."),
            (
                "",
                "We use cookies to make our site work better. By clicking accept you agree to our cookie policy.",
            ),
            (
                "Subscribe to read on",
                "Already have an account? Log in. Cancel at any time. Get unlimited access to our newsletter.",
            ),
        ] {
            assert_eq!(names(title, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn names_and_words_in_passing_are_no_deep_topics() {
        let club = "Marten beat Dunholt 3-0 on Sunday with two late goals. The coach of Marten Athletic praised his \
            players, and the fans of Marten Athletic sang. The club goes second in the league.";
        let singer = "The singer Ola Brink gave a concert at the film festival on Friday, and critics praised her voice and \
            the music of her band. Her new album of songs comes out in May, and a film about her opens in cinemas \
            in June. She went home by taxi.";
        for (text, first, deep) in [
            (club, "sport", "athletics"),
            (singer, "arts, culture, entertainment and media", "taxi and ride-hailing"),
        ] {
            let found = names("", text);
            assert_eq!(found[0], first);
            assert!(!found.iter().any(|name| name == deep), "{found:?}");
        }
    }

    #[test]
    fn a_word_of_the_same_family_in_the_title_makes_a_named_concept_surer() {
        let text = "A jury found the former clerk guilty on nine counts on Friday. The judge said that he had cheated the \
            town of its money for years and put a price on permits. He was sentenced to seven years in prison, and the \
            court heard that builders had paid him 40,000 pounds. The charge was bribery.";
        let bribery = |title| {
            let topics = tag(title, text, most(100, 0.0));
            topics.iter().find(|topic| topic.display_name == "bribery").map(|topic| topic.confidence)
        };
        assert!(bribery("Clerk jailed over bribes") > bribery("Clerk jailed over permits"));
    }

    #[test]
    fn options_bound_the_topics() {
        let text = "The court heard that the minister took bribes from a company before the election.";
        let all = tag("", text, most(100, 0.0));
        assert!(all.len() > 50 && all.is_sorted_by(|a, b| a.confidence >= b.confidence));
        assert_eq!(tag("", text, most(2, 0.0)), all[..2]);
        assert!(tag("", text, most(100, 0.5)).iter().all(|t| t.confidence >= 0.5));
    }

    /// The example in the documentation, as a file's name and its bytes.
    const DESK: (&str, &[u8]) =
        ("battery-desk.toml", include_bytes!("../../examples/taxonomies/battery-desk.toml"));

    fn own(text: &str) -> Choice {
        let definition = Definition::parse("own.toml", text.as_bytes()).unwrap();
        Choice::Own(std::sync::Arc::new(MODEL.learn(&definition)))
    }

    fn with(taxonomy: Choice, max_topics: usize, min_confidence: f32) -> Options {
        Options { taxonomy, max_topics, min_confidence: Some(min_confidence) }
    }

    #[test]
    fn the_example_taxonomy_tags_articles_of_its_desk() {
        let definition = Definition::parse(DESK.0, DESK.1).unwrap();
        let desk = Choice::Own(std::sync::Arc::new(MODEL.learn(&definition)));
        let found = |title: &str, text: &str| -> Vec<String> {
            let options = Options { taxonomy: desk.clone(), ..Options::default() };
            tag(title, text, options).into_iter().map(|topic| topic.id).collect()
        };
        for (topics, title, text) in [
            (
                &["companies", "deals", "materials", "nickel-cobalt"][..],
                "Southern Nickel agrees to takeover",
                "Shareholders of Southern Nickel will be offered 4.20 dollars a share, a premium of 31%, by a rival that \
                 wants its cobalt. The board backed the bid on Monday. Regulators in two countries have to consent to \
                 the acquisition.",
            ),
            (
                &["cells"],
                "Cell maker halts second gigafactory",
                "The company will not build its second gigafactory before 2028, it said, since the production line of the \
                 first one still gives too few good battery cells. A third of the workers will have to go.",
            ),
            (
                &["policy"],
                "Ministers agree on tariffs",
                "The tariff on imported batteries will be 21 percent. Trade ministers rejected a subsidy for makers that \
                 meet the rules on local content, and an export ban was not discussed.",
            ),
        ] {
            let mut found = found(title, text);
            found.sort();
            assert_eq!(found, topics, "{title}");
        }
        assert!(
            found("Late goal sends Harbour Town through", "The striker scored in stoppage time.").is_empty()
        );
        assert!(found("", "").is_empty());
    }

    #[test]
    fn forms_and_phrases_of_keywords_are_found_with_their_places() {
        let taxonomy = own(
            "id = \"a\"\nname = \"A\"\n[[topics]]\nid = \"deals\"\nname = \"Deals\"\nkeywords = [\"acquire\", \
             \"share offer\", \"zorbine\"]\n[[topics]]\nid = \"other\"\nname = \"Other\"\nkeywords = [\"weather\"]",
        );
        let text = "The zorbines maker acquired a rival after two share offers.";
        let topics = tag("", text, with(taxonomy, 1, 0.0));
        let evidence: Vec<&str> = topics[0].evidence.iter().map(|span| span.span.of(text)).collect();
        assert_eq!(
            (topics[0].id.as_str(), evidence.as_slice()),
            ("deals", &["zorbines", "acquired", "share offers"][..])
        );
    }

    #[test]
    fn an_example_teaches_what_keywords_do_not_say() {
        let file = |examples: &str| {
            own(&format!(
                "id = \"a\"\nname = \"A\"\n[[topics]]\nid = \"sea\"\nname = \"Sea\"\nkeywords = [\"ship\"]\n{examples}\
                 [[topics]]\nid = \"land\"\nname = \"Land\"\nkeywords = [\"truck\"]\n\
                 [[topics]]\nid = \"air\"\nname = \"Air\"\nkeywords = [\"plane\"]\n\
                 [[topics]]\nid = \"rail\"\nname = \"Rail\"\nkeywords = [\"train\"]\n"
            ))
        };
        let text = "The pilot boarded at the fairway buoy, and two tugs made fast astern.";
        let sea = |taxonomy| {
            let topics = tag("", text, with(taxonomy, 4, 0.0));
            topics.iter().find(|topic| topic.id == "sea").unwrap().confidence
        };
        let example = "examples = [\"Tugs and a pilot met the tanker at the fairway buoy.\"]\n";
        assert!(sea(file(example)) > sea(file("")) + 0.05);
        // An example alone is enough, too.
        let only =
            own(&format!("id = \"a\"\nname = \"A\"\n[[topics]]\nid = \"sea\"\nname = \"Sea\"\n{example}"));
        assert!(sea(only) > 0.3);
    }

    proptest! {
        #[test]
        fn own_evidence_lies_in_its_text(title in "\\PC{0,40}", text in "(\\PC|mine |spot price |acquired ){0,60}") {
            static DESK_MODEL: LazyLock<Choice> = LazyLock::new(|| {
                let definition = Definition::parse(DESK.0, DESK.1).unwrap();
                Choice::Own(std::sync::Arc::new(MODEL.learn(&definition)))
            });
            for topic in tag(&title, &text, with(DESK_MODEL.clone(), 100, 0.0)) {
                prop_assert!((0.0..=1.0).contains(&topic.confidence));
                for span in topic.evidence {
                    let section = if span.section == Section::Title { &title } else { &text };
                    prop_assert!(section.get(span.span.range()).is_some_and(|s| !s.is_empty()));
                }
            }
        }

        #[test]
        fn evidence_lies_in_its_text(title in "\\PC{0,40}", text in "(\\PC|[a-z .']){0,200}") {
            for topic in tag(&title, &text, most(200, 0.0)) {
                for span in topic.evidence {
                    let section = if span.section == Section::Title { &title } else { &text };
                    prop_assert!(section.get(span.span.range()).is_some_and(|s| !s.is_empty()));
                }
            }
        }
    }
}
