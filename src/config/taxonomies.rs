//! The files that define taxonomies of the user's own.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::analyzer::Analyzer;
use crate::topics::{Catalogue, Definition, InvalidTaxonomy, MAX_FILE_BYTES, OwnTaxonomy};

/// Why a file gives no taxonomy.
#[derive(Debug, thiserror::Error)]
pub enum TaxonomyError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Invalid(#[from] InvalidTaxonomy),
    #[error("{}: another file has the taxonomy {id:?}; give one of them another id", path.display())]
    SameId { path: PathBuf, id: String },
}

/// Everything that is wrong with the files, each thing on its own line.
#[derive(Debug)]
pub struct TaxonomyErrors(Vec<TaxonomyError>);

impl std::error::Error for TaxonomyErrors {}

impl fmt::Display for TaxonomyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(TaxonomyError::to_string).collect();
        f.write_str(&all.join("\n"))
    }
}

/// The taxonomies of all files, or of none if one of them is wrong.
///
/// # Errors
/// Names every file that is wrong, and where it is.
pub fn read_all(paths: &[PathBuf], analyzer: &Analyzer) -> Result<Catalogue, TaxonomyErrors> {
    let mut catalogue = Catalogue::default();
    let mut errors = Vec::new();
    for path in paths {
        match read(path, analyzer) {
            Ok(taxonomy) => {
                let id = taxonomy.info().id.clone();
                if !catalogue.add(taxonomy) {
                    errors.push(TaxonomyError::SameId { path: path.clone(), id });
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(catalogue) } else { Err(TaxonomyErrors(errors)) }
}

/// The taxonomy of one file.
///
/// # Errors
/// If it cannot be read or is no taxonomy.
pub fn read(path: &Path, analyzer: &Analyzer) -> Result<OwnTaxonomy, TaxonomyError> {
    Ok(analyzer.learn_taxonomy(&define(path)?))
}

/// What one file says of a taxonomy.
///
/// # Errors
/// If it cannot be read or defines none.
pub fn define(path: &Path) -> Result<Definition, TaxonomyError> {
    let unreadable = |source| TaxonomyError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // One byte more than is taken tells that there are too many.
    let most = MAX_FILE_BYTES as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unreadable)?;
    Ok(Definition::parse(&path.display().to_string(), &bytes)?)
}
