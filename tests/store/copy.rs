//! `copydesk store copy`: documents that move between a file and PostgreSQL.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use copydesk::store::sqlite::{SqliteOptions, SqliteStore};
use copydesk::store::transfer::{Record, Transfer};
use copydesk::store::{Cursor, Store};

use crate::behaviour::{Place, document, exported, ingest};
use crate::postgres_server::Database;
use crate::sqlite::File;

fn copy(from: &str, to: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
    command.env_clear().args(["store", "copy", from, to]);
    command
}

/// Copies `count` documents to the end.
#[track_caller]
fn copy_all(from: &str, to: &str, count: usize) {
    let output = copy(from, to).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains(&format!("{count} documents of")), "{said}");
}

fn path(file: &File) -> String {
    file.path().display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_move_from_a_file_and_back() {
    let Some(database) = Database::shared().await else { return };
    let (file, back) = (File::empty(), File::empty());
    let store = SqliteStore::open(&file.path(), SqliteOptions::default()).await.unwrap();
    for number in 0..150 {
        let mut new = document(&format!("{number}"), "1");
        new.terms.entities = vec![format!("Entity {number}"), "\u{1}".into()];
        new.article.text = "a\0b\u{1}".repeat(number);
        ingest(&store, new).await.unwrap();
    }
    ingest(&store, document("7", "2")).await.unwrap();
    let records = exported(&store).await;
    store.close().await;
    copy_all(&path(&file), &database.url, 150);
    copy_all(&path(&file), &database.url, 150);
    assert_eq!(exported(&*database.transfer().await).await, records);
    copy_all(&database.url, &path(&back), 150);
    assert_eq!(exported(&*back.transfer().await).await, records);
}

/// So many that a copy has hardly begun when the first of them are there.
const MANY: usize = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_cut_off_goes_on() {
    let Some(database) = Database::shared().await else { return };
    let (file, back) = (File::empty(), File::empty());
    let records = filled(&file).await;
    cut_off(&path(&file), &database.url, || database.transfer()).await;
    copy_all(&path(&file), &database.url, MANY);
    assert!(exported(&*database.transfer().await).await == records);

    cut_off(&database.url, &path(&back), || back.transfer()).await;
    copy_all(&database.url, &path(&back), MANY);
    assert!(exported(&*back.transfer().await).await == records);
}

/// What is in a store of [`MANY`] documents, of which some are revised.
async fn filled(file: &File) -> Vec<Record> {
    let store = SqliteStore::open(&file.path(), SqliteOptions::default()).await.unwrap();
    let new = |number: usize, version: &str| {
        let mut new = document(&format!("{number}"), version);
        new.article.text = format!("{number} ").repeat(500);
        new.terms.entities = (0..10).map(|entity| format!("Entity {}", number * entity)).collect();
        new
    };
    let all: Vec<_> = (0..MANY).map(|number| new(number, "1")).collect();
    for result in store.ingest(all).await {
        result.unwrap();
    }
    for number in (0..MANY).step_by(500) {
        ingest(&store, new(number, "2")).await.unwrap();
    }
    let records = exported(&store).await;
    store.close().await;
    records
}

/// Begins a copy three times, and kills it as soon as it has brought something new; `target` opens what it
/// writes to.
async fn cut_off(from: &str, to: &str, target: impl AsyncFn() -> Arc<dyn Transfer>) {
    let target = target().await;
    for _ in 0..3 {
        let before = end(&*target).await;
        let mut copying = copy(from, to).stderr(Stdio::null()).spawn().unwrap();
        while target.export(before).await.unwrap().is_empty() {
            assert_eq!(copying.try_wait().unwrap(), None, "it ended and brought nothing");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        copying.kill().unwrap();
        copying.wait().unwrap();
    }
    assert!(exported(&*target).await.len() < MANY, "the copies came to their end");
    target.close().await;
}

/// The place of the last document; none in an empty store.
async fn end(store: &dyn Transfer) -> Option<Cursor> {
    let mut last = None;
    while let Some((cursor, _)) = store.export(last).await.unwrap().last() {
        last = Some(*cursor);
    }
    last
}
