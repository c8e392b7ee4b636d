//! How well the engine does on documents whose right answers are known.
//!
//! Each task has a [`Scorer`]. It is given gold records one by one, each with the analysis that
//! was predicted for it, and ends in a [`Report`] of figures. What a gold record holds and what
//! each figure means stands in `docs/evaluate.md` and beside the code that computes it.
//!
//! Offsets in gold and predictions are Unicode code points; the whole room counts in them.

mod bags;
mod bootstrap;
mod counts;
pub mod dates;
pub mod entities;
pub mod entity_desk;
pub mod extraction_html;
pub mod extraction_text;
mod gold;
mod places;
mod porter;
mod prediction;
pub mod quotes;
mod report;
mod rouge;
pub mod sentences;
pub mod summary;
pub mod summary_choice;
pub mod topics;
mod words;

pub use gold::record_id;
pub use prediction::Prediction;
pub use report::Report;

/// Compares predictions with gold records of one task.
pub trait Scorer {
    /// Takes in one gold record, a line of JSON, and what was predicted for it; a record without
    /// a prediction counts as one in which nothing was found.
    ///
    /// # Errors
    /// What is missing or wrong in the gold record.
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String>;

    /// The figures over all records so far.
    fn report(&self) -> Report;
}
