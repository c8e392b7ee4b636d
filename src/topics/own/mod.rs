//! Taxonomies of the user's own: topics known by keywords, a description and examples.
//!
//! A topic's keywords, description and name make a text, its *profile*. A document is about a
//! topic as far as it has the profile's words and phrases, rare ones counting more, as far as
//! that is more than it has of the topic's siblings, and as far as its words mean alike
//! (latent semantic analysis). Profiles and examples together teach a ridge regression what
//! tells the topics apart; examples of a topic's own words are all it needs to get better.

mod definition;
mod reading;
mod syntax;

use rustc_hash::FxHashMap;

pub use definition::{Definition, InvalidTaxonomy, MAX_FILE_BYTES, Problem, TopicDefinition};
pub(super) use reading::Knowledge;
use reading::{Lexicon, Reading};

use super::latent;
use super::taxonomy::{Concept, Place, Taxonomy};
use super::{EVIDENCE_SHARE, TaxonomyInfo, some_of};
use crate::document::{TextSpan, Topic};
use crate::model::linear::{Calibration, Example, Ridge, Sparse};
use crate::text::SegmentedArticle;

/// The confidence from which a topic is given where nothing else is asked for: about the best F1
/// of the two taxonomies that [`CALIBRATION`] is from.
const MIN_CONFIDENCE: f32 = 0.3;

/// At this penalty the held-out figures were best, with any number of examples.
const RIDGE: Ridge = Ridge { penalty: 0.3, epochs: 20, seed: 1 };
/// How much a profile counts beside an example.
const PROFILE_WEIGHT: f32 = 3.0;
/// A learnt weight below this share of its topic's largest is left out.
const LEAST_WEIGHT: f32 = 0.01;

/// What a document's likeness to a topic means, fitted to five sections of a newspaper and
/// seventeen topics, without examples and with ten a topic; half of the weight lies on parts of
/// these taxonomies, down to single topics, so that most documents are about nothing in them
/// (docs/quality.md). The score's three parts are weighed in [`score`].
const CALIBRATION: Calibration<1> = Calibration { slopes: [1.0], offset: -4.8 };
const SHARE_WEIGHT: f32 = 12.8;
const LATENT_WEIGHT: f32 = 3.4;
const LEARNT_WEIGHT: f32 = 10.1;
/// With examples, what was learnt says more, and what the topic says of itself less: fitted to
/// the same two taxonomies with 0, 10, 30, 100 and up to 400 examples a topic.
const HALF_TAUGHT: f32 = 12.0;
const LIKENESS_LOST: f32 = 0.64;
const LEARNT_GAINED: f32 = 10.0;
const OFFSET_LOST: f32 = 0.4;
/// Likeness to no topic in particular: where a document has little of all siblings, none gets a
/// large share of it.
const NO_TOPIC: f32 = 0.1;

/// A taxonomy of the user's own, with what it takes to tag documents. Immutable; share it.
pub struct OwnTaxonomy {
    info: TaxonomyInfo,
    tree: Taxonomy,
    lexicon: Lexicon,
    /// What each feature says of which topics.
    postings: FxHashMap<u32, Vec<Posting>>,
    /// How far each topic is known by examples: 0 without any, towards 1 with very many.
    taught: Vec<f32>,
}

/// What a feature says of a topic.
struct Posting {
    topic: u32,
    /// Its value in the topic's profile.
    profile: f32,
    /// Its weight in what was learnt.
    learnt: f32,
}

impl TopicDefinition {
    /// Everything that is said of the topic, but its keywords.
    fn texts(&self) -> impl Iterator<Item = &str> {
        [self.name.as_str(), &self.description].into_iter().chain(self.examples.iter().map(String::as_str))
    }
}

impl OwnTaxonomy {
    /// Learns what tells the topics of a definition apart.
    pub(super) fn new(definition: &Definition, knowledge: Knowledge) -> Self {
        let mut tree = Taxonomy::default();
        for topic in &definition.topics {
            let TopicDefinition { id, name, description, parent, .. } = topic.clone();
            tree.push(id, name, description, parent);
        }
        let lexicon = Lexicon::new(definition, knowledge);
        let profiles: Vec<Sparse> =
            definition.topics.iter().map(|topic| lexicon.profile(topic, knowledge)).collect();
        let learnt = learn(definition, &tree, &lexicon, &profiles, knowledge);
        let mut postings: FxHashMap<u32, Vec<Posting>> = FxHashMap::default();
        for (feature, topic, weight) in learnt {
            let topic = topic as u32;
            postings.entry(feature).or_default().push(Posting { topic, profile: 0.0, learnt: weight });
        }
        for (profile, topic) in profiles.iter().zip(0..) {
            for &(feature, value) in profile {
                let postings = postings.entry(feature).or_default();
                match postings.iter_mut().find(|posting| posting.topic == topic) {
                    Some(posting) => posting.profile = value,
                    None => postings.push(Posting { topic, profile: value, learnt: 0.0 }),
                }
            }
        }
        let taught = |topic: &TopicDefinition| {
            let examples = topic.examples.len() as f32;
            examples / (examples + HALF_TAUGHT)
        };
        let taught = definition.topics.iter().map(taught).collect();
        Self { info: info(definition), tree, lexicon, postings, taught }
    }

    pub fn info(&self) -> &TaxonomyInfo {
        &self.info
    }

    pub(super) fn tree(&self) -> &Taxonomy {
        &self.tree
    }

    /// The document's topics, most confident first; a topic comes after its parent.
    pub(super) fn tag(
        &self,
        article: &SegmentedArticle,
        max_topics: usize,
        min_confidence: Option<f32>,
        knowledge: Knowledge,
    ) -> Vec<Topic> {
        let reading = self.lexicon.read(article, knowledge);
        if reading.vector.is_empty() {
            return Vec::new();
        }
        let confidences = self.with_children(&self.confidences(&reading.vector, knowledge));
        let least = min_confidence.unwrap_or(MIN_CONFIDENCE);
        let mut chosen: Vec<Place> =
            (0..confidences.len()).filter(|&place| confidences[place].0 >= least).collect();
        // A parent is at least as sure as its children and stands before them in the taxonomy.
        chosen.sort_by(|&a, &b| confidences[b].0.total_cmp(&confidences[a].0).then(a.cmp(&b)));
        chosen.truncate(max_topics);
        let topic = |place: Place| {
            let Concept { code, name, .. } = self.tree.concept(place);
            let (confidence, because_of) = confidences[place];
            Topic {
                id: code.clone(),
                display_name: name.clone(),
                path: self.tree.path(place),
                confidence,
                evidence: self.evidence(because_of, &reading),
            }
        };
        chosen.into_iter().map(topic).collect()
    }

    /// How sure each topic is for what it says of itself.
    fn confidences(&self, vector: &Sparse, knowledge: Knowledge) -> Vec<f32> {
        let topics = self.tree.concepts();
        let mut alike = vec![0.0_f32; topics.len()];
        let mut latent = vec![0.0_f32; topics.len()];
        let mut learnt = vec![0.0_f32; topics.len()];
        for &(feature, value) in vector {
            let alike = if knowledge.is_latent(feature) { &mut latent } else { &mut alike };
            for posting in self.postings.get(&feature).into_iter().flatten() {
                alike[posting.topic as usize] += value * posting.profile;
                learnt[posting.topic as usize] += value * posting.learnt;
            }
        }
        // What tells topics apart says the less, the fewer there are.
        let told_apart = (topics.len() as f32 - 1.0) / (topics.len() as f32 + 2.0);
        // By parent; the first is of those without one.
        let mut of_siblings = vec![NO_TOPIC; topics.len() + 1];
        let family = |topic: &Concept| topic.parent.map_or(0, |parent| parent + 1);
        topics.iter().zip(&alike).for_each(|(topic, alike)| of_siblings[family(topic)] += alike);
        topics
            .iter()
            .enumerate()
            .map(|(place, topic)| {
                let share = alike[place] / of_siblings[family(topic)];
                // What both latent parts are long at most.
                let meaning = latent[place] / (latent::SHARE * latent::SHARE);
                let score = score(share, meaning, learnt[place] * told_apart, self.taught[place]);
                CALIBRATION.probability([score])
            })
            .collect()
    }

    /// A document about a topic is about the topic's parent: each topic's confidence, and the
    /// topic below it, or itself, that it is from.
    fn with_children(&self, own: &[f32]) -> Vec<(f32, Place)> {
        let mut best: Vec<(f32, Place)> = own.iter().copied().zip(0..).collect();
        // Children come after their parents.
        for place in (0..best.len()).rev() {
            if let Some(parent) = self.tree.concept(place).parent
                && best[parent].0 < best[place].0
            {
                best[parent] = best[place];
            }
        }
        best
    }

    /// Where the words and phrases are that say most for a topic.
    fn evidence(&self, topic: Place, reading: &Reading) -> Vec<TextSpan> {
        let says = |feature: u32| {
            let posting =
                self.postings.get(&feature)?.iter().find(|posting| posting.topic as usize == topic)?;
            Some(posting.profile + posting.learnt)
        };
        let mut saying: Vec<(f32, TextSpan)> = reading
            .vector
            .iter()
            .zip(&reading.first_at)
            .filter_map(|(&(feature, value), &span)| Some((value * says(feature)?, span)))
            .filter(|&(value, _)| value > 0.0)
            .collect();
        saying.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let least = saying.first().map_or(0.0, |best| best.0 * EVIDENCE_SHARE);
        some_of(saying.into_iter().take_while(|(value, _)| *value >= least).map(|(_, span)| span))
    }
}

/// How far a document is about a topic, on the scale of [`CALIBRATION`]: the topic's share of
/// what it has of any sibling's words, how far their meaning is alike, and what was learnt.
fn score(share: f32, meaning: f32, learnt: f32, taught: f32) -> f32 {
    let likeness = SHARE_WEIGHT * share + LATENT_WEIGHT * meaning;
    likeness * (1.0 - LIKENESS_LOST * taught) + learnt * (LEARNT_WEIGHT + LEARNT_GAINED * taught)
        - OFFSET_LOST * taught
}

fn info(definition: &Definition) -> TaxonomyInfo {
    TaxonomyInfo {
        id: definition.id.clone(),
        display_name: definition.display_name.clone(),
        version: definition.version.clone(),
        topic_count: definition.topics.len(),
    }
}

/// The weights that tell topics apart, as feature, topic and weight.
fn learn(
    definition: &Definition,
    tree: &Taxonomy,
    lexicon: &Lexicon,
    profiles: &[Sparse],
    knowledge: Knowledge,
) -> Vec<(u32, Place, f32)> {
    let topics = definition.topics.len();
    let mut examples: Vec<Example> = Vec::new();
    let about = |place: Place, example: &mut Example| {
        std::iter::once(place).chain(tree.ancestors(place)).for_each(|about| example.targets[about] = 1.0);
    };
    // A text may be an example of several topics.
    let mut known: FxHashMap<&str, usize> = FxHashMap::default();
    for (place, (topic, profile)) in definition.topics.iter().zip(profiles).enumerate() {
        for text in &topic.examples {
            let at = *known.entry(text).or_insert_with(|| {
                let vector = lexicon.read_text(text, knowledge).vector;
                examples.push(Example { vector, targets: vec![0.0; topics], weight: 1.0 });
                examples.len() - 1
            });
            about(place, &mut examples[at]);
        }
        if !profile.is_empty() {
            let targets = vec![0.0; topics];
            let mut example = Example { vector: profile.clone(), targets, weight: PROFILE_WEIGHT };
            about(place, &mut example);
            examples.push(example);
        }
    }
    // The learner wants features without gaps.
    let mut features: Vec<u32> =
        examples.iter().flat_map(|example| &example.vector).map(|&(feature, _)| feature).collect();
    features.sort_unstable();
    features.dedup();
    let dense: FxHashMap<u32, u32> = features.iter().copied().zip(0..).collect();
    for (feature, _) in examples.iter_mut().flat_map(|example| &mut example.vector) {
        *feature = dense[feature];
    }
    let weights = RIDGE.fit(&examples.iter().collect::<Vec<_>>(), features.len(), topics);
    let mut least = vec![f32::MIN_POSITIVE; topics];
    for row in weights.values.chunks_exact(topics) {
        least.iter_mut().zip(row).for_each(|(least, weight)| *least = least.max(weight.abs() * LEAST_WEIGHT));
    }
    let rows = features.into_iter().zip(weights.values.chunks_exact(topics));
    rows.flat_map(|(feature, row)| {
        row.iter().copied().enumerate().map(move |(topic, weight)| (feature, topic, weight))
    })
    .filter(|&(_, topic, weight)| weight.abs() >= least[topic])
    .collect()
}
