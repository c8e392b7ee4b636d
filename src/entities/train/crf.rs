//! Training of a linear-chain conditional random field (Lafferty et al. 2001) by stochastic
//! gradient descent with a quadratic penalty, after Bottou's crfsgd. A label may be given
//! in part, as a set; its likelihood is then that of the set.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::entities::tagger::{Scores, WeightParts};
use crate::entities::tags::{self, KINDS, OUTSIDE, Position, TAGS, Tag};

/// Stored weights are `weight * QUANTUM` in 8 bits.
const QUANTUM: f32 = 64.0;
/// No weight grows beyond what can be stored.
const LARGEST: f32 = 127.0 / QUANTUM;
/// Weights smaller than this are dropped before the last epochs, in which the others adapt.
const SMALLEST: f32 = 0.03;
const EPOCHS_AFTER_DROPPING: usize = 2;
/// Stored weights smaller than this are left out, and features without a weight of at least
/// [`LEAST_BEST`]: on texts not learned from nothing is lost, and the model is half as large, so
/// that more of it is in the cache.
const LEAST_STORED: i32 = 4;
const LEAST_BEST: i32 = 6;

/// A set of labels, as bits.
pub type TagSet = u64;
pub const ANY: TagSet = (1 << TAGS) - 1;

/// Stretches of lines with features and the labels allowed for each unit.
#[derive(Default)]
pub struct Instances {
    /// Features of all units, one after the other: hashes, or places after [`Instances::index`].
    features: Vec<u32>,
    /// Where each unit's features end.
    ends: Vec<usize>,
    allowed: Vec<TagSet>,
    /// Scores that are given and not learned, for the second pass; else empty.
    given: Vec<Scores>,
    stretches: Vec<Stretch>,
}

#[derive(Clone, Copy)]
struct Stretch {
    begin: usize,
    end: usize,
    /// Whether something outside comes next, and not the end of the line.
    followed: bool,
    weight: f32,
}

impl Instances {
    pub fn push_unit(&mut self, features: &[u32], allowed: TagSet, given: Option<Scores>) {
        self.features.extend_from_slice(features);
        self.ends.push(self.features.len());
        self.allowed.push(allowed);
        self.given.extend(given);
    }

    /// Closes the stretch of the last `units` units.
    pub fn end_stretch(&mut self, units: usize, followed: bool, weight: f32) {
        let end = self.allowed.len();
        self.stretches.push(Stretch { begin: end - units, end, followed, weight });
    }

    pub fn units(&self) -> usize {
        self.allowed.len()
    }

    fn features(&self, unit: usize) -> &[u32] {
        let begin = if unit == 0 { 0 } else { self.ends[unit - 1] };
        &self.features[begin..self.ends[unit]]
    }

    /// Replaces hashes by places and leaves out features seen fewer than `least` times.
    /// Returns the hash at each place.
    fn index(&mut self, least: u32) -> Vec<u32> {
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        for &feature in &self.features {
            *counts.entry(feature).or_default() += 1;
        }
        let mut hashes: Vec<u32> =
            counts.iter().filter(|(_, count)| **count >= least).map(|(&hash, _)| hash).collect();
        hashes.sort_unstable();
        let places: FxHashMap<u32, u32> =
            hashes.iter().zip(0..).map(|(&hash, place)| (hash, place)).collect();
        let (mut kept, mut begin) = (0, 0);
        for end in &mut self.ends {
            for i in begin..*end {
                if let Some(&place) = places.get(&self.features[i]) {
                    self.features[kept] = place;
                    kept += 1;
                }
            }
            begin = *end;
            *end = kept;
        }
        self.features.truncate(kept);
        hashes
    }
}

#[derive(Clone, Copy)]
pub struct Settings {
    /// From how many orders of the stretches weights are learned, of which the mean is taken.
    pub orders: u64,
    pub epochs: usize,
    /// Features seen fewer times are left out.
    pub least_count: u32,
    /// At the start.
    pub learning_rate: f32,
    /// Weight of the quadratic penalty, for each stretch.
    pub penalty: f32,
    /// The share of a unit's features that is left out at random in each step.
    pub dropout: f32,
}

type Row = [f32; TAGS];

/// Learns weights for `instances`.
pub fn train(mut instances: Instances, settings: Settings) -> WeightParts {
    let hashes = instances.index(settings.least_count);
    let mut mean = Learned { rows: vec![[0.0; TAGS]; hashes.len()], transitions: [[0.0; TAGS]; TAGS] };
    for order in 0..settings.orders {
        let mut trainer = Trainer::new(&instances, hashes.len(), settings, order);
        let loss = trainer.learn(settings);
        eprintln!("order {order}: {} features, loss {loss:.0}", hashes.len());
        mean.add(&trainer, 1.0 / settings.orders as f32);
    }
    mean.quantised(&hashes)
}

/// Weights to be stored.
struct Learned {
    rows: Vec<Row>,
    transitions: [Row; TAGS],
}

impl Learned {
    fn add(&mut self, trainer: &Trainer, share: f32) {
        let weights = trainer.rows.iter().flatten().map(|weight| weight * trainer.shrink);
        let transitions = trainer.transitions.iter().flatten().copied();
        for (sum, weight) in self.rows.iter_mut().flatten().zip(weights) {
            *sum += weight * share;
        }
        for (sum, weight) in self.transitions.iter_mut().flatten().zip(transitions) {
            *sum += weight * share;
        }
    }

    fn quantised(&self, hashes: &[u32]) -> WeightParts {
        let mut parts = WeightParts::default();
        for (row, &hash) in self.rows.iter().zip(hashes) {
            let steps = row.map(|weight| (weight * QUANTUM).round().clamp(-127.0, 127.0) as i32);
            if steps.iter().all(|steps| steps.abs() < LEAST_BEST) {
                continue;
            }
            let before = parts.labels.len();
            for (tag, &steps) in steps.iter().enumerate().filter(|(_, steps)| steps.abs() >= LEAST_STORED) {
                parts.labels.push(tag as u8);
                parts.weights.push(steps as i8);
            }
            parts.features.push(hash);
            parts.counts.push((parts.labels.len() - before) as u8);
        }
        parts.transitions =
            self.transitions.iter().flatten().map(|weight| (weight * QUANTUM).round() as i16).collect();
        parts
    }
}

struct Trainer<'a> {
    instances: &'a Instances,
    /// Weights before the factor [`Trainer::shrink`].
    rows: Vec<Row>,
    /// The labels for which a feature may have a weight.
    kept: Vec<TagSet>,
    shrink: f32,
    transitions: [Row; TAGS],
    dropout: f32,
    /// Draws the order of the stretches, and what is left out.
    random: Random,
}

/// Memory for one stretch's computations.
#[derive(Default)]
struct Work {
    /// The features that are not left out, of all units, and where each unit's end.
    features: Vec<u32>,
    ends: Vec<usize>,
    scores: Vec<Row>,
    masked: Vec<Row>,
    path: Vec<Tag>,
    model: Lattice,
    gold: Lattice,
}

impl<'a> Trainer<'a> {
    fn new(instances: &'a Instances, features: usize, settings: Settings, order: u64) -> Self {
        Self {
            instances,
            rows: vec![[0.0; TAGS]; features],
            kept: vec![ANY; features],
            shrink: 1.0,
            transitions: [[0.0; TAGS]; TAGS],
            dropout: settings.dropout,
            random: Random(0x5EED + order),
        }
    }

    /// Goes over all stretches so many times; returns the loss of the last.
    fn learn(&mut self, settings: Settings) -> f64 {
        let mut order: Vec<usize> = (0..self.instances.stretches.len()).collect();
        // The rate falls to nothing in a straight line, which does without averaging.
        let total = (settings.epochs * order.len()) as f32;
        let mut steps = 0.0_f32;
        let mut work = Work::default();
        let mut loss = 0.0;
        for epoch in 0..settings.epochs {
            if epoch + EPOCHS_AFTER_DROPPING == settings.epochs {
                self.drop_small();
            }
            self.random.shuffle(&mut order);
            loss = 0.0;
            for &stretch in &order {
                let rate = settings.learning_rate * (1.0 - steps / total);
                steps += 1.0;
                loss += f64::from(self.step(stretch, rate, &mut work));
                self.decay(1.0 - rate * settings.penalty);
            }
        }
        loss
    }

    /// One step of descent; returns the stretch's loss before it.
    fn step(&mut self, stretch: usize, rate: f32, work: &mut Work) -> f32 {
        let Stretch { begin, end, followed, weight } = self.instances.stretches[stretch];
        self.choose_features(begin..end, work);
        work.scores.clear();
        let mut loss = 0.0;
        for (unit, features) in (begin..end).zip(units(&work.features, &work.ends)) {
            work.scores.push(self.potentials(unit, features));
        }
        let transitions = self.transitions.map(|row| row.map(f32::exp));
        let allowed = &self.instances.allowed[begin..end];
        let path = only_path(allowed, &mut work.path);
        let right = if path {
            // Of a name that only in part lies in the stretch nothing is learned.
            if !well_formed(&work.path) {
                return 0.0;
            }
            work.gold.follow(&work.path);
            path_score(&work.path, &work.scores, &self.transitions, followed)
        } else {
            mask(&work.scores, allowed, &mut work.masked);
            let Some(right) = work.gold.run(&work.masked, &transitions, followed) else { return 0.0 };
            right
        };
        let Some(all) = work.model.run(&work.scores, &transitions, followed) else { return 0.0 };
        loss += (all - right) * weight;
        let mut sure = true;
        let bound = LARGEST / self.shrink;
        for (i, features) in units(&work.features, &work.ends).enumerate() {
            let (gold, model) = (&work.gold.marginals[i], &work.model.marginals[i]);
            let mut difference = [0.0; TAGS];
            let mut largest = 0.0_f32;
            for tag in 0..TAGS {
                difference[tag] = gold[tag] - model[tag];
                largest = largest.max(difference[tag].abs());
            }
            if largest < 0.002 {
                continue;
            }
            sure = false;
            let factor = rate * weight / self.shrink / (1.0 - self.dropout);
            for change in &mut difference {
                *change *= factor;
            }
            for &feature in features {
                let (row, kept) = (&mut self.rows[feature as usize], self.kept[feature as usize]);
                for (tag, (weight, change)) in row.iter_mut().zip(&difference).enumerate() {
                    if kept == ANY || kept & (1 << tag) != 0 {
                        *weight = (*weight + change).clamp(-bound, bound);
                    }
                }
            }
        }
        if !sure {
            let step = rate * weight;
            if path {
                let mut before = OUTSIDE;
                for &tag in &work.path {
                    self.transitions[usize::from(before)][usize::from(tag)] += step;
                    before = tag;
                }
                if followed {
                    self.transitions[usize::from(before)][usize::from(OUTSIDE)] += step;
                }
            } else {
                work.gold.add_pairs(&work.masked, &transitions, followed, step, &mut self.transitions);
            }
            work.model.add_pairs(&work.scores, &transitions, followed, -step, &mut self.transitions);
        }
        loss
    }

    /// Leaves out a share of the units' features, so that no weight counts on another.
    fn choose_features(&mut self, units: Range<usize>, work: &mut Work) {
        let share = (self.dropout * 65536.0) as u64;
        work.features.clear();
        work.ends.clear();
        for unit in units {
            let features = self.instances.features(unit).iter();
            work.features.extend(features.filter(|_| share == 0 || self.random.draw() >> 48 >= share));
            work.ends.push(work.features.len());
        }
    }

    /// The exponentials of a unit's scores, up to a factor.
    fn potentials(&self, unit: usize, features: &[u32]) -> Row {
        let mut row = [0.0; TAGS];
        for &feature in features {
            for (sum, weight) in row.iter_mut().zip(&self.rows[feature as usize]) {
                *sum += weight;
            }
        }
        for value in &mut row {
            *value *= self.shrink / (1.0 - self.dropout);
        }
        if let Some(given) = self.instances.given.get(unit) {
            for (sum, &score) in row.iter_mut().zip(given) {
                *sum += f32::from(score) / QUANTUM;
            }
        }
        let most = row.iter().copied().fold(f32::MIN, f32::max);
        row.map(|score| (score - most).max(-60.0).exp())
    }

    fn decay(&mut self, factor: f32) {
        self.shrink *= factor;
        if self.shrink < 1e-3 {
            for row in &mut self.rows {
                for weight in row {
                    *weight *= self.shrink;
                }
            }
            self.shrink = 1.0;
        }
    }

    fn drop_small(&mut self) {
        for (row, kept) in self.rows.iter_mut().zip(&mut self.kept) {
            for (tag, weight) in row.iter_mut().enumerate() {
                if (*weight * self.shrink).abs() < SMALLEST {
                    *weight = 0.0;
                    *kept &= !(1 << tag);
                }
            }
        }
    }
}

/// The features of each unit.
fn units<'a>(features: &'a [u32], ends: &'a [usize]) -> impl Iterator<Item = &'a [u32]> {
    let begins = [0].into_iter().chain(ends.iter().copied());
    begins.zip(ends).map(|(begin, &end)| &features[begin..end])
}

/// Puts the labelling into `path` if only one is allowed; whether it is.
fn only_path(allowed: &[TagSet], path: &mut Vec<Tag>) -> bool {
    path.clear();
    path.extend(allowed.iter().map(|set| set.trailing_zeros() as Tag));
    allowed.iter().all(|set| set.is_power_of_two())
}

fn well_formed(path: &[Tag]) -> bool {
    path.first().is_some_and(|&tag| tags::opens(tag)) && path.last().is_some_and(|&tag| tags::closes(tag))
}

/// The logarithm of one labelling's score.
fn path_score(path: &[Tag], potentials: &[Row], transitions: &[Row; TAGS], followed: bool) -> f32 {
    let mut before = OUTSIDE;
    let mut score = 0.0;
    for (&tag, potential) in path.iter().zip(potentials) {
        score += transitions[usize::from(before)][usize::from(tag)] + potential[usize::from(tag)].ln();
        before = tag;
    }
    if followed { score + transitions[usize::from(before)][usize::from(OUTSIDE)] } else { score }
}

/// The potentials of the allowed labels alone.
fn mask(potentials: &[Row], allowed: &[TagSet], masked: &mut Vec<Row>) {
    masked.clear();
    masked.extend(potentials.iter().zip(allowed).map(|(row, set)| {
        let mut row = *row;
        for (tag, value) in row.iter_mut().enumerate() {
            if set & (1 << tag) == 0 {
                *value = 0.0;
            }
        }
        row
    }));
}

/// Forward and backward sums over all labellings of a stretch.
#[derive(Default)]
struct Lattice {
    pairs: Vec<(usize, usize, f32)>,
    forward: Vec<Row>,
    backward: Vec<Row>,
    marginals: Vec<Row>,
}

impl Lattice {
    /// The marginals of a single labelling.
    fn follow(&mut self, path: &[Tag]) {
        self.marginals.clear();
        self.marginals.extend(path.iter().map(|&tag| {
            let mut row = [0.0; TAGS];
            row[usize::from(tag)] = 1.0;
            row
        }));
    }

    /// The logarithm of the sum over all labellings, with marginals; none where no
    /// labelling is possible.
    fn run(&mut self, potentials: &[Row], transitions: &[Row; TAGS], followed: bool) -> Option<f32> {
        let n = potentials.len();
        self.forward.clear();
        self.backward.clear();
        self.backward.resize(n, [0.0; TAGS]);
        let mut log = 0.0;
        for (i, potential) in potentials.iter().enumerate() {
            let mut row = if i == 0 {
                let mut row = [0.0; TAGS];
                for to in (0..TAGS as Tag).filter(|&tag| tags::opens(tag)) {
                    row[usize::from(to)] = transitions[0][usize::from(to)];
                }
                row
            } else {
                forward_step(&self.forward[i - 1], transitions)
            };
            let mut sum = 0.0;
            for (value, potential) in row.iter_mut().zip(potential) {
                *value *= potential;
                sum += *value;
            }
            if sum < 1e-30 {
                return None;
            }
            for value in &mut row {
                *value /= sum;
            }
            log += sum.ln();
            self.forward.push(row);
        }
        let last = leaving(transitions, followed);
        let end: f32 = self.forward[n - 1].iter().zip(&last).map(|(value, leave)| value * leave).sum();
        if end < 1e-30 {
            return None;
        }
        log += end.ln();
        self.backward[n - 1] = last;
        for i in (1..n).rev() {
            let mut arriving = self.backward[i];
            for (value, potential) in arriving.iter_mut().zip(&potentials[i]) {
                *value *= potential;
            }
            let mut row = backward_step(&arriving, transitions);
            let sum: f32 = row.iter().sum();
            if sum < 1e-30 {
                return None;
            }
            for value in &mut row {
                *value /= sum;
            }
            self.backward[i - 1] = row;
        }
        self.marginals.clear();
        for (forward, backward) in self.forward.iter().zip(&self.backward) {
            let mut row = *forward;
            let mut sum = 0.0;
            for (value, backward) in row.iter_mut().zip(backward) {
                *value *= backward;
                sum += *value;
            }
            if sum < 1e-30 {
                return None;
            }
            self.marginals.push(row.map(|value| value / sum));
        }
        Some(log)
    }

    /// Adds `step` times the expected number of each transition to `out`.
    fn add_pairs(
        &mut self,
        potentials: &[Row],
        transitions: &[Row; TAGS],
        followed: bool,
        step: f32,
        out: &mut [Row; TAGS],
    ) {
        for (value, first) in out[usize::from(OUTSIDE)].iter_mut().zip(&self.marginals[0]) {
            *value += step * first;
        }
        if let (true, Some(last)) = (followed, self.marginals.last()) {
            for (row, value) in out.iter_mut().zip(last) {
                row[usize::from(OUTSIDE)] += step * value;
            }
        }
        let after = self.backward.iter().zip(potentials).skip(1);
        for (forward, (backward, potentials)) in self.forward.iter().zip(after) {
            let mut arriving = *backward;
            for (value, potential) in arriving.iter_mut().zip(potentials) {
                *value *= potential;
            }
            self.pairs.clear();
            let mut sum = 0.0;
            each_pair(|from, to| {
                let value = forward[from] * transitions[from][to] * arriving[to];
                if value > 1e-9 {
                    sum += value;
                    self.pairs.push((from, to, value));
                }
            });
            for &(from, to, value) in &self.pairs {
                out[from][to] += step * value / sum;
            }
        }
    }
}

/// The weights of what comes behind a stretch, by its last label.
fn leaving(transitions: &[Row; TAGS], followed: bool) -> Row {
    let mut row = [0.0; TAGS];
    for tag in (0..TAGS).filter(|&tag| tags::closes(tag as Tag)) {
        row[tag] = if followed { transitions[tag][usize::from(OUTSIDE)] } else { 1.0 };
    }
    row
}

/// Calls `visit` for every two labels that may follow each other.
fn each_pair(mut visit: impl FnMut(usize, usize)) {
    for from in (0..TAGS).filter(|&tag| tags::closes(tag as Tag)) {
        for to in (0..TAGS).filter(|&tag| tags::opens(tag as Tag)) {
            visit(from, to);
        }
    }
    for kind in 0..KINDS.len() {
        let begin = usize::from(tags::tag(kind, Position::Begin));
        for from in [begin, begin + 1] {
            for to in [begin + 1, begin + 2] {
                visit(from, to);
            }
        }
    }
}

fn forward_step(before: &Row, transitions: &[Row; TAGS]) -> Row {
    let mut row = [0.0; TAGS];
    for from in (0..TAGS).filter(|&tag| tags::closes(tag as Tag)) {
        if before[from] > 1e-12 {
            for (value, transition) in row.iter_mut().zip(&transitions[from]) {
                *value += before[from] * transition;
            }
        }
    }
    for kind in 0..KINDS.len() {
        let begin = usize::from(tags::tag(kind, Position::Begin));
        for to in [begin + 1, begin + 2] {
            row[to] = before[begin] * transitions[begin][to] + before[begin + 1] * transitions[begin + 1][to];
        }
    }
    row
}

fn backward_step(arriving: &Row, transitions: &[Row; TAGS]) -> Row {
    let mut opening = *arriving;
    for tag in (0..TAGS).filter(|&tag| !tags::opens(tag as Tag)) {
        opening[tag] = 0.0;
    }
    let mut row = [0.0; TAGS];
    for from in (0..TAGS).filter(|&tag| tags::closes(tag as Tag)) {
        row[from] =
            transitions[from].iter().zip(&opening).map(|(transition, value)| transition * value).sum();
    }
    for kind in 0..KINDS.len() {
        let begin = usize::from(tags::tag(kind, Position::Begin));
        for from in [begin, begin + 1] {
            row[from] = transitions[from][begin + 1] * arriving[begin + 1]
                + transitions[from][begin + 2] * arriving[begin + 2];
        }
    }
    row
}

/// A small seeded generator (xorshift), for orders that are the same every time.
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn shuffle(&mut self, items: &mut [usize]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.draw() % (i as u64 + 1)) as usize);
        }
    }
}
