//! How much the document is about each entity.

use super::reading::Reading;
use super::resolve::Cluster;
use crate::document::{EntityKind, Section};

/// Each cluster's salience, given how many descriptions and pronouns stand for it; all of
/// them add up to 1, or 0 where there are none.
pub fn salience(reading: &Reading, clusters: &[Cluster], described: &[u32]) -> Vec<f32> {
    let weights: Vec<f32> = clusters
        .iter()
        .zip(described)
        .map(|(cluster, &described)| weight(reading, cluster, described))
        .collect();
    // A hair less than 1, so that rounding never takes the sum above it.
    let total: f32 = weights.iter().sum::<f32>() * 1.000_01;
    weights.iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 }).collect()
}

/// Mentions count with falling gain; being named early and in the headline counts too.
/// The weights were learned by ranking, for each annotated article, what it is about before
/// the rest (logistic loss over pairs); half of their size here, which keeps every order.
fn weight(reading: &Reading, cluster: &Cluster, described: u32) -> f32 {
    let mut body = 0.0_f32;
    let mut in_title = false;
    let mut first = f32::INFINITY;
    for name in &cluster.names {
        match reading.lines[name.line].section {
            Section::Title => in_title = true,
            Section::Body => {
                body += 1.0;
                first = first.min(name.units.start as f32);
            }
        }
    }
    let early = 1.0 / (1.0 + first / 30.0);
    let title = if in_title { 1.15 } else { 0.0 };
    let score = 1.55 * body.ln_1p() + 0.5 * (described as f32).ln_1p() + 0.68 * early + title;
    (score + kind_weight(cluster.kind)).exp()
}

/// News is more often about people than about the places where they act.
const fn kind_weight(kind: EntityKind) -> f32 {
    match kind {
        EntityKind::Person => 0.32,
        EntityKind::Organization => 0.09,
        EntityKind::Location => -0.5,
        EntityKind::Norp => -0.35,
        _ => 0.0,
    }
}
