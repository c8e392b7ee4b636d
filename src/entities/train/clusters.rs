//! Word clusters by the exchange algorithm (Kneser and Ney 1993): each word moves to the
//! class that raises the likelihood of a class bigram model most, until the rounds are up.

/// Counts of neighbouring words, by place in the vocabulary.
pub struct Bigrams {
    /// For each word, how often it occurs.
    pub counts: Vec<u32>,
    /// For each word, the words after and before it with their counts, sorted.
    pub after: Vec<Vec<(u32, u32)>>,
    pub before: Vec<Vec<(u32, u32)>>,
}

impl Bigrams {
    /// Counts the neighbours in texts of words; `None` stands for a word outside the vocabulary.
    pub fn count(vocabulary: usize, text: &[Option<u32>]) -> Self {
        let mut counts = vec![0; vocabulary];
        let mut pairs = Vec::with_capacity(text.len());
        for word in text.iter().flatten() {
            counts[*word as usize] += 1;
        }
        pairs.extend(text.windows(2).filter_map(|pair| Some((pair[0]?, pair[1]?))));
        pairs.sort_unstable();
        let (mut after, mut before) = (vec![Vec::new(); vocabulary], vec![Vec::new(); vocabulary]);
        for same in pairs.chunk_by(|a, b| a == b) {
            let (first, second) = same[0];
            after[first as usize].push((second, same.len() as u32));
            before[second as usize].push((first, same.len() as u32));
        }
        Self { counts, after, before }
    }
}

/// Puts each word, given in order of frequency, into one of `classes` classes.
pub fn exchange(bigrams: &Bigrams, classes: usize, rounds: usize) -> Vec<u16> {
    let mut state = Exchange::new(bigrams, classes);
    for _ in 0..rounds {
        for word in 0..bigrams.counts.len() {
            state.move_to_best(word);
        }
    }
    state.class.iter().map(|&class| class as u16).collect()
}

struct Exchange<'a> {
    bigrams: &'a Bigrams,
    classes: usize,
    class: Vec<usize>,
    sizes: Vec<f32>,
    /// `next[a * classes + b]`: how often class `b` follows class `a`; `previous` transposed.
    next: Vec<f32>,
    previous: Vec<f32>,
}

impl<'a> Exchange<'a> {
    fn new(bigrams: &'a Bigrams, classes: usize) -> Self {
        let class: Vec<usize> = (0..bigrams.counts.len()).map(|word| word % classes).collect();
        let mut state = Self {
            bigrams,
            classes,
            sizes: vec![0.0; classes],
            next: vec![0.0; classes * classes],
            previous: vec![0.0; classes * classes],
            class,
        };
        for (word, &count) in bigrams.counts.iter().enumerate() {
            let from = state.class[word];
            state.sizes[from] += count as f32;
            for &(other, count) in &bigrams.after[word] {
                let to = state.class[other as usize];
                state.next[from * classes + to] += count as f32;
                state.previous[to * classes + from] += count as f32;
            }
        }
        state
    }

    fn move_to_best(&mut self, word: usize) {
        let after = self.by_class(&self.bigrams.after[word], word);
        let before = self.by_class(&self.bigrams.before[word], word);
        let count = self.bigrams.counts[word] as f32;
        self.shift(word, &after, &before, -1.0);
        let mut gains = vec![0.0_f32; self.classes];
        for &(class, times) in &after {
            add_gains(&mut gains, &self.previous[class * self.classes..][..self.classes], times);
        }
        for &(class, times) in &before {
            add_gains(&mut gains, &self.next[class * self.classes..][..self.classes], times);
        }
        for (gain, &size) in gains.iter_mut().zip(&self.sizes) {
            *gain -= 2.0 * (entropy(size + count) - entropy(size));
        }
        let mut best = self.class[word];
        for (class, &gain) in gains.iter().enumerate() {
            if gain > gains[best] {
                best = class;
            }
        }
        self.class[word] = best;
        self.shift(word, &after, &before, 1.0);
    }

    /// Sums the neighbours' counts by class, in the classes' order, the word itself left out.
    fn by_class(&self, neighbours: &[(u32, u32)], word: usize) -> Vec<(usize, f32)> {
        let mut sums: Vec<(usize, f32)> = neighbours
            .iter()
            .filter(|(other, _)| *other as usize != word)
            .map(|&(other, count)| (self.class[other as usize], count as f32))
            .collect();
        sums.sort_unstable_by_key(|&(class, _)| class);
        sums.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        sums
    }

    /// Adds `sign` times the word's counts to its class.
    fn shift(&mut self, word: usize, after: &[(usize, f32)], before: &[(usize, f32)], sign: f32) {
        let class = self.class[word];
        self.sizes[class] += sign * self.bigrams.counts[word] as f32;
        for &(other, count) in after {
            self.next[class * self.classes + other] += sign * count;
            self.previous[other * self.classes + class] += sign * count;
        }
        for &(other, count) in before {
            self.next[other * self.classes + class] += sign * count;
            self.previous[class * self.classes + other] += sign * count;
        }
    }
}

fn add_gains(gains: &mut [f32], row: &[f32], times: f32) {
    for (gain, &count) in gains.iter_mut().zip(row) {
        *gain += entropy(count + times) - entropy(count);
    }
}

/// `x log2 x`, near enough, in a form that compilers turn into vector code.
#[inline]
fn entropy(x: f32) -> f32 {
    let x = x.max(0.0) + 1e-6;
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits(bits & 0x007F_FFFF | 0x3F80_0000);
    // log2 on [1, 2), to 1e-4.
    let log = (((-0.080_010_87 * mantissa + 0.635_511_06) * mantissa - 2.099_402_1) * mantissa + 4.049_617)
        * mantissa
        - 2.505_614_6;
    x * (exponent as f32 + log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_the_same_neighbours_share_a_class() {
        // 0 and 1 stand before 2 and 3; 4 stands between.
        let text: Vec<Option<u32>> =
            [0, 2, 4, 1, 2, 4, 0, 3, 4, 1, 3, 4].iter().cycle().take(1200).map(|&word| Some(word)).collect();
        let classes = exchange(&Bigrams::count(5, &text), 3, 10);
        assert_eq!(classes[0], classes[1]);
        assert_eq!(classes[2], classes[3]);
        assert_ne!(classes[0], classes[2]);
    }

    #[test]
    fn the_entropy_is_near_enough() {
        for x in [1.0_f32, 2.0, 3.5, 100.0, 12_345.0, 3e6] {
            assert!((entropy(x) - x * x.log2()).abs() <= 0.01 * x, "{x}");
        }
    }
}
