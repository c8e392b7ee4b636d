//! Training: what words do in phrases, from how unlabelled news uses them. The same data gives the
//! same bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::{DETERMINERS, Role, SECTIONS, SUBJECTS, Use, bases, lower_hash, role_by_ending};
use crate::document::Section;
use crate::model::ModelWriter;
use crate::summary::train::unlabelled;
use crate::text::{TokenKind, segment};

/// Those of [`SUBJECTS`] behind which hardly anything but a verb stands.
const SURE_SUBJECTS: &str = "he she they we i who which will would can could may might must should cannot don't \
    didn't doesn't won't wouldn't can't couldn't";
/// Behind these stands an adjective or a participle.
const COPULAS: &str = "is are was were be been being am isn't aren't wasn't weren't become became becomes remain \
    remains remained seem seems seemed feel feels felt look looks looked very too so more most less";
/// Before these stands a noun, or a pronoun.
const AUXILIARIES: &str = "is was has had will would are were have can could 's isn't wasn't hasn't won't";
/// A noun phrase ends before these.
const CLOSING: &str =
    "of in on at for from by with about to and or be may who which that as but , . ; : ) ? !";

/// So many uses that tell are enough to go by.
const LEAST_USES: u32 = 8;
/// A word that ends phrases in a smaller share of its uses than this ends none.
const LEAST_NOUN: f64 = 0.2;
/// And in a smaller share than this it is hardly a noun at all.
const LEAST_RARE_NOUN: f64 = 0.05;
/// A word that stands before nouns in a smaller share of its uses than this does not describe.
const LEAST_BEFORE_NOUN: f64 = 0.1;
/// A noun that stands where verbs do in at least these shares of its uses may be one: after any of
/// [`SUBJECTS`], as nouns follow "to", and after the sure ones.
const LEAST_VERB: f64 = 0.2;
const LEAST_SURE_VERB: f64 = 0.03;
/// A plural that stands before nouns in at least this share of its uses as a noun describes them.
const LEAST_DESCRIBING: f64 = 0.25;

/// How often a word stands where only nouns, verbs, adjectives, and things before nouns stand.
#[derive(Clone, Copy, Default)]
struct Uses {
    noun: u32,
    verb: u32,
    /// Those among the verbs that are sure.
    sure_verb: u32,
    adjective: u32,
    before_noun: u32,
}

impl Uses {
    /// What the word is used for; none where it is a noun or too few uses tell.
    fn of(self, word: &str) -> Option<Use> {
        let Self { noun, mut verb, mut sure_verb, mut adjective, before_noun } = self;
        if word.ends_with("ing") {
            verb += adjective;
            (sure_verb, adjective) = (verb, 0);
        }
        let all = noun + verb + adjective;
        let is_share = |part: u32, whole: u32, least: f64| f64::from(part) >= least * f64::from(whole);
        if all + before_noun < LEAST_USES {
            None
        } else if word.ends_with("ly") && 2 * noun < all {
            // Adverbs stand before adjectives as adjectives do before nouns, and before verbs as
            // nouns do.
            None
        } else if !is_share(noun, all, LEAST_NOUN) {
            // "social", "tax": not at the end, but no verb either.
            let describes = is_share(before_noun, all + before_noun, LEAST_BEFORE_NOUN)
                && 2 * (adjective + before_noun) > verb;
            Some(if describes {
                Use::Describes
            } else if is_share(noun, all, LEAST_RARE_NOUN) {
                Use::MostlyVerb
            } else {
                Use::Verb
            })
        } else if is_share(verb, all, LEAST_VERB) && is_share(sure_verb, all, LEAST_SURE_VERB) {
            Some(Use::Either)
        } else if word.ends_with('s') && is_share(before_noun, noun + before_noun, LEAST_DESCRIBING) {
            Some(Use::Plural)
        } else if role_by_ending(word) == Role::Noun || noun >= before_noun.max(all / 2) {
            Some(Use::Noun)
        } else {
            None
        }
    }
}

static SETS: LazyLock<[FxHashSet<&str>; 6]> = LazyLock::new(|| {
    [DETERMINERS, SUBJECTS, SURE_SUBJECTS, COPULAS, AUXILIARIES, CLOSING]
        .map(|list| list.split_whitespace().collect())
});

/// Trains on the unlabelled news under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut counts: BTreeMap<String, Uses> = BTreeMap::new();
    for article in unlabelled(&data.join("unlabelled/news.txt.xz"))? {
        count(&article, &mut counts);
    }
    let uses: BTreeMap<&str, Use> =
        counts.iter().filter_map(|(word, uses)| Some((word.as_str(), uses.of(word)?))).collect();
    let is_verb = |base| matches!(uses.get(base), Some(Use::Verb | Use::MostlyVerb));
    let forms = SECTIONS.map(|(section, r#use)| {
        let words = uses.iter().filter(|&(_, &other)| other == r#use).map(|(word, _)| *word);
        // What looks like a noun need not be told to be one.
        let told = words.filter(|word| {
            r#use != Use::Noun || role_by_ending(word) != Role::Noun || bases(word).any(is_verb)
        });
        let mut forms: Vec<u32> = told.map(lower_hash).collect();
        forms.sort_unstable();
        (section, forms)
    });
    let mut writer = ModelWriter::new("keyphrases", "1");
    for (section, forms) in &forms {
        eprintln!("{section}: {} words", forms.len());
        writer.u32s(section, forms);
    }
    Ok(writer.finish())
}

fn count(article: &str, counts: &mut BTreeMap<String, Uses>) {
    let text = segment(article, Section::Body, &[]);
    let [determiners, subjects, sure_subjects, copulas, auxiliaries, closing] = &*SETS;
    for sentence in &text.sentences {
        let words: Vec<String> =
            sentence.tokens.clone().map(|token| text.word(token).to_lowercase().replace('’', "'")).collect();
        for (token, around) in sentence.tokens.clone().skip(1).zip(words.windows(3)) {
            let [before, word, after] = around else { continue };
            let is_name = text.word(token).starts_with(char::is_uppercase);
            if text.tokens[token].kind != TokenKind::Word || is_name {
                continue;
            }
            let (before, after) = (before.as_str(), after.as_str());
            let uses = counts.entry(word.clone()).or_default();
            let (verb, adjective) = (subjects.contains(before), copulas.contains(before));
            uses.verb += u32::from(verb);
            uses.sure_verb += u32::from(sure_subjects.contains(before));
            uses.adjective += u32::from(adjective && !verb);
            if determiners.contains(before) && !auxiliaries.contains(after) && !closing.contains(after) {
                uses.before_noun += 1;
            } else if !verb && !adjective && auxiliaries.contains(after)
                || determiners.contains(before) && closing.contains(after)
            {
                uses.noun += 1;
            }
        }
    }
}
