//! `copydesk store`: documents that move between stores.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::{PostgresArgs, StoreLocation};
use crate::store::StoreError;
use crate::store::postgres::{PostgresOptions, PostgresStore};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::transfer::{Record, Transfer};

#[derive(Subcommand)]
pub enum Command {
    /// Copy all documents of one store into another
    Copy(CopyArguments),
}

/// Copy all documents of one store into another.
///
/// Documents keep their ids, uids, revisions, etags, times and order. What is there already is
/// left alone, so that a copy that was cut off can be run again, and another run brings what has
/// changed or been added meanwhile. Documents that were deleted meanwhile stay; so, for a last copy, stop those
/// who write. Ids of requests are not copied: a request repeated after the move is a new one.
#[derive(Args)]
#[command(after_help = "Example:\n  copydesk store copy copydesk.db postgres://desk@db.example/articles")]
pub struct CopyArguments {
    /// The store to read: the path of an SQLite file, sqlite:PATH, or postgres://…
    #[arg(value_name = "FROM")]
    from: StoreLocation,

    /// The store to write to, made if it is not there
    #[arg(value_name = "TO")]
    to: StoreLocation,

    #[command(flatten)]
    postgres: PostgresArgs,
}

/// What a copy did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Copied {
    documents: u64,
    /// Those that differ in the other store and were left alone there.
    refused: u64,
}

/// Runs a command; the exit status is 1 where a document could not be copied.
///
/// # Errors
/// If a store cannot be opened, read or written; the message says which and what to do.
pub fn run(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    let Command::Copy(arguments) = command;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run_copy(arguments))
}

async fn run_copy(arguments: &CopyArguments) -> Result<ExitCode, Box<dyn Error>> {
    let CopyArguments { from, to, postgres } = arguments;
    from.check("FROM")?;
    to.check("TO")?;
    if from == to {
        return Err("FROM and TO are the same store".into());
    }
    if let StoreLocation::Sqlite(path) = from
        && !path.exists()
    {
        return Err(format!("there is no file {}", path.display()).into());
    }
    let source = open(from, &postgres.options()).await?;
    let target = open(to, &postgres.options()).await?;
    let progress = progress_bar();
    let copied = copy(&*source, &*target, &progress).await;
    progress.finish_and_clear();
    source.close().await;
    target.close().await;
    let copied = copied.map_err(|error| format!("{error}; run the same command again to go on"))?;
    eprintln!("{} documents of {from} are in {to}", copied.documents);
    Ok(if copied.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Opens a store of any kind.
///
/// # Errors
/// As [`SqliteStore::open`] and [`PostgresStore::open`].
pub async fn open(
    location: &StoreLocation,
    postgres: &PostgresOptions,
) -> Result<Arc<dyn Transfer>, StoreError> {
    Ok(match location {
        StoreLocation::Sqlite(path) => Arc::new(SqliteStore::open(path, SqliteOptions::default()).await?),
        StoreLocation::Postgres(url) => Arc::new(PostgresStore::open(url, postgres.clone()).await?),
    })
}

/// Reads on while what was read is written.
async fn copy(from: &dyn Transfer, to: &dyn Transfer, progress: &ProgressBar) -> Result<Copied, StoreError> {
    let mut copied = Copied::default();
    let mut batch = from.export(None).await?;
    while let Some((cursor, _)) = batch.last() {
        let after = Some(*cursor);
        let records: Vec<Record> = batch.into_iter().map(|(_, record)| record).collect();
        let (next, ()) = tokio::try_join!(from.export(after), write(to, records, progress, &mut copied))?;
        batch = next;
    }
    Ok(copied)
}

async fn write(
    to: &dyn Transfer,
    records: Vec<Record>,
    progress: &ProgressBar,
    copied: &mut Copied,
) -> Result<(), StoreError> {
    let names: Vec<String> = records
        .iter()
        .map(|Record { document, .. }| format!("{}/{}", document.corpus, document.document_id))
        .collect();
    for (name, result) in names.iter().zip(to.import(records).await) {
        match result {
            Ok(()) => copied.documents += 1,
            Err(StoreError::StaleEtag { current }) => {
                copied.refused += 1;
                progress.suspend(|| {
                    eprintln!("copydesk: {name} was left alone: another document or a later revision ({current}) is there");
                });
            }
            Err(error) => return Err(error),
        }
        progress.inc(1);
    }
    Ok(())
}

/// Shown on a terminal. Without the number of all documents, which takes long to count in a large database.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} documents, {per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    bar
}
