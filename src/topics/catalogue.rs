//! The taxonomies that a document can be tagged with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{OwnTaxonomy, TAXONOMY_ID};

/// A taxonomy to tag a document with.
#[derive(Clone, Default)]
pub enum Choice {
    /// The IPTC Media Topics.
    #[default]
    BuiltIn,
    Own(Arc<OwnTaxonomy>),
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => TAXONOMY_ID,
            Self::Own(taxonomy) => &taxonomy.info().id,
        })
    }
}

/// The user's taxonomies by their ids, beside the one that is built in. Immutable; share it.
#[derive(Default)]
pub struct Catalogue(BTreeMap<String, Arc<OwnTaxonomy>>);

impl Catalogue {
    /// Takes a taxonomy in; whether its id was free.
    pub fn add(&mut self, taxonomy: OwnTaxonomy) -> bool {
        let id = taxonomy.info().id.clone();
        self.0.insert(id, Arc::new(taxonomy)).is_none()
    }

    /// The taxonomy of an id; the built-in one for the empty id too.
    pub fn find(&self, id: &str) -> Option<Choice> {
        if id.is_empty() || id == TAXONOMY_ID {
            return Some(Choice::BuiltIn);
        }
        self.0.get(id).map(|taxonomy| Choice::Own(Arc::clone(taxonomy)))
    }

    /// The user's taxonomies in the order of their ids.
    pub fn own(&self) -> impl ExactSizeIterator<Item = &OwnTaxonomy> {
        self.0.values().map(|taxonomy| &**taxonomy)
    }
}
