//! Annotated articles read whole: who is named and described where, and how much it is about them.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::document::{Article, Section, Span};
use crate::entities::describe::Pairs;
use crate::entities::kinds::Hints;
use crate::entities::link::Links;
use crate::entities::nouns::Nouns;
use crate::entities::pronouns::Pronouns;
use crate::entities::reading::Reading;
use crate::entities::resolve::{self, Cluster};
use crate::entities::salience::Trace;
use crate::entities::tagger::Tagger;
use crate::text::segment_article;

/// An article with its entities as annotated.
pub struct Story {
    article: Article,
    entities: Vec<Annotated>,
}

struct Annotated {
    mentions: Vec<Span>,
    roles: Vec<Span>,
    /// 2 where the story is about it, 1 where it plays a part, else 0.
    salience: u8,
}

/// A span as the data sets have it, by keys, or as a pair, as our own readings do.
pub fn annotated_span(span: &Value, offsets: &[usize]) -> Option<Span> {
    let offset = |key: &str, place: usize| {
        let offset = span.get(key).or_else(|| span.get(place))?.as_u64()?;
        offsets.get(offset as usize).copied()
    };
    Some(Span::new(offset("begin", 0)?, offset("end", 1)?))
}

impl Story {
    /// None if the record's entities have no salience. `offsets` are the text's characters' in bytes.
    pub fn of(record: &Value, offsets: &[usize]) -> Option<Self> {
        let spans = |list: &Value| {
            list.as_array().into_iter().flatten().filter_map(|span| annotated_span(span, offsets)).collect()
        };
        let annotated = |entity: &Value| {
            let salience = entity["salience"].as_u64()? as u8;
            Some(Annotated { mentions: spans(&entity["mentions"]), roles: spans(&entity["roles"]), salience })
        };
        let entities: Vec<Annotated> = record["entities"].as_array()?.iter().filter_map(annotated).collect();
        let field = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let article = Article {
            title: field("title"),
            text: field("text"),
            language_code: "en".into(),
            ..Article::default()
        };
        (!entities.is_empty()).then_some(Self { article, entities })
    }
}

/// What the engine finds in a story, with what it should have found.
pub struct Reviewed {
    pub pairs: Pairs,
    /// For each pair whether the phrase is annotated as the entity's; none where it may be
    /// and was left out, as the annotation names at most five.
    pub right: Vec<Option<bool>>,
    /// How many descriptions are annotated.
    pub roles: usize,
    /// For each cluster its annotated salience, 0 where it is no annotated entity.
    pub grades: Vec<u8>,
    /// The saliences of all annotated entities.
    pub ideal: Vec<u8>,
    /// For each cluster what its salience depends on, but for descriptions.
    pub traces: Vec<Trace>,
}

/// The most descriptions that are annotated for an entity.
const MOST_ROLES: usize = 5;

impl Reviewed {
    /// Reads `story` with a tagger, best one that has not learned from it.
    pub fn of(story: &Story, tagger: &Tagger, links: &Links, nouns: &Nouns) -> Self {
        let segmented = segment_article(&story.article);
        let reading = Reading::new(&segmented, &tagger.lexicon);
        let names = Hints::new().typed(&reading, resolve::names(&reading, &tagger.tag(&reading)));
        let clusters = resolve::resolve(&reading, links, names);
        let cluster_of = resolve::cluster_of(&reading, &clusters);
        let pairs = Pairs::of(nouns, &reading, &clusters, &cluster_of);
        let meant = meant(story, &reading, &clusters);
        let annotated = |cluster: usize| meant.iter().position(|&meant| meant == Some(cluster));
        let right = pairs.pairs.iter().map(|pair| {
            let span = reading.span(pair.units.clone());
            let described = story.entities.iter().position(|entity| entity.roles.contains(&span));
            match (described, annotated(pair.cluster)) {
                (Some(described), Some(entity)) => Some(described == entity),
                (None, Some(entity)) if story.entities[entity].roles.len() >= MOST_ROLES => None,
                _ => Some(false),
            }
        });
        let pronouns = Pronouns::new().find(&reading, &clusters, &cluster_of);
        Self {
            right: right.collect(),
            roles: story.entities.iter().map(|entity| entity.roles.len()).sum(),
            grades: (0..clusters.len())
                .map(|cluster| annotated(cluster).map_or(0, |entity| story.entities[entity].salience))
                .collect(),
            ideal: story.entities.iter().map(|entity| entity.salience).collect(),
            traces: Trace::all(&reading, &clusters, &pronouns),
            pairs,
        }
    }
}

/// For each annotated entity the cluster with most of its mentions, if these are half of them.
fn meant(story: &Story, reading: &Reading, clusters: &[Cluster]) -> Vec<Option<usize>> {
    let mut cluster_at: FxHashMap<Span, usize> = FxHashMap::default();
    for (number, cluster) in clusters.iter().enumerate() {
        let in_body = |name: &&resolve::Name| reading.lines[name.line].section == Section::Body;
        for name in cluster.names.iter().filter(in_body) {
            cluster_at.insert(reading.span(name.units.clone()), number);
        }
    }
    let meant = |entity: &Annotated| {
        let mut hits: Vec<usize> =
            entity.mentions.iter().filter_map(|mention| cluster_at.get(mention).copied()).collect();
        hits.sort_unstable();
        let most = hits.chunk_by(|a, b| a == b).max_by_key(|chunk| chunk.len())?;
        (2 * most.len() >= entity.mentions.len()).then_some(most[0])
    };
    story.entities.iter().map(meant).collect()
}
