//! PostgreSQL over TLS: who is spoken to, and whether nobody listens.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use copydesk::store::postgres::{PostgresOptions, PostgresStore, PostgresUrl};
use copydesk::store::{Outcome, Store, StoreError, View};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sqlx::{Executor, Row};
use tempfile::TempDir;

use crate::behaviour::{document, ingest};
use crate::postgres_server::{Database, Server};

/// Signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for a name, of a host or a user, and its key, in PEM.
    fn certify(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A database that is reached by TLS as `localhost`, and the files that clients know it by.
struct Guarded {
    server: Arc<Server>,
    database: Database,
    files: TempDir,
}

impl Guarded {
    /// None where PostgreSQL is not installed.
    async fn start() -> Option<Self> {
        let authority = Authority::new();
        let (certificate, key) = authority.certify("localhost");
        let server = Arc::new(Server::with_tls(&certificate, &key, &authority.0.pem())?);
        let files = tempfile::tempdir().unwrap();
        let (user, user_key) = authority.certify("desk");
        let (stranger, stranger_key) = Authority::new().certify("desk");
        for (name, pem) in [
            ("root.crt", authority.0.pem()),
            ("other.crt", Authority::new().0.pem()),
            ("desk.crt", user),
            ("desk.key", user_key),
            ("stranger.crt", stranger),
            ("stranger.key", stranger_key),
        ] {
            std::fs::write(files.path().join(name), pem).unwrap();
        }
        let database = server.database().await;
        Some(Self { server, database, files })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Opens the store by TCP.
    async fn open(
        &self,
        user: &str,
        host: &str,
        parameters: &[(&str, &str)],
    ) -> Result<PostgresStore, StoreError> {
        let (_, name) = self.database.url.rsplit_once('/').unwrap();
        let parameters: Vec<String> = (parameters.iter())
            .map(|(key, value)| match *key {
                "sslmode" => format!("sslmode={value}"),
                _ => format!("{key}={}", self.file(value).display()),
            })
            .collect();
        let url = format!("postgres://{user}@{host}:{}/{name}?{}", self.server.port(), parameters.join("&"));
        let options = PostgresOptions { wait: Duration::from_secs(5), ..PostgresOptions::default() };
        PostgresStore::open(&PostgresUrl::new(url), options).await
    }
}

const VERIFIED: [(&str, &str); 2] = [("sslmode", "verify-full"), ("sslrootcert", "root.crt")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_kept_over_verified_tls_also_after_a_restart() {
    let Some(guarded) = Guarded::start().await else { return };
    let store = guarded.open("postgres", "localhost", &VERIFIED).await.unwrap();
    let kept = ingest(&store, document("a", "1")).await.unwrap().document;
    assert_eq!(store.get("news", "a", View::Full).await.unwrap(), kept);
    assert!(all_encrypted(&guarded.database).await);

    guarded.server.down();
    assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
    guarded.server.up();
    store.check().await.unwrap();
    assert_eq!(store.get("news", "a", View::Full).await.unwrap(), kept);
    assert_eq!(ingest(&store, document("b", "1")).await.unwrap().outcome, Outcome::Created);
    assert!(all_encrypted(&guarded.database).await);
}

/// Whether copydesk is connected, and by TLS alone.
async fn all_encrypted(database: &Database) -> bool {
    let connections = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE datname = current_database() AND application_name = 'copydesk'";
    database.connect().await.fetch_one(connections).await.unwrap().get::<Option<bool>, _>(0) == Some(true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_who_it_should_be_is_not_spoken_to() {
    let Some(guarded) = Guarded::start().await else { return };
    for (host, parameters) in [
        // Signed by an authority that is not trusted: the one in the file, or none of the system's.
        ("localhost", &[("sslmode", "verify-full"), ("sslrootcert", "other.crt")][..]),
        ("localhost", &[("sslmode", "verify-full")]),
        // Another name than the certificate's.
        ("127.0.0.1", &VERIFIED),
        // Not encrypted, and this server wants it to be.
        ("localhost", &[("sslmode", "disable")]),
    ] {
        let refused = guarded.open("postgres", host, parameters).await.err();
        let why = refused.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{host} {parameters:?}: {refused:?}");
        assert!(why.contains(&format!("postgres://{host}:")), "{why}");
    }
    // Without the name, or without a wish for encryption, it is let in and encrypted.
    let authority_alone = [("sslmode", "verify-ca"), ("sslrootcert", "root.crt")];
    for (host, parameters) in [("127.0.0.1", &authority_alone[..]), ("localhost", &[])] {
        let store = guarded.open("postgres", host, parameters).await.unwrap();
        store.check().await.unwrap();
        assert!(all_encrypted(&guarded.database).await);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_may_be_known_by_a_certificate() {
    let Some(guarded) = Guarded::start().await else { return };
    guarded
        .database
        .connect()
        .await
        .execute("CREATE USER desk; GRANT ALL ON SCHEMA public TO desk")
        .await
        .unwrap();
    let with = |certificate, key| [&VERIFIED[..], &[("sslcert", certificate), ("sslkey", key)]].concat();
    let store = guarded.open("desk", "localhost", &with("desk.crt", "desk.key")).await.unwrap();
    assert_eq!(ingest(&store, document("a", "1")).await.unwrap().outcome, Outcome::Created);
    for parameters in [with("stranger.crt", "stranger.key"), VERIFIED.to_vec()] {
        let refused = guarded.open("desk", "localhost", &parameters).await.err();
        assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{parameters:?}: {refused:?}");
    }
}
