//! What the classes and ids of elements speak of.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rustc_hash::FxHashMap;

use super::page::Says;

/// Groups of words that are looked for anywhere in a class: first what an element is about, then what
/// tells authors and days.
const GROUPS: [&str; THEMES + 4] = [
    "article content entry post story body text rich prose",
    "author bio banner breadcrumb byline caption comment cookie credit cta disclaim footer form header menu meta \
     modal nav newsletter pagination popup promo recommend related recirc share sidebar signup social sponsor \
     subscribe table-of tag teaser toc widget",
    "post-content post__content article-content article-body article__ articlebody story-body \
     post-body blog-content rich-text richtext entry",
    "comment disqus discuss replies reply respond",
    "related recommend recirc teaser trending popular latest also more-from next-post card grid",
    "about author bio byline contributor",
    "promo ad ads advert banner cta donat modal newsletter popup price product signup sponsor subscribe widget",
    "citation copyright disclaim footer footnote legal reference",
    "breadcrumb header menu meta nav share sidebar social table-of tag toc",
    "author byline writer contributor",
    "bio avatar box image img photo desc comment title role job social related authority authoriz date",
    "date publish posted time",
    "update modif comment related event read estimate picker sometime times timeline author",
];

/// Short words of the groups that must stand alone in a class ("ad-box", not "header").
const ALONE: [&str; 5] = ["ad", "ads", "bio", "cta", "toc"];

/// Groups that tell what an element is about: an article or something else; an article's text, comments,
/// other articles, their author, promotion, notes, the frame of the page.
pub(in crate::extract) const THEMES: usize = 9;

/// The theme of elements that are likely an article, and that of others.
pub(in crate::extract) const LIKELY: usize = 0;
pub(in crate::extract) const UNLIKELY: usize = 1;

const AUTHOR: usize = THEMES;
const NO_AUTHOR: usize = THEMES + 1;
const DATE: usize = THEMES + 2;
const NO_DATE: usize = THEMES + 3;

/// The words of all groups, and the groups of each, a bit each.
static WORDS: LazyLock<(AhoCorasick, Vec<u16>)> = LazyLock::new(|| {
    let (mut words, mut groups): (Vec<&str>, Vec<u16>) = (Vec::new(), Vec::new());
    for (group, list) in GROUPS.iter().enumerate() {
        for word in list.split_ascii_whitespace() {
            match words.iter().position(|&known| known == word) {
                Some(place) => groups[place] |= 1 << group,
                None => {
                    words.push(word);
                    groups.push(1 << group);
                }
            }
        }
    }
    // Every tag of a page is asked; the words are too many for this to be chosen unasked.
    let kind = Some(AhoCorasickKind::DFA);
    let automaton = AhoCorasick::builder().kind(kind).ascii_case_insensitive(true).build(words);
    (automaton.expect("some hundred short words make a small automaton"), groups)
});

/// Groups of which a word is in a class or id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct Groups(u16);

impl Groups {
    pub fn of(class: &str) -> Self {
        let (automaton, groups) = &*WORDS;
        let found = automaton.find_overlapping_iter(class).filter(|found| {
            let word = &class[found.range()];
            !ALONE.iter().any(|alone| word.eq_ignore_ascii_case(alone))
                || stands_alone(class.as_bytes(), found.range())
        });
        Self(found.fold(0, |all, found| all | groups[found.pattern().as_usize()]))
    }

    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether a group is among them, such as the theme [`LIKELY`].
    pub fn hold(self, group: usize) -> bool {
        self.0 >> group & 1 != 0
    }

    /// What the class says about its element's text.
    pub fn says(self) -> Option<Says> {
        if self.hold(AUTHOR) {
            (!self.hold(NO_AUTHOR)).then_some(Says::LikelyAuthor)
        } else {
            (self.hold(DATE) && !self.hold(NO_DATE)).then_some(Says::LikelyDate)
        }
    }
}

/// Whether no letter of the same word stands beside a stretch of a class: "adBox" has two words.
fn stands_alone(class: &[u8], place: Range<usize>) -> bool {
    let before = place.start.checked_sub(1).map_or(b' ', |before| class[before]);
    let begins = !before.is_ascii_alphabetic()
        || before.is_ascii_lowercase() && class[place.start].is_ascii_uppercase();
    begins && !class.get(place.end).is_some_and(u8::is_ascii_lowercase)
}

/// The classes of a page, each looked at once: the same few stand in most tags.
#[derive(Default)]
pub(in crate::extract) struct Classes<'a>(FxHashMap<&'a str, Groups>);

impl<'a> Classes<'a> {
    /// As [`Groups::of`].
    pub fn groups(&mut self, class: &'a str) -> Groups {
        *self.0.entry(class).or_insert_with(|| Groups::of(class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_stand_alone_and_others_anywhere() {
        const PROMOTION: usize = 6;
        for class in ["ad", "ad-slot", "top_ad", "sideAd", "adBox", "newsletterBox", "Inline-Promo"] {
            assert!(Groups::of(class).hold(PROMOTION), "{class}");
        }
        for class in ["header", "loading", "shadow", "reader"] {
            assert!(!Groups::of(class).hold(PROMOTION), "{class}");
        }
        assert!(Groups::of("entry-content").hold(LIKELY) && !Groups::of("entry-content").hold(UNLIKELY));
        assert!(Groups::of("comment-list").hold(UNLIKELY));
    }

    #[test]
    fn a_class_says_author_or_day_unless_it_is_about_something_else() {
        assert_eq!(Groups::of("post-author").says(), Some(Says::LikelyAuthor));
        assert_eq!(Groups::of("author-bio").says(), None);
        assert_eq!(Groups::of("entry-date").says(), Some(Says::LikelyDate));
        assert_eq!(Groups::of("last-updated-date").says(), None);
    }
}
