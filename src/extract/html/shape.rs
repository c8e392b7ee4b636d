//! What the tree of a page says of its blocks: which element holds the article, how the
//! elements around a block are filled, and where else blocks of its looks stand.
//!
//! The holder of the article is found as by Arc90's Readability: paragraphs score by length
//! and commas, their score goes to the elements around them, and links take it off again.

use rustc_hash::FxHashMap;

use super::class_words::{LIKELY, UNLIKELY};
use super::page::{Element, Page, PageBlock};

/// Features of a block's place in the tree.
pub(in crate::extract) const SHAPE: usize = 10 + AROUND * PER_ELEMENT;

/// How many elements around a block are looked at.
const AROUND: usize = 3;
const PER_ELEMENT: usize = 5;

/// Paragraphs shorter than this do not score, in bytes.
const SHORTEST_PARAGRAPH: usize = 25;

/// How many elements around a paragraph share in its score.
const HEIRS: usize = 5;

/// What an element's classes add to its score or take from it.
const CLASS_WEIGHT: f32 = 25.0;

/// How far up the tree from the article's holder a block is looked for.
const CLIMB: usize = 8;

/// The blocks' places in the tree.
pub(in crate::extract) struct Shape {
    /// For each block its features.
    pub features: Vec<[f32; SHAPE]>,
    /// For each block whether it is in the element that seems to hold the article and not
    /// mostly links.
    pub core: Vec<bool>,
}

/// What is in an element and all elements inside it.
#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    bytes: f32,
    linked: f32,
    /// Bytes of blocks that read like paragraphs.
    prose: f32,
    blocks: f32,
    score: f32,
}

impl Fill {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.linked += other.linked;
        self.prose += other.prose;
        self.blocks += other.blocks;
    }

    fn link_share(self) -> f32 {
        self.linked / self.bytes.max(1.0)
    }
}

impl Shape {
    pub fn of(page: &Page) -> Self {
        let elements = &page.elements;
        let fills = fills(page);
        let worth = |place: usize| fills[place].score * (1.0 - fills[place].link_share());
        let top =
            (0..elements.len()).fold(0, |top, place| if worth(place) > worth(top) { place } else { top });
        let looks = Looks::of(page);
        let whole = fills[0];
        let (mut features, mut core) = (Vec::new(), Vec::new());
        for block in &page.blocks {
            let (climbed, common) = climb(elements, top, block.element);
            core.push(climbed == 0 && block.linked * 2 < block.text.len());
            let here = elements[block.element];
            let alike = looks.of_block(elements, block);
            let mut row = [0.0; SHAPE];
            row[..10].copy_from_slice(&[
                climbed as f32,
                fills[common].prose / fills[common].bytes.max(1.0),
                fills[common].link_share(),
                here.depth as f32 - elements[top].depth as f32,
                worth(block.element) / worth(top).max(1.0),
                alike.prose / whole.prose.max(1.0),
                (1.0 + alike.blocks).ln(),
                alike.link_share(),
                alike.prose / alike.bytes.max(1.0),
                fills[top].prose / whole.prose.max(1.0),
            ]);
            let mut around = block.element;
            for row in row[10..].chunks_exact_mut(PER_ELEMENT) {
                let fill = fills[around];
                row.copy_from_slice(&[
                    (1.0 + fill.bytes).ln(),
                    fill.link_share(),
                    fill.prose / fill.bytes.max(1.0),
                    (1.0 + fill.blocks).ln(),
                    fill.prose / whole.prose.max(1.0),
                ]);
                around = elements[around].parent;
            }
            features.push(row);
        }
        Self { features, core }
    }
}

/// What a block adds to the elements around it.
fn fill_of(block: &PageBlock) -> Fill {
    let bytes = block.text.len() as f32;
    let linked = block.linked as f32;
    let reads_like_prose = bytes > 80.0
        && linked < bytes * 0.4
        && block.place.heading == 0
        && block.text.ends_with(['.', '!', '?', '"', '”', '’', ':', ')', '…', '。']);
    let prose = if reads_like_prose { bytes } else { 0.0 };
    Fill { bytes, linked, prose, blocks: 1.0, score: 0.0 }
}

fn fills(page: &Page) -> Vec<Fill> {
    let elements = &page.elements;
    let class_weight = |element: &Element| match (element.groups.hold(LIKELY), element.groups.hold(UNLIKELY))
    {
        (true, false) => CLASS_WEIGHT,
        (false, true) => -CLASS_WEIGHT,
        _ => 0.0,
    };
    let mut fills = vec![Fill::default(); elements.len()];
    for block in &page.blocks {
        fills[block.element].add(fill_of(block));
        if block.text.len() < SHORTEST_PARAGRAPH {
            continue;
        }
        let commas = block.text.bytes().filter(|&b| b == b',').count() as f32;
        let score = 1.0 + commas + (block.text.len() as f32 / 100.0).min(3.0);
        // A paragraph's own element is not its holder.
        let mut heir = block.element;
        for level in 0..HEIRS {
            let parent = elements[heir].parent;
            if parent == heir {
                break;
            }
            heir = parent;
            if fills[heir].score == 0.0 {
                fills[heir].score = class_weight(&elements[heir]);
            }
            fills[heir].score += match level {
                0 => score,
                1 => score / 2.0,
                _ => score / (3.0 * level as f32),
            };
        }
    }
    // Elements stand behind the ones around them.
    for place in (1..elements.len()).rev() {
        let fill = fills[place];
        fills[elements[place].parent].add(fill);
    }
    fills
}

/// How many steps up from `top` an element holds `place` too, and that element.
fn climb(elements: &[Element], top: usize, place: usize) -> (usize, usize) {
    let mut holder = top;
    let holds = |holder: usize| (holder..elements[holder].end).contains(&place);
    for climbed in 0..CLIMB {
        if holds(holder) {
            return (climbed, holder);
        }
        holder = elements[holder].parent;
    }
    (CLIMB, 0)
}

/// What the blocks of the same looks hold together.
struct Looks(FxHashMap<(u64, u64), Fill>);

impl Looks {
    fn of(page: &Page) -> Self {
        let mut looks: FxHashMap<(u64, u64), Fill> = FxHashMap::default();
        for block in &page.blocks {
            looks.entry(look(&page.elements, block)).or_default().add(fill_of(block));
        }
        Self(looks)
    }

    fn of_block(&self, elements: &[Element], block: &PageBlock) -> Fill {
        self.0.get(&look(elements, block)).copied().unwrap_or_default()
    }
}

/// The looks of the element that holds a block and of the one around it.
fn look(elements: &[Element], block: &PageBlock) -> (u64, u64) {
    let element = elements[block.element];
    (element.look, elements[element.parent].look)
}
