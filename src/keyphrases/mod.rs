//! Phrases that say what a document is about.
//!
//! Without a part-of-speech tagger: a phrase is a run of words between function words, verbs
//! and marks, cut back until it ends like a noun (how news uses a word says what it is), or the
//! name of an entity in whatever form it is mentioned. Phrases are the same when their words are,
//! plural or not, and are ranked by how often, where and how widely their words are used.

pub mod train;

use std::borrow::Cow;
use std::sync::LazyLock;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::document::{Entity, EntityKind, KeyPhrase, MentionKind, TextSpan};
use crate::model::table::Table;
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::stem::{EMPTY, stem_hash};
use crate::text::{Form, Segmented, SegmentedArticle, TokenKind};

/// A phrase has so many words at most, "of" and "the" inside a name among them.
const LONGEST: usize = 5;
/// A mention in the title or in the first sentences counts as so many later ones.
const IN_TITLE: f32 = 3.0;
const IN_OPENING: f32 = 1.5;
/// How many sentences are the opening.
const OPENING: usize = 3;

/// A word alone that is no name has to be mentioned twice, or in the title.
const LEAST_WORD_WEIGHT: f32 = 2.0;

const MODEL: &[u8] = include_bytes!("../../models/keyphrases.bin");
/// The model's sections, one a [`Use`]: hashes of words.
const SECTIONS: [(&str, Use); 6] = [
    ("breaking", Use::Verb),
    ("mostly breaking", Use::MostlyVerb),
    ("leading", Use::Describes),
    ("either", Use::Either),
    ("nouns", Use::Noun),
    ("describing plurals", Use::Plural),
];

/// What news uses a word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Verb,
    /// A verb but behind an adjective or determiner: "conduct".
    MostlyVerb,
    /// Stands before nouns, and ends no phrase.
    Describes,
    /// Noun or verb: "support", "claims".
    Either,
    /// A noun that does not look like one: "table", "purchases".
    Noun,
    /// A plural that describes what follows it: "sports", "jobs".
    Plural,
}

/// Knows what words do in phrases. Immutable; share it.
pub struct PhraseModel {
    info: ModelInfo,
    uses: Uses,
}

/// What words are used for, by [`lower_hash`]; others are nouns, unless they look otherwise.
struct Uses(Table);

impl Uses {
    fn of(&self, lower: u32) -> Option<Use> {
        self.0.get(lower).map(|section| SECTIONS[section as usize].1)
    }
}

impl PhraseModel {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let file = ModelFile::parse(MODEL)?;
        let (mut words, mut sections) = (Vec::new(), Vec::new());
        for (number, (section, _)) in (0..).zip(SECTIONS) {
            words.extend(file.u32s(section)?);
            sections.resize(words.len(), number);
        }
        let uses = Uses(Table::with_numbers(&words, sections));
        Ok(Self { info: file.info().clone(), uses })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The `limit` best phrases, best first; `entities` are the article's.
    pub fn find(&self, article: &SegmentedArticle, entities: &[Entity], limit: usize) -> Vec<KeyPhrase> {
        // A title in capitals tells no names from words, so that the phrases come from the body.
        let (source, title) = if article.body.tokens.is_empty() {
            (&article.title, None)
        } else {
            (&article.body, Some(&article.title))
        };
        let read = |text| Reading::new(text, owners(text, entities), &self.uses);
        let mut phrases = Phrases::with_room(source.forms.len());
        phrases.collect(&read(source));
        if let Some(title) = title {
            phrases.recognize(&read(title));
        }
        phrases.best(limit, source)
    }
}

/// A word as the model knows it: a hash of it in lower case.
fn lower_hash(written: &str) -> u32 {
    // "don’t" is known as "don't".
    let plain = match written.is_ascii() {
        true => Cow::Borrowed(written),
        false => Cow::Owned(written.replace('’', "'")),
    };
    let lower = plain.bytes().map(|byte| byte.to_ascii_lowercase());
    lower.fold(EMPTY, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// For each token the entity whose name it is part of, and whether it begins a mention. Nations and
/// faiths are mostly said of something else ("French voters"), so that they are words like others.
fn owners(text: &Segmented, entities: &[Entity]) -> Vec<Option<Owner>> {
    let mut owners = vec![None; text.tokens.len()];
    for (entity, Entity { mentions, kind, .. }) in entities.iter().enumerate() {
        let names = mentions.iter().filter(|mention| mention.kind == MentionKind::Proper);
        for mention in names.filter(|mention| mention.span.section == text.section) {
            if *kind == EntityKind::Norp {
                continue;
            }
            let span = mention.span.span;
            let first = text.tokens.partition_point(|token| token.span().begin < span.begin);
            let tokens = owners.iter_mut().zip(&text.tokens).skip(first);
            for (owner, token) in tokens.take_while(|(_, token)| token.span().end <= span.end) {
                let begins = token.span().begin == span.begin;
                *owner = Some(Owner { entity, begins, person: *kind == EntityKind::Person });
            }
        }
    }
    owners
}

#[derive(Clone, Copy)]
struct Owner {
    /// Its place among the entities.
    entity: usize,
    begins: bool,
    person: bool,
}

/// What a word can do in a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Stands between phrases.
    Breaks,
    /// Part of a phrase, but not its last word.
    Leads,
    /// Part of a phrase, but not a phrase alone.
    Vague,
    Noun,
}

/// Determiners, pronouns, prepositions, conjunctions, auxiliaries, adverbs, numerals.
const FUNCTION_WORDS: &str = "a an the this that these those each every either neither some any no none all both half \
    several many much more most few fewer less least enough other others another such same own i me my mine myself \
    we us our ours ourselves you your yours yourself he him his himself she her hers herself it its itself they them \
    their theirs themselves one's who whom whose which what whatever whoever of in on at by for with about against between into \
    through during before after above below to from up down out off over under again further then once via per \
    upon toward towards among amid amongst across along around behind beside besides beyond despite except inside \
    near onto outside since than throughout till until unlike within without versus vs and or but nor so yet if \
    because as while although though unless whereas whether when where why how am is are was were be been being \
    do does did done doing have has had having can could may might must shall should will would ought not n't \
    don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't can't couldn't won't wouldn't shouldn't \
    it's he's she's that's there's what's who's let's i'm you're we're they're i've you've we've they've i'd he'd \
    she'd we'd they'd i'll you'll he'll she'll we'll they'll there here now just also only even still too very \
    really quite rather almost already always never often sometimes soon later earlier ago ever perhaps maybe \
    however instead meanwhile according moreover therefore thus hence otherwise anyway indeed again together away back \
    forward ahead apart alone else far well yes no ok please like one two three four five six seven eight nine ten \
    dozen hundred thousand million billion trillion first second third last next today yesterday tomorrow tonight \
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august \
    september october november december jan feb mar apr jun jul aug sept sep oct nov dec mr mrs ms dr sir";

/// Adjectives that end no phrase.
const ADJECTIVES: &str = "new old good better best bad worse worst big bigger biggest small smaller large larger largest \
    great greater greatest high higher highest low lower lowest long longer short early late young major minor main \
    former current recent previous past future possible likely unlikely able unable important key top leading public private \
    local national international foreign domestic federal political economic social financial military human real \
    true full whole free clear strong strongest weak hard easy difficult different similar single double common special \
    certain various entire final initial total general particular specific serious significant huge massive senior \
    chief deputy acting so-called ongoing upcoming latest least northern southern eastern western central global \
    elderly daily weekly monthly friendly deadly costly ready sure aware right wrong open dead alive concerned worried happy sad close popular additional available";

/// Nouns that mean too little alone.
const VAGUE_NOUNS: &str = "year month week day hour minute time moment decade century morning afternoon evening night weekend \
    way thing people person man woman men women child children kid guy lot number amount part place area side end case point fact \
    group level kind sort type form issue problem question answer reason result example situation matter idea \
    news story statement interview reporter percent per cent rate increase decrease half quarter share figure world country state \
    city town home house family member life hand head name word line list step move change effort role plan deal \
    action decision process system service program programme official spokesman spokeswoman spokesperson source \
    office company firm business work job money dollar pound euro cost price value term view position power \
    future past period start beginning rest series set bit piece kind chance concern detail report study data \
    information event meeting conference call letter email phone photo picture image video website page something \
    anything nothing everything someone anyone everyone nobody mr mile km kilometer kilometre meter metre foot feet inch yard ton tonne";

/// What begins a phrase although it ends like a verb.
const NOUNS_IN_ING: [&str; 24] = [
    "advertising", "banking", "boxing", "building", "bullying", "drinking", "driving", "farming", "fishing",
    "funding", "gambling", "housing", "marketing", "mining", "nursing", "operating", "parking", "racing",
    "shipping", "shooting", "spending", "trading", "training", "voting",
];

/// Behind these stands a verb.
const SUBJECTS: &str = "he she they we i you who it which there to will would can could may might must shall should \
    not n't cannot don't didn't doesn't won't wouldn't can't couldn't";

/// The hashes of [`SUBJECTS`].
static BEFORE_VERBS: LazyLock<FxHashSet<u32>> =
    LazyLock::new(|| SUBJECTS.split_whitespace().map(lower_hash).collect());

/// Behind these stands a noun or what describes one.
const DETERMINERS: &str = "the a an his her its their our my your every another";

/// The hashes of [`DETERMINERS`].
static BEFORE_NOUNS: LazyLock<FxHashSet<u32>> =
    LazyLock::new(|| DETERMINERS.split_whitespace().map(lower_hash).collect());

/// Plurals without an s.
const PLURALS: [&str; 5] = ["people", "men", "women", "children", "police"];

/// Words before a name that are no names themselves.
const TITLE_WORDS: &str = "US uk eu president vice-president vice prime minister secretary general chancellor senator \
    governor mayor judge justice king queen prince princess pope gov sen rep gen col capt lt sgt prof professor \
    chairman chairwoman director ceo congressman congresswoman councillor detective inspector sheriff lord lady \
    archbishop bishop cardinal coach manager captain skipper actor actress singer former";

/// The stems of [`TITLE_WORDS`].
static TITLES: LazyLock<FxHashSet<u32>> = LazyLock::new(|| {
    let mut buffer = Vec::new();
    TITLE_WORDS.split_whitespace().map(|word| stem_hash(word, &mut buffer)).collect()
});

/// What words of these lists do in phrases, by the hash of their stem.
static ROLES: LazyLock<FxHashMap<u32, Role>> = LazyLock::new(|| {
    let mut roles = FxHashMap::default();
    let mut buffer = Vec::new();
    // Later lists give way to earlier ones.
    for (list, role) in
        [(FUNCTION_WORDS, Role::Breaks), (ADJECTIVES, Role::Leads), (VAGUE_NOUNS, Role::Vague)]
    {
        for word in list.split_whitespace() {
            roles.entry(stem_hash(word, &mut buffer)).or_insert(role);
        }
    }
    roles
});

/// A word of the source, as far as phrases are concerned.
#[derive(Clone, Copy)]
struct Word {
    token: usize,
    stem: u32,
    role: Role,
    capital: bool,
    owner: Option<Owner>,
}

/// What makes two phrases the same.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// By [`key`].
    Stems(u64),
    /// Its place among the entities.
    Entity(usize),
}

/// A phrase with every place where it stands.
struct Phrase {
    stems: Vec<u32>,
    /// All its words begin with a capital.
    name: bool,
    vague: bool,
    /// Where it stands in the source in the words that it is shown in: the most that an entity is
    /// called by.
    shown: TextSpan,
    mentions: Vec<TextSpan>,
    /// The mentions, weighed by place.
    weight: f32,
    /// In how many quarters of the source it stands, one bit each.
    quarters: u8,
}

struct Phrases {
    phrases: Vec<Phrase>,
    places: FxHashMap<Key, usize>,
    /// How often each stem stands in a phrase, weighed by place.
    stems: FxHashMap<u32, f32>,
}

impl Phrases {
    /// For a text of so many forms; most are in no phrase or share one.
    fn with_room(forms: usize) -> Self {
        Self {
            phrases: Vec::with_capacity(forms / 2),
            places: FxHashMap::with_capacity_and_hasher(forms / 2, FxBuildHasher),
            stems: FxHashMap::with_capacity_and_hasher(forms / 2, FxBuildHasher),
        }
    }

    /// Takes the phrases of a text.
    fn collect(&mut self, reading: &Reading) {
        let text = reading.text;
        let mut run: Vec<Word> = Vec::new();
        for (number, sentence) in text.sentences.iter().enumerate() {
            let weight = if number < OPENING { IN_OPENING } else { 1.0 };
            let quarter = 1 << (4 * number / text.sentences.len());
            for token in sentence.tokens.clone() {
                let before = run.last().filter(|word| word.token + 1 == token);
                match reading.word(token, sentence.tokens.start, before) {
                    Some(word) if word.role != Role::Breaks => run.push(word),
                    other => {
                        // Marks inside a name hold it together, and "of" does: Bank of England.
                        let inside = reading.owners[token].is_some_and(|owner| !owner.begins);
                        if inside || other.is_some() && holds_together(text, token, &run) {
                            continue;
                        }
                        self.add_run(text, &run, weight, quarter);
                        run.clear();
                    }
                }
            }
            self.add_run(text, &run, weight, quarter);
            run.clear();
        }
    }

    /// Takes the phrase that a run of words ends in.
    fn add_run(&mut self, text: &Segmented, run: &[Word], weight: f32, quarter: u8) {
        // A name may describe what follows ("the Trump administration"); what describes a name
        // ("film-maker George Lucas") is a phrase of its own.
        let begins_name = |word: &Word| word.owner.is_some_and(|owner| owner.begins);
        // "prices raised import costs"
        let is_past = |a: &Word, b: &Word| {
            a.role != Role::Leads && b.role == Role::Leads && text.word(b.token).ends_with("ed")
        };
        let goes_on = |a: &Word, b: &Word| (a.capital || !b.capital) && !begins_name(b) && !is_past(a, b);
        for part in run.chunk_by(goes_on) {
            let mut part = part;
            while let [rest @ .., last] = part
                && last.role == Role::Leads
                && !last.capital
            {
                part = rest;
            }
            // "expanding cooperation", "granted bail": more often verb and object than not.
            while let [first, rest @ ..] = part
                && !rest.is_empty()
                && !first.capital
                && ["ing", "ed"].iter().any(|end| text.word(first.token).ends_with(end))
                && !NOUNS_IN_ING.contains(&text.word(first.token))
            {
                part = rest;
            }
            // Joe Biden is one whether he is president or not.
            while let [first, rest @ ..] = part
                && first.owner.is_none()
                && first.capital
                && rest.iter().all(|word| word.capital)
                && TITLES.contains(&first.stem)
            {
                part = rest;
            }
            let owner = |word: &Word| word.owner.map(|owner| owner.entity);
            let entity = part.first().and_then(owner);
            let entity = entity.filter(|_| part.iter().all(|word| owner(word) == entity));
            if entity.is_none() {
                part = &part[part.len().saturating_sub(LONGEST)..];
                // Half a name is none.
                let whole = part.iter().position(|word| word.owner.is_none_or(|owner| owner.begins));
                part = &part[whole.unwrap_or(part.len())..];
            }
            if part.iter().all(|word| text.word(word.token).len() <= 1) {
                continue;
            }
            for word in part {
                *self.stems.entry(word.stem).or_default() += weight;
            }
            let stems = || part.iter().map(|word| word.stem);
            let span = text.text_span(text.span_of(part[0].token..part[part.len() - 1].token + 1));
            let identity = entity.map_or_else(|| Key::Stems(key(stems())), Key::Entity);
            let place = *self.places.entry(identity).or_insert_with(|| {
                let is_vague = |word: &Word| word.role != Role::Noun || adjective(text.word(word.token));
                self.phrases.push(Phrase {
                    name: part.iter().all(|word| word.capital),
                    vague: entity.is_none() && part.iter().all(is_vague),
                    stems: stems().collect(),
                    shown: span,
                    mentions: Vec::new(),
                    weight: 0.0,
                    quarters: 0,
                });
                self.phrases.len() - 1
            });
            let phrase = &mut self.phrases[place];
            if part.len() > phrase.stems.len() {
                (phrase.stems, phrase.shown) = (stems().collect(), span);
            }
            phrase.mentions.push(span);
            phrase.weight += weight;
            phrase.quarters |= quarter;
        }
    }

    /// Finds the known phrases again in the title.
    fn recognize(&mut self, reading: &Reading) {
        let title = reading.text;
        let words: Vec<Word> = (0..title.tokens.len())
            .filter_map(|token| reading.word(token, 0, None))
            .filter(|word| word.role != Role::Breaks)
            .collect();
        for word in &words {
            self.stems.entry(word.stem).and_modify(|weight| *weight += IN_TITLE);
        }
        for first in 0..words.len() {
            for last in first..words.len().min(first + LONGEST) {
                // Words with a mark or function word between them are not the phrase.
                if words[last].token - words[first].token > 2 + last - first {
                    break;
                }
                let part = &words[first..=last];
                let entity = part[0].owner.filter(|owner| owner.begins).map(|owner| owner.entity);
                let is_whole = part.iter().all(|word| word.owner.map(|owner| owner.entity) == entity)
                    && words.get(last + 1).is_none_or(|next| next.owner.is_none_or(|owner| owner.begins));
                let identity = match entity {
                    Some(entity) if is_whole => Key::Entity(entity),
                    _ => Key::Stems(key(part.iter().map(|word| word.stem))),
                };
                if let Some(&place) = self.places.get(&identity) {
                    let phrase = &mut self.phrases[place];
                    let span = title.span_of(words[first].token..words[last].token + 1);
                    phrase.mentions.push(title.text_span(span));
                    phrase.weight += IN_TITLE;
                }
            }
        }
    }

    /// The best phrases, without those that are part of a better one or have one as a part.
    fn best(self, limit: usize, source: &Segmented) -> Vec<KeyPhrase> {
        let mut ranked: Vec<(f32, &Phrase)> = self
            .phrases
            .iter()
            .map(|phrase| (self.score(phrase), phrase))
            .filter(|(score, _)| *score > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.mentions[0].cmp(&b.1.mentions[0])));
        let mut best: Vec<(f32, &Phrase)> = Vec::with_capacity(limit);
        for (score, phrase) in ranked {
            if best.len() == limit {
                break;
            }
            let repeats =
                |known: &Phrase| within(&phrase.stems, &known.stems) || within(&known.stems, &phrase.stems);
            if !best.iter().any(|(_, known)| repeats(known)) {
                best.push((score, phrase));
            }
        }
        best.into_iter()
            .map(|(score, phrase)| {
                let text = phrase.shown.span.of(source.text).to_owned();
                let mut spans = phrase.mentions.clone();
                spans.sort_unstable();
                KeyPhrase { text, score, spans }
            })
            .collect()
    }

    /// 0 to 1.
    fn score(&self, phrase: &Phrase) -> f32 {
        let length = match phrase.stems.len() {
            1 if phrase.vague => return 0.0,
            1 if phrase.name => 0.9,
            1 if phrase.weight < LEAST_WORD_WEIGHT => return 0.0,
            1 => 0.6,
            2 | 3 => 1.2,
            _ => 1.0,
        };
        let vague = if phrase.vague { 0.5 } else { 1.0 };
        let words: f32 =
            phrase.stems.iter().filter_map(|stem| self.stems.get(stem)).map(|weight| weight.ln_1p()).sum();
        let words = words / phrase.stems.len() as f32;
        let spread = 1.0 + 0.15 * (phrase.quarters.count_ones().saturating_sub(1)) as f32;
        let strength = length * vague * words * phrase.weight.ln_1p() * spread;
        strength / (strength + 2.0)
    }
}

/// A text with what is known of its words.
struct Reading<'a> {
    text: &'a Segmented<'a>,
    owners: Vec<Option<Owner>>,
    uses: &'a Uses,
    /// For each form of the text.
    known: Vec<Known>,
}

/// What is known of a word wherever it stands.
struct Known {
    /// As [`lower_hash`] makes it.
    lower: u32,
    r#use: Option<Use>,
    /// What the lists say.
    role: Option<Role>,
    /// Like "US": in capitals, of up to four characters.
    abbreviation: bool,
}

impl<'a> Reading<'a> {
    fn new(text: &'a Segmented, owners: Vec<Option<Owner>>, uses: &'a Uses) -> Self {
        let lower: Vec<u32> = text.forms.iter().map(|form| lower_hash(form.text)).collect();
        uses.0.fetch(lower.iter().copied());
        let known = |(form, lower): (&Form, u32)| Known {
            lower,
            r#use: uses.of(lower),
            role: ROLES.get(&form.stem).copied(),
            abbreviation: (2..=4).contains(&form.text.len()) && !form.text.contains(char::is_lowercase),
        };
        Self { text, owners, uses, known: text.forms.iter().zip(lower).map(known).collect() }
    }

    fn known(&self, token: usize) -> &Known {
        &self.known[self.text.form_of[token] as usize]
    }

    /// The token as a word of a phrase, `before` being the word of the phrase that it stands
    /// behind; none for marks, addresses, and numbers outside names.
    fn word(&self, token: usize, sentence_start: usize, before: Option<&Word>) -> Option<Word> {
        let (form, owner) = (self.text.form(token), self.owners[token]);
        match form.kind {
            TokenKind::Word => (),
            TokenKind::Number if owner.is_some() => (),
            _ => return None,
        }
        // The first word of a sentence has a capital anyway; before another it begins a name.
        let capital = owner.is_some()
            || is_capitalized(self.text, token)
                && (token != sentence_start || is_capitalized(self.text, token + 1));
        let known = self.known(token);
        let role = match known.role {
            _ if owner.is_some() => Role::Noun,
            // "US" is no pronoun, and "IT" and "WHO" none either.
            Some(_) if known.abbreviation && capital => Role::Noun,
            Some(role @ (Role::Breaks | Role::Leads)) => role,
            None if capital => Role::Noun,
            Some(role) if capital => role,
            listed => self.role(token, before, listed),
        };
        Some(Word { token, stem: form.stem, role, capital, owner })
    }

    /// What a word does that is no name; `listed` is what the lists say.
    fn role(&self, token: usize, before: Option<&Word>, listed: Option<Role>) -> Role {
        match (self.used(token), listed) {
            (Some(Use::Verb | Use::MostlyVerb | Use::Either), _) if self.is_verb(token, before) => {
                Role::Breaks
            }
            (_, Some(role)) => role,
            (Some(Use::MostlyVerb), _) if self.is_noun(token, before) => Role::Noun,
            (Some(Use::Verb | Use::MostlyVerb), _) => Role::Breaks,
            (Some(Use::Describes), _) => Role::Leads,
            (Some(Use::Either | Use::Noun | Use::Plural), _) => Role::Noun,
            (None, None) => role_by_ending(self.text.word(token)),
        }
    }

    fn used(&self, token: usize) -> Option<Use> {
        self.known(token).r#use.or_else(|| {
            let is_verb =
                |base: &str| matches!(self.uses.of(lower_hash(base)), Some(Use::Verb | Use::MostlyVerb));
            bases(self.text.word(token)).any(is_verb).then_some(Use::Verb)
        })
    }

    /// Whether a word that may be a verb must be one where it stands: behind what verbs stand behind, a
    /// plural, or, in the third person, a person's name.
    fn is_verb(&self, token: usize, before: Option<&Word>) -> bool {
        let third_person = self.text.word(token).ends_with('s');
        let behind = |word: &Word| match word.owner {
            Some(owner) => third_person && owner.person,
            None => !third_person && self.is_plural(word.token),
        };
        self.is_behind(token, &BEFORE_VERBS) || before.is_some_and(behind)
    }

    /// Whether a word that is a verb elsewhere is a noun where it stands.
    fn is_noun(&self, token: usize, before: Option<&Word>) -> bool {
        before.is_some_and(|word| word.role == Role::Leads) || self.is_behind(token, &BEFORE_NOUNS)
    }

    fn is_behind(&self, token: usize, words: &FxHashSet<u32>) -> bool {
        token.checked_sub(1).is_some_and(|last| words.contains(&self.known(last).lower))
    }

    /// Whether the word is a plural that does not describe what follows it.
    fn is_plural(&self, token: usize) -> bool {
        let written = self.text.word(token);
        let ends_like_one =
            written.ends_with('s') && !["ss", "us", "is"].iter().any(|end| written.ends_with(end));
        let describes = matches!(self.known(token).r#use, Some(Use::Plural | Use::Describes));
        !describes && (ends_like_one || PLURALS.contains(&written))
    }
}

/// Whether there is such a token, and it is a word with a capital.
fn is_capitalized(text: &Segmented, token: usize) -> bool {
    token < text.tokens.len() && text.form(token).kind == TokenKind::Word && text.form(token).capital
}

/// What a verb in the third person may be a form of: "recovers", "reaches".
fn bases(written: &str) -> impl Iterator<Item = &str> {
    let without = |ending| written.strip_suffix(ending).filter(|base| base.len() > 2);
    without("s").into_iter().chain(without("es"))
}

/// For words that no list and no model has.
fn role_by_ending(written: &str) -> Role {
    if written.starts_with(['\'', '’']) || written.ends_with("ly") {
        Role::Breaks
    } else if ["ed", "ous", "ful", "able", "ible"].iter().any(|end| written.ends_with(end)) {
        Role::Leads
    } else {
        Role::Noun
    }
}

/// Whether a word ends like an adjective, as of a nationality or a party.
fn adjective(written: &str) -> bool {
    ["ian", "ean", "ese", "ish", "ican", "ic", "al", "ive", "less"].iter().any(|end| written.ends_with(end))
}

/// Whether a function word stands inside a name, as in Bank of England.
fn holds_together(text: &Segmented, token: usize, run: &[Word]) -> bool {
    let name_before = run.last().is_some_and(|word| word.capital && word.token + 1 == token);
    name_before && is_capitalized(text, token + 1) && text.word(token) == "of"
}

/// The same for the same stems in the same order.
fn key(stems: impl ExactSizeIterator<Item = u32>) -> u64 {
    let count = stems.len() as u64;
    stems.fold(count, |key, stem| (key.rotate_left(23) ^ u64::from(stem)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Whether `part` stands in `whole`.
fn within(part: &[u32], whole: &[u32]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::Article;
    use crate::entities::EntityModel;
    use crate::text::segment_article;

    static PHRASES: LazyLock<PhraseModel> = LazyLock::new(|| PhraseModel::load().unwrap());
    static ENTITIES: LazyLock<EntityModel> = LazyLock::new(|| EntityModel::load().unwrap());

    fn phrases(title: &str, text: &str) -> Vec<KeyPhrase> {
        let article = Article { title: title.into(), text: text.into(), ..Article::default() };
        let segmented = segment_article(&article);
        PHRASES.find(&segmented, &ENTITIES.find(&segmented), 10)
    }

    fn texts(phrases: &[KeyPhrase]) -> Vec<&str> {
        phrases.iter().map(|phrase| phrase.text.as_str()).collect()
    }

    #[test]
    fn a_phrase_is_found_wherever_it_stands_in_singular_and_plural() {
        let title = "Ferry strikes to go on";
        let text = "The ferry strike on the west coast will go on for another week. Union leader Mary Okafor said \
            the ferry strikes had wide support. Ms Okafor blamed the harbour company for the delay.";
        let found = phrases(title, text);
        let strike = found.iter().find(|phrase| phrase.text == "ferry strike").unwrap();
        assert_eq!(strike.spans.len(), 3);
        assert_eq!(strike.spans[0].span.of(text), "ferry strike");
        assert_eq!(strike.spans[2].span.of(title), "Ferry strikes");
        let okafor = found.iter().find(|phrase| phrase.text.ends_with("Okafor")).unwrap();
        assert_eq!((okafor.text.as_str(), okafor.spans.len()), ("Mary Okafor", 2));
    }

    #[test]
    fn phrases_end_in_nouns_and_none_is_part_of_another() {
        let text = "The Bank of England raised interest rates on Thursday. US President Ann Lee said higher interest \
            rates were a serious concern for growing companies, and that the Bank of England acted too late. \
            Lee added that small firms would suffer.";
        let found = phrases("", text);
        let texts = texts(&found);
        assert!(texts.contains(&"Bank of England") && texts.contains(&"interest rates"), "{texts:?}");
        assert!(texts.contains(&"Ann Lee"), "{texts:?}");
        assert!(
            !texts.iter().any(|text| ["England", "rates", "serious", "Thursday", "US"].contains(text)),
            "{texts:?}"
        );
        assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        assert!(found.iter().all(|phrase| phrase.score > 0.0 && phrase.score < 1.0));
    }

    #[test]
    fn names_stay_whole_whatever_their_words_mean_elsewhere() {
        let text = "Theresa May met the chairman of Marks & Spencer in London on Wednesday. Mrs May said that Marks & \
            Spencer would keep its stores. Will Smith, who plays in the film, was not there. Smith sent a letter.";
        let found = phrases("", text);
        let texts = texts(&found);
        for name in ["Theresa May", "Marks & Spencer", "Will Smith"] {
            assert!(texts.contains(&name), "{name}: {texts:?}");
        }
        let may = found.iter().find(|phrase| phrase.text == "Theresa May").unwrap();
        assert_eq!(may.spans.len(), 2);
    }

    #[test]
    fn verbs_and_what_is_said_of_a_thing_stay_out_of_phrases() {
        let text = "Power cuts spread from the coast. The jury found Patrick Lowe guilty, whose holidays were worth \
            a fortune. The plant recovers lithium. Several countries limit exports, and the firm wants to support \
            small farms. The clerk denied violent conduct. Ministers don’t support old harbours.";
        let found = phrases("", text);
        let texts = texts(&found);
        for phrase in ["Power cuts", "Patrick Lowe", "small farms", "violent conduct", "old harbours"] {
            assert!(texts.contains(&phrase), "{phrase}: {texts:?}");
        }
        let verbs = ["spread", "guilty", "worth", "recovers", "limit", "support", "denied"];
        assert!(!texts.iter().any(|text| verbs.iter().any(|verb| text.contains(verb))), "{texts:?}");
    }

    #[test]
    fn a_headline_alone_has_phrases_too() {
        assert!(texts(&phrases("Central bank warns of housing bubble", "")).contains(&"housing bubble"));
        assert!(phrases("", "").is_empty());
        assert!(phrases("", "And so it was. But then?! 12 (34) \u{1f600}").is_empty());
    }

    proptest! {
        #[test]
        fn spans_lie_in_their_text(title in "\\PC{0,40}", text in "(\\PC|[A-Za-z .']){0,200}") {
            for phrase in phrases(&title, &text) {
                prop_assert!(phrase.spans.is_sorted());
                for span in phrase.spans {
                    let section = if span.section == crate::document::Section::Title { &title } else { &text };
                    prop_assert!(section.get(span.span.range()).is_some_and(|s| !s.is_empty()));
                }
            }
        }
    }
}
