//! The words of a document as numbers, with what a reader knows about each of them.

use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};
use std::hash::Hasher;

use crate::text::{Form, Segmented, TokenKind};

/// Words that begin alike are taken for forms of one word: cutting words off does as well as
/// stemming for search in many languages and needs to know none (McNamee, Nicholas and
/// Mayfield, "Addressing morphological variation in alphabetic languages", SIGIR 2009).
const STEM_CHARACTERS: usize = 7;

/// How many numbers stems are hashed to in the table of word rarity.
pub const RARITY_BUCKETS: usize = 1 << 15;

/// Rarity is kept in steps of this many nats.
pub const RARITY_STEP: f32 = 1.0 / 16.0;

/// Words rarer than this many nats carry content; the others hold sentences together.
const CONTENT_RARITY: f32 = 2.6;

/// What a word does in a sentence, as far as a list can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class(u16);

impl Class {
    /// Stands for somebody named before.
    pub const PRONOUN: Self = Self(1);
    /// Points at something said before.
    pub const DEMONSTRATIVE: Self = Self(1 << 1);
    /// The writer or speaker, or the reader.
    pub const PERSONAL: Self = Self(1 << 2);
    /// Ties the sentence to the one before.
    pub const CONNECTIVE: Self = Self(1 << 3);
    /// Says that something was said.
    pub const REPORTING: Self = Self(1 << 4);
    /// When.
    pub const TIME: Self = Self(1 << 5);
    /// Tells where to look in a picture.
    pub const PICTURE: Self = Self(1 << 6);
    /// Asks the reader to do something.
    pub const INVITATION: Self = Self(1 << 7);
    /// Says what will or may be.
    pub const MODAL: Self = Self(1 << 8);
    /// Opens a question or a subordinate clause.
    pub const SUBORDINATOR: Self = Self(1 << 9);
    /// A form of be, have or do: a sign of a whole sentence.
    pub const AUXILIARY: Self = Self(1 << 10);

    pub const fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How many words of a sentence are of each class.
#[derive(Default)]
pub struct ClassCounts([f32; CLASSES.len()]);

impl ClassCounts {
    pub fn of(words: &[Word]) -> Self {
        let mut counts = Self::default();
        for word in words {
            let mut classes = word.class.0;
            while classes != 0 {
                counts.0[classes.trailing_zeros() as usize] += 1.0;
                classes &= classes - 1;
            }
        }
        counts
    }

    /// How many are of one class.
    pub const fn get(&self, class: Class) -> f32 {
        self.0[class.0.trailing_zeros() as usize]
    }
}

const CLASSES: [(Class, &str); 11] = [
    (
        Class::PRONOUN,
        "he she it they him her them his its their hers theirs himself herself itself themselves",
    ),
    (Class::DEMONSTRATIVE, "this that these those such here there both another others neither"),
    (Class::PERSONAL, "i we you my our your me us mine ours yours myself i'm i've we're we've you're"),
    (
        Class::CONNECTIVE,
        "but and however also meanwhile still yet so then instead moreover furthermore nor or besides \
         therefore thus nevertheless nonetheless again similarly likewise additionally finally indeed \
         otherwise rather too plus because",
    ),
    (
        Class::REPORTING,
        "said says say saying told tells added adds according announced reported reports wrote warned \
         claimed insisted explained argued noted stated tweeted confirmed denied asked replied urged",
    ),
    (
        Class::TIME,
        "monday tuesday wednesday thursday friday saturday sunday january february march april june july \
         august september october november december today yesterday tomorrow week month year weekend \
         night morning afternoon evening",
    ),
    (
        Class::PICTURE,
        "pictured picture photo photograph photographed image images left right above below centre center \
         seen shows showing poses posing video slideshow gallery photos file scroll",
    ),
    (
        Class::INVITATION,
        "click read watch subscribe follow sign share tweet comment email e-mail see listen join download \
         scroll visit contact editing writing reporting contributed contributing written edited",
    ),
    (Class::MODAL, "will would may might could should can must shall won't wouldn't can't"),
    (
        Class::SUBORDINATOR,
        "what why how who when where which whether if while although though as after before since",
    ),
    (
        Class::AUXILIARY,
        "is are was were be been being has have had do does did isn't aren't wasn't weren't hasn't haven't \
         hadn't don't doesn't didn't it's he's she's they're that's",
    ),
];

/// Word classes by stem, and how rare each stem is in news.
pub struct Lexicon {
    classes: FxHashMap<u32, Class>,
    /// By bucket of the stem, in steps of [`RARITY_STEP`].
    rarity: Vec<u8>,
}

impl Lexicon {
    /// `rarity` has [`RARITY_BUCKETS`] entries.
    pub fn new(rarity: Vec<u8>) -> Self {
        let mut classes = FxHashMap::default();
        for (class, words) in CLASSES {
            for word in words.split_whitespace() {
                let entry: &mut Class = classes.entry(form_hash(word)).or_default();
                entry.0 |= class.0;
            }
        }
        Self { classes, rarity }
    }

    /// Brings what is known of many stems near: asked for together, they come together.
    fn fetch(&self, stems: &[u32]) {
        // What was read is of no use, but has to be.
        std::hint::black_box(stems.iter().fold(0, |all, &stem| all ^ self.rarity[bucket(stem)]));
    }

    fn rarity(&self, stem: u32) -> f32 {
        f32::from(self.rarity[bucket(stem)]) * RARITY_STEP
    }
}

/// Where a stem's rarity is kept.
pub fn bucket(stem: u32) -> usize {
    (stem >> 7) as usize % RARITY_BUCKETS
}

/// A number for a word's stem: its first characters in lower case.
pub fn stem(word: &str) -> u32 {
    let mut hasher = FxHasher::default();
    if word.is_ascii() {
        for &byte in word.as_bytes().iter().take(STEM_CHARACTERS) {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
    } else {
        for character in word.chars().flat_map(char::to_lowercase).take(STEM_CHARACTERS) {
            hasher.write_u32(character as u32);
        }
    }
    fold(hasher)
}

/// A number for a whole word in lower case; typographic apostrophes count as plain ones.
fn form_hash(word: &str) -> u32 {
    let mut hasher = FxHasher::default();
    for character in word.chars() {
        match character {
            '’' => hasher.write_u8(b'\''),
            _ if character.is_ascii() => hasher.write_u8(character.to_ascii_lowercase() as u8),
            _ => character.to_lowercase().for_each(|character| hasher.write_u32(character as u32)),
        }
    }
    fold(hasher)
}

fn fold(hasher: FxHasher) -> u32 {
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

/// A word as it stands in a sentence.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Place in [`Words::stems`].
    pub stem: u32,
    pub class: Class,
    pub shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Lower,
    Capitalised,
    /// Two letters or more, all of them capitals.
    Capitals,
    Number,
}

/// One distinct stem of a document.
#[derive(Clone, Copy, Debug)]
pub struct Stem {
    pub hash: u32,
    /// Nats; 0 for words that only hold sentences together.
    pub weight: f32,
    pub sentences: u32,
    pub first_sentence: u32,
    pub last_sentence: u32,
}

/// All words of a document's body, or of several documents' one after the other.
pub struct Words {
    pub stems: Vec<Stem>,
    pub words: Vec<Word>,
    /// Where each sentence begins in `words`; one more than there are sentences.
    starts: Vec<u32>,
}

impl Words {
    pub fn read(body: &Segmented, lexicon: &Lexicon) -> Self {
        Self::read_all(&[body], lexicon)
    }

    /// The sentences of the second body are numbered on from those of the first, and so on.
    pub fn read_all(bodies: &[&Segmented], lexicon: &Lexicon) -> Self {
        let forms = bodies.iter().map(|body| body.forms.len()).sum();
        let mut ids = FxHashMap::with_capacity_and_hasher(forms, FxBuildHasher);
        let tokens = bodies.iter().map(|body| body.tokens.len()).sum();
        let mut words = Self { stems: Vec::new(), words: Vec::with_capacity(tokens), starts: vec![0] };
        for body in bodies {
            let stems: Vec<u32> = body.forms.iter().map(|form| stem(form.text)).collect();
            lexicon.fetch(&stems);
            let mut known: Vec<Option<Word>> = vec![None; body.forms.len()];
            for sentence in &body.sentences {
                let place = words.len() as u32;
                for token in sentence.tokens.clone() {
                    let form = body.form_of[token] as usize;
                    let known = &mut known[form];
                    if known.is_none() {
                        *known = words.know(&body.forms[form], stems[form], &mut ids, lexicon);
                    }
                    let Some(word) = *known else { continue };
                    words.words.push(word);
                    let stem = &mut words.stems[word.stem as usize];
                    if stem.last_sentence != place {
                        if stem.sentences == 0 {
                            stem.first_sentence = place;
                        }
                        stem.last_sentence = place;
                        stem.sentences += 1;
                    }
                }
                words.starts.push(words.words.len() as u32);
            }
        }
        words.weigh();
        words
    }

    /// The word that a form is, whose stem has a hash; none for marks.
    fn know(
        &mut self,
        form: &Form,
        hash: u32,
        ids: &mut FxHashMap<u32, u32>,
        lexicon: &Lexicon,
    ) -> Option<Word> {
        let shape = shape(form)?;
        let stem = *ids.entry(hash).or_insert_with(|| {
            let weight = lexicon.rarity(hash);
            let never = u32::MAX;
            self.stems.push(Stem { hash, weight, sentences: 0, first_sentence: never, last_sentence: never });
            self.stems.len() as u32 - 1
        });
        // Classes are lists of everyday words; a rare stem is in none of them.
        let class = if self.stems[stem as usize].weight < 9.0 {
            lexicon.classes.get(&form_hash(form.text)).copied().unwrap_or_default()
        } else {
            Class::default()
        };
        Some(Word { stem, class, shape })
    }

    /// How many sentences there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn sentence(&self, place: usize) -> &[Word] {
        &self.words[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// Takes the weight off words that stand in most sentences, or in most sentences of most news.
    fn weigh(&mut self) {
        let sentences = self.len();
        for stem in &mut self.stems {
            let common_here = sentences >= 8 && stem.sentences as usize * 2 > sentences;
            if stem.weight < CONTENT_RARITY || common_here {
                stem.weight = 0.0;
            }
        }
    }
}

fn shape(form: &Form) -> Option<Shape> {
    let word = form.text;
    match form.kind {
        TokenKind::Number => Some(Shape::Number),
        // A possessive ending is a token of its own.
        TokenKind::Word if word.starts_with(['\'', '’']) => None,
        TokenKind::Word => {
            let mut letters = word.chars().filter(|c| c.is_alphabetic());
            let first = letters.next()?;
            let mut rest = letters.peekable();
            Some(if !first.is_uppercase() {
                Shape::Lower
            } else if rest.peek().is_some() && rest.all(char::is_uppercase) {
                Shape::Capitals
            } else {
                Shape::Capitalised
            })
        }
        TokenKind::Punctuation | TokenKind::Address | TokenKind::Symbol => None,
    }
}
