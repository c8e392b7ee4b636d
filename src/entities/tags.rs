//! The labels of the sequence model: BILOU over nine entity types.
//!
//! Ratinov and Roth (2009), "Design Challenges and Misconceptions in Named Entity
//! Recognition", found BILOU (begin, inside, last, outside, unit) better than BIO.

use std::ops::Range;

use crate::document::EntityKind;

/// A label: 0 is outside, `1 + 4 * type + position` lies in a name.
pub type Tag = u8;

pub const OUTSIDE: Tag = 0;
pub const KINDS: [EntityKind; 9] = [
    EntityKind::Person,
    EntityKind::Organization,
    EntityKind::Location,
    EntityKind::Facility,
    EntityKind::Norp,
    EntityKind::Event,
    EntityKind::WorkOfArt,
    EntityKind::Product,
    EntityKind::Other,
];
/// How many labels there are.
pub const TAGS: usize = 1 + 4 * KINDS.len();

/// A place in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    Begin,
    Inside,
    Last,
    Unit,
}

pub fn kind_index(kind: EntityKind) -> usize {
    match kind {
        EntityKind::Person => 0,
        EntityKind::Organization => 1,
        EntityKind::Location => 2,
        EntityKind::Facility => 3,
        EntityKind::Norp => 4,
        EntityKind::Event => 5,
        EntityKind::WorkOfArt => 6,
        EntityKind::Product => 7,
        EntityKind::Other => 8,
    }
}

/// The label of a unit at `position` in a name of type `KINDS[kind]`.
pub const fn tag(kind: usize, position: Position) -> Tag {
    (1 + 4 * kind + position as usize) as Tag
}

/// The place of the label's type in [`KINDS`]; none outside.
pub const fn kind_of(tag: Tag) -> Option<usize> {
    if tag == OUTSIDE { None } else { Some((tag as usize - 1) / 4) }
}

/// Whether a name may begin after a unit with this label.
pub const fn closes(tag: Tag) -> bool {
    tag == OUTSIDE || matches!((tag - 1) % 4, 2 | 3)
}

/// Whether this label may follow a closed name.
pub const fn opens(tag: Tag) -> bool {
    tag == OUTSIDE || matches!((tag - 1) % 4, 0 | 3)
}

/// The names in a well-formed sequence of labels: their units and types.
pub fn names(tags: &[Tag]) -> impl Iterator<Item = (Range<usize>, usize)> + '_ {
    let mut begin = 0;
    tags.iter().enumerate().filter_map(move |(i, &tag)| {
        let kind = kind_of(tag)?;
        if opens(tag) {
            begin = i;
        }
        closes(tag).then_some((begin..i + 1, kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_from_their_labels() {
        use Position::{Begin, Inside, Last, Unit};
        let tags =
            [tag(2, Unit), tag(0, Begin), tag(0, Inside), tag(0, Last), OUTSIDE, tag(1, Begin), tag(1, Last)];
        assert_eq!(names(&tags).collect::<Vec<_>>(), [(0..1, 2), (1..4, 0), (5..7, 1)]);
        assert!(KINDS.iter().enumerate().all(|(i, &kind)| kind_index(kind) == i));
    }
}
