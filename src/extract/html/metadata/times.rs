//! Which of a page's dates is the one of its article.

use jiff::civil::Date;
use serde_json::Value;

use super::Evidence;
use super::candidates::{Candidate, Candidates};
use crate::document::{BlockKind, PublishTime};
use crate::extract::bylines::{Label, date_label, dates, parse_publish_time};
use crate::extract::html::page::Says;

/// Where a date can be found, in order of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// `article:published_time` and its kin.
    Published,
    /// JSON-LD: `datePublished` of the article.
    Article,
    /// `itemprop="datePublished"`.
    Property,
    /// JSON-LD: `datePublished` of anything else.
    Object,
    /// `<meta>`: Dublin Core, citations and others.
    Meta,
    /// JSON-LD: `dateCreated`, `uploadDate`.
    Created,
    /// `<time>` near the title.
    Time,
    /// What a class calls a date, near the title.
    LikelyDate,
    /// A line near the title that says "Published".
    SaysPublished,
    /// A line near the title that says nothing of its date.
    Line,
    /// The address of the page.
    Address,
    /// A `<time>`, class or line that says "Updated", near the title.
    SaysModified,
    /// `article:modified_time` and its kin.
    Modified,
    /// JSON-LD: `dateModified` of the article.
    ArticleModified,
    /// JSON-LD: `dateModified` of anything else.
    ObjectModified,
    /// `itemprop="dateModified"`.
    PropertyModified,
    /// A `<time>`, class or line anywhere else.
    Elsewhere,
}

const ORIGINS: usize = Origin::Elsewhere as usize + 1;

/// Features of a date beside those of any candidate.
const OWN: usize = 9;

pub(in crate::extract) const FEATURES: usize = Candidates::<Time>::width(ORIGINS) + OWN;

/// Bytes of the longest line that is looked at for a date.
const LONGEST_LINE: usize = 300;

/// How far around the title a date is near it, in blocks.
const NEAR: std::ops::RangeInclusive<isize> = -8..=20;

/// A publication time, with the shortest line that shows its day.
#[derive(Clone, Copy, Debug)]
pub(in crate::extract) struct Time {
    pub time: PublishTime,
    /// Where `time` was found.
    origin: Origin,
    /// In bytes; 0 where no line shows it.
    line: usize,
}

impl Time {
    /// Of two times on the same day the one with the smaller rank is taken: the hour of a change
    /// says nothing of the publication, not even where that has none.
    fn rank(&self) -> (bool, bool, Origin) {
        let is_change = self.origin >= Origin::SaysModified;
        (is_change, matches!(self.time, PublishTime::Day(_)), self.origin)
    }
}

const PUBLISHED: [&str; 5] = [
    "article:published_time",
    "og:published_time",
    "og:article:published_time",
    "article.published",
    "published_time",
];

const META: [&str; 19] = [
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "published-date",
    "publish-date",
    "publishdate",
    "pubdate",
    "date-pub",
    "published",
    "w-published-date",
    "dc.date.issued",
    "dc.date.created",
    "dcterms.issued",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "date",
    "citation_publication_date",
    "citation_date",
];

const MODIFIED: [&str; 9] = [
    "article:modified_time",
    "og:updated_time",
    "og:modified_time",
    "og:article:modified_time",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
    "updated",
];

/// All that may be the publication time.
pub(in crate::extract) fn candidates(evidence: &Evidence<'_>) -> Candidates<Time> {
    let mut found = Candidates::new(ORIGINS);
    declared(evidence, &mut found);
    marked(evidence, &mut found);
    shown(evidence, &mut found);
    if let Some(time) = day_in_address(evidence.uri) {
        add(&mut found, time, Origin::Address, None, 0);
    }
    found
}

/// The day that the page declares to be its article's, where no other declaration and no date near
/// the title says anything else.
pub(in crate::extract) fn undisputed(found: &Candidates<Time>) -> Option<usize> {
    const DECLARED: [Origin; 3] = [Origin::Published, Origin::Article, Origin::Property];
    const OTHERS: [Origin; 6] = [
        Origin::Meta,
        Origin::Created,
        Origin::Time,
        Origin::LikelyDate,
        Origin::SaysPublished,
        Origin::Line,
    ];
    let is_from = |known: &Candidate<Time>, origins: &[Origin]| {
        origins.iter().any(|&origin| known.is_from(origin as usize))
    };
    let declared = found.list.iter().position(|known| is_from(known, &DECLARED))?;
    let disputes = |(number, known): (usize, &Candidate<Time>)| {
        number != declared && (is_from(known, &DECLARED) || is_from(known, &OTHERS))
    };
    (!found.list.iter().enumerate().any(disputes)).then_some(declared)
}

fn add(
    found: &mut Candidates<Time>,
    time: PublishTime,
    origin: Origin,
    distance: Option<isize>,
    line: usize,
) {
    let key = time.day().to_string();
    let new = Time { time, origin, line };
    let Some(candidate) = found.add(&key, origin as usize, distance, || new) else { return };
    let known = &mut candidate.value;
    let shortest = [known.line, line].into_iter().filter(|&line| line > 0).min().unwrap_or(0);
    if new.rank() < known.rank() {
        *known = new;
    }
    known.line = shortest;
}

/// What the head gives.
fn declared(evidence: &Evidence<'_>, found: &mut Candidates<Time>) {
    let declared = evidence.declared;
    for (names, origin) in
        [(&PUBLISHED[..], Origin::Published), (&META, Origin::Meta), (&MODIFIED, Origin::Modified)]
    {
        for text in names.iter().flat_map(|name| declared.meta(name)) {
            if let Some(time) = parse_publish_time(&text) {
                add(found, time, origin, None, 0);
            }
        }
    }
    let article = declared.article();
    let of = |object: &Value, key: &str| parse_publish_time(object.get(key)?.as_str()?);
    for object in article.into_iter().chain(&declared.objects) {
        let is_article = article.is_some_and(|article| std::ptr::eq(article, object));
        let origins = if is_article {
            [Origin::Article, Origin::ArticleModified]
        } else {
            [Origin::Object, Origin::ObjectModified]
        };
        for (key, origin) in [
            ("datePublished", origins[0]),
            ("dateModified", origins[1]),
            ("dateCreated", Origin::Created),
            ("uploadDate", Origin::Created),
        ] {
            if let Some(time) = of(object, key) {
                add(found, time, origin, None, 0);
            }
        }
    }
}

/// What elements are marked as dates.
fn marked(evidence: &Evidence<'_>, found: &mut Candidates<Time>) {
    for mark in &evidence.page.marks {
        let distance = evidence.distance(mark.block);
        let near = NEAR.contains(&distance);
        let origin = match mark.says {
            Says::Author | Says::LikelyAuthor => continue,
            Says::Published => Origin::Property,
            Says::Modified => Origin::PropertyModified,
            _ if !near => Origin::Elsewhere,
            Says::Time => Origin::Time,
            Says::LikelyDate => Origin::LikelyDate,
        };
        for date in dates(&mark.value).take(1).chain(dates(&mark.text).take(2)) {
            let says_modified = date.label == Some(Label::Modified) && near;
            let origin = if says_modified { Origin::SaysModified } else { origin };
            add(found, date.time, origin, Some(distance), 0);
        }
    }
}

/// What short lines show.
fn shown(evidence: &Evidence<'_>, found: &mut Candidates<Time>) {
    // "Updated on" may be a line of its own.
    let mut announced = None;
    for (number, block) in evidence.page.blocks.iter().enumerate() {
        let said_before = announced.take();
        if block.text.len() > LONGEST_LINE || block.kind == BlockKind::Heading && block.text.len() > 40 {
            continue;
        }
        if !evidence.has_date(number) {
            announced = if block.text.len() <= 24 { date_label(&block.text) } else { None };
            continue;
        }
        let distance = evidence.distance(number);
        for date in dates(&block.text).take(3) {
            let origin = match date.label.or(said_before) {
                _ if !NEAR.contains(&distance) => Origin::Elsewhere,
                Some(Label::Modified) => Origin::SaysModified,
                Some(Label::Published) => Origin::SaysPublished,
                None => Origin::Line,
            };
            add(found, date.time, origin, Some(distance), block.text.len());
        }
    }
}

/// The day in an address ("/2023/03/30/", "/2023-03-30-ants").
fn day_in_address(uri: &str) -> Option<PublishTime> {
    let path = uri.splitn(4, '/').nth(3)?;
    path.match_indices("20").find_map(|(at, _)| {
        let day = path.get(at..at + "2023/03/30".len())?;
        let whole = !path[..at].ends_with(|c: char| c.is_ascii_digit())
            && !path[at + day.len()..].starts_with(|c: char| c.is_ascii_digit());
        if whole { parse_publish_time(day) } else { None }
    })
}

/// The features of all candidates, [`FEATURES`] each.
pub(in crate::extract) fn rows(candidates: &Candidates<Time>, evidence: &Evidence<'_>) -> Vec<f32> {
    let days_of = |origins: &[Origin]| {
        let is_from = |known: &&Candidate<Time>| origins.iter().any(|&origin| known.is_from(origin as usize));
        candidates.list.iter().find(is_from).map(|known| known.value.time.day())
    };
    let published = days_of(&[Origin::Published, Origin::Article, Origin::Property, Origin::Object]);
    let modified = days_of(&[Origin::Modified, Origin::ArticleModified, Origin::ObjectModified]);
    let all = || candidates.list.iter().map(|known| known.value.time.day());
    let (first, last) = (all().min(), all().max());
    candidates.rows(|candidate| {
        let day = candidate.value.time.day();
        let flag = |is: bool| f32::from(u8::from(is));
        [
            distance(published, day),
            distance(modified, day),
            distance(first, day),
            distance(last, day),
            candidate.value.line as f32,
            flag(matches!(candidate.value.time, PublishTime::Time { .. })),
            flag(evidence.declared.title.contains(&day.year().to_string())),
            flag(day.month() == 1 && day.day() == 1),
            distance(published, modified.unwrap_or(day)),
        ]
    })
}

/// The distance from one day to another, in days on a logarithmic scale.
fn distance(from: Option<Date>, to: Date) -> f32 {
    let days = from.map_or(0, |from| (to - from).get_days());
    (days as f32).signum() * (1.0 + days.abs() as f32).ln() * f32::from(u8::from(days != 0))
}
