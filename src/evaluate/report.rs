//! Figures by name, for people and for machines.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Figures and groups of figures in the order in which they are shown.
///
/// Displays as aligned tables with shares to three places; serialises as a JSON object with
/// shares to four.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report(Vec<(String, Figure)>);

#[derive(Clone, Debug, PartialEq)]
enum Figure {
    Count(usize),
    Share(f64),
    Group(Report),
}

impl Report {
    #[must_use]
    pub(super) fn count(self, name: &str, count: usize) -> Self {
        self.with(name, Figure::Count(count))
    }

    /// A share, or another measure that is no count.
    #[must_use]
    pub(super) fn share(self, name: &str, share: f64) -> Self {
        self.with(name, Figure::Share(share))
    }

    #[must_use]
    pub(super) fn group(self, name: &str, group: Report) -> Self {
        self.with(name, Figure::Group(group))
    }

    /// The figures of `other` after its own.
    #[must_use]
    pub(super) fn and(mut self, other: Report) -> Self {
        self.0.extend(other.0);
        self
    }

    fn with(mut self, name: &str, figure: Figure) -> Self {
        self.0.push((name.to_owned(), figure));
        self
    }

    fn is_row(&self) -> bool {
        self.0.iter().all(|(_, figure)| !matches!(figure, Figure::Group(_)))
    }

    fn groups(&self) -> impl Iterator<Item = (&str, &Report)> {
        self.0.iter().filter_map(|(name, figure)| match figure {
            Figure::Group(group) => Some((name.as_str(), group)),
            _ => None,
        })
    }

    fn columns(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The tables of this report, which stands under `path` in a larger one.
    fn tables(&self, path: &str) -> Vec<Table> {
        let mut tables = Vec::new();
        let singles = self.0.iter().filter(|(_, figure)| !matches!(figure, Figure::Group(_)));
        let singles: Vec<Vec<String>> =
            singles.map(|(name, figure)| vec![name.clone(), figure.to_string()]).collect();
        if !singles.is_empty() {
            let header = if path.is_empty() { Vec::new() } else { vec![path.to_owned(), String::new()] };
            tables.push(Table { header, rows: singles });
        }
        let rows: Vec<_> = self.groups().filter(|(_, group)| group.is_row()).collect();
        for alike in rows.chunk_by(|(_, a), (_, b)| a.columns() == b.columns()) {
            let columns = alike.iter().take(1).flat_map(|(_, group)| group.columns());
            let header = std::iter::once(path).chain(columns).map(str::to_owned).collect();
            let row = |(name, group): &(&str, &Report)| {
                let figures = group.0.iter().map(|(_, figure)| figure.to_string());
                std::iter::once((*name).to_owned()).chain(figures).collect()
            };
            tables.push(Table { header, rows: alike.iter().map(row).collect() });
        }
        for (name, group) in self.groups().filter(|(_, group)| !group.is_row()) {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
            tables.extend(group.tables(&path));
        }
        tables
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{share:.3}"),
            Self::Group(group) => write!(f, "{group}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.tables("").iter().map(Table::to_string).collect();
        write!(f, "{}", tables.join("\n"))
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, figure) in &self.0 {
            match figure {
                Figure::Count(count) => map.serialize_entry(name, count)?,
                Figure::Share(share) => map.serialize_entry(name, &to_four_places(*share))?,
                Figure::Group(group) => map.serialize_entry(name, group)?,
            }
        }
        map.end()
    }
}

fn to_four_places(share: f64) -> f64 {
    // What has just been formatted as a number reads as one.
    format!("{share:.4}").parse().unwrap_or(share)
}

/// Rows under an optional header; the first column is set flush left, the others flush right.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.header).chain(&self.rows).filter(|line| !line.is_empty());
        let width = |column: usize| {
            lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..lines().map(Vec::len).max().unwrap_or(0)).map(width).collect();
        for line in lines() {
            let mut text = String::new();
            for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
                text += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(f1: f64) -> Report {
        Report::default().share("f1", f1).count("gold", 12)
    }

    fn report() -> Report {
        Report::default()
            .count("documents", 3)
            .share("value", 1.0 / 3.0)
            .group("relaxed", row(0.5))
            .group("exact", row(0.25))
            .group("by_type", Report::default().group("DATE", row(1.0)))
    }

    #[test]
    fn people_see_groups_of_the_same_figures_as_one_table() {
        let expected = "documents      3\nvalue      0.333\n\n            f1  gold\nrelaxed  0.500    12\n\
                        exact    0.250    12\n\nby_type     f1  gold\nDATE     1.000    12\n";
        assert_eq!(report().to_string(), expected);
    }

    #[test]
    fn machines_see_four_places_and_the_same_order() {
        let expected = r#"{"documents":3,"value":0.3333,"relaxed":{"f1":0.5,"gold":12},"exact":{"f1":0.25,"gold":12},"by_type":{"DATE":{"f1":1.0,"gold":12}}}"#;
        assert_eq!(serde_json::to_string(&report()).unwrap(), expected);
    }
}
