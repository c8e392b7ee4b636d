//! Whom and what each sentence names.

use crate::document::{Entity, EntityKind, MentionKind, Section};
use crate::text::Segmented;

/// The entities of one sentence, each counted once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cast {
    /// Salience of all that are named or meant.
    pub salience: f32,
    pub most_salient: f32,
    /// Salience of those that are named for the first time.
    pub introduced: f32,
    pub first_named: f32,
    pub named: f32,
    pub people: f32,
    pub organisations: f32,
    pub places: f32,
    /// Names in their fullest form.
    pub in_full: f32,
    /// Pronouns and descriptions that stand for an entity not named before them in the sentence.
    pub borrowed: f32,
    /// 1 where the document's most salient entity is in it.
    pub protagonist: f32,
    /// Entities that the title names as well.
    pub in_title: f32,
}

/// The cast of every sentence of the body; `entities` come most salient first.
pub fn casts(body: &Segmented, entities: &[Entity]) -> Vec<Cast> {
    let mut casts = vec![Cast::default(); body.sentences.len()];
    for (nth, entity) in entities.iter().enumerate() {
        let in_title = entity.mentions.iter().any(|mention| mention.span.section == Section::Title);
        let mut named_before = false;
        let mut named_here = false;
        let mut last = usize::MAX;
        for mention in entity.mentions.iter().filter(|mention| mention.span.section == Section::Body) {
            let span = mention.span.span;
            let place = body.sentences.partition_point(|sentence| sentence.span.end <= span.begin);
            let Some(cast) = casts.get_mut(place) else { continue };
            if place != last {
                cast.appears(entity, nth == 0, in_title);
                named_here = false;
                last = place;
            }
            if mention.kind != MentionKind::Proper {
                cast.borrowed += if named_here { 0.0 } else { 1.0 };
                continue;
            }
            if !named_here {
                cast.is_named(entity, !named_before);
            }
            cast.in_full += if span.of(body.text) == entity.name { 1.0 } else { 0.0 };
            named_here = true;
            named_before = true;
        }
    }
    casts
}

impl Cast {
    fn appears(&mut self, entity: &Entity, is_protagonist: bool, in_title: bool) {
        self.salience += entity.salience;
        self.most_salient = self.most_salient.max(entity.salience);
        self.protagonist += if is_protagonist { 1.0 } else { 0.0 };
        self.in_title += if in_title { 1.0 } else { 0.0 };
    }

    fn is_named(&mut self, entity: &Entity, first: bool) {
        self.named += 1.0;
        if first {
            self.introduced += entity.salience;
            self.first_named += 1.0;
        }
        match entity.kind {
            EntityKind::Person => self.people += 1.0,
            EntityKind::Organization => self.organisations += 1.0,
            EntityKind::Location | EntityKind::Facility => self.places += 1.0,
            _ => {}
        }
    }
}
