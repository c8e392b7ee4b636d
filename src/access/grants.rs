//! Scopes, and the corpora that they hold in.

use std::collections::BTreeSet;
use std::fmt;

/// A kind of work that somebody may be let do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Analyse documents that are sent along; stored ones where they may be read, too.
    Analyze,
    /// Get and list stored documents.
    Read,
    /// Ingest and delete documents.
    Write,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Analyze, Self::Read, Self::Write];

    /// As files and tokens write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a caller must have so that a method answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: not even a name.
    Nothing,
    /// A name.
    Name,
    /// The scope in some corpus; the method sees to it that it is the right one.
    Scope(Scope),
    /// Every scope in every corpus.
    Everything,
}

/// Where a scope holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Reach {
    #[default]
    Nowhere,
    In(BTreeSet<String>),
    Everywhere,
}

impl Reach {
    /// Whether it reaches wherever the other one does.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everywhere, _) | (_, Self::Nowhere) => true,
            (Self::In(corpora), Self::In(others)) => corpora.is_superset(others),
            _ => false,
        }
    }
}

/// What somebody may do, and in which corpora.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants([Reach; Scope::ALL.len()]);

/// A grant that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is analyze, read or write, or one of them in one corpus as read:news")]
pub struct InvalidGrant;

impl Grants {
    /// All scopes in all corpora.
    pub fn everything() -> Self {
        Self(std::array::from_fn(|_| Reach::Everywhere))
    }

    /// Adds a scope as files and tokens write it: `read` for all corpora, `read:news` for one.
    ///
    /// # Errors
    /// If it is written in another way.
    pub fn add(&mut self, grant: &str) -> Result<(), InvalidGrant> {
        let (name, corpus) = match grant.split_once(':') {
            Some((name, corpus)) => (name, Some(corpus)),
            None => (grant, None),
        };
        let scope = Scope::ALL.into_iter().find(|scope| scope.name() == name).ok_or(InvalidGrant)?;
        let reach = &mut self.0[scope as usize];
        let Some(corpus) = corpus else {
            *reach = Reach::Everywhere;
            return Ok(());
        };
        if !is_corpus(corpus) {
            return Err(InvalidGrant);
        }
        match reach {
            Reach::Nowhere => *reach = Reach::In(BTreeSet::from([corpus.to_owned()])),
            Reach::In(corpora) => {
                corpora.insert(corpus.to_owned());
            }
            Reach::Everywhere => {}
        }
        Ok(())
    }

    /// Whether the scope holds in some corpus at least.
    pub fn has(&self, scope: Scope) -> bool {
        self.0[scope as usize] != Reach::Nowhere
    }

    /// Whether the scope holds in this corpus.
    pub fn has_in(&self, scope: Scope, corpus: &str) -> bool {
        match &self.0[scope as usize] {
            Reach::Nowhere => false,
            Reach::In(corpora) => corpora.contains(corpus),
            Reach::Everywhere => true,
        }
    }

    /// A scope that holds nowhere or in fewer corpora than it did `before`, if there is one.
    pub fn lost_since(&self, before: &Self) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| !self.0[*scope as usize].covers(&before.0[*scope as usize]))
    }

    /// The scope that is missing, if one is.
    pub fn missing(&self, need: Need) -> Option<Scope> {
        match need {
            Need::Nothing | Need::Name => None,
            Need::Scope(scope) => Some(scope).filter(|scope| !self.has(*scope)),
            Need::Everything => {
                Scope::ALL.into_iter().find(|scope| self.0[*scope as usize] != Reach::Everywhere)
            }
        }
    }
}

/// Whether there can be a corpus of this name.
pub fn is_corpus(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(all: &[&str]) -> Grants {
        let mut grants = Grants::default();
        all.iter().for_each(|grant| grants.add(grant).unwrap());
        grants
    }

    #[test]
    fn a_scope_holds_where_it_was_granted() {
        let some = grants(&["analyze", "read:news", "read:wire"]);
        assert!(some.has_in(Scope::Analyze, "sport") && some.has_in(Scope::Read, "wire"));
        assert!(!some.has_in(Scope::Read, "sport") && !some.has(Scope::Write));
        assert_eq!(grants(&["read:news", "read"]), grants(&["read", "read:news"]));
        assert_eq!(grants(&["write", "read", "analyze"]), Grants::everything());
    }

    #[test]
    fn nothing_else_is_a_grant() {
        for wrong in ["", "admin", "Read", "read:", "read:*", "read:News", "read:a:b", ":news", " read"] {
            assert_eq!(Grants::default().add(wrong), Err(InvalidGrant), "{wrong:?}");
        }
        // Of corpora that there cannot be.
        for wrong in ["read:9news", "read:news-", &format!("read:{}", "n".repeat(64))] {
            assert_eq!(Grants::default().add(wrong), Err(InvalidGrant), "{wrong:?}");
        }
    }

    #[test]
    fn grants_are_lost_with_a_scope_or_a_corpus() {
        let before = grants(&["analyze", "read:news", "read:wire"]);
        for (now, lost) in [
            (&["analyze", "read:news", "read:wire"][..], None),
            (&["analyze", "read", "write:news"], None),
            (&["analyze", "read:news", "read:sport"], Some(Scope::Read)),
            (&["analyze:news", "read"], Some(Scope::Analyze)),
            (&["analyze"], Some(Scope::Read)),
        ] {
            assert_eq!(grants(now).lost_since(&before), lost, "{now:?}");
        }
    }

    #[test]
    fn a_method_that_nobody_thought_of_wants_everything() {
        assert_eq!(grants(&["analyze", "read", "write:news"]).missing(Need::Everything), Some(Scope::Write));
        assert_eq!(Grants::everything().missing(Need::Everything), None);
        assert_eq!(Grants::default().missing(Need::Name), None);
    }
}
