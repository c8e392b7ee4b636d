//! What a call costs beyond the engine: CPU time of `copydesk serve` for an `AnalyzeDocument` of a 600-word
//! article, without TLS and credentials, by TLS with a key, and by TLS with a token, each against the
//! engine alone on the same articles. They take turns, as a service has it: a processor learns one article
//! by heart.
//!
//!     cargo bench --bench secure_call
//!
//! The server is a process of its own, so that the client's work does not count; its CPU time is read
//! from `/proc/PID/task/*/schedstat`. All cores are busy in both cases, since a core that is half idle
//! does more in a second. Short rounds of all four take turns, and the median of each round's ratio counts,
//! so that other work on the machine matters little. The last column sets the server's whole time against
//! that of its own engine threads, which convert the answer, too.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use copydesk::access::NewKey;
use copydesk::analyzer::{Analyzer, Checkpoint, Feature, Options};
use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::analyze_document_request::Source as From;
use copydesk::document::{Content, Source};
use copydesk::extract::Mode;
use cpu_time::ProcessTime;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Articles of several kinds.
const ARTICLES: [&str; 10] = [
    include_str!("../tests/golden_articles/court_case.txt"),
    include_str!("../tests/golden_articles/election.txt"),
    include_str!("../tests/golden_articles/explainer.txt"),
    include_str!("../tests/golden_articles/interview.txt"),
    include_str!("../tests/golden_articles/listicle.txt"),
    include_str!("../tests/golden_articles/live_blog.txt"),
    include_str!("../tests/golden_articles/market_report.txt"),
    include_str!("../tests/golden_articles/obituary.txt"),
    include_str!("../tests/golden_articles/press_release.txt"),
    include_str!("../tests/golden_articles/sport_report.txt"),
];
const WORDS: usize = 600;

const ROUNDS: usize = 100;
const CALLS: usize = 40;
/// Threads of the engine, the server's and alone.
const THREADS: usize = 2;
/// Calls under way at once: a few more than threads, or each call pays for waking them.
const CALLERS: usize = 8;
const ISSUER: &str = "https://issuer.example.com";

fn main() {
    let engine = Analyzer::load().expect("the models are sound");
    let articles = ARTICLES.map(long_enough);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let runtime = Runtime::new().expect("threads can be had");
    let ways = runtime.block_on(Way::all(folder.path()));

    let mut alone = Vec::new();
    let mut served: Vec<Vec<Cost>> = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        alone.push(analyze(&engine, &articles));
        for (way, costs) in ways.iter().zip(&mut served) {
            costs.push(runtime.block_on(way.call(&articles)));
        }
    }
    println!("{:<22}{:>8.3} ms", "the engine alone", 1e3 * median(alone.iter().copied()));
    for (way, costs) in ways.iter().zip(served) {
        println!(
            "{:<22}{:>8.3} ms   {:.2} times the engine alone, {:.2} times the server's engine threads",
            way.name,
            1e3 * median(costs.iter().map(|cost| cost.whole)),
            median(costs.iter().zip(&alone).map(|(cost, alone)| cost.whole / alone)),
            median(costs.iter().map(|cost| cost.whole / cost.engine)),
        );
    }
}

/// An article with its paragraphs over and over, up to [`WORDS`] words.
fn long_enough(article: &str) -> String {
    let mut words = 0;
    let paragraphs = article.split("\n\n").cycle().take_while(|paragraph| {
        let more = words < WORDS;
        words += paragraph.split_whitespace().count();
        more
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// CPU seconds of one analysis, on average.
fn analyze(engine: &Analyzer, articles: &[String]) -> f64 {
    let source = |article: &String| Source { content: Content::Text(article.clone()), ..Source::default() };
    let sources: Vec<Source> = articles.iter().map(source).collect();
    let options = Options { features: Feature::ALL.into_iter().collect(), ..Options::default() };
    let started = ProcessTime::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for source in sources.iter().cycle().take(CALLS / THREADS) {
                    let analysis = engine.analyze(source, Mode::Auto, &options, &Checkpoint::default(), &());
                    assert!(analysis.is_ok());
                }
            });
        }
    });
    started.elapsed().as_secs_f64() / CALLS as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU seconds of a server.
#[derive(Clone, Copy)]
struct Cost {
    whole: f64,
    /// Of its engine's threads alone.
    engine: f64,
}

/// A server, and a client that calls it in one way.
struct Way {
    name: &'static str,
    server: Server,
    channel: Channel,
    /// None: no credential.
    credential: Option<String>,
}

impl Way {
    async fn all(folder: &Path) -> Vec<Self> {
        let write = |name: &str, content: String| {
            let path = folder.join(name);
            std::fs::write(&path, content).expect("a file can be written");
            path.display().to_string()
        };
        let pair = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.self_signed(&pair).expect("a certificate");
        let (key, issuer) = (NewKey::random().expect("random numbers"), Issuer::new());
        let entry = format!(
            "[[principals]]\nname = \"bench\"\nscopes = [\"analyze\"]\nkey_sha256 = [{:?}]\n",
            key.sha256()
        );
        let flags = [
            "--tls-cert".to_owned(),
            write("tls.crt", certificate.pem()),
            "--tls-key".to_owned(),
            write("tls.key", pair.serialize_pem()),
            "--principals".to_owned(),
            write("principals.toml", entry),
            "--jwt-keys".to_owned(),
            write("jwks.json", issuer.jwks()),
            format!("--jwt-issuer={ISSUER}"),
            "--jwt-audience=copydesk".to_owned(),
        ];
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).expect("a certificate");
        let plain = Server::start(&folder.join("plain.db"), &[]).await;
        let secure = Server::start(&folder.join("secure.db"), &flags).await;
        let again = Server::start(&folder.join("token.db"), &flags).await;
        vec![
            Self { name: "gRPC", channel: plain.connect(None).await, server: plain, credential: None },
            Self {
                name: "gRPC, TLS, a key",
                channel: secure.connect(Some(roots.clone())).await,
                server: secure,
                credential: Some(key.secret().to_owned()),
            },
            Self {
                name: "gRPC, TLS, a token",
                channel: again.connect(Some(roots)).await,
                server: again,
                credential: Some(issuer.token()),
            },
        ]
    }

    /// What one call costs the server, on average.
    async fn call(&self, articles: &[String]) -> Cost {
        let before = self.server.cost();
        let callers = (0..CALLERS).map(|caller| async move {
            for call in 0..CALLS / CALLERS {
                self.call_once(&articles[(call * CALLERS + caller) % articles.len()]).await;
            }
        });
        futures_util::future::join_all(callers).await;
        let after = self.server.cost();
        let each = |after: f64, before: f64| (after - before) / CALLS as f64;
        Cost { whole: each(after.whole, before.whole), engine: each(after.engine, before.engine) }
    }

    async fn call_once(&self, article: &str) {
        let content = Some(v1::document::Source::Content(article.to_owned()));
        let document = v1::Document { source: content, ..Default::default() };
        let message =
            v1::AnalyzeDocumentRequest { source: Some(From::Document(document)), ..Default::default() };
        let mut request = Request::new(message);
        if let Some(credential) = &self.credential {
            let header = format!("Bearer {credential}").parse().expect("visible ASCII");
            request.metadata_mut().insert("authorization", header);
        }
        AnalysisServiceClient::new(self.channel.clone()).analyze_document(request).await.expect("an answer");
    }
}

/// A server in a process of its own.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(store: &Path, flags: &[String]) -> Self {
        // Free for a moment, which has to do.
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let process = Command::new(env!("CARGO_BIN_EXE_copydesk"))
            .args(["serve", "--admin-listen=off", "--listen", &address.to_string()])
            .args(["--engine-threads", &THREADS.to_string(), "--store"])
            .arg(store)
            .args(flags)
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { process, address }
    }

    async fn connect(&self, roots: Option<RootCertStore>) -> Channel {
        let address = self.address;
        let Some(roots) = roots else {
            let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
            return endpoint.connect().await.expect("a connection");
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        let connect = service_fn(move |_| {
            let connector = connector.clone();
            async move {
                let name = ServerName::try_from("localhost").expect("a name");
                connector.connect(name, TcpStream::connect(address).await?).await.map(TokioIo::new)
            }
        });
        // With https tonic would want to do the handshake itself.
        let endpoint = Endpoint::from_static("http://localhost");
        endpoint.connect_with_connector(connect).await.expect("a connection")
    }

    /// Since it began.
    fn cost(&self) -> Cost {
        let mut cost = Cost { whole: 0.0, engine: 0.0 };
        let threads = format!("/proc/{}/task", self.process.id());
        for thread in std::fs::read_dir(threads).expect("Linux tells of threads") {
            let path = thread.expect("a thread").path();
            // A thread may have ended meanwhile.
            let Ok(stat) = std::fs::read_to_string(path.join("schedstat")) else { continue };
            let nanoseconds = stat.split(' ').next().and_then(|first| first.parse::<f64>().ok());
            let seconds = nanoseconds.expect("a number") / 1e9;
            cost.whole += seconds;
            if std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.starts_with("engine-")) {
                cost.engine += seconds;
            }
        }
        cost
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Signs the token.
struct Issuer(Ed25519KeyPair);

impl Issuer {
    fn new() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random numbers");
        Self(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key pair"))
    }

    fn jwks(&self) -> String {
        let x = encode(self.0.public_key());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x}]}).to_string()
    }

    fn token(&self) -> String {
        let header = encode(json!({"alg": "EdDSA", "kid": "one"}).to_string());
        let now = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_secs();
        let claims = json!({
            "iss": ISSUER, "aud": "copydesk", "sub": "bench", "exp": now + 3600, "scope": "analyze",
        });
        let message = format!("{header}.{}", encode(claims.to_string()));
        format!("{message}.{}", encode(self.0.sign(message.as_bytes())))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
