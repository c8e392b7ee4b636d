//! Quotations and their speakers, among entities that are any words in capitals.

#![no_main]

use copydesk::document::{Attribution, Entity, EntityKind, Mention, MentionKind};
use copydesk::quotes;
use copydesk::text::{Segmented, TokenKind, segment_article};
use copydesk_fuzz::{article, sound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let article = article(data);
    let texts = sound::Texts::of(&article);
    let segmented = segment_article(&article);
    for entities in [vec![], named(&segmented.body)] {
        let found = quotes::find(&segmented, &entities);
        texts.assert_apart(&found.iter().map(|quote| quote.span.span).collect::<Vec<_>>());
        for quote in &found {
            quote.speaker.into_iter().for_each(|speaker| texts.assert_inside(speaker));
            assert!(quote.speaker_entity.is_none_or(|entity| entity < entities.len()));
            assert!(quote.speaker_entity.is_none() || quote.attribution == Attribution::Resolved);
        }
    }
});

/// Every word in capitals, a person by itself.
fn named(body: &Segmented<'_>) -> Vec<Entity> {
    let is_name = |token: &usize| {
        body.tokens[*token].kind == TokenKind::Word && body.word(*token).starts_with(char::is_uppercase)
    };
    (0..body.tokens.len())
        .filter(is_name)
        .map(|token| {
            let span = body.text_span(body.tokens[token].span());
            Entity {
                name: body.word(token).to_owned(),
                kind: EntityKind::Person,
                salience: 0.0,
                mentions: vec![Mention { span, kind: MentionKind::Proper, confidence: 1.0 }],
                links: Vec::new(),
            }
        })
        .collect()
}
