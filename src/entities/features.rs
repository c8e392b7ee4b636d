//! The evidence for a unit's label, as hashes.
//!
//! Local evidence after Ratinov and Roth (2009): words, shapes, affixes, clusters,
//! gazetteers, how the article itself writes the word. Evidence from the rest of the
//! document, given a first labelling of it, is in [`document_features`].

use super::lexicon::{LONGEST_PHRASE, Lexicon, List};
use super::reading::{Line, Reading, Style, Word};
use super::tags::{self, KINDS, OUTSIDE, Tag};
use super::words::{self, Case, mix};

/// Stands for the words before the first and after the last of a line.
const EDGE: u32 = 0xED6E;

/// What is worked out once for a line before its units' features are.
#[derive(Default)]
pub struct LineFacts {
    /// For each unit, gazetteer evidence as (list, place in the phrase) bits: 4 masks by
    /// position, begin, inside, last, unit.
    phrases: Vec<[u32; 4]>,
    /// For each unit, the run of capitalised words around it, joined by "of", "the", "and".
    runs: Vec<(u32, u32)>,
}

impl LineFacts {
    pub fn read(&mut self, reading: &Reading, lexicon: &Lexicon, line: &Line) {
        let count = line.units.len();
        self.phrases.clear();
        self.phrases.resize(count, [0; 4]);
        self.runs.clear();
        self.runs.resize(count, (0, 0));
        self.find_phrases(reading, lexicon, line);
        self.find_runs(reading, line);
    }

    /// Marks the longest phrase that begins at each unit.
    fn find_phrases(&mut self, reading: &Reading, lexicon: &Lexicon, line: &Line) {
        let first = line.units.start;
        for i in line.units.clone() {
            if !begins_phrase(reading.word(i)) {
                continue;
            }
            let mut hash = 0;
            let mut longest = (0, 0);
            for j in i..line.units.end.min(i + LONGEST_PHRASE) {
                hash = words::phrase(hash, reading.word(j).folded);
                let lists = if j == i { reading.word(i).lists } else { lexicon.lists(hash) };
                if lists != 0 {
                    longest = (j + 1, lists);
                }
            }
            let (end, lists) = longest;
            for j in i..end {
                let position = match (j == i, j + 1 == end) {
                    (true, true) => 3,
                    (true, false) => 0,
                    (false, true) => 2,
                    (false, false) => 1,
                };
                self.phrases[j - first][position] |= lists;
            }
        }
    }

    fn find_runs(&mut self, reading: &Reading, line: &Line) {
        let first = line.units.start;
        let mut i = line.units.start;
        while i < line.units.end {
            if !reading.word(i).case.has_capital() {
                i += 1;
                continue;
            }
            let begin = i;
            let mut end = i + 1;
            while end < line.units.end {
                if reading.word(end).case.has_capital() {
                    end += 1;
                } else if end + 1 < line.units.end
                    && reading.word(end).case == Case::Lower
                    && reading.units[end].end - reading.units[end].begin <= 3
                    && reading.word(end + 1).case.has_capital()
                {
                    end += 2;
                } else {
                    break;
                }
            }
            for j in begin..end {
                self.runs[j - first] = (begin as u32, end as u32);
            }
            i = end;
        }
    }
}

fn begins_phrase(word: &Word) -> bool {
    word.case.has_capital() || word.case == Case::None
}

/// A place from which a word alone, without its neighbours, is evidence for a unit's label;
/// where the unit itself has a capital its neighbours are looked at more closely.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Here,
    Before,
    After,
    BeforeName,
    AfterName,
    SecondBefore,
    SecondAfter,
}

/// How many values [`Place`] has.
pub const PLACES: usize = 7;

/// The places that count for a unit, by their distance from it.
pub const fn places(capital: bool) -> &'static [(isize, Place)] {
    use Place::{After, AfterName, Before, BeforeName, Here, SecondAfter, SecondBefore};
    if capital {
        &[(0, Here), (-1, BeforeName), (1, AfterName), (-2, SecondBefore), (2, SecondAfter)]
    } else {
        &[(0, Here), (-1, Before), (1, After)]
    }
}

/// Appends the evidence of `word` at `place`; none stands for the end of the line.
pub fn word_features(word: Option<&Word>, place: Place, out: &mut Vec<u32>) {
    let folded = word.map_or(EDGE, |word| word.folded);
    let fine = word.map_or(EDGE, |word| u32::from(word.fine));
    let coarse = word.map_or(EDGE, |word| u32::from(word.coarse));
    let lists = word.map_or(0, |word| word.lists);
    let mut add = |template: u32, value: u32| out.push(mix(template, value));
    match place {
        Place::Here => {
            add(1, 0);
            add(2, folded);
            add(4, fine);
            add(14, coarse);
            let Some(word) = word else { return };
            add(9, word.shape);
            if !word.case.has_capital() {
                return;
            }
            for (template, &prefix) in (21..).zip(&word.prefixes) {
                add(template, prefix);
            }
            for (template, &suffix) in (24..).zip(&word.suffixes) {
                add(template, suffix);
            }
        }
        Place::Before | Place::BeforeName => {
            add(5, folded);
            add(12, fine);
            if matches!(place, Place::BeforeName) {
                bits(lists).for_each(|list| add(48, list));
            }
        }
        Place::After | Place::AfterName => {
            add(6, folded);
            add(13, fine);
            if matches!(place, Place::AfterName) {
                bits(lists).for_each(|list| add(49, list));
            }
        }
        Place::SecondBefore => {
            add(18, folded);
            add(33, coarse);
        }
        Place::SecondAfter => {
            add(19, folded);
            add(34, coarse);
        }
    }
}

/// Appends all local evidence for `unit` of `line` to `out`.
pub fn local_features(reading: &Reading, line: &Line, facts: &LineFacts, unit: usize, out: &mut Vec<u32>) {
    for &(offset, place) in places(reading.word(unit).case.has_capital()) {
        word_features(reading.word_near(line, unit, offset), place, out);
    }
    joint_features(reading, line, facts, unit, out);
}

/// Appends the local evidence for `unit` that lies in several words together, or in how the
/// article writes them.
pub fn joint_features(reading: &Reading, line: &Line, facts: &LineFacts, unit: usize, out: &mut Vec<u32>) {
    let at = |offset| reading.word_near(line, unit, offset);
    let word = reading.word(unit);
    let folded = |offset| at(offset).map_or(EDGE, |word| word.folded);
    let shape = |offset| at(offset).map_or(EDGE, |word| word.shape);
    let fine = |offset| at(offset).map_or(EDGE, |word| u32::from(word.fine));
    let coarse = |offset| at(offset).map_or(EDGE, |word| u32::from(word.coarse));
    let mut add = |template: u32, value: u32| out.push(mix(template, value));

    let (w, w_before, w_after) = (word.folded, folded(-1), folded(1));
    let (s, s_before, s_after) = (word.shape, shape(-1), shape(1));
    let context = reading.units[unit].context;
    add(3, mix(mix(s_before, s), s_after));
    add(7, mix(w_before, w));
    add(8, mix(w, w_after));
    add(10, mix(s_before, s));
    add(11, mix(s, s_after));
    add(15, mix(coarse(-1), coarse(0)));
    add(16, mix(coarse(0), coarse(1)));
    for (template, lists) in facts.phrases[unit - line.units.start].iter().enumerate() {
        for list in bits(*lists) {
            add(17, mix(template as u32, list));
        }
    }
    if !word.case.has_capital() {
        return;
    }

    add(20, mix(w_before, w_after));
    add(28, mix(coarse(-2), coarse(-1)));
    add(29, mix(coarse(1), coarse(2)));
    add(30, mix(fine(-1), s));
    add(31, mix(fine(1), s));
    add(32, mix(fine(-1), fine(1)));

    let style = line.style as u32;
    let form = reading.form(unit);
    let others =
        form.capital - u32::from(line.style == Style::Normal && !context.initial && form.capital > 0);
    let elsewhere = u32::from(form.lower > 0) | u32::from(others > 0) << 1;
    let written = mix(mix(word.case as u32, u32::from(word.usage)), style << 1 | u32::from(context.initial));
    add(35, written);
    add(36, mix(written, elsewhere));
    add(37, mix(style, elsewhere));
    add(38, mix(s, u32::from(context.quoted) | u32::from(context.bracketed) << 1));
    if context.quoted {
        add(39, u32::from(word.coarse));
    }

    let (begin, end) = facts.runs[unit - line.units.start];
    let (begin, end) = (begin as usize, end as usize);
    let place = mix((unit - begin).min(3) as u32, (end - unit).min(4) as u32);
    let (head, first) = (reading.word(end - 1), reading.word(begin));
    if line.style == Style::Normal {
        add(40, place);
        add(41, mix(head.folded, u32::from(unit + 1 == end)));
        add(42, mix(first.folded, u32::from(unit == begin)));
        add(43, mix(u32::from(head.fine), place));
        let before =
            begin.checked_sub(1).filter(|&i| i >= line.units.start).map_or(EDGE, |i| reading.word(i).folded);
        let after = if end < line.units.end { reading.word(end).folded } else { EDGE };
        add(44, before);
        add(45, after);
        add(46, mix(before, place));
        add(47, mix(after, place));
    }
    let lists = |offset| at(offset).map_or(EDGE, |word| word.lists & List::GAZETTEERS);
    add(50, mix(lists(0), lists(1)));
    add(51, mix(lists(-1), lists(0)));
}

fn bits(mask: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(mask), |rest| Some(rest & rest.wrapping_sub(1)))
        .take_while(|&rest| rest != 0)
        .map(u32::trailing_zeros)
}

/// How a first labelling of the document labels each form of a word.
pub struct Evidence {
    /// For each form, by type and outside (the last), how many of its capitalised units.
    counts: Vec<[u16; KINDS.len() + 1]>,
    /// For each form, by type, how often it ends a longer name, and begins or continues one.
    longer: Vec<[[u16; 2]; KINDS.len()]>,
}

impl Evidence {
    pub fn new(reading: &Reading, tags: &[Tag]) -> Self {
        let mut counts = vec![[0_u16; KINDS.len() + 1]; reading.forms.len()];
        let mut longer = vec![[[0_u16; 2]; KINDS.len()]; reading.forms.len()];
        for (unit, &tag) in tags.iter().enumerate() {
            let word = reading.word(unit);
            if !word.case.has_capital() {
                continue;
            }
            let form = word.form as usize;
            let kind = tags::kind_of(tag);
            add_one(&mut counts[form][kind.unwrap_or(KINDS.len())]);
            if let Some(kind) = kind
                && !(tags::opens(tag) && tags::closes(tag))
            {
                add_one(&mut longer[form][kind][usize::from(!tags::closes(tag))]);
            }
        }
        Self { counts, longer }
    }

    /// What the other units with this form are mostly labelled: the type (or the number of
    /// types for outside), how clear the majority is, and how many there are; none without others.
    fn others(&self, form: usize, own: Tag) -> Option<(usize, u32, u32)> {
        let mut counts = self.counts[form];
        let own = &mut counts[tags::kind_of(own).unwrap_or(KINDS.len())];
        *own = own.saturating_sub(1);
        let total: u32 = counts.iter().map(|&count| u32::from(count)).sum();
        let (kind, &most) = counts.iter().enumerate().max_by_key(|(i, count)| (**count, usize::MAX - i))?;
        let clear = if u32::from(most) == total { 2 } else { u32::from(u32::from(most) * 3 >= total * 2) };
        (total > 0).then_some((kind, clear, total.min(4) / 2))
    }

    /// The type of longer name in which the form is found most, and whether at its end.
    fn in_longer(&self, form: usize, own: Tag) -> Option<(usize, usize)> {
        let mut longer = self.longer[form];
        if let Some(kind) = tags::kind_of(own)
            && !(tags::opens(own) && tags::closes(own))
        {
            let count = &mut longer[kind][usize::from(!tags::closes(own))];
            *count = count.saturating_sub(1);
        }
        let places = (0..KINDS.len()).flat_map(|kind| [(kind, 0), (kind, 1)]);
        places
            .map(|(kind, place)| (longer[kind][place], kind, place))
            .filter(|(count, ..)| *count > 0)
            .max_by_key(|&(count, kind, place)| (count, usize::MAX - kind, 1 - place))
            .map(|(_, kind, place)| (kind, place))
    }
}

fn add_one(count: &mut u16) {
    *count = count.saturating_add(1);
}

/// Appends the evidence from the rest of the document for `unit` of `line` to `out`, given
/// a first labelling `tags` of the whole document.
pub fn document_features(
    reading: &Reading,
    line: &Line,
    evidence: &Evidence,
    tags: &[Tag],
    unit: usize,
    out: &mut Vec<u32>,
) {
    let mut add = |template: u32, value: u32| out.push(mix(template, value));
    let pack = |others: Option<(usize, u32, u32)>| match others {
        Some((kind, clear, count)) => 1 + kind as u32 * 16 + clear * 4 + count,
        None => 0,
    };
    let others = |unit: usize| {
        let word = reading.word(unit);
        let capital = word.case.has_capital();
        if capital { evidence.others(word.form as usize, tags[unit]) } else { None }
    };
    let word = reading.word(unit);
    let own = u32::from(tags[unit]);
    let before = if unit > line.units.start { pack(others(unit - 1)) } else { 0 };
    let after = if unit + 1 < line.units.end { pack(others(unit + 1)) } else { 0 };
    let here = others(unit);
    add(100, pack(here));
    add(101, mix(own, pack(here)));
    add(102, mix(pack(here), before));
    add(103, mix(pack(here), after));
    if tags[unit] == OUTSIDE && here.is_none() {
        return;
    }
    let longer = evidence.in_longer(word.form as usize, tags[unit]);
    let longer = longer.map_or(0, |(kind, place)| 1 + kind as u32 * 2 + place as u32);
    add(104, longer);
    add(105, mix(own, longer));
    add(106, mix(mix(own, pack(here)), mix(before, after)));
    add(107, mix(mix(pack(here), longer), u32::from(word.usage)));
    add(108, mix(mix(pack(here), line.style as u32), word.case as u32));
    add(109, mix(pack(here), u32::from(word.coarse)));
}
