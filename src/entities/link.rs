//! Ids for names that open tables know.

use super::table::Table;
use crate::document::EntityKind;
use crate::model::{ModelError, ModelFile, ModelWriter};

/// What sort of thing a link's table lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkSort {
    Country = 0,
    Person = 1,
    Title = 2,
    City = 3,
    Organization = 4,
}

/// Wikidata's numbers by name; a name that may mean several things is not in it.
pub struct Links {
    names: Table,
    ids: Vec<u32>,
    sorts: Vec<u8>,
}

#[derive(Clone, Default)]
pub struct LinkParts {
    /// Hashes of phrases, as [`super::words::phrase`] over plain words.
    pub names: Vec<u32>,
    pub ids: Vec<u32>,
    pub sorts: Vec<u8>,
}

impl LinkParts {
    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        Ok(Self {
            names: file.u32s("link names")?,
            ids: file.u32s("link ids")?,
            sorts: file.bytes("link sorts")?.to_vec(),
        })
    }

    pub fn write<'a>(&'a self, file: &mut ModelWriter<'a>) {
        file.u32s("link names", &self.names)
            .u32s("link ids", &self.ids)
            .bytes("link sorts", self.sorts.as_slice());
    }
}

impl Links {
    /// # Errors
    /// If the parts do not fit together.
    pub fn new(parts: LinkParts) -> Result<Self, ModelError> {
        if parts.names.len() != parts.ids.len() || parts.names.len() != parts.sorts.len() {
            return Err(ModelError::MissingSection("an id for every link".to_owned()));
        }
        Ok(Self { names: Table::new(&parts.names), ids: parts.ids, sorts: parts.sorts })
    }

    pub fn is_country(&self, name: u32) -> bool {
        self.names.get(name).is_some_and(|place| self.sorts[place] == LinkSort::Country as u8)
    }

    /// The type of the country or organisation called so.
    pub fn listed(&self, name: u32) -> Option<EntityKind> {
        match self.sorts[self.names.get(name)?] {
            sort if sort == LinkSort::Country as u8 => Some(EntityKind::Location),
            sort if sort == LinkSort::Organization as u8 => Some(EntityKind::Organization),
            _ => None,
        }
    }

    /// The number of the thing called so, if one of this type is.
    pub fn get(&self, name: u32, kind: EntityKind) -> Option<u32> {
        let place = self.names.get(name)?;
        let sort = self.sorts[place];
        let fits = match kind {
            EntityKind::Location => sort != LinkSort::Person as u8 && sort != LinkSort::Organization as u8,
            EntityKind::Person => sort == LinkSort::Person as u8 || sort == LinkSort::Title as u8,
            // Organisations share their names ("Communist Party"); no title is sure to be theirs.
            EntityKind::Organization => {
                sort == LinkSort::Country as u8 || sort == LinkSort::Organization as u8
            }
            EntityKind::Norp => false,
            _ => sort == LinkSort::Title as u8,
        };
        fits.then(|| self.ids[place])
    }
}
