//! Trains one model from the data sets and writes it beside this file.
//!
//!     cargo run --release --example train -- entities ../shared/data
//!
//! The same data and code give the same bytes. The model of entities can be trained without some
//! of its evidence, to see what that gives: `entities ../shared/data clusters document`.

use std::error::Error;
use std::path::{Path, PathBuf};

use copydesk::{entities, extract, keyphrases, summary, topics};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, data, without @ ..] = arguments.as_slice() else {
        return Err(
            "usage: train lines|pages|left-out|metadata|entities|keyphrases|summary|topics DATA_DIRECTORY [WITHOUT...]".into()
        );
    };
    let data = Path::new(data);
    if task == "left-out" {
        return write_left_out(data);
    }
    let model = match task.as_str() {
        "lines" => extract::plain::train::train(data)?,
        "pages" => extract::html::train::train(data)?,
        "metadata" => extract::html::metadata::train::train(data)?,
        "entities" => entities::train::train(data, without)?,
        "keyphrases" => keyphrases::train::train(data)?,
        "summary" => summary::train::train(data)?,
        "topics" => topics::train::train(data)?,
        _ => return Err(format!("no model is called {task:?}").into()),
    };
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("models/{task}.bin"));
    std::fs::write(&path, &model)?;
    println!("{}: {} bytes, {}", path.display(), model.len(), copydesk::model::digest(&model));
    Ok(())
}

/// Prints the HTML pages' articles as models find them that never saw their sites, a line each as
/// `copydesk analyze` gives them, for `copydesk evaluate --predictions`.
fn write_left_out(data: &Path) -> Result<(), Box<dyn Error>> {
    for (id, article) in extract::html::train::left_out(data)? {
        let document = serde_json::json!({
            "title": article.title,
            "text": article.text,
            "authors": article.authors,
            "publishTime": article.publish_time.map(|time| time.to_string()).unwrap_or_default(),
        });
        println!("{}", serde_json::json!({ "id": id, "document": document }));
    }
    Ok(())
}
