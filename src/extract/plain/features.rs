//! What can be said about the lines of a page: each by itself, in its place, among its neighbours.
//!
//! Nothing here knows a site or, but for lists of function words, a language.

use rustc_hash::{FxHashMap, FxHashSet};

/// One line of a flattened page, or one block of an HTML page, as the features see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    /// White space collapsed, entities decoded, list bullet taken off.
    pub text: &'a str,
    /// Empty lines between the line before and this one.
    pub blanks_before: usize,
    /// White space characters in front of it.
    pub indent: usize,
    /// Whether a list bullet stood in front of it.
    pub bullet: bool,
}

/// Features of a line that need no other line.
const OWN: usize = 38;
/// Features of a line's place in the page.
const PLACE: usize = 27;
/// Features taken from each near neighbour.
const NEIGHBOUR: usize = 9;
/// Which neighbours are looked at one by one.
const OFFSETS: [isize; 6] = [-3, -2, -1, 1, 2, 3];
/// Features of a window of lines around a line.
const WINDOW: usize = 6;
/// How many lines the windows reach to either side.
const REACHES: [usize; 4] = [3, 6, 12, 25];
/// Scores of the word model, one a [`Head`].
pub const HEADS: usize = 5;

/// Features of a line for the first stage.
pub const FIRST: usize = OWN + HEADS + PLACE + OFFSETS.len() * NEIGHBOUR + 2 * REACHES.len() * WINDOW;
/// Features that tell of the first stage's scores around a line.
const SCORED: usize = 46;
/// Features of a line for the second stage.
pub const SECOND: usize = FIRST + SCORED;

/// Words of one line that the word model reads at most; the rest of a longer line says no more.
const WORDS_READ: usize = 300;
/// Content words of one line that are compared with the rest of the page.
const TOPIC_WORDS: usize = 80;
/// A line with this many words counts as prose.
const PROSE_WORDS: f32 = 18.0;

/// What the word model says about a line, in log-odds.
pub type HeadScores = [f32; HEADS];

/// A line's words and marks, counted.
#[derive(Clone, Debug, Default)]
struct Shape {
    chars: f32,
    words: f32,
    letters: f32,
    upper: f32,
    digits: f32,
    marks: f32,
    commas: f32,
    quotes: f32,
    link_marks: f32,
    brackets: f32,
    sentences: f32,
    function_words: f32,
    short_words: f32,
    capitalised: f32,
    lower_words: f32,
    number_words: f32,
    years: f32,
    clocks: f32,
    addresses: f32,
    foreign: f32,
    longest_word: f32,
    starts_upper: f32,
    starts_lower: f32,
    starts_digit: f32,
    starts_mark: f32,
    ends_sentence: f32,
    ends_colon: f32,
    ends_mark: f32,
    ends_ellipsis: f32,
    bullet: f32,
    indent: f32,
    blanks_before: f32,
    /// Hashes of words and pairs of words, for the word model.
    hashes: Vec<u32>,
    /// Hashes of the content words, each once, sorted.
    topic: Vec<u32>,
    /// Hash of the letters and digits alone, in lower case; 0 where there are none.
    key: u64,
}

impl Shape {
    fn of(line: &Line<'_>, function_words: &FunctionWords) -> Self {
        let mut shape = Self {
            bullet: f32::from(u8::from(line.bullet)),
            indent: (line.indent as f32).min(20.0),
            blanks_before: (line.blanks_before as f32).min(6.0),
            ..Self::default()
        };
        shape.read_characters(line.text);
        let mut before = FIRST_WORD;
        let mut last = 0;
        for word in line.text.split_whitespace() {
            shape.words += 1.0;
            let hash = shape.read_word(word, function_words);
            if shape.words as usize <= WORDS_READ {
                shape.hashes.extend([hash, pair(before, hash)]);
            }
            before = hash;
            last = hash;
        }
        shape.hashes.push(pair(last, LAST_WORD));
        shape.topic.sort_unstable();
        shape.topic.dedup();
        shape
    }

    fn read_characters(&mut self, text: &str) {
        let mut after_terminator = false;
        for c in text.chars() {
            self.chars += if is_wide(c) { 3.0 } else { 1.0 };
            if c.is_alphabetic() {
                self.letters += 1.0;
                self.upper += f32::from(u8::from(c.is_uppercase()));
                self.foreign += f32::from(u8::from(!c.is_ascii()));
            } else if c.is_numeric() {
                self.digits += 1.0;
            } else if c.is_whitespace() {
                self.sentences += f32::from(u8::from(after_terminator));
            } else {
                self.marks += 1.0;
                match c {
                    ',' | '،' | '、' | '，' | ';' => self.commas += 1.0,
                    '"' | '“' | '”' | '„' | '«' | '‘' => self.quotes += 1.0,
                    '|' | '»' | '›' | '/' | '·' | '•' | '→' | '©' | '®' | '#' | '@' | '>' | '<' | '&'
                    | '+' | '*' | '_' | '=' => self.link_marks += 1.0,
                    '(' | ')' | '[' | ']' | '{' | '}' => self.brackets += 1.0,
                    '。' | '！' | '？' => self.sentences += 1.0,
                    _ => {}
                }
            }
            after_terminator = matches!(c, '.' | '!' | '?')
                || (after_terminator && matches!(c, '"' | '”' | '’' | ')' | '\''));
        }
        self.read_ends(text);
    }

    fn read_ends(&mut self, text: &str) {
        if let Some(first) = text.chars().next() {
            self.starts_upper = f32::from(u8::from(first.is_uppercase()));
            self.starts_lower = f32::from(u8::from(first.is_lowercase()));
            self.starts_digit = f32::from(u8::from(first.is_numeric()));
            self.starts_mark = f32::from(u8::from(!first.is_alphanumeric()));
        }
        let core = text.trim_end_matches(['"', '”', '’', ')', '\'', '»', ']']);
        if let Some(last) = core.chars().next_back() {
            self.ends_sentence =
                f32::from(u8::from(matches!(last, '.' | '!' | '?' | '。' | '！' | '？' | '।' | '؟')));
            self.ends_colon = f32::from(u8::from(matches!(last, ':' | '：')));
            self.ends_mark = f32::from(u8::from(!last.is_alphanumeric()));
            self.ends_ellipsis = f32::from(u8::from(core.ends_with('…') || core.ends_with("...")));
            self.sentences += self.ends_sentence;
        }
    }

    /// Counts one word and returns its hash. Digits are alike, so that dates and times are too.
    fn read_word(&mut self, word: &str, function_words: &FunctionWords) -> u32 {
        if word.contains("://") || word.starts_with("www.") || (word.contains('@') && word.len() > 3) {
            self.addresses += 1.0;
            return ADDRESS_WORD;
        }
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let shown = if core.is_empty() { word } else { core };
        let (mut hash, mut whole, mut letters, mut digits) = (SEED, self.key, 0usize, 0usize);
        for c in shown.chars().take(64).flat_map(char::to_lowercase) {
            letters += usize::from(c.is_alphabetic());
            digits += usize::from(c.is_numeric());
            hash = fold(hash, if c.is_numeric() { '0' } else { c });
            if c.is_alphanumeric() {
                whole = fold(whole, c);
            }
        }
        self.key = whole;
        let hash = (hash >> 32) as u32;
        self.longest_word = self.longest_word.max((letters + digits) as f32);
        if digits > 0 {
            self.number_words += 1.0;
            let year = core.len() == 4 && digits == 4 && (core.starts_with("19") || core.starts_with("20"));
            self.years += f32::from(u8::from(year));
            let clock = core.contains(':') && (3..=8).contains(&core.len());
            self.clocks += f32::from(u8::from(clock));
        } else if letters > 0 {
            let upper = core.chars().next().is_some_and(char::is_uppercase);
            self.capitalised += f32::from(u8::from(upper));
            self.lower_words += f32::from(u8::from(!upper));
            self.short_words += f32::from(u8::from(!upper && letters <= 3));
            let function = function_words.contains(hash);
            self.function_words += f32::from(u8::from(function));
            if !function && letters >= 4 && self.topic.len() < TOPIC_WORDS {
                self.topic.push(hash);
            }
        }
        hash
    }

    fn is_prose(&self) -> bool {
        self.words >= PROSE_WORDS || (self.words <= 3.0 && self.chars >= 150.0)
    }

    fn share(&self, count: f32) -> f32 {
        count / self.words.max(1.0)
    }

    fn own(&self) -> [f32; OWN] {
        let letters = self.letters.max(1.0);
        let chars = self.chars.max(1.0);
        [
            self.chars.ln_1p(),
            self.words.ln_1p(),
            self.letters / self.words.max(1.0),
            self.share(self.function_words),
            self.function_words.ln_1p(),
            self.share(self.short_words),
            self.share(self.commas),
            self.commas.ln_1p(),
            self.ends_sentence,
            self.ends_colon,
            self.ends_mark,
            self.ends_ellipsis,
            self.starts_upper,
            self.starts_lower,
            self.starts_digit,
            self.starts_mark,
            self.share(self.capitalised),
            self.share(self.lower_words),
            self.share(self.number_words),
            self.upper / letters,
            self.digits / chars,
            self.marks / chars,
            self.link_marks / chars,
            self.link_marks.ln_1p(),
            self.quotes.ln_1p(),
            self.brackets.ln_1p(),
            self.sentences,
            self.sentences / self.words.max(1.0),
            self.years,
            self.clocks,
            self.share(self.addresses),
            self.addresses,
            self.foreign / letters,
            self.longest_word,
            self.bullet,
            self.indent,
            self.blanks_before,
            self.share(self.topic.len() as f32),
        ]
    }

    fn as_neighbour(&self, heads: &HeadScores) -> [f32; NEIGHBOUR] {
        [
            self.chars.ln_1p(),
            self.share(self.function_words),
            self.share(self.lower_words),
            self.ends_sentence,
            self.commas.ln_1p(),
            self.bullet,
            self.share(self.number_words),
            heads[0],
            heads[1],
        ]
    }
}

/// The lines of a page, read once; the rows of both stages come from it.
pub struct PageFeatures {
    shapes: Vec<Shape>,
}

impl PageFeatures {
    pub fn new(lines: &[Line<'_>], function_words: &FunctionWords) -> Self {
        Self { shapes: lines.iter().map(|line| Shape::of(line, function_words)).collect() }
    }

    /// What the word model reads of each line.
    pub fn hashes(&self) -> impl Iterator<Item = &[u32]> {
        self.shapes.iter().map(|shape| shape.hashes.as_slice())
    }

    /// Characters of a line, wide ones counted three times.
    pub fn width(&self, line: usize) -> f32 {
        self.shapes[line].chars
    }

    /// The rows of the first stage, [`FIRST`] features each, laid end to end.
    pub fn first_stage(&self, heads: &[HeadScores]) -> Vec<f32> {
        let places = self.places();
        let sums = self.window_sums(heads);
        let mut rows = Vec::with_capacity(self.shapes.len() * FIRST);
        for (line, shape) in self.shapes.iter().enumerate() {
            rows.extend(shape.own());
            rows.extend(heads[line]);
            rows.extend(places[line]);
            for offset in OFFSETS {
                match line.checked_add_signed(offset).and_then(|at| self.shapes.get(at).zip(heads.get(at))) {
                    Some((neighbour, heads)) => rows.extend(neighbour.as_neighbour(heads)),
                    None => rows.extend([-1.0; NEIGHBOUR]),
                }
            }
            for reach in REACHES {
                let (begin, end) = (line.saturating_sub(reach), (line + 1 + reach).min(self.shapes.len()));
                rows.extend(window(&sums, begin, line));
                rows.extend(window(&sums, line + 1, end));
            }
        }
        rows
    }

    /// Running sums over the lines, for the means over windows.
    fn window_sums(&self, heads: &[HeadScores]) -> Vec<[f32; WINDOW]> {
        let mut sums = vec![[0.0; WINDOW]];
        let mut sum = [0.0; WINDOW];
        for (shape, heads) in self.shapes.iter().zip(heads) {
            let here = [
                shape.chars.min(600.0),
                shape.function_words.min(60.0),
                shape.ends_sentence,
                f32::from(u8::from(shape.is_prose())),
                heads[0],
                shape.share(shape.capitalised),
            ];
            for (sum, here) in sum.iter_mut().zip(here) {
                *sum += here;
            }
            sums.push(sum);
        }
        sums
    }

    fn places(&self) -> Vec<[f32; PLACE]> {
        let count = self.shapes.len();
        let repeats = self.repeats();
        let cohesion = self.cohesion(|shape| if shape.is_prose() { 1.0 } else { 0.0 });
        let longest = self.shapes.iter().map(|shape| shape.chars.min(1500.0)).fold(1.0, f32::max);
        let prose_total: f32 = self.shapes.iter().map(Self::prose_mass).sum::<f32>().max(1.0);
        let chars_total: f32 = self.shapes.iter().map(|shape| shape.chars).sum::<f32>().max(1.0);
        let blanks: f32 = self.shapes.iter().map(|shape| shape.blanks_before.min(1.0)).sum();
        let bullets: f32 = self.shapes.iter().map(|shape| shape.bullet).sum();
        let sentences: f32 = self.shapes.iter().map(|shape| shape.ends_sentence).sum();
        let to_prose = self.distances(Shape::is_prose);
        let to_short = self.distances(|shape| shape.words < 6.0);
        let to_long_sentence = self.distances(|shape| shape.words >= 10.0 && shape.ends_sentence > 0.0);
        let (mut prose_before, mut chars_before) = (0.0, 0.0);
        (0..count)
            .map(|line| {
                let shape = &self.shapes[line];
                let mass = Self::prose_mass(shape);
                let place = [
                    line as f32 / count as f32,
                    (line as f32).ln_1p(),
                    ((count - 1 - line) as f32).ln_1p(),
                    (count as f32).ln_1p(),
                    chars_before / chars_total,
                    prose_before / prose_total,
                    (prose_total - prose_before - mass) / prose_total,
                    prose_before.ln_1p(),
                    (prose_total - prose_before - mass).max(0.0).ln_1p(),
                    prose_total / chars_total,
                    prose_total.ln_1p(),
                    shape.chars.min(1500.0) / longest,
                    blanks / count as f32,
                    bullets / count as f32,
                    sentences / count as f32,
                    repeats[line].0,
                    repeats[line].1,
                    cohesion[line].0,
                    cohesion[line].1,
                    to_prose[line].0,
                    to_prose[line].1,
                    to_short[line].0,
                    to_short[line].1,
                    to_long_sentence[line].0,
                    to_long_sentence[line].1,
                    self.shapes.get(line + 1).map_or(6.0, |next| next.blanks_before),
                    longest.ln_1p(),
                ];
                prose_before += mass;
                chars_before += shape.chars;
                place
            })
            .collect()
    }

    fn prose_mass(shape: &Shape) -> f32 {
        if shape.is_prose() { shape.chars } else { 0.0 }
    }

    /// How often a line stands in the page, and whether it stood there before.
    fn repeats(&self) -> Vec<(f32, f32)> {
        let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
        for shape in self.shapes.iter().filter(|shape| shape.key != 0) {
            *counts.entry(shape.key).or_default() += 1;
        }
        let mut seen = FxHashSet::default();
        self.shapes
            .iter()
            .map(|shape| {
                let count = counts.get(&shape.key).copied().unwrap_or(1);
                ((count as f32).ln(), f32::from(u8::from(count > 1 && !seen.insert(shape.key))))
            })
            .collect()
    }

    /// How far a line speaks of what the other lines of the page speak of: the share of its
    /// content words that stand in other lines, and the mean weight of those lines. Lines
    /// count as much as `weight` says.
    fn cohesion(&self, weight: impl Fn(&Shape) -> f32) -> Vec<(f32, f32)> {
        let weights: Vec<f32> = self.shapes.iter().map(weight).collect();
        self.cohesion_with(&weights)
    }

    fn cohesion_with(&self, weights: &[f32]) -> Vec<(f32, f32)> {
        let mut vocabulary: FxHashMap<u32, f32> = FxHashMap::default();
        for (shape, &weight) in self.shapes.iter().zip(weights) {
            for &word in shape.topic.iter().filter(|_| weight > 0.0) {
                *vocabulary.entry(word).or_default() += weight;
            }
        }
        let total = weights.iter().sum::<f32>().max(1.0);
        self.shapes
            .iter()
            .zip(weights)
            .map(|(shape, &weight)| {
                let (mut found, mut mass) = (0.0, 0.0);
                for word in &shape.topic {
                    let others = vocabulary.get(word).map_or(0.0, |sum| (sum - weight).max(0.0));
                    found += others.min(1.0);
                    mass += others / total;
                }
                let count = shape.topic.len().max(1) as f32;
                (found / count, mass / count)
            })
            .collect()
    }

    /// How many lines lie between a line and the nearest one of a kind, before and after it.
    fn distances(&self, of_kind: impl Fn(&Shape) -> bool) -> Vec<(f32, f32)> {
        distances(&self.shapes.iter().map(of_kind).collect::<Vec<_>>())
    }

    /// The rows of the second stage, [`SECOND`] features each: those of the first and what it
    /// gave as `probabilities` that the lines are the article.
    pub fn second_stage(&self, first: &[f32], probabilities: &[f32]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(self.shapes.len() * SECOND);
        let scored = self.scored(probabilities);
        for (row, scored) in first.chunks_exact(FIRST).zip(scored) {
            rows.extend_from_slice(row);
            rows.extend(scored);
        }
        rows
    }

    fn scored(&self, probabilities: &[f32]) -> Vec<[f32; SCORED]> {
        let count = self.shapes.len();
        let masses: Vec<f32> =
            self.shapes.iter().zip(probabilities).map(|(shape, p)| shape.chars.min(1500.0) * p).collect();
        let total = masses.iter().sum::<f32>().max(1.0);
        let (core_begin, core_end, core_gain) = self.core(probabilities);
        let cohesion = self.cohesion_with(probabilities);
        // The nearest lines that are the article beyond doubt.
        let likely = self.shapes.iter().zip(probabilities).map(|(shape, &p)| p > 0.8 && shape.words >= 12.0);
        let confident = distances(&likely.collect::<Vec<_>>());
        let mut sums = vec![(0.0, 0.0, 0.0)];
        for ((shape, &p), mass) in self.shapes.iter().zip(probabilities).zip(&masses) {
            let (ps, ms, chars) = sums[sums.len() - 1];
            sums.push((ps + p, ms + mass, chars + shape.chars.min(1500.0)));
        }
        let span = |begin: usize, end: usize| {
            let (a, b) = (sums[begin], sums[end.max(begin)]);
            let lines = (end.max(begin) - begin).max(1) as f32;
            [(b.0 - a.0) / lines, (b.1 - a.1) / (b.2 - a.2).max(1.0), (b.1 - a.1).max(0.0).ln_1p()]
        };
        (0..count)
            .map(|line| {
                let near = |offset: isize| {
                    line.checked_add_signed(offset)
                        .and_then(|at| probabilities.get(at))
                        .copied()
                        .unwrap_or(-1.0)
                };
                let highest = |begin: usize, end: usize| {
                    probabilities[begin.min(end)..end].iter().copied().fold(-1.0, f32::max)
                };
                let [a, b, c] = span(line.saturating_sub(4), line);
                let [d, e, f] = span(line + 1, (line + 5).min(count).max(line + 1).min(count));
                let [g, h, i] = span(line.saturating_sub(12), line);
                let [j, k, l] = span((line + 1).min(count), (line + 13).min(count));
                let [m, n, o] = span(line.saturating_sub(30), line);
                let [p, q, r] = span((line + 1).min(count), (line + 31).min(count));
                let before = sums[line].1;
                let after = total - before - masses[line];
                [
                    probabilities[line],
                    near(-5),
                    near(-4),
                    near(-3),
                    near(-2),
                    near(-1),
                    near(1),
                    near(2),
                    near(3),
                    near(4),
                    near(5),
                    a,
                    b,
                    c,
                    d,
                    e,
                    f,
                    g,
                    h,
                    i,
                    j,
                    k,
                    l,
                    m,
                    n,
                    o,
                    p,
                    q,
                    r,
                    highest(line.saturating_sub(8), line),
                    highest((line + 1).min(count), (line + 9).min(count)),
                    before / total,
                    after / total,
                    before.ln_1p(),
                    after.max(0.0).ln_1p(),
                    total.ln_1p(),
                    cohesion[line].0,
                    cohesion[line].1,
                    confident[line].0,
                    confident[line].1,
                    f32::from(u8::from((core_begin..core_end).contains(&line))),
                    (line as f32 - core_begin as f32).clamp(-60.0, 60.0),
                    (core_end as f32 - line as f32).clamp(-60.0, 60.0),
                    core_gain.ln_1p(),
                    core_gain / total,
                    sums[count].0 / count as f32,
                ]
            })
            .collect()
    }

    /// The stretch of lines where the article most likely stands: the largest sum of
    /// characters times how far their probability is over a half.
    fn core(&self, probabilities: &[f32]) -> (usize, usize, f32) {
        let mut best = (0, 0, 0.0);
        let (mut begin, mut sum) = (0, 0.0);
        for (line, (shape, p)) in self.shapes.iter().zip(probabilities).enumerate() {
            sum += (shape.chars.min(1500.0) + 20.0) * (p - 0.5);
            if sum <= 0.0 {
                (begin, sum) = (line + 1, 0.0);
            } else if sum > best.2 {
                best = (begin, line + 1, sum);
            }
        }
        best
    }
}

/// How many lines lie between each line and the nearest one marked, before and after it.
fn distances(marked: &[bool]) -> Vec<(f32, f32)> {
    const FAR: f32 = 60.0;
    let mut distances = vec![(FAR, FAR); marked.len()];
    let mut distance = FAR;
    for (distances, &marked) in distances.iter_mut().zip(marked) {
        distances.0 = distance;
        distance = if marked { 0.0 } else { (distance + 1.0).min(FAR) };
    }
    distance = FAR;
    for (distances, &marked) in distances.iter_mut().zip(marked).rev() {
        distances.1 = distance;
        distance = if marked { 0.0 } else { (distance + 1.0).min(FAR) };
    }
    distances
}

/// The mean over the lines `begin..end`, or -1 where there are none.
fn window(sums: &[[f32; WINDOW]], begin: usize, end: usize) -> [f32; WINDOW] {
    if begin >= end {
        return [-1.0; WINDOW];
    }
    let lines = (end - begin) as f32;
    std::array::from_fn(|place| (sums[end][place] - sums[begin][place]) / lines)
}

/// Chinese, Japanese and Korean characters say as much as several letters.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

const SEED: u64 = 0x51_7c_c1_b7;
const FIRST_WORD: u32 = 1;
const LAST_WORD: u32 = 2;
const ADDRESS_WORD: u32 = 3;

/// The trained weights stand on these hashes: a library's may change with its version.
fn fold(hash: u64, c: char) -> u64 {
    (hash.rotate_left(5) ^ u64::from(u32::from(c))).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn pair(first: u32, second: u32) -> u32 {
    (((u64::from(first) << 32 | u64::from(second)) ^ SEED).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// The commonest words of news languages: what prose has and menus lack.
pub struct FunctionWords(FxHashSet<u32>);

impl FunctionWords {
    pub fn load() -> Self {
        let hash = |word: &str| {
            let hash = word.chars().fold(SEED, fold);
            (hash >> 32) as u32
        };
        Self(FUNCTION_WORDS.split_whitespace().map(hash).collect())
    }

    fn contains(&self, hash: u32) -> bool {
        self.0.contains(&hash)
    }
}

const FUNCTION_WORDS: &str = "
the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which
one you were all her she there would their we him been has when who will no if out so said what its than into them
can only could do these may then did any my about over such our me even most after also made many before must
your through where much should well how too more some other because while during between against both each under
since until without within among being having i us those just like until although though whether however
el la los las de del que y en un una por con para se no su al lo es como más o pero sus le ya fue este ha sí porque
esta son entre está cuando muy sin sobre ser también me hasta hay donde han quien desde nos durante uno ni contra
les des et est une dans qui pour pas sur au plus par avec ce sont il elle ne ou mais nous vous leur cette ces été
aux fait être ont comme son deux après
der die und das den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie
nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man
o os as do da dos das em um uma com não na no nos nas mais como mas foi ao ele tem à seu sua ou quando muito já
também pelo pela até isso
il di che è e la per un in non una sono mi si ho lo ha le con cosa da gli ma dei della nel alla più anche come
van het een en dat niet op te zijn voor met die aan door ook maar om hij wordt er naar bij uit nog werd dan
og i det at som på de er av den til ikke har med för att inte om ett var så men kan hade
w i z na do że się nie to jest o jak za od po przez przy dla są było
a v na se že je s z do o i to jako za by pro ale
ve bir bu da de için ile olarak çok daha olan gibi kadar sonra
dan yang di untuk dengan pada ini dari dalam itu tidak akan ke adalah juga oleh
và của là có được cho không trong một các những với người để đã này khi từ đến ông cũng về ra vào tại
и в не на что с по а как это но он из у за от то же к о для так его было бы только был до или ещё при
і й та що не на з до у як за це від він
και το της η να του με για από είναι που στην
في من على إلى أن عن مع هذا التي الذي كان لا ما
के में है की और से को का पर ने
";

#[cfg(test)]
mod tests {
    use super::*;

    fn features(lines: &[&str]) -> PageFeatures {
        let lines: Vec<Line<'_>> = lines.iter().map(|&text| Line { text, ..Line::default() }).collect();
        PageFeatures::new(&lines, &FunctionWords::load())
    }

    #[test]
    fn every_feature_of_every_line_is_a_finite_number() {
        let page =
            features(&["", "-", "Menu", "A line of words, and then some.", "🦀🦀", "中文文本。", "שלום"]);
        let rows = page.first_stage(&[[0.0; HEADS]; 7]);
        assert_eq!(rows.len(), 7 * FIRST);
        let second = page.second_stage(&rows, &[0.5; 7]);
        assert_eq!(second.len(), 7 * SECOND);
        assert!(second.iter().all(|value| value.is_finite()));
    }
}
