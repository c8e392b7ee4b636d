//! All errors, and the one place where they become a `tonic::Status`.
//!
//! Every status carries an `ErrorInfo` with the domain `copydesk` and a reason that stays the
//! same from version to version; the reasons are part of the contract.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::v1;
use crate::access::{Scope, Unknown};
use crate::analyzer::Stopped;
use crate::pool::PoolError;
use crate::store::StoreError;

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "copydesk";

/// How long a client should wait before it tries again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A field that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path within the request, as `document.content`.
    pub field: String,
    /// What was wrong and what would be right.
    pub description: String,
}

/// Beyond so many bytes no more violations are named. They are sent among the headers, in words twice and once as
/// details, and some clients take no more than 8 KiB of headers.
const ENOUGH_VIOLATION_BYTES: usize = 768;

/// How much of a client's own value an error repeats.
const MAX_SHOWN_CHARACTERS: usize = 64;

/// The fields of a request that were wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    named: Vec<Violation>,
    bytes: usize,
    /// How many more there were than could be named.
    unnamed: usize,
}

impl Violations {
    /// Adds one, which is counted only where there is no room to name it.
    pub fn add(&mut self, field: impl fmt::Display, description: impl fmt::Display) {
        if self.bytes >= ENOUGH_VIOLATION_BYTES {
            self.unnamed += 1;
            return;
        }
        let violation = Violation { field: field.to_string(), description: description.to_string() };
        self.bytes += violation.field.len() + violation.description.len();
        self.named.push(violation);
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Violation { field, description }) in self.named.iter().enumerate() {
            write!(f, "{}{field}: {description}", if place > 0 { "; " } else { "" })?;
        }
        match self.unnamed {
            0 => Ok(()),
            unnamed => write!(f, "; and {unnamed} more"),
        }
    }
}

/// Why a call, or one document of several, was not handled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    Invalid(Violations),
    #[error("the request id {0:?} was used for another request")]
    RequestIdReused(String),
    #[error("there is no document {0:?}")]
    DocumentNotFound(String),
    #[error("there is no corpus {0:?}")]
    CorpusNotFound(String),
    #[error("there is no taxonomy {0:?}; ListTaxonomies lists those there are")]
    TaxonomyNotFound(String),
    #[error("the document has changed: its etag is {current:?}; read it again and decide anew")]
    StaleEtag { current: String },
    #[error("{0}")]
    Unauthenticated(Unknown),
    #[error("this needs the scope {:?}", .0.name())]
    ScopeMissing(Scope),
    #[error("the quota of {caller:?} is used up; try again in {wait:?}")]
    QuotaExceeded { caller: Arc<str>, wait: Duration },
    #[error("the server is full; try again later")]
    Overloaded,
    #[error("the server is going away; try again, another one will answer")]
    Draining,
    #[error("the store is not available; try again later")]
    StoreUnavailable,
    #[error("{0}")]
    MalformedMessage(String),
    #[error("{0}")]
    MessageTooLarge(String),
    #[error("{0}")]
    UnsupportedCompression(String),
    #[error("there is no such method")]
    UnknownMethod,
    #[error("grpc-timeout is not as gRPC writes it")]
    InvalidTimeout,
    #[error("the deadline passed")]
    DeadlineExceeded,
    #[error("the request did not come to its end within {0:?}")]
    RequestTooSlow(Duration),
    #[error("the caller has gone away")]
    Cancelled,
    /// What a service that is not ours says, as health or reflection.
    #[error("{message}")]
    Foreign { code: Code, message: String },
    #[error("an internal error; the log has more under the request id {request_id:?}")]
    Internal { request_id: String },
}

/// A client's own value as errors show it: quoted, and its beginning alone where it is long.
pub fn shown(value: &str) -> String {
    let beginning = beginning(value);
    format!("{beginning:?}{}", if beginning.len() < value.len() { "…" } else { "" })
}

fn beginning(value: &str) -> &str {
    value.char_indices().nth(MAX_SHOWN_CHARACTERS).map_or(value, |(end, _)| &value[..end])
}

impl ApiError {
    /// One wrong field.
    pub fn invalid(field: impl fmt::Display, description: impl fmt::Display) -> Self {
        let mut violations = Violations::default();
        violations.add(field, description);
        Self::Invalid(violations)
    }

    /// A taxonomy that there is not. Those there are have ids that are not cut here.
    pub fn taxonomy_not_found(id: &str) -> Self {
        Self::TaxonomyNotFound(beginning(id).to_owned())
    }

    /// A bug whose insides are logged here and not told to the client.
    pub fn internal(insides: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %insides, "internal error");
        Self::Internal { request_id: String::new() }
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Invalid(_)
            | Self::RequestIdReused(_)
            | Self::MalformedMessage(_)
            | Self::InvalidTimeout => Code::InvalidArgument,
            Self::DocumentNotFound(_) | Self::CorpusNotFound(_) | Self::TaxonomyNotFound(_) => Code::NotFound,
            Self::Unauthenticated(_) => Code::Unauthenticated,
            Self::ScopeMissing(_) => Code::PermissionDenied,
            Self::StaleEtag { .. } => Code::Aborted,
            Self::Overloaded | Self::Draining | Self::StoreUnavailable => Code::Unavailable,
            Self::MessageTooLarge(_) | Self::QuotaExceeded { .. } => Code::ResourceExhausted,
            Self::UnsupportedCompression(_) | Self::UnknownMethod => Code::Unimplemented,
            Self::DeadlineExceeded | Self::RequestTooSlow(_) => Code::DeadlineExceeded,
            Self::Cancelled => Code::Cancelled,
            Self::Foreign { code, .. } => *code,
            Self::Internal { .. } => Code::Internal,
        }
    }

    /// The reason in the `ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELD",
            Self::RequestIdReused(_) => "REQUEST_ID_REUSED",
            Self::DocumentNotFound(_) => "DOCUMENT_NOT_FOUND",
            Self::CorpusNotFound(_) => "CORPUS_NOT_FOUND",
            Self::TaxonomyNotFound(_) => "TAXONOMY_NOT_FOUND",
            Self::Unauthenticated(Unknown::Missing) => "CREDENTIALS_MISSING",
            Self::Unauthenticated(Unknown::Invalid) => "CREDENTIALS_INVALID",
            Self::Unauthenticated(Unknown::Expired) => "TOKEN_EXPIRED",
            Self::ScopeMissing(_) => "SCOPE_MISSING",
            Self::QuotaExceeded { .. } => "QUOTA_EXCEEDED",
            Self::StaleEtag { .. } => "STALE_ETAG",
            Self::Overloaded => "OVERLOADED",
            Self::Draining => "DRAINING",
            Self::StoreUnavailable => "STORE_UNAVAILABLE",
            Self::MalformedMessage(_) => "MALFORMED_MESSAGE",
            Self::MessageTooLarge(_) => "MESSAGE_TOO_LARGE",
            Self::UnsupportedCompression(_) => "UNSUPPORTED_COMPRESSION",
            Self::UnknownMethod => "UNKNOWN_METHOD",
            Self::InvalidTimeout => "INVALID_TIMEOUT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::RequestTooSlow(_) => "REQUEST_TOO_SLOW",
            Self::Cancelled => "CANCELLED",
            Self::Foreign { code, .. } => code_name(*code),
            Self::Internal { .. } => "INTERNAL",
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(violations) => violations.named.clone(),
            Self::RequestIdReused(_) => {
                vec![Violation { field: "request_id".into(), description: self.to_string() }]
            }
            _ => Vec::new(),
        }
    }

    /// The error as one document's answer among several.
    pub fn to_document_error(&self) -> v1::DocumentError {
        let field_violations = self
            .violations()
            .into_iter()
            .map(|v| v1::FieldViolation { field: v.field, description: v.description });
        v1::DocumentError {
            code: self.code() as i32,
            reason: self.reason().to_owned(),
            message: self.to_string(),
            field_violations: field_violations.collect(),
        }
    }
}

/// A status as the gRPC specification spells it.
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        let mut details = ErrorDetails::new();
        details.set_error_info(error.reason(), DOMAIN, std::collections::HashMap::new());
        for violation in error.violations() {
            details.add_bad_request_violation(violation.field, violation.description);
        }
        match &error {
            ApiError::DocumentNotFound(name) => {
                details.set_resource_info("copydesk.v1.Document", name, "", error.to_string());
            }
            ApiError::CorpusNotFound(corpus) => {
                let name = format!("corpora/{corpus}");
                details.set_resource_info("copydesk.v1.Corpus", name, "", error.to_string());
            }
            ApiError::QuotaExceeded { caller, wait } => {
                details.add_quota_failure_violation(&**caller, "documents a second");
                details.set_retry_info(Some(*wait));
            }
            ApiError::TaxonomyNotFound(name) => {
                details.set_resource_info("copydesk.v1.Taxonomy", name, "", error.to_string());
            }
            ApiError::Internal { request_id } if !request_id.is_empty() => {
                details.set_request_info(request_id, "");
            }
            _ => {}
        }
        if error.code() == Code::Unavailable {
            details.set_retry_info(Some(RETRY_DELAY));
        }
        Status::with_error_details(error.code(), error.to_string(), details)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { corpus, document_id } => {
                Self::DocumentNotFound(super::names::DocumentName { corpus, document_id }.to_string())
            }
            StoreError::StaleEtag { current } => Self::StaleEtag { current },
            StoreError::RequestIdReused(id) => Self::RequestIdReused(id),
            StoreError::Unavailable(why) => {
                tracing::warn!(error = why, "the store is not available");
                Self::StoreUnavailable
            }
            StoreError::Internal(why) => Self::internal(&why),
        }
    }
}

impl From<PoolError> for ApiError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Overloaded => Self::Overloaded,
            PoolError::Stopped(Stopped::Deadline) => Self::DeadlineExceeded,
            PoolError::Stopped(Stopped::Cancelled) => Self::Cancelled,
            PoolError::Panicked => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One error of each reason.
    fn every() -> Vec<ApiError> {
        use ApiError::*;
        let every = vec![
            ApiError::invalid("document", "is required"),
            RequestIdReused(String::new()),
            DocumentNotFound(String::new()),
            CorpusNotFound(String::new()),
            TaxonomyNotFound(String::new()),
            StaleEtag { current: String::new() },
            Unauthenticated(Unknown::Missing),
            Unauthenticated(Unknown::Invalid),
            Unauthenticated(Unknown::Expired),
            ScopeMissing(Scope::Read),
            QuotaExceeded { caller: "feed".into(), wait: Duration::ZERO },
            Overloaded,
            Draining,
            StoreUnavailable,
            MalformedMessage(String::new()),
            MessageTooLarge(String::new()),
            UnsupportedCompression(String::new()),
            UnknownMethod,
            InvalidTimeout,
            DeadlineExceeded,
            RequestTooSlow(Duration::ZERO),
            Cancelled,
            Internal { request_id: String::new() },
        ];
        for error in &every {
            // A variant that is missing here is missing above, too.
            match error {
                Invalid(_) | RequestIdReused(_) | DocumentNotFound(_) | CorpusNotFound(_) => {}
                TaxonomyNotFound(_) | StaleEtag { .. } | Unauthenticated(_) | ScopeMissing(_) => {}
                QuotaExceeded { .. } | Overloaded | Draining | StoreUnavailable | MalformedMessage(_) => {}
                MessageTooLarge(_) | UnsupportedCompression(_) | UnknownMethod | InvalidTimeout => {}
                DeadlineExceeded | RequestTooSlow(_) | Cancelled | Internal { .. } => {}
                // Its reason is its status.
                Foreign { .. } => {}
            }
        }
        every
    }

    #[test]
    fn the_documentation_lists_every_reason_with_its_status() {
        let table = include_str!("../../docs/api.md")
            .lines()
            .skip_while(|line| *line != "| reason | status | what to do |");
        let mut listed = BTreeSet::new();
        for row in table.skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            listed.extend(cells[1].split(", ").map(|reason| (reason, cells[2])));
        }
        let every = every();
        let ours: BTreeSet<_> = every.iter().map(|error| (error.reason(), code_name(error.code()))).collect();
        assert_eq!(listed, ours);
    }
}
