//! Compiles the protos without protoc: messages and services by prost and tonic, their proto3
//! JSON by pbjson, and the descriptor set for reflection.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;

const PROTOS: [&str; 6] = [
    "copydesk/v1/analysis.proto",
    "copydesk/v1/analysis_service.proto",
    "copydesk/v1/document.proto",
    "copydesk/v1/document_service.proto",
    "copydesk/v1/server_info_service.proto",
    "copydesk/v1/taxonomy_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    // `sqlx::migrate!` reads them while the crate is compiled.
    println!("cargo::rerun-if-changed=src/store/migrations");
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    let encoded = descriptors.encode_to_vec();
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("copydesk.v1.fds"), &encoded)?;

    tonic_prost_build::configure()
        .compile_well_known_types(true)
        // Labels in one order, so that the same document gives the same bytes.
        .btree_map(".")
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.btree_map(["."]).build(&[".copydesk.v1"])?;
    Ok(())
}
