//! Gives every call its identity: a request id, and the method that it calls.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use prost::Message;
use prost_types::FileDescriptorSet;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::access::Need;

/// Carries the request id, from the client and back to it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is taken from a client, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// What is known of a call before it is looked into; in the extensions of every request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Visible ASCII.
    pub request_id: Arc<str>,
    pub method: Arc<Method>,
    /// Who calls, once that is known.
    principal: Arc<OnceLock<Arc<str>>>,
}

impl Call {
    /// Notes who calls, for the log.
    pub fn is_by(&self, principal: &Arc<str>) {
        // Found out once in each call.
        let _ = self.principal.set(Arc::clone(principal));
    }

    /// Who calls; empty where that is not known.
    pub fn principal(&self) -> &str {
        self.principal.get().map_or("", |principal| principal)
    }
}

/// One RPC.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// Full name, as `copydesk.v1.DocumentService`.
    pub service: Arc<str>,
    pub name: Arc<str>,
    /// Both, as OpenTelemetry has it: `copydesk.v1.DocumentService/GetDocument`.
    pub full_name: Arc<str>,
    /// Whether either side sends more than one message.
    pub streaming: bool,
    /// Whether the client does.
    pub client_streaming: bool,
    /// Called by machines every few seconds: logged for debugging only.
    pub routine: bool,
    /// What its callers must have.
    pub need: Need,
}

/// The methods that the server has, by path. All others share one name, so that a client cannot
/// fill the metrics with names it made up.
#[derive(Clone, Debug)]
pub struct Methods {
    by_path: FxHashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
}

impl Default for Methods {
    fn default() -> Self {
        let unknown = Method {
            service: "unknown".into(),
            name: "unknown".into(),
            full_name: "_OTHER".into(),
            streaming: false,
            client_streaming: false,
            routine: false,
            // Only those who are known are told what there is not.
            need: Need::Name,
        };
        Self { by_path: FxHashMap::default(), unknown: Arc::new(unknown) }
    }
}

impl Methods {
    /// Adds all methods of an encoded `google.protobuf.FileDescriptorSet`; `need` says by their
    /// names what their callers must have.
    ///
    /// # Errors
    /// If it is none.
    pub fn with(
        mut self,
        descriptor_set: &[u8],
        routine: bool,
        need: impl Fn(&str) -> Need,
    ) -> Result<Self, prost::DecodeError> {
        for file in FileDescriptorSet::decode(descriptor_set)?.file {
            for service in &file.service {
                let service_name: Arc<str> = format!("{}.{}", file.package(), service.name()).into();
                for method in &service.method {
                    let full_name = format!("{service_name}/{}", method.name());
                    let path = format!("/{full_name}");
                    let method = Method {
                        service: Arc::clone(&service_name),
                        name: method.name().into(),
                        full_name: full_name.into(),
                        streaming: method.client_streaming() || method.server_streaming(),
                        client_streaming: method.client_streaming(),
                        routine,
                        need: need(method.name()),
                    };
                    self.by_path.insert(path, Arc::new(method));
                }
            }
        }
        Ok(self)
    }

    fn find(&self, path: &str) -> Arc<Method> {
        Arc::clone(self.by_path.get(path).unwrap_or(&self.unknown))
    }
}

/// The layer: puts a [`Call`] into the request, and the request id into both headers.
pub async fn identify(State(methods): State<Arc<Methods>>, mut request: Request, next: Next) -> Response {
    let header = request
        .headers()
        .get(&REQUEST_ID)
        .filter(|id| is_sane(id.as_bytes()))
        .cloned()
        .unwrap_or_else(fresh_request_id);
    let call = Call {
        // Sane ids are visible ASCII, so this never falls back.
        request_id: header.to_str().unwrap_or_default().into(),
        method: methods.find(request.uri().path()),
        principal: Arc::default(),
    };
    request.headers_mut().insert(REQUEST_ID, header.clone());
    request.extensions_mut().insert(call);
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, header);
    response
}

/// Whether an id may stand in logs as it is.
fn is_sane(id: &[u8]) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

fn fresh_request_id() -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    // Hexadecimal digits and hyphens are always a header's value.
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_that_would_spoil_a_log_are_not_taken() {
        assert!(is_sane(b"5f2c-feed/7"));
        for bad in [&b""[..], b"two words", b"caf\xc3\xa9", b"line\nbreak", &[b'a'; 129]] {
            assert!(!is_sane(bad), "{bad:?}");
        }
        assert!(is_sane(fresh_request_id().as_bytes()));
    }

    #[test]
    fn methods_are_known_with_their_streaming() {
        let methods = Methods::default();
        let methods = methods.with(crate::api::FILE_DESCRIPTOR_SET, false, crate::api::need).unwrap();
        let methods = methods.with(tonic_health::pb::FILE_DESCRIPTOR_SET, true, |_| Need::Nothing).unwrap();
        let streaming = |path| {
            let method = methods.find(path);
            (method.streaming, method.client_streaming)
        };
        assert_eq!(streaming("/copydesk.v1.DocumentService/GetDocument"), (false, false));
        assert_eq!(streaming("/copydesk.v1.DocumentService/StreamIngestDocuments"), (true, true));
        assert_eq!(streaming("/grpc.health.v1.Health/Watch"), (true, false));
        assert_eq!(&*methods.find("/copydesk.v1.DocumentService/Nonsense").service, "unknown");
        for method in methods.by_path.values() {
            assert_ne!(method.need, Need::Everything, "api::need does not know {method:?}");
        }
    }
}
