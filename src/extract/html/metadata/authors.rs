//! Which of the names on a page are its article's authors.

use serde_json::Value;

use super::Evidence;
use super::candidates::{Candidate, Candidates};
use super::declared::{text_of, types};
use crate::document::BlockKind;
use crate::extract::bylines::{dates, is_person_name, parse_byline, parse_declared_name};
use crate::extract::folded;
use crate::extract::html::page::{Mark, Says};

/// Where authors can be found, in order of trust: of two spellings of the same names the
/// earlier one's is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// JSON-LD: author or creator of the article.
    Article,
    /// The same where it is declared to be an organisation.
    Organization,
    /// `<meta name="author">`.
    Meta,
    /// Other `<meta>` elements: Parse.ly, Sailthru, Dublin Core and others.
    OtherMeta,
    /// The `<meta>` elements of scholarly articles, one for each author.
    Citation,
    /// JSON-LD: author of anything else.
    Object,
    /// JSON-LD: a person beside the article.
    Person,
    /// `itemprop="author"` or `rel="author"` near the title.
    Author,
    /// The same anywhere else.
    AuthorElsewhere,
    /// A class or link that speaks of an author, near the title.
    LikelyAuthor,
    /// The same anywhere else.
    LikelyAuthorElsewhere,
    /// Several of these beside each other.
    Together,
    /// A line near the title that begins with "By".
    Byline,
    /// The same anywhere else.
    BylineElsewhere,
    /// A line near the title with "by" in it.
    InLine,
    /// A line near the title that is a name and nothing else.
    Bare,
    /// The name of the site, if it reads as a person's.
    Site,
    /// The end of `<title>`, if it reads as a person's name.
    TitleEnd,
    /// The holder of the copyright, if it reads as a person's name.
    Copyright,
}

const ORIGINS: usize = Origin::Copyright as usize + 1;

/// Features of authors beside those of any candidate.
const OWN: usize = 11;

pub(in crate::extract) const FEATURES: usize = Candidates::<Names>::width(ORIGINS) + OWN;

/// How far around the title a name is near it, in blocks.
const NEAR: std::ops::RangeInclusive<isize> = -8..=20;

/// How far behind the title a line that is only a name is looked for, in blocks.
const NEXT_TO: std::ops::RangeInclusive<isize> = 1..=8;

/// Authors whose blocks are further apart than this do not stand beside each other.
const ROW_GAP: usize = 3;

/// Bytes of the longest line that is looked at for a byline.
const LONGEST_LINE: usize = 160;

/// Authors as one place on the page gives them.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Names {
    pub list: Vec<String>,
    /// Whether they read as people's names.
    persons: bool,
    /// Whether a date stands in or beside a block that shows them.
    dated: bool,
}

impl Names {
    /// The names in a field or byline: those of persons, else whom or what it names.
    fn of(fields: &[String]) -> Option<Self> {
        let mut list: Vec<String> = Vec::new();
        for name in fields.iter().flat_map(|field| parse_byline(field)) {
            if !list.iter().any(|known| folded(known) == folded(&name)) {
                list.push(name);
            }
        }
        if !list.is_empty() {
            return Some(Self { list, persons: true, dated: false });
        }
        let list: Vec<String> =
            fields.iter().filter_map(|field| parse_declared_name(field)).map(str::to_owned).collect();
        (!list.is_empty()).then_some(Self { list, persons: false, dated: false })
    }

    /// Equal for the same names in any order.
    fn key(&self) -> String {
        let mut names: Vec<String> = self.list.iter().map(|name| folded(name)).collect();
        names.sort_unstable();
        names.join(" ")
    }
}

/// All that may be the authors.
pub(in crate::extract) fn candidates(evidence: &Evidence<'_>) -> Candidates<Names> {
    let mut found = Candidates::new(ORIGINS);
    declared(evidence, &mut found);
    marked(evidence, &mut found);
    shown(evidence, &mut found);
    personal_site(evidence, &mut found);
    found
}

/// The people whom JSON-LD calls the article's authors, where no other declaration, mark or byline
/// names anybody else.
pub(in crate::extract) fn undisputed(found: &Candidates<Names>) -> Option<usize> {
    const OTHERS: [Origin; 8] = [
        Origin::Organization,
        Origin::Meta,
        Origin::OtherMeta,
        Origin::Citation,
        Origin::Author,
        Origin::LikelyAuthor,
        Origin::Together,
        Origin::Byline,
    ];
    let is_declared =
        |known: &Candidate<Names>| known.is_from(Origin::Article as usize) && known.value.persons;
    let declared = found.list.iter().position(is_declared)?;
    let disputes = |(number, known): (usize, &Candidate<Names>)| {
        number != declared && OTHERS.iter().any(|&origin| known.is_from(origin as usize))
    };
    (!found.list.iter().enumerate().any(disputes)).then_some(declared)
}

fn add(
    found: &mut Candidates<Names>,
    evidence: &Evidence<'_>,
    names: Option<Names>,
    origin: Origin,
    block: Option<usize>,
) {
    let Some(names) = names else { return };
    let distance = block.map(|block| evidence.distance(block));
    let key = names.key();
    if let Some(candidate) = found.add(&key, origin as usize, distance, || names) {
        candidate.value.dated |= block.is_some_and(|block| evidence.is_by_a_date(block));
    }
}

/// What the head gives.
fn declared(evidence: &Evidence<'_>, found: &mut Candidates<Names>) {
    const OTHERS: [&[&str]; 9] = [
        &["parsely-author"],
        &["sailthru.author"],
        &["cxenseparse:author"],
        &["dc.creator", "dcterms.creator", "dc:creator"],
        &["article:author", "og:article:author"],
        &["article_author"],
        &["og:author"],
        &["byl"],
        &["author_name"],
    ];
    let declared = evidence.declared;
    let article = declared.article();
    let names_of = |object: &Value| {
        let author = object.get("author").or_else(|| object.get("creator"));
        author.map(|author| declared.names(author)).unwrap_or_default()
    };
    if let Some(article) = article {
        let names = names_of(article);
        let is_organization = names.iter().any(|&(_, is_organization)| is_organization);
        let origin = if is_organization { Origin::Organization } else { Origin::Article };
        let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
        add(found, evidence, Names::of(&names), origin, None);
    }
    let of_meta = |names: &[&str]| names.iter().flat_map(|name| declared.meta(name)).collect::<Vec<_>>();
    add(found, evidence, Names::of(&of_meta(&["author", "authors"])), Origin::Meta, None);
    for names in OTHERS {
        add(found, evidence, Names::of(&of_meta(names)), Origin::OtherMeta, None);
    }
    let cited = of_meta(&["citation_author", "citation_authors"]);
    let cited: Vec<String> = cited.iter().map(|name| given_name_first(name)).collect();
    add(found, evidence, Names::of(&cited), Origin::Citation, None);
    // "Written by" and the name as two numbered elements.
    for number in ["1", "2"] {
        let says_author = |label: String| label.eq_ignore_ascii_case("written by");
        if declared.meta(&format!("twitter:label{number}")).any(says_author) {
            let names = Names::of(&of_meta(&[&format!("twitter:data{number}")]));
            add(found, evidence, names, Origin::OtherMeta, None);
        }
    }
    for object in &declared.objects {
        if article.is_none_or(|article| !std::ptr::eq(article, object)) {
            let names: Vec<String> = names_of(object).into_iter().map(|(name, _)| name).collect();
            add(found, evidence, Names::of(&names), Origin::Object, None);
        }
        if types(object).any(|kind| kind == "Person") {
            let name = text_of(object.get("name"));
            add(found, evidence, name.and_then(|name| Names::of(&[name])), Origin::Person, None);
        }
    }
}

/// "Lee, Ann" as "Ann Lee".
fn given_name_first(name: &str) -> String {
    match name.split_once(", ") {
        Some((family, given)) if !given.contains(',') => format!("{given} {family}"),
        _ => name.to_owned(),
    }
}

/// What elements are marked as authors.
fn marked(evidence: &Evidence<'_>, found: &mut Candidates<Names>) {
    // Authors who are marked one by one, one beside the other.
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    for mark in &evidence.page.marks {
        let near = NEAR.contains(&evidence.distance(mark.block));
        let origin = match mark.says {
            Says::Author if near => Origin::Author,
            Says::Author => Origin::AuthorElsewhere,
            Says::LikelyAuthor if near => Origin::LikelyAuthor,
            Says::LikelyAuthor => Origin::LikelyAuthorElsewhere,
            _ => continue,
        };
        let Some(names) = names_in(mark) else { continue };
        if near && names.persons {
            match rows.last_mut() {
                Some((end, row)) if mark.block <= *end + ROW_GAP => {
                    *end = mark.block;
                    row.extend(names.list.iter().cloned());
                }
                _ => rows.push((mark.block, names.list.clone())),
            }
        }
        add(found, evidence, Some(names), origin, Some(mark.block));
    }
    for (end, row) in rows {
        add(found, evidence, Names::of(&row), Origin::Together, Some(end));
    }
}

/// The names in a mark: those of the first line that holds a person's, else its first line
/// if that is short enough for a name.
fn names_in(mark: &Mark) -> Option<Names> {
    let text = if mark.text.is_empty() { &mark.value } else { &mark.text };
    let reads_as_name = |line: &&str| line.len() <= 50 && !is_by(line) && dates(line).next().is_none();
    let person = text.lines().find(|line| !parse_byline(line).is_empty());
    let line = person.or_else(|| text.lines().find(reads_as_name).map(first_piece))?;
    Names::of(&[line.to_owned()])
}

/// The name at the beginning of a byline that goes on ("The Desk | May 3, 2023").
fn first_piece(line: &str) -> &str {
    let ends = [",", "|", "•", "·", " - ", " – ", " on "];
    let end = ends.iter().filter_map(|end| line.find(end)).min();
    line[..end.unwrap_or(line.len())].trim()
}

/// What short lines show.
fn shown(evidence: &Evidence<'_>, found: &mut Candidates<Names>) {
    let mut announced = false;
    for (number, block) in evidence.page.blocks.iter().enumerate() {
        let line = block.text.as_str();
        let follows = std::mem::replace(&mut announced, is_by(line));
        if line.len() > LONGEST_LINE {
            continue;
        }
        let distance = evidence.distance(number);
        let near = NEAR.contains(&distance);
        let names = |text: &str| {
            Names::of(&[text.to_owned()])
                .filter(|names| names.persons)
                .or_else(|| Names::of(&[first_piece(text).to_owned()]))
        };
        if follows || says_by(line) {
            let origin = if near { Origin::Byline } else { Origin::BylineElsewhere };
            add(found, evidence, names(line), origin, Some(number));
        } else if near && let Some(behind) = behind_by(line) {
            add(found, evidence, names(behind), Origin::InLine, Some(number));
        } else if NEXT_TO.contains(&distance) && block.kind != BlockKind::Heading && is_person_name(line) {
            add(found, evidence, names(line), Origin::Bare, Some(number));
        } else if line.contains('©') {
            add(found, evidence, copyright_holder(line), Origin::Copyright, Some(number));
        }
    }
}

/// On the site of one person the site's name is the author's.
fn personal_site(evidence: &Evidence<'_>, found: &mut Candidates<Names>) {
    let person = |text: &str| {
        let text = text.trim();
        let owner = text.split_once(['\'', '’']).map_or(text, |(owner, _)| owner);
        if is_person_name(owner) { Names::of(&[owner.to_owned()]) } else { None }
    };
    add(found, evidence, person(evidence.publisher), Origin::Site, None);
    let title_end = evidence.declared.title.rsplit(['|', '-', '–', '—', '·', '•']).next();
    add(found, evidence, title_end.and_then(person), Origin::TitleEnd, None);
}

/// The person in "© 2023 Ann Lee. All rights reserved."
fn copyright_holder(line: &str) -> Option<Names> {
    let (_, behind) = line.split_once('©')?;
    let holder = behind.trim_start_matches(|c: char| !c.is_alphabetic());
    let end = holder.find(['.', '|', ',', '·', '-', '–']).unwrap_or(holder.len());
    let holder = holder[..end].trim().trim_start_matches("by ");
    if is_person_name(holder) { Names::of(&[holder.to_owned()]) } else { None }
}

/// Whether a line announces a name and holds none.
fn is_by(line: &str) -> bool {
    let line = line.trim_end_matches(':');
    ["by", "written by", "author", "words by", "posted by"]
        .iter()
        .any(|label| label.eq_ignore_ascii_case(line))
}

/// Whether a line begins as bylines do.
fn says_by(line: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["by ", "by: ", "written by", "author:", "posted by", "words by"];
    BEGINNINGS
        .iter()
        .any(|beginning| line.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning)))
        || line.strip_prefix("By").is_some_and(|rest| rest.starts_with(char::is_uppercase))
}

/// What stands behind "by" in a line ("Posted on March 30, 2023 by Ann Lee").
fn behind_by(line: &str) -> Option<&str> {
    let (before, behind) = line.split_once(" by ").or_else(|| line.split_once(" By "))?;
    let word = before.rsplit(' ').next()?.to_lowercase();
    let leads = word.ends_with(|c: char| !c.is_alphabetic())
        || matches!(
            word.as_str(),
            "written" | "posted" | "published" | "words" | "story" | "article" | "am" | "pm"
        );
    (leads && behind.len() <= 80).then_some(behind)
}

/// The features of all candidates, [`FEATURES`] each.
pub(in crate::extract) fn rows(candidates: &Candidates<Names>, evidence: &Evidence<'_>) -> Vec<f32> {
    const COLLECTIVE: [&str; 9] = [
        "team", "staff", "editor", "editors", "editorial", "desk", "newsroom", "contributor", "contributors",
    ];
    let site = folded(evidence.publisher);
    let host = folded(evidence.uri.split('/').nth(2).unwrap_or_default());
    let persons = candidates.list.iter().filter(|known| known.value.persons).count();
    candidates.rows(|candidate| {
        let names = &candidate.value;
        let first = names.list.first().map(String::as_str).unwrap_or_default();
        let name = folded(first);
        let flag = |is: bool| f32::from(u8::from(is));
        let is_collective = |word: &str| COLLECTIVE.iter().any(|known| known.eq_ignore_ascii_case(word));
        [
            flag(names.persons),
            flag(names.dated),
            names.list.len().min(9) as f32,
            first.split(' ').count().min(9) as f32,
            first.len().min(60) as f32,
            flag(first.starts_with(char::is_lowercase)),
            flag(first.contains(|c: char| c.is_ascii_digit() || c == '_' || c == '.')),
            flag(name == site) + flag(site.contains(&name)) + flag(name.contains(&site) && !site.is_empty()),
            flag(host.contains(&name)),
            flag(first.split(' ').any(is_collective)),
            persons as f32,
        ]
    })
}
