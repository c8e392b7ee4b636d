//! Dates, times, durations and recurrences in the text, after TIMEX3.

use crate::document::{PublishTime, TemporalExpression};
use crate::text::SegmentedArticle;

/// Every temporal expression of title and body, sorted (body first); relative ones are resolved against
/// `anchor`, the publication time.
pub fn find(article: &SegmentedArticle, anchor: Option<PublishTime>) -> Vec<TemporalExpression> {
    let _ = (article, anchor);
    Vec::new()
}
