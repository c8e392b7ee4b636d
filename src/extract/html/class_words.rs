//! What the classes and ids of elements speak of.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rustc_hash::FxHashMap;

use super::page::Says;

/// Whether classes speak of an article, and of something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct Hints {
    pub likely: bool,
    pub unlikely: bool,
}

impl Hints {
    fn of(groups: u8) -> Self {
        Self { likely: groups & LIKELY != 0, unlikely: groups & UNLIKELY != 0 }
    }

    pub fn add(&mut self, other: Self) {
        self.likely |= other.likely;
        self.unlikely |= other.unlikely;
    }
}

/// Groups of words that are looked for anywhere in a class, and the bit of each.
const GROUPS: [(u8, &str); 6] = [
    (LIKELY, "article content entry post story body text rich prose"),
    (
        UNLIKELY,
        "author bio banner breadcrumb byline caption comment cookie credit cta disclaim footer form header menu \
         meta modal nav newsletter pagination popup promo recommend related recirc share sidebar signup social \
         sponsor subscribe table-of tag teaser toc widget",
    ),
    (AUTHOR, "author byline writer contributor"),
    (
        NO_AUTHOR,
        "bio avatar box image img photo desc comment title role job social related authority authoriz date",
    ),
    (DATE, "date publish posted time"),
    (NO_DATE, "update modif comment related event read estimate picker sometime times timeline author"),
];

const LIKELY: u8 = 1;
const UNLIKELY: u8 = 1 << 1;
const AUTHOR: u8 = 1 << 2;
const NO_AUTHOR: u8 = 1 << 3;
const DATE: u8 = 1 << 4;
const NO_DATE: u8 = 1 << 5;

/// The words of all groups, and the groups of each.
static WORDS: LazyLock<(AhoCorasick, Vec<u8>)> = LazyLock::new(|| {
    let (mut words, mut groups): (Vec<&str>, Vec<u8>) = (Vec::new(), Vec::new());
    for (group, list) in GROUPS {
        for word in list.split(' ') {
            match words.iter().position(|&known| known == word) {
                Some(place) => groups[place] |= group,
                None => {
                    words.push(word);
                    groups.push(group);
                }
            }
        }
    }
    // Every tag of a page is asked; the words are too many for this to be chosen unasked.
    let kind = Some(AhoCorasickKind::DFA);
    let automaton = AhoCorasick::builder().kind(kind).ascii_case_insensitive(true).build(words);
    (automaton.expect("a hundred short words make a small automaton"), groups)
});

/// The groups of which a word is in `text`.
fn groups_in(text: &str) -> u8 {
    let (automaton, groups) = &*WORDS;
    automaton.find_overlapping_iter(text).fold(0, |all, found| all | groups[found.pattern().as_usize()])
}

/// What the classes of a page speak of, each looked at once: the same few stand in most tags.
#[derive(Default)]
pub(in crate::extract) struct Classes<'a> {
    groups: FxHashMap<&'a str, u8>,
}

impl<'a> Classes<'a> {
    fn groups(&mut self, class: &'a str) -> u8 {
        *self.groups.entry(class).or_insert_with(|| groups_in(class))
    }

    /// What an element's classes hint at.
    pub fn hints(&mut self, classes: &'a str) -> Hints {
        Hints::of(classes.split_ascii_whitespace().fold(0, |all, class| all | self.groups(class)))
    }

    /// What a class says about its element's text.
    pub fn says(&mut self, class: &'a str) -> Option<Says> {
        says_of(self.groups(class))
    }
}

/// What an element's `id` hints at.
pub(in crate::extract) fn hints(id: &str) -> Hints {
    Hints::of(groups_in(id))
}

/// What an `id` says about its element's text.
pub(in crate::extract) fn says(id: &str) -> Option<Says> {
    says_of(groups_in(id))
}

fn says_of(groups: u8) -> Option<Says> {
    if groups & AUTHOR != 0 {
        (groups & NO_AUTHOR == 0).then_some(Says::LikelyAuthor)
    } else {
        (groups & DATE != 0 && groups & NO_DATE == 0).then_some(Says::LikelyDate)
    }
}
