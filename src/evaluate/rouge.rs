//! ROUGE: how much of a reference summary's words another summary has (Lin, "ROUGE: a package
//! for automatic evaluation of summaries", 2004).

use rustc_hash::FxHashMap;

use super::bags::Bag;
use super::counts::Counts;
use super::porter::stem;

/// A summary's sentences as stems.
pub(super) struct Stems(Vec<Vec<String>>);

impl Stems {
    /// Words are runs of ASCII letters and digits in lower case; those of four letters and more
    /// are stemmed.
    pub fn new(sentences: &[String]) -> Self {
        let stems = |sentence: &String| {
            let sentence = sentence.to_lowercase();
            let words = sentence.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            words.map(|word| if word.len() > 3 { stem(word) } else { word.to_owned() }).collect()
        };
        Self(sentences.iter().map(stems).collect())
    }

    fn all(&self) -> Vec<&str> {
        self.0.iter().flatten().map(String::as_str).collect()
    }
}

/// ROUGE-N: F1 over the bags of runs of `n` words, across sentence ends.
pub(super) fn rouge_n(reference: &Stems, summary: &Stems, n: usize) -> f64 {
    let (reference, summary) = (reference.all(), summary.all());
    let bag = |words: &'_ [&str]| words.windows(n).map(|run| run.join(" ")).collect::<Bag<_>>();
    bag(&reference).compare(&bag(&summary)).f1()
}

/// ROUGE-Lsum, of section 3.2 of the paper: for each sentence of the reference the words that
/// are part of a longest common subsequence with any sentence of the summary. No word is found
/// more often than it is in either summary.
pub(super) fn rouge_lsum(reference: &Stems, summary: &Stems) -> f64 {
    let left = |stems: &Stems| {
        let mut counts: FxHashMap<String, usize> = FxHashMap::default();
        for word in stems.0.iter().flatten() {
            *counts.entry(word.clone()).or_default() += 1;
        }
        counts
    };
    let (mut in_reference, mut in_summary) = (left(reference), left(summary));
    let mut found = 0;
    for sentence in &reference.0 {
        let mut common = vec![false; sentence.len()];
        for other in &summary.0 {
            mark_common_subsequence(sentence, other, &mut common);
        }
        for (word, _) in sentence.iter().zip(common).filter(|(_, common)| *common) {
            if let (Some(a @ 1..), Some(b @ 1..)) = (in_reference.get_mut(word), in_summary.get_mut(word)) {
                *a -= 1;
                *b -= 1;
                found += 1;
            }
        }
    }
    Counts::new(found, summary.0.iter().map(Vec::len).sum(), reference.0.iter().map(Vec::len).sum()).f1()
}

/// Marks the words of `sentence` that belong to its longest common subsequence with `other`, the
/// one that ends latest in `other`.
fn mark_common_subsequence(sentence: &[String], other: &[String], marks: &mut [bool]) {
    let width = other.len() + 1;
    // Lengths of the longest common subsequences of the first i and j words.
    let mut lengths = vec![0_u32; (sentence.len() + 1) * width];
    for (i, word) in sentence.iter().enumerate() {
        for (j, against) in other.iter().enumerate() {
            lengths[(i + 1) * width + j + 1] = if word == against {
                lengths[i * width + j] + 1
            } else {
                lengths[i * width + j + 1].max(lengths[(i + 1) * width + j])
            };
        }
    }
    let (mut i, mut j) = (sentence.len(), other.len());
    while i > 0 && j > 0 {
        if sentence[i - 1] == other[j - 1] {
            (i, j) = (i - 1, j - 1);
            marks[i] = true;
        } else if lengths[i * width + j - 1] > lengths[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(sentences: &[&str]) -> Stems {
        Stems::new(&sentences.iter().map(|&sentence| sentence.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_example_of_the_paper_comes_out() {
        // Section 3.2: w1 w2 w3 w4 w5 against w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5: four of five.
        let reference = stems(&["one two three four five"]);
        let summary = stems(&["one two six seven eight", "one three eight nine five"]);
        let (recall, precision) = (4.0 / 5.0, 4.0 / 10.0);
        assert_eq!(rouge_lsum(&reference, &summary), 2.0 * precision * recall / (precision + recall));
    }

    #[test]
    fn runs_of_words_go_over_sentence_ends() {
        let reference = stems(&["Police kill the gunman"]);
        let summary = stems(&["Police killed", "the gunmen"]);
        assert_eq!(rouge_n(&reference, &summary, 1), 0.75);
        assert_eq!(rouge_n(&reference, &summary, 2), 2.0 / 3.0);
        assert_eq!(rouge_n(&reference, &stems(&[]), 1), 0.0);
    }
}
