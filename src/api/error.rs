//! The one place where an error becomes a `tonic::Status`.
//!
//! Every status carries an `ErrorInfo` with the domain `copydesk` and a reason that stays the
//! same from version to version; the reasons are part of the contract.

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
pub const DOMAIN: &str = "copydesk";

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

/// Why a call, or one document of several, was not handled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("{}", describe(.0))]
    Invalid(Vec<Violation>),
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
    #[error("the message is larger than {limit} bytes")]
    MessageTooLarge { limit: usize },
    #[error("the deadline passed")]
    DeadlineExceeded,
    #[error("the caller has gone away")]
    Cancelled,
    #[error("an internal error; the log has more under the request id {request_id:?}")]
    Internal { request_id: String },
}

fn describe(violations: &[Violation]) -> String {
    let all: Vec<String> = violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect();
    all.join("; ")
}

impl ApiError {
    /// One wrong field.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation { field: field.into(), description: description.into() }])
    }

    /// A bug whose insides are logged here and not told to the client.
    pub fn internal(insides: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %insides, "internal error");
        Self::Internal { request_id: String::new() }
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Invalid(_) | Self::RequestIdReused(_) => Code::InvalidArgument,
            Self::DocumentNotFound(_) | Self::CorpusNotFound(_) | Self::TaxonomyNotFound(_) => Code::NotFound,
            Self::Unauthenticated(_) => Code::Unauthenticated,
            Self::ScopeMissing(_) => Code::PermissionDenied,
            Self::StaleEtag { .. } => Code::Aborted,
            Self::Overloaded | Self::Draining | Self::StoreUnavailable => Code::Unavailable,
            Self::MessageTooLarge { .. } | Self::QuotaExceeded { .. } => Code::ResourceExhausted,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
            Self::Cancelled => Code::Cancelled,
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
            Self::MessageTooLarge { .. } => "MESSAGE_TOO_LARGE",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Cancelled => "CANCELLED",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
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
