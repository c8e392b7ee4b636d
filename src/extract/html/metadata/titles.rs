//! Which of a page's headings and declared titles is the title of its article.

use super::Evidence;
use super::candidates::{Candidate, Candidates};
use super::declared::{Declared, text_of};
use crate::extract::folded;
use crate::extract::html::page::PageBlock;

/// Where a title can be found, in order of trust: of two spellings of the same title the
/// earlier one's is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The heading that is most like what the head says.
    Anchor,
    /// The first `<h1>`.
    First,
    /// The `<h1>` behind it.
    Later,
    /// An `<h2>` near the page's top.
    Second,
    /// `og:title`, without the site's name.
    Social,
    /// JSON-LD's headline or name of the article, without the site's name.
    Headline,
    /// `<title>` without the site's name.
    Tab,
    /// `twitter:title` and others, without the site's name.
    Other,
    /// Any of these with the site's name left in.
    Uncut,
    /// The part of a declared title before its first separator.
    Front,
    /// The part of a heading before its first separator.
    HeadingFront,
}

const ORIGINS: usize = Origin::HeadingFront as usize + 1;

/// Features of a title beside those of any candidate.
const OWN: usize = 13;

pub(in crate::extract) const FEATURES: usize = Candidates::<Title>::width(ORIGINS) + OWN;

/// `<h1>` and `<h2>` beyond this number are not looked at.
const MOST_HEADINGS: usize = 5;

/// A title, and the block that shows it if one does.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Title {
    pub text: String,
    pub block: Option<usize>,
}

/// All that may be the title.
pub(in crate::extract) fn candidates(evidence: &Evidence<'_>) -> Candidates<Title> {
    let mut found = Candidates::new(ORIGINS);
    let site = evidence.publisher;
    let mut add = |text: &str, origin: Origin, block: Option<usize>| {
        let distance = block.map(|block| evidence.distance(block));
        let title = || Title { text: text.to_owned(), block: None };
        if let Some(candidate) = found.add(&folded(text), origin as usize, distance, title) {
            candidate.value.block = candidate.value.block.or(block);
        }
    };
    let blocks = &evidence.page.blocks;
    let mut heading = |block: usize, origin: Origin| {
        let text = blocks[block].text.as_str();
        let cut = without_site(text, site);
        add(cut, origin, Some(block));
        add(front(cut), Origin::HeadingFront, Some(block));
        add(text, Origin::Uncut, Some(block));
    };
    if let Some(anchor) = evidence.anchor {
        heading(anchor, Origin::Anchor);
    }
    let of_level = |level: u8| move |&block: &usize| blocks[block].place.heading == level;
    for (place, block) in (0..blocks.len()).filter(of_level(1)).take(MOST_HEADINGS).enumerate() {
        heading(block, if place == 0 { Origin::First } else { Origin::Later });
    }
    for block in (0..blocks.len()).filter(of_level(2)).take(MOST_HEADINGS) {
        heading(block, Origin::Second);
    }
    for (text, origin) in declared(evidence) {
        let cut = without_site(&text, site);
        add(cut, origin, None);
        add(front(cut), Origin::Front, None);
        add(&text, Origin::Uncut, None);
    }
    found
}

/// What the page's head calls it.
fn declared(evidence: &Evidence<'_>) -> Vec<(String, Origin)> {
    let declared = evidence.declared;
    let article = declared.article();
    let named = |key: &str| article.and_then(|article| text_of(article.get(key)));
    let all = [
        (declared.first_meta(&["og:title"]), Origin::Social),
        (named("headline").or_else(|| named("name")), Origin::Headline),
        (Some(declared.title.clone()), Origin::Tab),
        (declared.first_meta(&["twitter:title"]), Origin::Other),
        (declared.first_meta(&["parsely-title", "dc.title", "citation_title", "title"]), Origin::Other),
    ];
    all.into_iter().filter_map(|(text, origin)| Some((text?, origin))).collect()
}

/// The features of all candidates, [`FEATURES`] each.
pub(in crate::extract) fn rows(candidates: &Candidates<Title>, evidence: &Evidence<'_>) -> Vec<f32> {
    let find = |origin: Origin| candidates.list.iter().find(|known| known.is_from(origin as usize));
    let text =
        |known: Option<&Candidate<Title>>| known.map_or("", |known| known.value.text.as_str()).to_owned();
    let (tab, social, first) =
        (text(find(Origin::Tab)), text(find(Origin::Social)), text(find(Origin::First)));
    let address = evidence.uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let headings = evidence.page.blocks.iter().filter(|block| block.place.heading == 1).count();
    candidates.rows(|candidate| {
        let text = candidate.value.text.as_str();
        let block = candidate.value.block.map(|block| &evidence.page.blocks[block]);
        let flag = |is: bool| f32::from(u8::from(is));
        let of_place = |measure: fn(&PageBlock) -> u16| block.map_or(-1.0, |block| f32::from(measure(block)));
        [
            text.len() as f32,
            words(text).count() as f32,
            likeness(text, &tab),
            likeness(text, &social),
            likeness(text, &first),
            share_in(text, &address),
            share_in(&address, text),
            flag(!text.contains(char::is_lowercase)),
            flag(text.contains(|c: char| c.is_ascii_digit())),
            likeness(text, evidence.publisher),
            of_place(|block| u16::from(block.place.heading)),
            of_place(|block| block.place.margin),
            headings.min(9) as f32,
        ]
    })
}

/// The heading that is most like what the page's head calls it, else the first `<h1>` with
/// the words of a title.
pub(in crate::extract) fn anchor(declared: &Declared, blocks: &[PageBlock], site: &str) -> Option<usize> {
    let article = declared.article();
    let headline =
        article.and_then(|article| text_of(article.get("headline").or_else(|| article.get("name"))));
    let social = declared.first_meta(&["og:title", "twitter:title", "parsely-title", "dc.title"]);
    let head: Vec<String> = [social, headline, Some(declared.title.clone())]
        .into_iter()
        .flatten()
        .map(|title| without_site(&title, site).to_owned())
        .filter(|title| !title.is_empty() && !same(title, site))
        .collect();
    let headings = blocks.iter().enumerate().filter(|(_, block)| block.place.heading > 0);
    let mut best: Option<(f32, usize)> = None;
    for (number, block) in headings {
        let likeness = head.iter().map(|title| likeness(title, &block.text)).fold(0.0, f32::max);
        let score = likeness - 0.15 * f32::from(block.place.heading.min(4) - 1);
        let enough = if block.place.heading == 1 { 0.5 } else { 0.75 };
        if likeness >= enough && best.is_none_or(|(known, _)| score > known) {
            best = Some((score, number));
        }
    }
    let first = || blocks.iter().position(|block| block.place.heading == 1);
    best.map(|(_, number)| number).or_else(|| first().filter(|&first| blocks[first].text.len() > 15))
}

/// What sets a site's name apart from a title.
const SEPARATORS: [&str; 9] = [" | ", " - ", " – ", " — ", " • ", " · ", " » ", " :: ", ": "];

/// Takes the site's name off a title ("Ants return | The Daily", "The Daily: Ants return").
pub(in crate::extract) fn without_site<'a>(title: &'a str, site: &str) -> &'a str {
    let mut title = title.trim();
    loop {
        let is_site = |part: &str| !site.is_empty() && (same(part, site) || is_part_of(part, site));
        let last = SEPARATORS.iter().filter_map(|&mark| Some((title.rfind(mark)?, mark))).max();
        let first = SEPARATORS.iter().filter_map(|&mark| Some((title.find(mark)?, mark))).min();
        title = match (first, last) {
            (_, Some((at, mark))) if is_site(&title[at + mark.len()..]) => &title[..at],
            (Some((at, mark)), _) if is_site(&title[..at]) => &title[at + mark.len()..],
            // Behind a bar stands the site, whatever it is called.
            (_, Some((at, " | "))) if words(&title[..at]).count() >= words(&title[at..]).count() => {
                &title[..at]
            }
            _ => return title,
        };
    }
}

/// What stands before the first separator.
fn front(title: &str) -> &str {
    let first = SEPARATORS.iter().filter(|&&mark| mark != ": ").filter_map(|&mark| title.find(mark)).min();
    &title[..first.unwrap_or(title.len())]
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether two texts are equal in letters and digits.
pub(in crate::extract) fn same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// Whether all words of `part` are in `whole`.
fn is_part_of(part: &str, whole: &str) -> bool {
    words(part).next().is_some() && share_in(part, whole) == 1.0
}

/// The share of the words of `part` that are in `whole`.
fn share_in(part: &str, whole: &str) -> f32 {
    let whole: Vec<String> = words(whole).map(str::to_lowercase).collect();
    let (mut count, mut common) = (0, 0);
    for word in words(part) {
        count += 1;
        common += usize::from(whole.contains(&word.to_lowercase()));
    }
    common as f32 / count.max(1) as f32
}

/// The share of common words in the longer of two texts.
pub(in crate::extract) fn likeness(one: &str, other: &str) -> f32 {
    let mut one: Vec<String> = words(one).map(str::to_lowercase).collect();
    let (length, mut common, mut count) = (one.len(), 0, 0);
    for word in words(other) {
        count += 1;
        let word = word.to_lowercase();
        if let Some(place) = one.iter().position(|known| *known == word) {
            one.swap_remove(place);
            common += 1;
        }
    }
    common as f32 / length.max(count).max(1) as f32
}
