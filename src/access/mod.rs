//! Who calls, and what they may do.
//!
//! A [`Caller`] is known by a key or a certificate ([`Principals`]) or by a token that somebody
//! signed for them ([`Tokens`]), and may do what their [`Grants`] say, as often as their
//! [`Allowance`] lasts.

mod grants;
mod principals;
mod quota;
mod tokens;
mod verified;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use grants::{Grants, InvalidGrant, Need, Scope, is_corpus};
pub use principals::{InvalidPrincipals, NewKey, Principals};
pub use quota::{Allowance, Quota};
pub use tokens::{InvalidJwks, TokenRules, Tokens};

/// Somebody with what they may do.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Fit for logs. Principals of the file are called as there; others have a prefix, as
    /// `token:feed-7`.
    pub name: Arc<str>,
    pub grants: Arc<Grants>,
    /// When that ends by itself; none: never.
    pub until: Option<Instant>,
}

/// Who makes a call; a request carries it among its extensions.
#[derive(Clone, Debug)]
pub struct Caller {
    pub identity: Identity,
    /// None: as often as they like.
    pub allowance: Option<Allowance>,
}

/// Nobody, who may do nothing: what a request has that passed no layer.
impl Default for Caller {
    fn default() -> Self {
        let identity = Identity { name: "nobody".into(), grants: Arc::default(), until: None };
        Self { identity, allowance: None }
    }
}

/// Why somebody is not known. Which part of a credential is wrong is for the log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// There is no credential.
    Missing,
    /// It is not as it should be, or nobody's.
    Invalid,
    /// It was good once.
    Expired,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "send a key or a token as \"authorization: Bearer …\"",
            Self::Invalid => "the credentials are not valid",
            Self::Expired => "the token has expired",
        })
    }
}
