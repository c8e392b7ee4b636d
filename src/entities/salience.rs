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

/// Mentions count with falling gain; early mentions, the headline and the places where
/// sentences begin count more.
fn weight(reading: &Reading, cluster: &Cluster) -> f32 {
    let mut body = 0.0_f32;
    let mut subject = 0.0_f32;
    let mut in_title = false;
    let mut first = f32::INFINITY;
    for name in &cluster.names {
        let line = &reading.lines[name.line];
        match line.section {
            Section::Title => in_title = true,
            Section::Body => {
                body += 1.0;
                first = first.min(name.units.start as f32);
                // Near the start of its sentence a name is mostly the subject.
                if name.units.start - line.units.start <= 3 {
                    subject += 1.0;
                }
            }
        }
    }
    let early = 1.0 / (1.0 + first / 60.0);
    let kind = match cluster.kind {
        EntityKind::Person => 1.0,
        EntityKind::Organization | EntityKind::Event => 0.9,
        EntityKind::WorkOfArt | EntityKind::Product | EntityKind::Facility => 0.8,
        EntityKind::Location => 0.6,
        EntityKind::Norp | EntityKind::Other => 0.4,
    };
    let title = if in_title { 1.5 } else { 0.0 };
    let score = (1.0 + body).ln() + 0.3 * (1.0 + subject).ln() + 1.2 * early + title;
    kind * score * score
}
