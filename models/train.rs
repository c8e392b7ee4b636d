//! Trains one model from the data sets and writes it beside this file.
//!
//!     cargo run --release --example train -- entities ../shared/data
//!
//! The same data and code give the same bytes. The model of entities can be trained without some
//! of its evidence, to see what that gives: `entities ../shared/data clusters document`.
//!
//! `pages-left-out` and `summaries-left-out` print what models find in the sets' HTML pages and articles
//! that were trained on others, for `copydesk evaluate --predictions`.

use std::error::Error;
use std::path::{Path, PathBuf};

use copydesk::document::Span;
use copydesk::{entities, extract, keyphrases, summary, topics};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, data, without @ ..] = arguments.as_slice() else {
        return Err(
            "usage: train lines|pages|metadata|entities|keyphrases|summary|topics DATA_DIRECTORY [WITHOUT...], \
             or train pages-left-out|summaries-left-out DATA_DIRECTORY"
                .into()
        );
    };
    let data = Path::new(data);
    let model = match task.as_str() {
        "lines" => extract::plain::train::train(data)?,
        "pages" => extract::html::train::train(data)?,
        "metadata" => extract::html::metadata::train::train(data)?,
        "entities" => entities::train::train(data, without)?,
        "keyphrases" => keyphrases::train::train(data)?,
        "summary" => summary::train::train(data)?,
        "topics" => topics::train::train(data)?,
        "pages-left-out" => return print_pages_left_out(data),
        "summaries-left-out" => return print_summaries_left_out(data),
        _ => return Err(format!("no model is called {task:?}").into()),
    };
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("models/{task}.bin"));
    std::fs::write(&path, &model)?;
    println!("{}: {} bytes, {}", path.display(), model.len(), copydesk::model::digest(&model));
    Ok(())
}

/// Prints the HTML pages' articles as models find them that never saw their sites, a line each as
/// `copydesk analyze` gives them, for `copydesk evaluate --predictions`.
fn print_pages_left_out(data: &Path) -> Result<(), Box<dyn Error>> {
    for (id, article) in extract::html::train::left_out(data)? {
        let document = json!({
            "title": article.title,
            "text": article.text,
            "authors": article.authors,
            "publishTime": article.publish_time.map(|time| time.to_string()).unwrap_or_default(),
        });
        println!("{}", json!({ "id": id, "document": document }));
    }
    Ok(())
}

/// Prints the summaries of articles with references as models choose them that saw neither, likewise.
fn print_summaries_left_out(data: &Path) -> Result<(), Box<dyn Error>> {
    for summary in summary::train::left_out(data)? {
        let characters = |byte: usize| summary.text[..byte].chars().count();
        let sentence = |span: &Span| {
            let (begin, end) = (characters(span.begin), characters(span.end));
            json!({ "span": { "begin": begin, "end": end, "text": span.of(&summary.text) } })
        };
        let sentences: Vec<_> = summary.sentences.iter().map(sentence).collect();
        println!("{}", json!({ "id": summary.id, "summary": { "sentences": sentences } }));
    }
    Ok(())
}
