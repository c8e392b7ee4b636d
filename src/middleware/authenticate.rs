//! Finds out who calls, and turns away those who may not call this method whatever they ask of it.
//! Which corpora a caller may touch is seen to where the request is understood (`api/guard.rs`).
//!
//! A call has the rights that it began with. A stream may go on for hours, and so ends when they do.

use std::future::pending;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::{Call, errors, streams};
use crate::access::{Caller, Grants, Identity, Need, Principals, Tokens, Unknown};
use crate::api::error::ApiError;

/// The other end of a connection; in the extensions of every request.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: IpAddr,
    /// What the client's certificate calls it, if it has one that was verified.
    pub certificate: Arc<[String]>,
}

/// All that callers may be known by.
#[derive(Debug, Default)]
pub struct Authenticator {
    pub principals: Option<watch::Receiver<Arc<Principals>>>,
    pub tokens: Option<watch::Receiver<Arc<Tokens>>>,
    /// Whether every connection has a verified certificate.
    pub mutual_tls: bool,
}

impl Authenticator {
    /// Whether nobody may call whom nothing is known of.
    pub fn wants_credentials(&self) -> bool {
        self.principals.is_some() || self.tokens.is_some() || self.mutual_tls
    }

    /// Who sent these headers `authorization`, as the files are now.
    fn identify(&self, sent: &[HeaderValue], peer: &Peer) -> Result<Identity, Unknown> {
        if self.principals.is_none() && self.tokens.is_none() {
            return Ok(self.without_files(peer));
        }
        let credential = match sent {
            [] => {
                // A certificate that nobody has is no credential.
                let principals = self.principals.as_ref().ok_or(Unknown::Missing)?;
                return principals.borrow().by_certificate(&peer.certificate).ok_or(Unknown::Missing);
            }
            [credential] => credential.to_str().ok().and_then(bearer).ok_or(Unknown::Invalid)?,
            // Of two, another server might have taken the other one.
            _ => return Err(Unknown::Invalid),
        };
        // Tokens have dots, keys have none.
        if credential.contains('.') {
            self.tokens.as_ref().ok_or(Unknown::Invalid)?.borrow().identify(credential)
        } else {
            let principals = self.principals.as_ref().ok_or(Unknown::Invalid)?;
            principals.borrow().by_key(credential).ok_or(Unknown::Invalid)
        }
    }

    /// Everyone who gets as far as this may do everything.
    fn without_files(&self, peer: &Peer) -> Identity {
        let name = match peer.certificate.first() {
            Some(name) if self.mutual_tls => format!("certificate:{name}"),
            _ => format!("address:{}", network(peer.address)),
        };
        Identity { name: name.into(), grants: Arc::new(Grants::everything()), until: None }
    }

    /// Waits until somebody has lost rights that they had, and says which. What they have got since
    /// holds for their next call.
    async fn rights_are_lost(self: Arc<Self>, had: Identity, sent: Vec<HeaderValue>, peer: Peer) -> ApiError {
        let (mut principals, mut tokens) = (self.principals.clone(), self.tokens.clone());
        loop {
            tokio::select! {
                () = is_past(had.until) => return ApiError::Unauthenticated(Unknown::Expired),
                () = is_exchanged(&mut principals) => {}
                () = is_exchanged(&mut tokens) => {}
            }
            match self.identify(&sent, &peer) {
                Err(unknown) => return ApiError::Unauthenticated(unknown),
                Ok(now) if now.name != had.name => return ApiError::Unauthenticated(Unknown::Invalid),
                Ok(now) => {
                    if let Some(scope) = now.grants.lost_since(&had.grants) {
                        return ApiError::ScopeMissing(scope);
                    }
                }
            }
        }
    }
}

async fn is_past(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => pending().await,
    }
}

/// Waits for what takes a file's place.
async fn is_exchanged<T>(file: &mut Option<watch::Receiver<T>>) {
    if let Some(file) = file
        && file.changed().await.is_ok()
    {
        return;
    }
    pending().await
}

/// What follows the word "Bearer" (RFC 6750).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, credential) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(credential.trim())
}

/// The address, and of IPv6 the network (/64) that one client has to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// The layer.
pub async fn authenticate(
    State(authenticator): State<Arc<Authenticator>>,
    Extension(call): Extension<Call>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    if call.method.need == Need::Nothing {
        return next.run(request).await;
    }
    let sent: Vec<HeaderValue> = request.headers().get_all(AUTHORIZATION).iter().cloned().collect();
    let identity = match authenticator.identify(&sent, &peer) {
        Ok(identity) => identity,
        Err(unknown) => return errors::respond(ApiError::Unauthenticated(unknown)),
    };
    call.is_by(&identity.name);
    if let Some(scope) = identity.grants.missing(call.method.need) {
        return errors::respond(ApiError::ScopeMissing(scope));
    }
    // Nothing further in needs it, and so nothing can let it out.
    request.headers_mut().remove(AUTHORIZATION);
    request.extensions_mut().insert(Caller { identity: identity.clone(), allowance: None });
    if call.method.streaming {
        let end = authenticator.rights_are_lost(identity, sent, peer);
        return streams::run_until(end, request, next).await;
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_follows_the_word_bearer() {
        assert_eq!(bearer("Bearer cdk_x"), Some("cdk_x"));
        assert_eq!(bearer("bearer  a.b.c"), Some("a.b.c"));
        for other in ["cdk_x", "Basic eDp5", "Bearer"] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }

    #[test]
    fn a_client_cannot_multiply_by_its_addresses() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:10.0.0.7"), "10.0.0.7");
        assert_eq!(of("10.0.0.7"), "10.0.0.7");
    }
}
