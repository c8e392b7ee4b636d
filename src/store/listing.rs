//! What a listing asks for, as conditions of a query; the same for every SQL backend.

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::columns::{TermKind, fold};
use super::{Cursor, Filter};

/// A term that documents must have, and what its table is called in the query.
pub struct Wanted {
    pub alias: &'static str,
    kind: TermKind,
    folded: String,
}

/// The terms that a filter names. Entities first: they are rarer than topics.
pub fn wanted(filter: &Filter) -> Vec<Wanted> {
    [("e", TermKind::Entity, &filter.entity), ("t", TermKind::Topic, &filter.topic)]
        .into_iter()
        .filter(|(.., name)| !name.is_empty())
        .map(|(alias, kind, name)| Wanted { alias, kind, folded: fold(name) })
        .collect()
}

/// The table by whose places a listing is ordered.
pub fn order(terms: &[Wanted]) -> &'static str {
    terms.first().map_or("d", |term| term.alias)
}

/// Adds the conditions of a listing, to come after WHERE, with its order, newest first, and limit.
pub fn push_conditions<DB: Database>(
    query: &mut QueryBuilder<DB>,
    corpus: &str,
    terms: Vec<Wanted>,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) where
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let order = order(&terms);
    query.push("d.corpus = ").push_bind(corpus.to_owned());
    for Wanted { alias, kind, folded } in terms {
        query.push(format!(" AND {alias}.corpus = ")).push_bind(corpus.to_owned());
        query.push(format!(" AND {alias}.kind = {} AND {alias}.term = ", kind as u8)).push_bind(folded);
    }
    if let Some(Cursor(seq)) = after {
        query.push(format!(" AND {order}.seq < ")).push_bind(seq);
    }
    if !filter.publisher.is_empty() {
        query.push(" AND d.publisher = ").push_bind(fold(&filter.publisher));
    }
    if !filter.language_code.is_empty() {
        query.push(" AND d.language = ").push_bind(fold(&filter.language_code));
    }
    if let Some(from) = filter.published_from {
        query.push(" AND d.published >= ").push_bind(from);
    }
    if let Some(before) = filter.published_before {
        query.push(" AND d.published < ").push_bind(before);
    }
    query.push(format!(" ORDER BY {order}.seq DESC LIMIT ")).push_bind(limit as i64);
}
