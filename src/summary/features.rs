//! What the model knows about each sentence.

use std::borrow::Cow;

use super::cast::{Cast, casts};
use super::centrality::Vectors;
use super::lead::LeadModel;
use super::words::{Class, ClassCounts, Lexicon, Shape, Word, Words, stem};
use crate::document::Entity;
use crate::text::{Segmented, SegmentedArticle, Sentence, TokenKind};

/// How many features a sentence has.
pub const COUNT: usize = 82;

/// How many of them, from the first on, the models see that learn from few documents.
pub const SURE: usize = 62;

/// Sentences from here on are all equally far from the beginning.
const FAR: usize = 60;

/// How many sentences on it is looked whether they go on about the same.
const AHEAD: usize = 3;

/// A document prepared for scoring and choosing.
pub struct Prepared {
    pub vectors: Vectors,
    /// [`COUNT`] numbers a sentence.
    pub rows: Vec<[f32; COUNT]>,
    /// Which sentences say what a picture shows, in a paragraph of their own.
    pub captions: Vec<bool>,
    /// Which sentences go on about somebody or something that only the one before names.
    pub dangling: Vec<bool>,
}

/// Reads a document's sentences into rows of features.
pub fn prepare(
    article: &SegmentedArticle,
    entities: &[Entity],
    lexicon: &Lexicon,
    lead: &LeadModel,
) -> Prepared {
    let article = &*without_dateline(article);
    let body = &article.body;
    let words = Words::read(body, lexicon);
    let vectors = Vectors::new(&words);
    let looks = looks(body, &words);
    let casts = casts(body, entities);
    let rows = Reader::new(article, lexicon, lead, &words, &vectors, &looks, &casts).rows();
    let captions = (0..body.sentences.len()).map(|place| is_caption(body, &words, place)).collect();
    let dangling = (0..words.len()).map(|place| is_dangling(words.sentence(place))).collect();
    Prepared { vectors, rows, captions, dangling }
}

/// The article with its first sentence begun behind the dateline, which says nothing of the story.
pub fn without_dateline<'a, 't>(article: &'a SegmentedArticle<'t>) -> Cow<'a, SegmentedArticle<'t>> {
    let mut article = Cow::Borrowed(article);
    let dateline = article.body.sentences.first().map_or(0, |first| dateline(&article.body, first));
    if dateline > 0 {
        article.to_mut().body.sentences[0].tokens.start += dateline;
    }
    article
}

/// How many tokens of the document's first sentence tell where the story was filed, and by whom
/// ("LUND, Sweden, May 3 (Agency) -"): names, numbers and brackets up to a dash, with more behind it. 0 where
/// there is no dateline.
fn dateline(body: &Segmented, first: &Sentence) -> usize {
    const LONGEST: usize = 12;
    let tokens = || first.tokens.clone().take(LONGEST);
    let is_name = |token| {
        let opening = body.word(token).chars().next();
        opening.is_some_and(|c| {
            c.is_uppercase() || c.is_ascii_digit() || matches!(c, '(' | ')' | ',' | '.' | '/')
        })
    };
    let dash = tokens().position(|token| matches!(body.word(token), "-" | "--" | "–" | "—"));
    dash.filter(|&dash| dash > 0 && dash + 1 < first.tokens.len() && tokens().take(dash).all(is_name))
        .map_or(0, |dash| dash + 1)
}

/// Whether a sentence alone in its paragraph says who is pictured, without a verb of its own.
/// The graded articles have too few captions to learn them from.
fn is_caption(body: &Segmented, words: &Words, place: usize) -> bool {
    const LONGEST: usize = 25;
    const PICTURED: [&str; 5] = ["pictured", "photographed", "picture", "photo", "photograph"];
    let sentence = &body.sentences[place];
    let same_paragraph = |other: Option<usize>| {
        let other = other.and_then(|other| body.sentences.get(other));
        other.is_some_and(|other| other.paragraph == sentence.paragraph)
    };
    let of_verb = |word: &Word| {
        [Class::AUXILIARY, Class::MODAL, Class::REPORTING].iter().any(|&class| word.class.is(class))
    };
    words.sentence(place).len() <= LONGEST
        && !same_paragraph(place.checked_sub(1))
        && !same_paragraph(Some(place + 1))
        && !words.sentence(place).iter().any(of_verb)
        && sentence
            .tokens
            .clone()
            .any(|token| PICTURED.iter().any(|word| body.word(token).eq_ignore_ascii_case(word)))
}

/// Whether a sentence opens with a connective and a pronoun: "But they", "And it".
fn is_dangling(sentence: &[Word]) -> bool {
    let [first, second, ..] = sentence else { return false };
    first.class.is(Class::CONNECTIVE) && second.class.is(Class::PRONOUN)
}

/// The outside of a sentence.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    words: f32,
    ends_sentence: bool,
    asks: bool,
    ends_with_colon: bool,
    opens_lower: bool,
    opens_with_mark: bool,
    /// Whether a quotation of an earlier sentence is still open at its beginning.
    inside_quotation: bool,
    /// Share of its tokens inside quotation marks.
    quoted: f32,
    unbalanced: bool,
    brackets: f32,
    commas: f32,
    symbols: f32,
    /// Words before a first colon or dash, 0 where there is none.
    before_colon: f32,
    letters_outside_words: f32,
}

impl Look {
    /// Whether it looks like a sentence of running text and not like a heading or a list item.
    fn is_prose(&self) -> bool {
        self.ends_sentence && self.words >= 5.0 && !self.opens_lower
    }
}

fn looks(body: &Segmented, words: &Words) -> Vec<Look> {
    let mut open = false;
    let mut paragraph = usize::MAX;
    let mut looks = Vec::with_capacity(body.sentences.len());
    for (place, sentence) in body.sentences.iter().enumerate() {
        if sentence.paragraph != paragraph {
            paragraph = sentence.paragraph;
            open = false;
        }
        let count = words.sentence(place).len() as f32;
        looks.push(look(body, sentence, count, &mut open));
    }
    looks
}

/// `open` says whether a quotation is open where the sentence begins, and then where it ends.
fn look(body: &Segmented, sentence: &Sentence, words: f32, open: &mut bool) -> Look {
    let mut look = Look { words, inside_quotation: *open, ..Look::default() };
    let mut quoted = 0;
    let mut words_so_far = 0.0;
    let mut last_mark = ' ';
    for (nth, token) in sentence.tokens.clone().enumerate() {
        let text = body.word(token);
        let first = text.chars().next().unwrap_or(' ');
        quoted += usize::from(*open);
        match body.tokens[token].kind {
            TokenKind::Word | TokenKind::Number => {
                if words_so_far == 0.0 {
                    look.opens_lower = first.is_lowercase();
                }
                words_so_far += 1.0;
                // An abbreviation keeps the full stop that ends its sentence.
                last_mark = if text.ends_with('.') { '.' } else { ' ' };
            }
            TokenKind::Punctuation => match first {
                '"' => *open = !*open,
                '“' | '«' | '„' | '「' => *open = true,
                '”' | '»' | '」' => *open = false,
                '(' | '[' => look.brackets += 1.0,
                ',' | ';' => look.commas += 1.0,
                ':' | '-' | '–' | '—' if look.before_colon == 0.0 => look.before_colon = words_so_far,
                _ => {}
            },
            TokenKind::Symbol => look.symbols += 1.0,
            TokenKind::Address => look.letters_outside_words += 1.0,
        }
        let is_mark = matches!(first, '"' | '“' | '«' | '„' | '”' | '»' | '‘' | '\'' | '「');
        look.opens_with_mark |= nth == 0 && is_mark;
        if body.tokens[token].kind == TokenKind::Punctuation && !is_mark && !matches!(first, '’' | ')' | '」')
        {
            last_mark = first;
        }
    }
    look.quoted = quoted as f32 / sentence.tokens.len().max(1) as f32;
    look.unbalanced = *open != look.inside_quotation;
    look.ends_sentence = matches!(last_mark, '.' | '!' | '?' | '…' | '。' | '！' | '？');
    look.asks = matches!(last_mark, '?' | '？');
    look.ends_with_colon = last_mark == ':';
    look
}

/// Puts the signals of one document side by side.
struct Reader<'a> {
    body: &'a Segmented<'a>,
    words: &'a Words,
    vectors: &'a Vectors,
    looks: &'a [Look],
    casts: &'a [Cast],
    rank: Vec<f32>,
    lead: Vec<f32>,
    /// The sum of all sentences' vectors.
    centre: Vec<f32>,
    /// The sum of the first three prose sentences' vectors.
    opening: Vec<f32>,
    opening_sentences: [usize; 3],
    /// By stem, 1 over the root of how many stems the title has, 0 for words not in it.
    title: Vec<f32>,
    has_title: bool,
    /// How often each stem is written as a name, by stem.
    names: Vec<f32>,
    name_total: f32,
    centre_length: f32,
    /// By stem, its share of what the document says more than once.
    repeated: Vec<f32>,
    /// The hash of the article.
    the: u32,
}

impl<'a> Reader<'a> {
    fn new(
        article: &'a SegmentedArticle<'a>,
        lexicon: &Lexicon,
        lead: &LeadModel,
        words: &'a Words,
        vectors: &'a Vectors,
        looks: &'a [Look],
        casts: &'a [Cast],
    ) -> Self {
        let body = &article.body;
        let centre = vectors.blend(std::iter::repeat_n(1.0, looks.len()));
        let mut opening_sentences = [usize::MAX; 3];
        for (slot, place) in
            opening_sentences.iter_mut().zip((0..looks.len()).filter(|&place| looks[place].is_prose()))
        {
            *slot = place;
        }
        let opening = vectors
            .blend((0..looks.len()).map(|place| f32::from(u8::from(opening_sentences.contains(&place)))));
        let title = title_vector(&article.title, words, lexicon);
        let names = names(words, looks.len());
        Self {
            body,
            words,
            vectors,
            looks,
            casts,
            repeated: repeated(words),
            the: stem("the"),
            rank: vectors.rank(),
            lead: (0..looks.len()).map(|place| lead.score(words, place)).collect(),
            centre_length: length(&centre),
            centre,
            opening,
            opening_sentences,
            has_title: title.iter().any(|&value| value > 0.0),
            title,
            name_total: names.iter().sum::<f32>().max(1.0),
            names,
        }
    }

    fn rows(&self) -> Vec<[f32; COUNT]> {
        let count = self.looks.len();
        let prose = self.looks.iter().filter(|look| look.is_prose()).count().max(1) as f32;
        let mean_words = self.looks.iter().map(|look| look.words).sum::<f32>() / count.max(1) as f32;
        let document = Document {
            mean_words,
            mean_quoted: self.looks.iter().map(|look| look.quoted).sum::<f32>() / count.max(1) as f32,
            mean_lead: self.lead.iter().sum::<f32>() / count.max(1) as f32,
            prose,
            rank_order: order(&self.rank),
            lead_order: order(&self.lead),
            paragraphs: paragraphs(self.body),
        };
        let mut prose_before = 0;
        let mut rows = Vec::with_capacity(count);
        for place in 0..count {
            rows.push(self.row(place, prose_before, &document));
            prose_before += usize::from(self.looks[place].is_prose());
        }
        rows
    }

    fn row(&self, place: usize, prose_before: usize, document: &Document) -> [f32; COUNT] {
        let count = self.looks.len();
        let look = &self.looks[place];
        let words = self.words.sentence(place);
        let length = look.words.max(1.0);
        let counts = ClassCounts::of(words);
        let share = |class: Class| counts.get(class);
        let opens = |class: Class| flag(words.first().is_some_and(|word| word.class.is(class)));
        let (in_paragraph, paragraph_length) = document.paragraphs[place];
        let previous = place.checked_sub(1);
        let next = (place + 1 < count).then_some(place + 1);
        let next_opens = |class: Class| {
            let opening = next.and_then(|next| self.words.sentence(next).first());
            flag(opening.is_some_and(|word| word.class.is(class)))
        };
        let content = self.content(place);
        let names = self.names(place);
        let cast = &self.casts[place];
        let loose = self.loose(place);
        let repeated = self.repeated(place);
        [
            // Position.
            place.min(FAR) as f32,
            place as f32 / count as f32,
            (count - 1 - place).min(FAR) as f32,
            prose_before.min(FAR) as f32,
            prose_before as f32 / document.prose,
            (self.body.sentences[place].paragraph).min(FAR) as f32,
            in_paragraph,
            paragraph_length,
            count.min(4 * FAR) as f32,
            document.prose / count as f32,
            // Outside.
            look.words,
            look.words / document.mean_words.max(1.0),
            document.mean_words,
            flag(look.ends_sentence),
            flag(look.asks),
            flag(look.ends_with_colon),
            flag(look.opens_lower),
            flag(look.is_prose()),
            look.brackets,
            look.commas / length,
            look.symbols,
            look.before_colon,
            look.letters_outside_words,
            // Quotation.
            look.quoted,
            flag(look.opens_with_mark),
            flag(look.inside_quotation),
            flag(look.unbalanced),
            document.mean_quoted,
            // Words by what they do.
            share(Class::REPORTING),
            share(Class::PRONOUN) / length,
            share(Class::PERSONAL) / length,
            share(Class::TIME),
            share(Class::PICTURE),
            share(Class::INVITATION),
            share(Class::MODAL) / length,
            share(Class::AUXILIARY) / length,
            opens(Class::PRONOUN),
            opens(Class::DEMONSTRATIVE),
            opens(Class::CONNECTIVE),
            opens(Class::SUBORDINATOR),
            opens(Class::INVITATION),
            // Neighbours.
            next_opens(Class::PRONOUN),
            flag(previous.is_some_and(|previous| self.looks[previous].ends_with_colon)),
            flag(previous.is_some_and(|previous| !self.looks[previous].is_prose())),
            flag(next.is_some_and(|next| self.looks[next].opens_with_mark)),
            previous.map_or(0.0, |previous| self.vectors.cosine(previous, place)),
            next.map_or(0.0, |next| self.vectors.cosine(next, place)),
            // What it is about.
            self.rank[place],
            document.rank_order[place],
            self.vectors.dot(place, &self.centre) / self.centre_length.max(1e-6),
            self.opening_similarity(place),
            self.vectors.dot(place, &self.title),
            flag(self.has_title),
            content.mean_rarity,
            content.share,
            content.new,
            content.returning,
            names.known,
            names.first,
            names.numbers,
            // Wording.
            self.lead[place] - document.mean_lead,
            document.lead_order[place],
            // From here on beyond SURE. Whom it names.
            cast.salience,
            cast.most_salient,
            cast.introduced,
            cast.first_named,
            cast.named,
            cast.people,
            cast.organisations,
            cast.places,
            cast.in_full,
            cast.borrowed,
            cast.protagonist,
            cast.in_title,
            // What it needs to have been said before, and what is said of it.
            loose.pronouns,
            loose.definite,
            loose.given,
            repeated,
            repeated / length.sqrt(),
            self.vectors.cosine_with_next(place, AHEAD),
            self.nth_of_opening(place),
            self.lead[place],
        ]
    }

    /// How much of what the document repeats is in the sentence.
    fn repeated(&self, place: usize) -> f32 {
        self.vectors.sentence(place).iter().map(|&(stem, _)| self.repeated[stem as usize]).sum()
    }

    /// Its place among the first sentences of running text.
    fn nth_of_opening(&self, place: usize) -> f32 {
        let nth = self.opening_sentences.iter().position(|&opening| opening == place);
        nth.unwrap_or(self.opening_sentences.len()) as f32
    }

    fn loose(&self, place: usize) -> Loose {
        let mut loose = Loose::default();
        let mut named = false;
        let mut after_the = false;
        for word in self.words.sentence(place) {
            let stem = &self.words.stems[word.stem as usize];
            let is_new = stem.first_sentence as usize == place;
            loose.pronouns += flag(!named && word.class.is(Class::PRONOUN));
            named |= self.names[word.stem as usize] > 0.0 && is_name(word);
            if stem.weight > 0.0 {
                loose.given += flag(!is_new);
                loose.definite += flag(after_the && is_new && word.shape == Shape::Lower);
            }
            after_the = stem.hash == self.the;
        }
        loose
    }

    fn opening_similarity(&self, place: usize) -> f32 {
        let own = if self.opening_sentences.contains(&place) { 1.0 } else { 0.0 };
        (self.vectors.dot(place, &self.opening) - own).max(0.0)
    }

    fn content(&self, place: usize) -> Content {
        let vector = self.vectors.sentence(place);
        let mut content = Content::default();
        let mut total = 0.0;
        for &(stem, weight) in vector {
            let stem = &self.words.stems[stem as usize];
            let weight = weight * weight;
            total += weight;
            content.mean_rarity += stem.weight / vector.len() as f32;
            content.new += if stem.first_sentence as usize == place { weight } else { 0.0 };
            content.returning += if stem.last_sentence as usize > place { weight } else { 0.0 };
        }
        if total > 0.0 {
            content.new /= total;
            content.returning /= total;
        }
        content.share = vector.len() as f32 / self.looks[place].words.max(1.0);
        content
    }

    fn names(&self, place: usize) -> Names {
        let mut names = Names::default();
        for word in self.words.sentence(place) {
            let stem = &self.words.stems[word.stem as usize];
            names.known += self.names[word.stem as usize] / self.name_total;
            let is_name = self.names[word.stem as usize] > 0.0;
            names.first += flag(is_name && stem.first_sentence as usize == place);
            names.numbers += flag(word.shape == Shape::Number);
        }
        names
    }
}

/// What all rows of a document share or are put in relation to.
struct Document {
    mean_words: f32,
    mean_quoted: f32,
    mean_lead: f32,
    prose: f32,
    rank_order: Vec<f32>,
    lead_order: Vec<f32>,
    /// A sentence's place in its paragraph, and how many sentences that has.
    paragraphs: Vec<(f32, f32)>,
}

#[derive(Default)]
struct Content {
    mean_rarity: f32,
    /// Content words among all words.
    share: f32,
    /// Share of the content not met before.
    new: f32,
    /// Share of the content met again later.
    returning: f32,
}

#[derive(Default)]
struct Names {
    /// Share of the document's names.
    known: f32,
    /// Names met for the first time.
    first: f32,
    numbers: f32,
}

/// What ties a sentence to what was said before.
#[derive(Default)]
struct Loose {
    /// Pronouns before the first name.
    pronouns: f32,
    /// Things called "the" that were not mentioned before.
    definite: f32,
    /// Content words met before.
    given: f32,
}

fn flag(value: bool) -> f32 {
    f32::from(u8::from(value))
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Each value's place among all, from 0 for the least to 1 for the greatest; equal ones share the
/// middle of theirs.
pub fn order(values: &[f32]) -> Vec<f32> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut order = vec![0.0; values.len()];
    let mut nth = 0;
    for equal in places.chunk_by(|&a, &b| values[a] == values[b]) {
        let middle = nth as f32 + (equal.len() - 1) as f32 / 2.0;
        equal.iter().for_each(|&place| order[place] = middle / (values.len() - 1).max(1) as f32);
        nth += equal.len();
    }
    order
}

/// Each stem's share of what the document says more than once.
fn repeated(words: &Words) -> Vec<f32> {
    let mut repeated: Vec<f32> =
        words.stems.iter().map(|stem| stem.weight * (stem.sentences.max(1) - 1) as f32).collect();
    let total: f32 = repeated.iter().sum::<f32>().max(1.0);
    repeated.iter_mut().for_each(|value| *value /= total);
    repeated
}

fn paragraphs(body: &Segmented) -> Vec<(f32, f32)> {
    body.sentences
        .chunk_by(|a, b| a.paragraph == b.paragraph)
        .flat_map(|chunk| (0..chunk.len()).map(|nth| (nth as f32, chunk.len() as f32)))
        .collect()
}

fn title_vector(title: &Segmented, words: &Words, lexicon: &Lexicon) -> Vec<f32> {
    let title = Words::read(title, lexicon);
    let hashes: rustc_hash::FxHashSet<u32> = title.stems.iter().map(|stem| stem.hash).collect();
    let mut vector: Vec<f32> =
        words.stems.iter().map(|stem| if hashes.contains(&stem.hash) { stem.weight } else { 0.0 }).collect();
    let length = length(&vector);
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

/// How often each stem is capitalised where a sentence does not begin.
fn names(words: &Words, sentences: usize) -> Vec<f32> {
    let mut names = vec![0.0; words.stems.len()];
    for place in 0..sentences {
        for word in words.sentence(place).iter().skip(1) {
            if is_name(word) && words.stems[word.stem as usize].weight > 0.0 {
                names[word.stem as usize] += 1.0;
            }
        }
    }
    names
}

fn is_name(word: &Word) -> bool {
    matches!(word.shape, Shape::Capitalised | Shape::Capitals)
}
