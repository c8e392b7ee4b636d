//! How much the document is about each entity.

use super::reading::Reading;
use super::resolve::Cluster;
use crate::document::{EntityKind, Section};

/// Each cluster's salience; all of them add up to 1, or 0 where there are none.
pub fn salience(reading: &Reading, clusters: &[Cluster]) -> Vec<f32> {
    let weights: Vec<f32> = clusters.iter().map(|cluster| weight(reading, cluster)).collect();
    // A hair less than 1, so that rounding never takes the sum above it.
    let total: f32 = weights.iter().sum::<f32>() * 1.000_01;
    weights.iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 }).collect()
}

/// Mentions count with falling gain; being named early and in the headline counts too.
fn weight(reading: &Reading, cluster: &Cluster) -> f32 {
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
    let early = 0.5 / (1.0 + first / 25.0);
    let title = if in_title { 1.0 } else { 0.0 };
    let score = kind_weight(cluster.kind) * (body.ln_1p() + early + title);
    score * score
}

/// News is more often about people than about the places where they act.
const fn kind_weight(kind: EntityKind) -> f32 {
    match kind {
        EntityKind::Person => 1.0,
        EntityKind::Organization | EntityKind::Event => 0.9,
        EntityKind::Location | EntityKind::WorkOfArt | EntityKind::Product | EntityKind::Facility => 0.8,
        EntityKind::Norp => 0.5,
        EntityKind::Other => 0.4,
    }
}
