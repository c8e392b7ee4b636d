//! What cross-validation says of the model, printed while it is trained.

use std::error::Error;

use super::naming::{self, Readings};
use super::{Corpus, FOLDS, HeldOut, Learnable, Scores, fold_of};
use crate::model::linear::Calibration;
use crate::topics::{MIN_CONFIDENCE, MIN_NAMED_CONFIDENCE, SIGNS, is_blank};

/// Prints F1 over thresholds, how calibrated the confidences are, and each topic's figures.
pub(super) fn print(corpus: &Corpus, held_out: &HeldOut) -> Result<(), Box<dyn Error>> {
    // A text's confidences are calibrated on the folds that it is not in.
    let calibrations: Vec<_> = (0..FOLDS)
        .map(|fold| {
            let used = |text: &Learnable| fold_of(&text.id) != fold;
            (corpus.calibrate(held_out, used), corpus.calibrate_blank(held_out, used))
        })
        .collect();
    let confidences = confidences(corpus, &calibrations, &corpus.read, &held_out.read);
    let sectioned = self::confidences(corpus, &calibrations, &corpus.sectioned, &held_out.sectioned);
    let headlines = self::confidences(corpus, &calibrations, &corpus.headlines, &held_out.headlines);
    let blank = self::confidences(corpus, &calibrations, &corpus.blank, &held_out.blank);
    println!("cross-validated over {FOLDS} folds of the read texts");
    for threshold in [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6] {
        let [first, second] = [1, 2].map(|level| {
            let counts = counts(corpus, &corpus.read, &confidences, threshold);
            let of_level: Vec<Counts> =
                (0..counts.len()).filter(|&o| level_of(corpus, o) == level).map(|o| counts[o]).collect();
            let all = of_level.iter().fold(Counts::default(), |sum, one| sum.plus(*one));
            let macro_f1 = of_level.iter().map(|one| one.f1()).sum::<f64>() / of_level.len() as f64;
            format!(
                "micro P {:.3} R {:.3} F1 {:.3} macro {macro_f1:.3}",
                all.precision(),
                all.recall(),
                all.f1()
            )
        });
        println!("confidence >= {threshold:.2}  level 1: {first}  level 2: {second}");
    }
    println!("level 2, a right one among the first three: {:.3}", hit_at_3(corpus, &confidences));
    print_sections(corpus, &sectioned);
    print_headlines(corpus, &headlines);
    print_blank(&blank);
    print_calibration(corpus, &confidences);
    print_named(corpus, &confidences)?;
    let counts = counts(corpus, &corpus.read, &confidences, MIN_CONFIDENCE);
    for (output, counts) in counts.iter().enumerate() {
        let concept = corpus.taxonomy.concept(corpus.outputs.concepts[output]);
        println!(
            "{:indent$}{} {}: {} texts, P {:.2} R {:.2} F1 {:.2}",
            "",
            concept.code,
            concept.name,
            counts.hits + counts.missed,
            counts.precision(),
            counts.recall(),
            counts.f1(),
            indent = 2 * (concept.level - 1)
        );
    }
    Ok(())
}

/// How many of the concepts that texts name are rightly given, among the texts that were read for it.
fn print_named(corpus: &Corpus, confidences: &[Vec<f32>]) -> Result<(), Box<dyn Error>> {
    let readings = Readings::new(corpus)?;
    let mut judged = Vec::new();
    for fold in 0..FOLDS {
        let judge = naming::learn(corpus, |text| fold_of(&text.id) == fold)?;
        let held_out = |(text, _): &(&Learnable, _)| fold_of(&text.id) == fold && readings.cover(text);
        for (text, confidences) in corpus.read.iter().zip(confidences).filter(held_out) {
            for named in &text.named {
                let above = corpus.outputs.above(&corpus.taxonomy, named.concept);
                let learnt = corpus.outputs.output(named.concept).is_some();
                let right = readings.is_topic(corpus, text, named.concept).filter(|_| !learnt);
                if let (Some(above), Some(right)) = (above, right) {
                    judged.push((confidences[above] * judge.probability(named), right));
                }
            }
        }
    }
    for threshold in [0.3, MIN_CONFIDENCE, 0.4, MIN_NAMED_CONFIDENCE, 0.5] {
        let mut counts = Counts::default();
        for &(confidence, right) in &judged {
            match (right, confidence >= threshold) {
                (true, true) => counts.hits += 1,
                (false, true) => counts.wrong += 1,
                (true, false) => counts.missed += 1,
                (false, false) => {}
            }
        }
        println!(
            "{} named concepts, confidence >= {threshold:.2}: P {:.3} R {:.3}, {} given",
            judged.len(),
            counts.precision(),
            counts.recall(),
            counts.hits + counts.wrong
        );
    }
    Ok(())
}

/// Each text's confidences by the calibration of its fold.
fn confidences(
    corpus: &Corpus,
    calibrations: &[(Vec<Calibration<SIGNS>>, Calibration<1>)],
    texts: &[Learnable],
    scores: &[Scores],
) -> Vec<Vec<f32>> {
    let confidences = |(text, scores): (&Learnable, &Scores)| {
        let (topics, blank) = &calibrations[fold_of(&text.id) as usize];
        if is_blank(*blank, scores.blank) {
            return vec![0.0; scores.topics.len()];
        }
        corpus.outputs.confidences(topics, &scores.topics)
    };
    texts.iter().zip(scores).map(confidences).collect()
}

fn level_of(corpus: &Corpus, output: usize) -> usize {
    corpus.taxonomy.concept(corpus.outputs.concepts[output]).level
}

#[derive(Clone, Copy, Default)]
struct Counts {
    hits: usize,
    wrong: usize,
    missed: usize,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            wrong: self.wrong + other.wrong,
            missed: self.missed + other.missed,
        }
    }

    fn precision(self) -> f64 {
        self.hits as f64 / (self.hits + self.wrong).max(1) as f64
    }

    fn recall(self) -> f64 {
        self.hits as f64 / (self.hits + self.missed).max(1) as f64
    }

    fn f1(self) -> f64 {
        2.0 * self.hits as f64 / (2 * self.hits + self.wrong + self.missed).max(1) as f64
    }
}

fn counts(corpus: &Corpus, texts: &[Learnable], confidences: &[Vec<f32>], threshold: f32) -> Vec<Counts> {
    let mut counts = vec![Counts::default(); corpus.outputs.concepts.len()];
    for (text, confidences) in texts.iter().zip(confidences) {
        for ((counts, target), confidence) in counts.iter_mut().zip(&text.example.targets).zip(confidences) {
            match (*target > 0.5, *confidence >= threshold) {
                (true, true) => counts.hits += 1,
                (false, true) => counts.wrong += 1,
                (true, false) => counts.missed += 1,
                (false, false) => {}
            }
        }
    }
    counts
}

fn hit_at_3(corpus: &Corpus, confidences: &[Vec<f32>]) -> f64 {
    let second: Vec<usize> =
        (0..corpus.outputs.concepts.len()).filter(|&o| level_of(corpus, o) == 2).collect();
    let (mut hits, mut texts) = (0, 0);
    for (text, confidences) in corpus.read.iter().zip(confidences) {
        let mut ranked = second.clone();
        ranked.sort_by(|&a, &b| confidences[b].total_cmp(&confidences[a]));
        let right = |output: &usize| text.example.targets[*output] > 0.5;
        texts += usize::from(second.iter().any(right));
        hits += usize::from(ranked[..3].iter().any(right));
    }
    hits as f64 / texts as f64
}

/// How often the surest topic of the first level is the BBC's section: of all topics, and of
/// those that are sections.
fn print_sections(corpus: &Corpus, confidences: &[Vec<f32>]) {
    let first: Vec<usize> =
        (0..corpus.outputs.concepts.len()).filter(|&o| level_of(corpus, o) == 1).collect();
    let texts: Vec<_> =
        corpus.sectioned.iter().zip(confidences).filter(|(text, _)| text.id.starts_with("bbc/")).collect();
    let section = |output: &usize| texts.iter().any(|(text, _)| text.example.targets[*output] > 0.5);
    let sections: Vec<usize> = first.iter().copied().filter(section).collect();
    let share = |among: &[usize]| {
        let right = texts.iter().filter(|(text, confidences)| {
            let best = among.iter().copied().max_by(|&a, &b| confidences[a].total_cmp(&confidences[b]));
            best.is_some_and(|best| text.example.targets[best] > 0.5)
        });
        right.count() as f64 / texts.len() as f64
    };
    println!(
        "BBC: section first {:.3}, first of the sections {:.3} ({} texts)",
        share(&first),
        share(&sections),
        texts.len()
    );
}

/// How many titles alone get a topic, and how many of their topics are right.
fn print_headlines(corpus: &Corpus, confidences: &[Vec<f32>]) {
    let counts = counts(corpus, &corpus.headlines, confidences, MIN_CONFIDENCE);
    let first = counts.iter().enumerate().filter(|&(output, _)| level_of(corpus, output) == 1);
    let all = first.fold(Counts::default(), |sum, (_, one)| sum.plus(*one));
    println!(
        "{} titles alone: tagged {:.3}, level 1 micro P {:.3} R {:.3} F1 {:.3}",
        confidences.len(),
        tagged(confidences, MIN_CONFIDENCE),
        all.precision(),
        all.recall(),
        all.f1()
    );
}

/// How many texts about nothing get a topic.
fn print_blank(confidences: &[Vec<f32>]) {
    println!(
        "{} texts about nothing: tagged {:.3}, at 0.6 {:.3}",
        confidences.len(),
        tagged(confidences, MIN_CONFIDENCE),
        tagged(confidences, 0.6)
    );
}

/// The share of texts with a topic.
fn tagged(confidences: &[Vec<f32>], threshold: f32) -> f64 {
    let tagged = confidences.iter().filter(|of_text| of_text.iter().any(|&one| one >= threshold));
    tagged.count() as f64 / confidences.len().max(1) as f64
}

fn print_calibration(corpus: &Corpus, confidences: &[Vec<f32>]) {
    for level in [1, 2] {
        // Topics said with a confidence from .1 n to .1 (n + 1): how many, their mean, how many right.
        let mut bins = [(0usize, 0.0f64, 0usize); 10];
        for (text, confidences) in corpus.read.iter().zip(confidences) {
            for (output, &confidence) in confidences.iter().enumerate() {
                if level_of(corpus, output) == level {
                    let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
                    bin.0 += 1;
                    bin.1 += f64::from(confidence);
                    bin.2 += usize::from(text.example.targets[output] > 0.5);
                }
            }
        }
        for (count, sum, right) in bins.into_iter().filter(|bin| bin.0 > 0) {
            let (said, seen) = (sum / count as f64, right as f64 / count as f64);
            println!("level {level}: said {said:.2}, right {seen:.2} ({count})");
        }
    }
}
