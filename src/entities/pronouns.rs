//! Pronouns that stand for a person: only where one person near may be meant.

use super::reading::{Line, Reading, Style};
use super::resolve::Cluster;
use super::words;
use crate::document::EntityKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gender {
    Male,
    Female,
}

const PRONOUNS: [(&str, Gender); 6] = [
    ("he", Gender::Male),
    ("him", Gender::Male),
    ("his", Gender::Male),
    ("she", Gender::Female),
    ("her", Gender::Female),
    ("hers", Gender::Female),
];
const TITLES: [(&str, Gender); 14] = [
    ("mr", Gender::Male),
    ("mr.", Gender::Male),
    ("king", Gender::Male),
    ("prince", Gender::Male),
    ("sir", Gender::Male),
    ("lord", Gender::Male),
    ("mrs", Gender::Female),
    ("mrs.", Gender::Female),
    ("ms", Gender::Female),
    ("ms.", Gender::Female),
    ("queen", Gender::Female),
    ("princess", Gender::Female),
    ("miss", Gender::Female),
    ("lady", Gender::Female),
];

/// The pronouns and titles above as hashes; built once with the model.
pub struct Pronouns {
    pronouns: Vec<(u32, Gender)>,
    titles: Vec<(u32, Gender)>,
    subjects: [u32; 2],
}

/// A pronoun: the unit it is and the cluster it stands for.
pub struct Pronoun {
    pub line: usize,
    pub unit: usize,
    pub cluster: usize,
}

impl Pronouns {
    pub fn new() -> Self {
        let hashed = |words: &[(&str, Gender)]| {
            words.iter().map(|&(word, gender)| (words::folded_hash(word), gender)).collect()
        };
        Self {
            pronouns: hashed(&PRONOUNS),
            titles: hashed(&TITLES),
            subjects: ["he", "she"].map(words::folded_hash),
        }
    }

    /// The pronouns of the article that mean somebody for certain, in order. `cluster_of` says for
    /// each unit in which cluster's name it lies, plus one.
    pub fn find(&self, reading: &Reading, clusters: &[Cluster], cluster_of: &[u32]) -> Vec<Pronoun> {
        // "He Lifeng met" is a name; "his German colleague" is not.
        let is_name = |line: &Line, unit: usize| {
            let next = reading.word_near(line, unit, 1);
            line.style == Style::Normal
                && self.subjects.contains(&reading.word(unit).folded)
                && next.is_some_and(|next| next.case.has_capital())
        };
        let gender = |known: &[(u32, Gender)], unit: usize| {
            let folded = reading.word(unit).folded;
            known.iter().find(|(word, _)| *word == folded).map(|&(_, gender)| gender)
        };
        let mut genders: Vec<Option<Gender>> = vec![None; clusters.len()];
        // The people spoken of in this sentence and the one before it, with the sentence's number.
        let mut near: Vec<(usize, usize)> = Vec::new();
        let mut found = Vec::new();
        for (number, line) in reading.lines.iter().enumerate() {
            near.retain(|&(_, at)| at + 1 >= number && reading.lines[at].section == line.section);
            for unit in line.units.clone() {
                let cluster = if let Some(cluster) = (cluster_of[unit] as usize).checked_sub(1) {
                    if clusters[cluster].kind != EntityKind::Person {
                        continue;
                    }
                    let before = unit.checked_sub(1).filter(|before| line.units.contains(before));
                    let title = before.and_then(|unit| gender(&self.titles, unit));
                    genders[cluster] = title.or(genders[cluster]);
                    cluster
                } else if let Some(gender) = gender(&self.pronouns, unit).filter(|_| !is_name(line, unit)) {
                    let fits =
                        |&&(person, _): &&(usize, usize)| genders[person].is_none_or(|own| own == gender);
                    let mut persons = near.iter().filter(fits);
                    let (Some(&(person, _)), None) = (persons.next(), persons.next()) else { continue };
                    genders[person] = Some(gender);
                    found.push(Pronoun { line: number, unit, cluster: person });
                    person
                } else {
                    continue;
                };
                near.retain(|&(other, _)| other != cluster);
                near.push((cluster, number));
            }
        }
        found
    }
}
