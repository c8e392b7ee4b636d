//! copydesk: articles as they come off the web in, analysed articles out.
//!
//! The modules from the ground floor up; each uses only those before it:
//!
//! - [`document`]: the domain's own types
//! - [`text`]: language, sentences, tokens, offsets
//! - [`model`]: how trained weights are stored
//! - [`readings`]: what was read in public texts, for training
//! - [`extract`]: the article in a page
//! - [`entities`], [`quotes`], [`dates`], [`keyphrases`], [`summary`], [`topics`]: one analysis each
//! - [`analyzer`]: the chosen analyses over one document
//! - [`evaluate`]: how well that goes, on documents whose right answers are known
//! - [`store`]: where documents are kept
//! - [`access`]: who calls, and what they may do
//! - [`telemetry`]: logs and metrics
//! - [`pool`]: the threads that the engine runs on
//! - [`api`]: the contract: messages, validation, conversion, the RPCs
//! - [`config`]: flags and environment variables, validated into one whole
//! - [`middleware`]: what every call passes through
//! - [`server`]: the service as a whole
//! - [`cli`]: the commands

pub mod access;
pub mod analyzer;
pub mod api;
pub mod cli;
pub mod config;
pub mod dates;
pub mod document;
pub mod entities;
pub mod evaluate;
pub mod extract;
pub mod keyphrases;
pub mod middleware;
pub mod model;
pub mod pool;
pub mod quotes;
pub mod readings;
pub mod server;
pub mod store;
pub mod summary;
pub mod telemetry;
pub mod text;
pub mod topics;
