//! Which blocks of a page are its article: a forest over what each block and its
//! neighbours look like and where in the page they stand.

use rustc_hash::FxHashMap;

use super::class_words::{LIKELY, THEMES, UNLIKELY};
use super::page::{Page, PageBlock};
use super::shape::{SHAPE, Shape};
use crate::document::BlockKind;
use crate::model::trees::{Forest, probability};
use crate::model::{ModelError, ModelFile, ModelInfo};

/// Features of a block by itself.
const OWN: usize = LOOKS + THEMES - 2;

/// Those of its looks, and of the two themes that are read of the neighbours as well.
const LOOKS: usize = 33;

/// The first of them are also read of the neighbours.
const SHARED: usize = 12;

/// Features of a block's place in its page.
const PLACE: usize = 15;

/// Neighbours whose features are read, by distance.
const NEIGHBOURS: [isize; 4] = [-1, 1, -2, 2];

/// Features of a block in all.
pub(in crate::extract) const FEATURES: usize = OWN + SHAPE + PLACE + SHARED * NEIGHBOURS.len();

/// Blocks on either side that make a block's surroundings.
const SURROUNDINGS: usize = 5;

/// What stands in a feature where there is nothing to measure.
const NOTHING: f32 = -1.0;

/// Judges the blocks of HTML pages. Immutable.
pub(in crate::extract) struct PageModel {
    info: ModelInfo,
    forest: Forest,
}

impl PageModel {
    pub fn read(file: &ModelFile<'_>) -> Result<Self, ModelError> {
        Ok(Self { info: file.info().clone(), forest: Forest::read(file, "blocks", FEATURES)? })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// For each block the probability that it belongs to the article.
    pub fn judge(&self, page: &Page, shape: &Shape, title_block: Option<usize>) -> Vec<f32> {
        let rows = rows(page, shape, title_block);
        self.forest.scores(&rows).into_iter().map(probability).collect()
    }
}

/// The features of all blocks, [`FEATURES`] each, end to end.
pub(in crate::extract) fn rows(page: &Page, shape: &Shape, title_block: Option<usize>) -> Vec<f32> {
    let blocks = &page.blocks;
    let own = own(blocks, &shape.core);
    let totals = Totals::of(blocks, &shape.core);
    let mut rows = Vec::with_capacity(blocks.len() * FEATURES);
    for number in 0..blocks.len() {
        rows.extend(own[number]);
        rows.extend(shape.features[number]);
        rows.extend(totals.place(number, title_block));
        for distance in NEIGHBOURS {
            match number.checked_add_signed(distance).and_then(|neighbour| own.get(neighbour)) {
                Some(neighbour) => rows.extend(&neighbour[..SHARED]),
                None => rows.extend([NOTHING; SHARED]),
            }
        }
    }
    rows
}

fn own(blocks: &[PageBlock], core: &[bool]) -> Vec<[f32; OWN]> {
    let mut seen: FxHashMap<&str, f32> = FxHashMap::default();
    // Classes of the whole page ("comments-open") tell nothing of its parts.
    let in_core = blocks.iter().zip(core).filter(|&(_, &core)| core).map(|(block, _)| block.place.themes);
    let everywhere = in_core.reduce(|a, b| std::array::from_fn(|theme| a[theme].min(b[theme])));
    let everywhere = everywhere.unwrap_or_default();
    let features = |block: &PageBlock, core: bool, repeated: f32| {
        let text = block.text.as_str();
        let bytes = text.len() as f32;
        let mut words: f32 = 0.0;
        let (mut capital_words, mut short_words) = (0.0, 0.0);
        for word in text.split_whitespace() {
            words += 1.0;
            capital_words += f32::from(u8::from(word.starts_with(char::is_uppercase)));
            short_words += f32::from(u8::from(word.len() <= 3));
        }
        let flag = |is: bool| f32::from(u8::from(is));
        let level = |count: u16| f32::from(count.min(6));
        let place = block.place;
        let themes: [f32; THEMES] =
            std::array::from_fn(|theme| f32::from(place.themes[theme]) - f32::from(everywhere[theme]));
        let mut row = [0.0; OWN];
        row[LOOKS..].copy_from_slice(&themes[UNLIKELY + 1..]);
        row[..LOOKS].copy_from_slice(&[
            flag(core),
            (1.0 + bytes).ln(),
            (1.0 + words).ln(),
            block.linked as f32 / bytes,
            short_words / words.max(1.0),
            flag(text.ends_with(['.', '!', '?', '"', '”', '…', '。'])),
            flag(block.kind == BlockKind::Heading),
            flag(block.kind == BlockKind::ListItem),
            level(place.margin),
            themes[LIKELY],
            themes[UNLIKELY],
            capital_words / words.max(1.0),
            flag(text.ends_with(':')),
            flag(text.ends_with('?')),
            count(text, |b| b.is_ascii_uppercase()) / bytes,
            count(text, |b| b.is_ascii_digit()) / bytes,
            count(text, |b| b == b',') / words.max(1.0),
            count(text, |b| matches!(b, b'.' | b'!' | b'?')) / words.max(1.0),
            flag(block.kind == BlockKind::Quotation),
            flag(block.kind == BlockKind::Caption),
            f32::from(place.heading),
            level(place.list),
            level(place.table),
            level(place.cell),
            level(place.link),
            level(place.main),
            level(place.preformatted),
            repeated,
            flag(text.contains('©')),
            flag(text.contains('|')),
            flag(text.starts_with(char::is_lowercase)),
            flag(text.starts_with(|c: char| c.is_ascii_digit())),
            block.pieces.min(20) as f32,
        ]);
        row
    };
    let mut all = Vec::with_capacity(blocks.len());
    for (block, &core) in blocks.iter().zip(core) {
        let repeated = seen.entry(&block.text).or_default();
        all.push(features(block, core, *repeated));
        *repeated += 1.0;
    }
    all
}

/// How many bytes of a text are of a kind.
fn count(text: &str, is_of_kind: impl Fn(u8) -> bool) -> f32 {
    // So many fit in a byte, and bytes are counted side by side.
    let parts = text.as_bytes().chunks(u8::MAX.into());
    parts.map(|part| f32::from(part.iter().map(|&byte| u8::from(is_of_kind(byte))).sum::<u8>())).sum()
}

/// Sums over a page's blocks up to each block, so that any stretch of it is two look-ups.
struct Totals {
    /// Bytes, bytes in the core, bytes in links, blocks in the core.
    sums: Vec<[f32; 4]>,
    first_core: Option<usize>,
    last_core: Option<usize>,
}

impl Totals {
    fn of(blocks: &[PageBlock], core: &[bool]) -> Self {
        let mut sums = vec![[0.0; 4]];
        let mut sum = [0.0; 4];
        for (block, &is_core) in blocks.iter().zip(core) {
            let bytes = block.text.len() as f32;
            let in_core = f32::from(u8::from(is_core));
            sum[0] += bytes;
            sum[1] += bytes * in_core;
            sum[2] += block.linked as f32;
            sum[3] += in_core;
            sums.push(sum);
        }
        Self { sums, first_core: core.iter().position(|&it| it), last_core: core.iter().rposition(|&it| it) }
    }

    /// The sums over blocks `begin..end`, which may reach beyond the page, and their number.
    fn stretch(&self, begin: usize, end: usize) -> ([f32; 4], f32) {
        let last = self.sums.len() - 1;
        let (begin, end) = (begin.min(last), end.min(last));
        let mut sum = self.sums[end];
        for (one, before) in sum.iter_mut().zip(self.sums[begin]) {
            *one -= before;
        }
        (sum, (end - begin) as f32)
    }

    fn place(&self, number: usize, title_block: Option<usize>) -> [f32; PLACE] {
        let count = (self.sums.len() - 1) as f32;
        let steps = |from: usize| (number as f32 - from as f32).clamp(-50.0, 100.0);
        let share = |part: f32, whole: f32| if whole > 0.0 { part / whole } else { NOTHING };
        let (all, _) = self.stretch(0, self.sums.len());
        let (before_here, _) = self.stretch(0, number);
        let from = number.saturating_sub(SURROUNDINGS);
        let (around, near) = self.stretch(from, number + SURROUNDINGS + 1);
        let (before, before_count) = self.stretch(from, number);
        let (behind, behind_count) = self.stretch(number + 1, number + SURROUNDINGS + 1);
        [
            number as f32 / count,
            count.ln(),
            self.first_core.map_or(NOTHING, steps),
            self.last_core.map_or(NOTHING, steps),
            title_block.map_or(-99.0, steps),
            share(around[1], around[0]),
            share(around[0], near),
            share(around[2], around[0]),
            share(before[3], before_count),
            share(behind[3], behind_count),
            share(before[2], before[0]),
            share(behind[2], behind[0]),
            (1.0 + all[1]).ln(),
            share(all[3], count),
            share(before_here[1], all[1]),
        ]
    }
}
