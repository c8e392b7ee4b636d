//! Learns which descriptions stand for an entity, and which entities an article is about.

use rustc_hash::FxHashMap;

use super::stories::Reviewed;
use crate::entities::describe::{self, Pairs};
use crate::entities::nouns::NounParts;
use crate::entities::salience::{self, Ranker};
use crate::model::ModelWriter;
use crate::model::trees::{self, Forest, Objective, Params};

/// Parts of the stories, each judged by what was learned from the others.
const FOLDS: usize = 8;
const PARAMS: Params = Params {
    trees: 100,
    leaves: 16,
    learning_rate: 0.1,
    min_rows: 15,
    l2: 3.0,
    row_share: 0.7,
    feature_share: 0.4,
    seed: 1,
};
const RANKING: Params = Params {
    trees: 150,
    leaves: 8,
    learning_rate: 0.06,
    min_rows: 20,
    l2: 3.0,
    row_share: 0.7,
    feature_share: 0.4,
    seed: 1,
};

/// Forests for [`describe`] and [`salience`].
pub struct Roles {
    forest: Forest,
    ranking: Forest,
}

impl Roles {
    pub fn write(&self, file: &mut ModelWriter) {
        self.forest.write(file, describe::FOREST);
        self.ranking.write(file, salience::FOREST);
    }
}

/// Learns from `stories`; writes the priors into `nouns`. Says how it does on stories not
/// learned from.
pub fn learn(mut stories: Vec<Reviewed>, nouns: &mut NounParts) -> Roles {
    let mut unseen: Vec<Vec<f32>> = vec![Vec::new(); stories.len()];
    for fold in 0..FOLDS {
        let chosen = |story: usize| story % FOLDS != fold;
        let priors = fill_in_priors(&mut stories, chosen);
        let forest = train_forest(&stories, chosen);
        for story in (fold..stories.len()).step_by(FOLDS) {
            priors.fill_in(&mut stories[story].pairs, &Counts::default());
            unseen[story] = forest.scores(&stories[story].pairs.rows);
        }
    }
    report_roles(&stories, &unseen);
    for (story, scores) in stories.iter_mut().zip(&unseen) {
        for description in story.pairs.choose(scores) {
            story.traces[description.cluster].add(&description);
        }
    }
    report_salience(&stories);
    let priors = fill_in_priors(&mut stories, |_| true);
    for (word, noun) in nouns.words.iter().zip(&mut nouns.nouns) {
        noun.prior = priors.of(*word, &Counts::default());
    }
    Roles { forest: train_forest(&stories, |_| true), ranking: train_ranking(&stories, |_| true) }
}

/// For each noun, how many phrases and how many of them right descriptions.
type Counts = FxHashMap<u32, [u32; 2]>;

struct Priors {
    counts: Counts,
    mean: f32,
}

impl Priors {
    /// As [`Noun::prior`](crate::entities::nouns::Noun::prior), by all stories but one with `own` counts.
    fn of(&self, noun: u32, own: &Counts) -> u8 {
        /// The mean counts as so many phrases.
        const STRENGTH: f32 = 4.0;
        let counts =
            |counts: &Counts| counts.get(&noun).copied().unwrap_or_default().map(|count| count as f32);
        let ([all, right], [own, own_right]) = (counts(&self.counts), counts(own));
        (255.0 * (right - own_right + STRENGTH * self.mean) / (all - own + STRENGTH)).round() as u8
    }

    fn fill_in(&self, pairs: &mut Pairs, own: &Counts) {
        for (pair, row) in pairs.pairs.iter().zip(pairs.rows.chunks_exact_mut(describe::WIDTH)) {
            row[describe::PRIOR] = f32::from(self.of(pair.noun, own));
        }
    }
}

/// Fills in the nouns' priors in the chosen stories, in each by the others, so that none tells
/// of itself.
fn fill_in_priors(stories: &mut [Reviewed], chosen: impl Fn(usize) -> bool) -> Priors {
    let own: Vec<Counts> = stories.iter().map(count).collect();
    let mut counts = Counts::default();
    for (_, own) in own.iter().enumerate().filter(|(story, _)| chosen(*story)) {
        for (&noun, own) in own {
            let counts = counts.entry(noun).or_default();
            counts.iter_mut().zip(own).for_each(|(sum, count)| *sum += count);
        }
    }
    let (all, right) = counts.values().fold((0, 0), |sum, counts| (sum.0 + counts[0], sum.1 + counts[1]));
    let priors = Priors { counts, mean: right as f32 / all.max(1) as f32 };
    for (number, (story, own)) in stories.iter_mut().zip(&own).enumerate() {
        if chosen(number) {
            priors.fill_in(&mut story.pairs, own);
        }
    }
    priors
}

fn count(story: &Reviewed) -> Counts {
    let mut counts = Counts::default();
    let pairs: Vec<_> = story.pairs.pairs.iter().zip(&story.right).collect();
    for phrase in pairs.chunk_by(|(a, _), (b, _)| a.units == b.units) {
        if phrase.iter().any(|(_, right)| right.is_some()) {
            let counts = counts.entry(phrase[0].0.noun).or_default();
            counts[0] += 1;
            counts[1] += u32::from(phrase.iter().any(|(_, right)| **right == Some(true)));
        }
    }
    counts
}

fn train_forest(stories: &[Reviewed], chosen: impl Fn(usize) -> bool) -> Forest {
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for (_, story) in stories.iter().enumerate().filter(|(story, _)| chosen(*story)) {
        for (row, right) in story.pairs.rows.chunks_exact(describe::WIDTH).zip(&story.right) {
            if let Some(right) = right {
                rows.extend_from_slice(row);
                targets.push(f32::from(u8::from(*right)));
            }
        }
    }
    Forest::train(&rows, describe::WIDTH, &targets, None, Objective::Logistic, &PARAMS)
}

/// Says how many descriptions are right, and how many of the annotated ones are found, from
/// several probabilities on.
fn report_roles(stories: &[Reviewed], scores: &[Vec<f32>]) {
    let annotated: usize = stories.iter().map(|story| story.roles).sum();
    let mut found = Vec::new();
    for (story, scores) in stories.iter().zip(scores) {
        let pairs: Vec<usize> = (0..scores.len()).collect();
        let begin = |pair: usize| story.pairs.pairs[pair].units.start;
        for phrase in pairs.chunk_by(|&a, &b| begin(a) == begin(b)) {
            let best = phrase.iter().copied().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            found
                .extend(best.map(|best| (trees::probability(scores[best]), story.right[best] == Some(true))));
        }
    }
    for least in [0.3, 0.4, 0.45, 0.5, 0.55, 0.6] {
        let taken = found.iter().filter(|(probability, _)| *probability >= least);
        let (all, right) = taken.fold((0, 0), |(all, right), (_, is)| (all + 1, right + usize::from(*is)));
        eprintln!(
            "descriptions from {least} on, cross-validated over {} articles: precision {:.3}, recall {:.3}",
            stories.len(),
            right as f32 / all.max(1) as f32,
            right as f32 / annotated.max(1) as f32
        );
    }
}

/// Learns how likely an article is about an entity. One that plays a part is taken for a
/// protagonist by [`PART`] of the readers; each of many entities counts less than each of few.
fn train_ranking(stories: &[Reviewed], chosen: impl Fn(usize) -> bool) -> Forest {
    const PART: f32 = 0.35;
    let (mut rows, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for (_, story) in stories.iter().enumerate().filter(|(story, _)| chosen(*story)) {
        rows.extend(salience::rows(&story.traces));
        targets.extend(story.grades.iter().map(|grade| [0.0, PART, 1.0][usize::from(*grade).min(2)]));
        let count = story.traces.len();
        weights.extend(vec![3.0 / (count.max(1) as f32).sqrt(); count]);
    }
    Forest::train(&rows, salience::WIDTH, &targets, Some(&weights), Objective::Logistic, &RANKING)
}

/// Says how well saliences rank, on stories not learned from.
fn report_salience(stories: &[Reviewed]) {
    let (mut found, mut protagonists, mut gains) = (0, 0, 0.0);
    for fold in 0..FOLDS {
        let ranker = Ranker::new(train_ranking(stories, |story| story % FOLDS != fold));
        for story in stories.iter().skip(fold).step_by(FOLDS) {
            let mut ranked: Vec<(f32, u8)> =
                ranker.scores(&story.traces).into_iter().zip(story.grades.iter().copied()).collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
            let most = story.ideal.iter().filter(|grade| **grade == 2).count();
            found += ranked.iter().take(most).filter(|(_, grade)| *grade == 2).count();
            protagonists += most;
            let mut ideal = story.ideal.clone();
            ideal.sort_unstable_by(|a, b| b.cmp(a));
            let best = gain(ideal.into_iter());
            gains += if best > 0.0 { gain(ranked.into_iter().map(|(_, grade)| grade)) / best } else { 1.0 };
        }
    }
    eprintln!(
        "salience, cross-validated: protagonists {:.3}, nDCG {:.4}",
        found as f32 / protagonists.max(1) as f32,
        gains / stories.len().max(1) as f32
    );
}

/// Discounted cumulative gain.
fn gain(grades: impl Iterator<Item = u8>) -> f32 {
    grades.zip(2..).map(|(grade, place)| f32::from(grade) / (place as f32).log2()).sum()
}
