//! Training: what words do in phrases, from how unlabelled news uses them. The same data gives the
//! same bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::{BREAKING, LEADING, form};
use crate::document::Section;
use crate::model::ModelWriter;
use crate::summary::train::unlabelled;
use crate::text::{TokenKind, segment};

/// Behind these stands a noun or what describes one.
const DETERMINERS: &str =
    "the a an his her its their our my your this that these those some any no every each";
/// Behind these stands a verb.
const SUBJECTS: &str = "he she they we i you who it which there to will would can could may might must shall should \
    not n't cannot don't didn't doesn't won't wouldn't can't couldn't";
/// Behind these stands an adjective or a participle.
const COPULAS: &str = "is are was were be been being am isn't aren't wasn't weren't become became becomes remain \
    remains remained seem seems seemed feel feels felt look looks looked very too so more most less";
/// Before these stands a noun, or a pronoun.
const AUXILIARIES: &str =
    "is was has had will would are were have can could 's ’s isn't wasn't hasn't won't of";
/// A noun phrase ends before these.
const CLOSING: &str = "in on at for from by with about to and or be may who which that as but , . ; : ) ? !";

/// So many uses that tell are enough to go by.
const LEAST_USES: u32 = 8;
/// A word that ends phrases in a smaller share of its uses than this ends none.
const LEAST_NOUN: f64 = 0.2;

/// How often a word stands where only nouns, verbs, adjectives, and things before nouns stand.
#[derive(Clone, Copy, Default)]
struct Uses {
    noun: u32,
    verb: u32,
    adjective: u32,
    before_noun: u32,
}

static SETS: LazyLock<[FxHashSet<&str>; 5]> = LazyLock::new(|| {
    [DETERMINERS, SUBJECTS, COPULAS, AUXILIARIES, CLOSING].map(|list| list.split_whitespace().collect())
});

/// Trains on the unlabelled news under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut uses: BTreeMap<u32, Uses> = BTreeMap::new();
    for article in unlabelled(&data.join("unlabelled/news.txt.xz"))? {
        count(&article, &mut uses);
    }
    let (mut breaking, mut leading) = (Vec::new(), Vec::new());
    for (&form, uses) in &uses {
        let Uses { noun, verb, adjective, before_noun } = *uses;
        let all = noun + verb + adjective;
        if all < LEAST_USES || f64::from(noun) >= LEAST_NOUN * f64::from(all) {
            continue;
        }
        // "social", "tax": not at the end, but no verb either.
        if 2 * (adjective + before_noun) > verb { leading.push(form) } else { breaking.push(form) }
    }
    eprintln!("{} words break phrases, {} lead them", breaking.len(), leading.len());
    let mut writer = ModelWriter::new("keyphrases", "1");
    writer.u32s(BREAKING, &breaking).u32s(LEADING, &leading);
    Ok(writer.finish())
}

fn count(article: &str, uses: &mut BTreeMap<u32, Uses>) {
    let text = segment(article, Section::Body, &[]);
    let [determiners, subjects, copulas, auxiliaries, closing] = &*SETS;
    for sentence in &text.sentences {
        let words: Vec<String> =
            sentence.tokens.clone().map(|token| text.word(token).to_lowercase().replace('’', "'")).collect();
        for (token, around) in sentence.tokens.clone().skip(1).zip(words.windows(3)) {
            let [before, _, after] = around else { continue };
            let is_name = text.word(token).starts_with(char::is_uppercase);
            if text.tokens[token].kind != TokenKind::Word || is_name {
                continue;
            }
            let (before, after) = (before.as_str(), after.as_str());
            let uses = uses.entry(form(text.word(token))).or_default();
            let (verb, adjective) = (subjects.contains(before), copulas.contains(before));
            uses.verb += u32::from(verb);
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
