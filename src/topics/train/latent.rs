//! Learns from unlabelled texts which words go together.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use rustc_hash::FxHashSet;

use super::super::features::{Reader, Vocabulary};
use super::super::latent::Latent;
use super::Text;
use crate::document::Article;
use crate::model::linear::Sparse;
use crate::model::svd::Directions;
use crate::text::segment_article;

/// With 64 the first level gains .009 micro F1; 200 gain .002 more and cost three times the work.
const DIMENSIONS: usize = 64;
/// Passes over the texts; more change nothing.
const ROUNDS: usize = 5;
/// Only the opening of an unlabelled text is read, in bytes.
const OPENING: usize = 4000;

/// Reads the unlabelled texts as vectors, without those that are among `labelled`.
pub(super) fn read(
    path: &Path,
    labelled: &[Text],
    reader: &Reader,
    words: &Vocabulary,
) -> Result<Vec<Sparse>, Box<dyn Error>> {
    let unpacked = Command::new("xz").arg("-dc").arg(path).output()?;
    if !unpacked.status.success() {
        return Err(format!("xz cannot unpack {}", path.display()).into());
    }
    let texts = String::from_utf8(unpacked.stdout)?;
    let labelled: FxHashSet<&str> = labelled.iter().map(|text| text.id.as_str()).collect();
    let vector = |text: &str| {
        let opening = &text[..text.floor_char_boundary(OPENING)];
        let article = Article { text: opening.into(), ..Article::default() };
        words.vector(&reader.read(&segment_article(&article))).0
    };
    Ok(texts
        .split("\n\n")
        .filter(|text| !text.trim().is_empty())
        .enumerate()
        .filter(|(at, _)| !labelled.contains(format!("unlabelled/{at}").as_str()))
        .map(|(_, text)| vector(text))
        .collect())
}

/// The places of the first `words` features in the latent space of the texts.
pub(super) fn learn(mut texts: Vec<Sparse>, words: usize) -> Latent {
    for text in &mut texts {
        text.retain(|&(word, _)| (word as usize) < words);
        let length = text.iter().map(|(_, value)| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        text.iter_mut().for_each(|(_, value)| *value /= length);
    }
    let directions = Directions::of(&texts, words, DIMENSIONS, ROUNDS);
    let (mut scales, mut values) = (Vec::with_capacity(words), Vec::with_capacity(directions.values.len()));
    for row in directions.values.chunks_exact(directions.count) {
        let scale = row.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs())) / 127.0;
        scales.push(scale);
        values.extend(row.iter().map(|value| (value / scale).round() as i8));
    }
    Latent { dimensions: directions.count, scales, values }
}
