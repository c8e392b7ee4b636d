//! Who said it: the words beside a quotation that name its speaker.

use std::ops::Range;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::text::{Form, Segmented, TokenKind};

/// How far from its quotation, in tokens, a cue is looked for.
const REACH: usize = 40;

/// How far before its cue, in tokens, a sentence may begin to be read for its subject.
const SENTENCE: usize = 5 * REACH;

/// How long, in tokens, an apposition between a speaker and the cue may be.
const APPOSITION: usize = 25;

/// Verbs that tell of speech, in the past and present.
const CUES: &str = "said says told tells added adds wrote writes tweeted continued asked asks responded replied declared \
     reported concluded concludes explained explains called calls noted notes stated states reads read shouted chanted \
     admitted answered joked yelled remarked insisted insists urged warned warns argued argues claimed claims \
     acknowledged announced recalled suggested observed commented complained quipped exclaimed testified posted \
     confirmed asserted reacted questioned contended countered opined promises predicted promised vowed stressed emphasized pointed conceded describes described cautioned denied \
     proclaimed mused boasted lamented repeated retorted thundered say write ask think thinks thought believes \
     believed put puts wondered quoted charged blasted slammed criticized begins began countered";

/// Those that are plain enough where no quotation marks stand.
const PLAIN_CUES: &str = "said says added warned argued insisted claimed noted stated announced";

/// The same verbs as they hang on another: "..., adding that".
const HANGING: &str = "saying adding telling asking writing arguing calling noting explaining insisting claiming warning chanting \
     tweeting stating suggesting responding declaring describing";

const PRONOUNS: &str = " he she they i we it you who ";
const DETERMINERS: &str =
    " the a an his her their its our my one another this that these some two three many several ";
const PREPOSITIONS: &str = " of for at in from with on to by ";
/// Words inside names.
const PARTICLES: &str = " of de la le van von der den bin al el du da dos di ";
/// What may stand between a subject and its verb.
const BETWEEN: &str = " also has have had then later once again was is just never would will even only further did not \
     previously recently still simply now too always often first himself herself ";
/// Where a subject cannot begin further left.
const CLAUSE: &str =
    " that as when while because but if although though and or after before since than so which where what ";

/// Words that open a sentence before its subject.
const OPENERS: &str = " here there now then yet still later earlier meanwhile asked speaking during despite again also \
     today yesterday on under over like ";

/// What its bearer may be called without a name.
const TITLES: &str = " president chancellor premier minister secretary governor mayor senator ambassador ";
const WEEKDAYS: &str = " monday tuesday wednesday thursday friday saturday sunday ";
const MONTHS: &str =
    " january february march april may june july august september october november december ";
/// What a weekday or month follows, and "week" and its like must follow.
const WHEN: &str = " on in late early last next this earlier ";

/// The words of an article around its quotations.
pub struct Reader<'a> {
    body: &'a Segmented<'a>,
    /// For each form of the body, since every token is asked.
    cues: Vec<Option<Cue>>,
}

static CUE_OF: LazyLock<FxHashMap<&str, Cue>> = LazyLock::new(|| {
    // Of a word in two lists the later counts.
    let kinds = [(HANGING, Cue::Hanging), (CUES, Cue::Finite), (PLAIN_CUES, Cue::Plain)];
    kinds.iter().flat_map(|&(words, kind)| words.split_whitespace().map(move |word| (word, kind))).collect()
});

/// A word that says that somebody speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    /// One of [`PLAIN_CUES`].
    Plain,
    /// Another of [`CUES`].
    Finite,
    /// One of [`HANGING`].
    Hanging,
}

impl<'a> Reader<'a> {
    pub fn new(body: &'a Segmented<'a>) -> Self {
        let cue = |form: &Form| match form.capital {
            true => CUE_OF.get(form.text.to_ascii_lowercase().as_str()).copied(),
            false => CUE_OF.get(form.text).copied(),
        };
        Self { body, cues: body.forms.iter().map(cue).collect() }
    }

    fn cue(&self, token: usize) -> Option<Cue> {
        self.cues[*self.body.form_of.get(token)? as usize]
    }

    fn is_finite_cue(&self, token: usize) -> bool {
        matches!(self.cue(token), Some(Cue::Plain | Cue::Finite))
    }

    /// The speaker in the words after a quotation: `," X said`, `," said X`, `, according to X`.
    pub fn after(&self, window: Range<usize>) -> Option<Range<usize>> {
        let window = window.start..window.end.min(window.start + REACH);
        let first = window.clone().find(|&token| self.is_word(token))?;
        let verb = (first..window.end).find(|&token| !self.is(token, BETWEEN) && !self.is_adverb(token))?;
        if self.is_finite_cue(verb) && !self.is(verb, " told tells ") {
            // "read the letter" and "said X" look alike; both name the source.
            if let Some(subject) = self.subject_after(verb + 1, window.end) {
                return Some(subject);
            }
        }
        self.according(window.clone())
            .or_else(|| {
                let verb = window.clone().find(|&token| self.is_finite_cue(token) && token > first)?;
                self.subject_before(verb, window.start)
            })
            .or_else(|| self.subject_of_past(first, window.end))
    }

    /// The subject of whatever verb stands right behind it: `," he asserted`.
    fn subject_of_past(&self, first: usize, limit: usize) -> Option<Range<usize>> {
        let is_past =
            |token: usize| token < limit && self.is_word(token) && self.body.word(token).ends_with("ed");
        if is_past(first) && !self.is_capitalised(first) {
            let particle = self.is(first + 1, " back out up ");
            return self
                .subject_after(first + 1 + usize::from(particle), limit)
                .filter(|subject| self.is_named(subject) || self.is_pronoun(subject));
        }
        if self.is(first, PRONOUNS) {
            return is_past(first + 1).then_some(first..first + 1);
        }
        let end = (first..limit).find(|&token| !self.is_capitalised(token))?;
        (end > first && is_past(end)).then_some(first..end)
    }

    /// The name or pronoun right behind a quotation, whatever its verb: `," X shot back`.
    pub fn name_with_verb(&self, window: Range<usize>) -> Option<Range<usize>> {
        let name = self.subject_after(window.start, window.end)?;
        let is_name = self.is_capitalised(name.start) && self.ends_in_name(&name);
        let names_someone = is_name || (self.is_pronoun(&name) && self.is(name.start, " he she they "));
        let stands_free = [CLAUSE, PREPOSITIONS].iter().all(|words| !self.is(name.end, words));
        let verb_follows = name.end < window.end && self.is_word(name.end) && stands_free;
        (names_someone && verb_follows).then_some(name)
    }

    /// Whether another clause follows a quotation: `", while X said`.
    pub fn opens_contrast(&self, window: &Range<usize>) -> bool {
        let first = window.clone().find(|&token| self.is_word(token));
        first.is_some_and(|first| self.is(first, " and but while although though whereas "))
    }

    /// The speaker in the words before a quotation: `X said: "`, `X told Y that "`, `In a note, X wrote, "`.
    pub fn before(&self, window: Range<usize>) -> Option<Range<usize>> {
        let begin = window.start.max(window.end.saturating_sub(REACH));
        let cue = (begin..window.end).rev().find(|&token| self.is_cue(token));
        let by_cue = cue.and_then(|cue| {
            let finite = self.is_finite_cue(cue);
            let beside = if finite { self.subject_before(cue, begin) } else { None };
            let clause = Some(window.start..cue).filter(|clause| clause.len() <= SENTENCE);
            beside.or_else(|| self.subject_of_clause(clause?))
        });
        by_cue.or_else(|| self.according(begin..window.end)).or_else(|| {
            // `Smith: "..."`.
            let colon =
                window.end.checked_sub(1).filter(|&token| token > begin && self.body.word(token) == ":")?;
            let plain = !self.is_capitalised(colon - 1);
            let clause = plain.then(|| self.subject_of_clause(begin..colon)).flatten();
            clause.filter(|subject| self.ends_in_name(subject)).or_else(|| self.phrase_before(colon, begin))
        })
    }

    /// The subject that a sentence begins with: for an introduction that ends with a colon.
    pub fn subject_of_clause(&self, clause: Range<usize>) -> Option<Range<usize>> {
        let finite = clause.clone().rev().find(|&token| self.is_finite_cue(token));
        finite.and_then(|verb| self.subject_before(verb, clause.start)).or_else(|| {
            let mut start = self.behind_dateline(&clause);
            if self.is(start, PREPOSITIONS) || self.is(start, CLAUSE) || self.is(start, OPENERS) {
                start = clause.clone().find(|&token| self.body.word(token) == ",")? + 1;
            }
            self.subject_after(start, clause.end)
        })
    }

    /// Where a sentence begins behind "NEW DELHI (Reuters) -".
    fn behind_dateline(&self, clause: &Range<usize>) -> usize {
        const LONGEST: usize = 12;
        let place = self.body.tokens.get(clause.start).map_or("", |_| self.body.word(clause.start));
        let in_capitals = place.chars().nth(1).is_some() && place.chars().all(char::is_uppercase);
        let mut head = clause.start..clause.end.min(clause.start + LONGEST);
        let mark = head.find(|&token| matches!(self.body.word(token), "-" | "–" | "—" | ":"));
        mark.filter(|_| in_capitals).map_or(clause.start, |mark| mark + 1)
    }

    pub fn is_pronoun(&self, speaker: &Range<usize>) -> bool {
        speaker.len() == 1 && self.is(speaker.start, PRONOUNS)
    }

    pub fn is_named(&self, speaker: &Range<usize>) -> bool {
        let skip = usize::from(self.is(speaker.start, DETERMINERS));
        !self.is_pronoun(speaker)
            && (speaker.start + skip..speaker.end).any(|token| self.is_capitalised(token))
    }

    /// Whether a speaker is called by name: "Ana Costa", but neither "a Trump adviser" nor "the US President".
    pub fn ends_in_name(&self, speaker: &Range<usize>) -> bool {
        let last = speaker.end - 1;
        self.is_named(speaker) && self.is_capitalised(last) && !self.is(last, TITLES)
    }

    /// Whether the subject of a sentence is somebody else, by name, than an earlier speaker.
    pub fn is_another(&self, subject: &Range<usize>, speaker: &Range<usize>) -> bool {
        let surname = self.body.word(speaker.end - 1);
        // "Instead, ..." and "More recently, ..." have no name in them.
        let may_be_name = subject.len() > 1 || (self.is_word(subject.end) && !self.is_adverb(subject.end));
        may_be_name
            && self.ends_in_name(subject)
            && !subject.clone().any(|token| self.body.word(token) == surname)
    }

    pub fn opens_subordinate(&self, token: usize) -> bool {
        self.is(token, CLAUSE)
    }

    pub fn is_cue(&self, token: usize) -> bool {
        self.cue(token).is_some()
    }

    pub fn is_plain_cue(&self, token: usize) -> bool {
        self.cue(token) == Some(Cue::Plain)
    }

    fn according(&self, window: Range<usize>) -> Option<Range<usize>> {
        let at = window.clone().find(|&token| self.is(token, " according "))?;
        if at + 2 >= window.end || !self.is(at + 1, " to ") {
            return None;
        }
        self.subject_after(at + 2, window.end)
    }

    /// The subject whose last word stands before `verb`.
    pub fn subject_before(&self, verb: usize, floor: usize) -> Option<Range<usize>> {
        let floor = floor.max(verb.saturating_sub(SENTENCE));
        let between = |end: usize| self.is(end - 1, BETWEEN) || self.is_adverb(end - 1);
        let mut last = verb;
        loop {
            let time = self.time_before(last, floor);
            if time < last {
                last = time;
            } else if last > floor && between(last) {
                last -= 1;
            } else {
                break;
            }
        }
        match self.body.word(last.checked_sub(1).filter(|&token| token >= floor)?) {
            // "X, who had seen it, said"
            "," => {
                let end = last - 1;
                let begin = end.saturating_sub(APPOSITION).max(floor);
                let comma = (begin..end).rev().find(|&token| self.body.word(token) == ",");
                let subject = comma.and_then(|comma| {
                    let subject = self.phrase_before(comma, floor)?;
                    let named = self.names(&subject, comma + 1..end);
                    Some(if named { subject.start..end } else { subject })
                });
                subject.or_else(|| self.phrase_before(end, floor))
            }
            // "X (R-Texas) said"
            ")" => {
                let open = (floor..last).rev().find(|&token| self.body.word(token) == "(")?;
                self.phrase_before(open, floor)
            }
            _ => self.phrase_before(last, floor),
        }
    }

    /// Whether an apposition is the name of the one whose role comes before it: "the mayor, Ana Costa".
    fn names(&self, role: &Range<usize>, apposition: Range<usize>) -> bool {
        let head = self.head(role.clone());
        // "A resident of Springfield, Ohio" is not Ohio.
        let least = if head.end < role.end { 2 } else { 1 };
        let unnamed = !self.is_named(&head) && !self.is_pronoun(role);
        let first = apposition.start;
        let is_name = self.is_capitalised(first)
            && apposition.clone().all(|token| self.joins_name(token, first) && self.is_word(token));
        unnamed && is_name && apposition.len() >= least
    }

    /// Where "late on Wednesday", "last week" or "on May 5" begins that ends before token `end`;
    /// `end` itself where none does.
    fn time_before(&self, end: usize, floor: usize) -> usize {
        let is = |token: usize, words: &str| token > floor && self.is(token - 1, words);
        let day = end > floor + 1 && self.body.tokens[end - 1].kind == TokenKind::Number;
        let name = end - usize::from(day);
        let weekday = !day && is(name, WEEKDAYS);
        if !weekday && !is(name, MONTHS) && (day || !is(name, " week month year night ")) {
            return end;
        }
        let mut begin = name - 1;
        while is(begin, WHEN) {
            begin -= 1;
        }
        // "May said" is a prime minister's.
        if weekday || day || begin + 1 < name { begin } else { end }
    }

    /// The noun phrase that ends before token `end`.
    fn phrase_before(&self, end: usize, floor: usize) -> Option<Range<usize>> {
        let last = end.checked_sub(1).filter(|&token| token >= floor && self.is_word(token))?;
        if self.is(last, PRONOUNS) {
            let who = self.is(last, " who ") && last > floor;
            let antecedent = last - usize::from(who && self.body.word(last - 1) == ",");
            return if who { self.phrase_before(antecedent, floor) } else { Some(last..end) };
        }
        if self.is(last, CLAUSE)
            || self.is(last, PREPOSITIONS)
            || self.is(last, DETERMINERS)
            || self.is_finite_cue(last)
            || self.is(last, WEEKDAYS)
        {
            return None;
        }
        let mut begin = last;
        if self.is_capitalised(last) {
            while begin > floor && self.joins_name(begin - 1, floor) {
                begin -= 1;
            }
            begin -= usize::from(begin > floor && self.is(begin - 1, " the "));
            return self
                .in_place(begin, floor)
                .or_else(|| Some(self.governing(begin, floor).unwrap_or(begin)..end));
        }
        while begin > floor && end - begin < 12 && self.is_word(begin - 1) && !self.is(begin - 1, CLAUSE) {
            begin -= 1;
            let inside = begin > floor + 1 && self.is(begin - 1, PREPOSITIONS) && self.is_word(begin - 2);
            if self.is(begin, DETERMINERS) && !inside {
                break;
            }
        }
        Some(begin..end)
    }

    /// "Police" of "Police in London", if place `name` has the like of it before it.
    fn in_place(&self, name: usize, floor: usize) -> Option<Range<usize>> {
        let place = name.checked_sub(1).filter(|&token| token > floor && self.is(token, " in at "))?;
        let is_name = |token: usize| self.is_capitalised(token);
        let begin = (floor..place).rev().take_while(|&token| is_name(token)).last()?;
        (!self.is(begin, OPENERS)).then_some(begin..place)
    }

    /// Where "a spokeswoman for" begins, if the like of it stands before a name.
    fn governing(&self, name: usize, floor: usize) -> Option<usize> {
        const LONGEST: usize = 5;
        let noun = name.checked_sub(2).filter(|&token| token >= floor)?;
        let governs = self.is(name - 1, " for of ") && self.is_word(noun) && !self.is_capitalised(noun);
        let furthest = noun.saturating_sub(LONGEST).max(floor);
        let begin = (furthest..noun).rev().take_while(|&token| self.is_word(token));
        begin.filter(|&token| self.is(token, DETERMINERS)).last().filter(|_| governs)
    }

    /// The words of a speaker that say who it is: "spokesman" of "Modi's spokesman for trade", the name
    /// of "the mayor, Ana Costa".
    pub fn head(&self, speaker: Range<usize>) -> Range<usize> {
        if let Some(comma) = speaker.clone().find(|&token| self.body.word(token) == ",") {
            return comma + 1..speaker.end;
        }
        let owner =
            speaker.clone().rev().find(|&token| matches!(self.body.word(token), "'s" | "’s" | "'" | "’"));
        let begin = owner.map_or(speaker.start, |mark| mark + 1);
        if begin >= speaker.end {
            return speaker;
        }
        // "Secretary of State Ana Costa" is one name.
        let governs = |token: usize| self.is(token, " of for ") && !self.is(token - 1, " secretary ");
        let end = (begin + 1..speaker.end).find(|&token| governs(token));
        begin..end.unwrap_or(speaker.end)
    }

    /// Whether the token belongs to the name that stands right of it.
    fn joins_name(&self, token: usize, floor: usize) -> bool {
        let is_part = ![CLAUSE, PREPOSITIONS, WEEKDAYS].iter().any(|words| self.is(token, words));
        self.is_capitalised(token) && is_part
            || (self.is(token, PARTICLES) && token > floor && self.is_capitalised(token - 1))
            || self.body.word(token) == "’s"
            || self.body.word(token) == "'s"
    }

    /// The noun phrase that begins at token `begin`, with the name behind it: "the mayor, Ana Costa".
    pub fn subject_after(&self, begin: usize, limit: usize) -> Option<Range<usize>> {
        const LONGEST: usize = 12;
        let subject = self.phrase_after(begin, limit)?;
        let limit = limit.min(subject.end + LONGEST);
        let governs = self.is(subject.end, " of for ");
        let comma = (subject.end..limit).find(|&token| self.body.word(token) == ",");
        let Some(comma) = comma.filter(|&comma| comma == subject.end || governs) else {
            return Some(subject);
        };
        let end = (comma + 1..limit).find(|&token| !self.is_word(token)).unwrap_or(limit);
        let role = subject.start..comma;
        Some(if self.names(&role, comma + 1..end) { subject.start..end } else { subject })
    }

    /// The noun phrase that begins at token `begin`, up to a comma or preposition.
    fn phrase_after(&self, begin: usize, limit: usize) -> Option<Range<usize>> {
        let in_reach = |token: usize| token < limit && self.is_word(token);
        let no_subject = [CLAUSE, PREPOSITIONS, WEEKDAYS].iter().any(|words| self.is(begin, words));
        if !in_reach(begin) || no_subject {
            return None;
        }
        if self.is(begin, PRONOUNS) {
            return Some(begin..begin + 1);
        }
        let mut end = begin + 1;
        let mut name_end = begin + usize::from(self.is_capitalised(begin));
        while in_reach(end) && end - begin < 12 {
            // "the High Court stayed the order"
            let is_verb = self.is_capitalised(end - 1)
                && !self.is_capitalised(end)
                && self.body.word(end).ends_with("ed");
            let joins = self.is(end, PARTICLES) && end + 1 < limit && self.is_capitalised(end + 1);
            let stops = self.is_finite_cue(end)
                || [CLAUSE, PREPOSITIONS, BETWEEN, PRONOUNS].iter().any(|words| self.is(end, words));
            if !joins && (stops || is_verb || self.is_adverb(end) || self.is_participle(end)) {
                break;
            }
            end += 1;
            if self.is_capitalised(end - 1) {
                name_end = end;
            }
        }
        // "Smith early", but "the Smith campaign" and "Smith's campaign".
        let tail_belongs = self.is(begin, DETERMINERS)
            || (begin..end).any(|token| self.is(token, " 's ") || self.body.word(token) == "’s");
        let plain = !self.is_capitalised(begin) && name_end == begin;
        Some(begin..if tail_belongs || plain { end } else { name_end })
    }

    fn is_word(&self, token: usize) -> bool {
        self.body
            .tokens
            .get(token)
            .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Number))
    }

    fn is_capitalised(&self, token: usize) -> bool {
        self.is_word(token) && self.body.word(token).starts_with(|c: char| c.is_uppercase())
    }

    fn is_adverb(&self, token: usize) -> bool {
        self.is_word(token) && self.body.word(token).ends_with("ly") && !self.is_capitalised(token)
    }

    fn is_participle(&self, token: usize) -> bool {
        self.is_word(token) && self.body.word(token).ends_with("ing") && !self.is_capitalised(token)
    }

    /// Whether the token is one of `words`, which stand between spaces, in lower case.
    pub fn is(&self, token: usize, words: &str) -> bool {
        let word = self.body.tokens.get(token).map_or("", |_| self.body.word(token));
        is_in(word, words)
    }
}

fn is_in(word: &str, words: &str) -> bool {
    const LONGEST: usize = 14;
    let mut padded = [b' '; LONGEST + 2];
    if word.is_empty() || word.len() > LONGEST || !word.is_ascii() {
        return false;
    }
    for (slot, byte) in padded[1..].iter_mut().zip(word.bytes()) {
        *slot = byte.to_ascii_lowercase();
    }
    // All bytes are ASCII.
    std::str::from_utf8(&padded[..word.len() + 2]).is_ok_and(|word| words.contains(word))
}
