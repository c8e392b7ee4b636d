//! TLS of the port for gRPC, by rustls with ring: from files to what a handshake needs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, ServerConnection};
use webpki::EndEntityCert;

use super::ServerError;
use super::expiry::not_after;
use super::reload::{self, Source};
use crate::config::TlsFiles;

/// The one protocol that is spoken inside.
const HTTP2: &[u8] = b"h2";

/// Why files give no TLS. What a file holds is never told: it may be a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}")]
    Unreadable(#[from] reload::Unreadable),
    #[error("{}: there is no certificate in it, or it is no PEM", .0.display())]
    NoCertificate(PathBuf),
    #[error("{}: there is no private key in it, or it is no PEM", .0.display())]
    NoKey(PathBuf),
    #[error("{}: {source}", path.display())]
    BadAuthority { path: PathBuf, source: rustls::Error },
    #[error("{} and {}: {source}", certificate.display(), key.display())]
    BadPair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("{0}")]
    Rustls(String),
}

/// What the files make now, and whatever they are exchanged for while the server runs.
///
/// # Errors
/// If they are wrong now.
pub fn follow(files: TlsFiles, check: Duration) -> Result<watch::Receiver<Arc<ServerConfig>>, ServerError> {
    let paths = [&files.certificate, &files.key].into_iter().chain(&files.client_authorities);
    let source = Source {
        name: "certificates",
        files: paths.cloned().collect(),
        read: Box::new(move || read(&files).map_err(|error| error.to_string())),
    };
    source.follow(Some(check)).map_err(ServerError::Security)
}

/// Reads and checks everything: certificates that are whole, and a key that is theirs.
///
/// # Errors
/// Names the file that is wrong.
fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(default_provider());
    let failed = |error: &dyn std::fmt::Display| TlsError::Rustls(error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let builder = match &files.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                let bad = |source| TlsError::BadAuthority { path: path.clone(), source };
                roots.add(authority).map_err(bad)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| failed(&error))?)
        }
    };
    let pem = reload::read_file(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(files.key.clone()))?;
    let chain = certificates(&files.certificate)?;
    let expiry = chain.iter().filter_map(|certificate| not_after(certificate)).min();
    let mut config = builder.with_single_cert(chain, key).map_err(|source| TlsError::BadPair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    })?;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    if let Some(seconds) = expiry {
        gauge!("copydesk_tls_certificate_expiry_timestamp_seconds").set(seconds as f64);
    }
    Ok(config)
}

/// What the client's certificate calls it: its URIs (as SPIFFE has them), its DNS names, and
/// `sha256:` with the digest of the whole certificate. Empty where there is none.
pub fn names(connection: &ServerConnection) -> Arc<[String]> {
    let Some([certificate, ..]) = connection.peer_certificates() else { return Arc::default() };
    let digest = Sha256::digest(certificate);
    let mut names = Vec::new();
    // It was read when it was verified.
    if let Ok(read) = EndEntityCert::try_from(certificate) {
        names.extend(read.valid_uri_names().chain(read.valid_dns_names()).map(str::to_owned));
    }
    names.push(digest.iter().fold(String::from("sha256:"), |text, byte| format!("{text}{byte:02x}")));
    names.into()
}

/// All certificates of a file, of which there is at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = reload::read_file(path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    read.ok().filter(|found| !found.is_empty()).ok_or_else(|| TlsError::NoCertificate(path.to_owned()))
}
