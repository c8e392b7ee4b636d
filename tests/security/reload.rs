//! Certificates, keys and tokens' keys that are exchanged while calls come in, and what the log says.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use copydesk::access::NewKey;
use copydesk::api::v1;
use copydesk::api::v1::server_info_service_client::ServerInfoServiceClient;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::authority::{AUDIENCE, Authority, Files, ISSUER, Issuer, claims, connect};
use super::callers::{entry, server, with};
use super::process::copydesk;
use super::test_server::{PATIENCE, TestServer, error_info};

async fn call(channel: &Channel, credential: &str) -> Result<(), Status> {
    let request = with(credential, v1::GetServerInfoRequest {});
    ServerInfoServiceClient::new(channel.clone()).get_server_info(request).await.map(drop)
}

/// Waits until something holds that a file's change brings about.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn refusals(server: &TestServer, files: &str) -> u64 {
    let (_, metrics) = server.get("/metrics").await.unwrap();
    let series = format!("copydesk_reloads_total{{files=\"{files}\",outcome=\"refused\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&series)).map_or(0, |count| count.parse().unwrap())
}

/// Calls that go on until they are told to stop.
struct Load {
    stopped: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Over one connection that stays, and over a new one for each call.
    fn start(server: &TestServer, authority: &Authority, key: &str) -> Self {
        let (stopped, calls): (Arc<AtomicBool>, Arc<AtomicU64>) = Default::default();
        let callers = [true, true, false, false].map(|stays| {
            let (stopped, calls) = (Arc::clone(&stopped), Arc::clone(&calls));
            let (address, config, key) = (server.address, authority.client(None), key.to_owned());
            tokio::spawn(async move {
                let mut channel = connect(address, config.clone()).await.unwrap();
                while !stopped.load(Ordering::Relaxed) {
                    call(&channel, &key).await.unwrap();
                    calls.fetch_add(1, Ordering::Relaxed);
                    if !stays {
                        channel = connect(address, config.clone()).await.unwrap();
                    }
                }
            })
        });
        Self { stopped, calls, callers: callers.into() }
    }

    /// How many calls there were, none of which failed.
    async fn stop(self) -> u64 {
        self.stopped.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        self.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_exchanged_under_load_without_a_failed_call_and_broken_ones_are_refused() {
    let (files, authority, next) = (Files::new(), Authority::new(), Authority::new());
    let keys = [NewKey::random().unwrap(), NewKey::random().unwrap()];
    files.write_pair(&authority.certify("localhost"));
    let tls = files.flags(&[("--tls-cert", "tls.crt"), ("--tls-key", "tls.key")]);
    let flags: Vec<&str> = tls.iter().map(String::as_str).chain(["--reload-interval=30ms"]).collect();
    let server = server(&files, &entry("feed", &["read"], &keys[0]), &Issuer::new(), &flags).await;
    let load = Load::start(&server, &authority, keys[0].secret());

    // Another pair of the same authority, as every renewal brings.
    files.write_pair(&authority.certify("localhost"));
    tokio::time::sleep(Duration::from_millis(150)).await;
    // A certificate without its key: refused, and the pair before it stays.
    let before = refusals(&server, "certificates").await;
    files.write("tls.crt", next.certify("localhost").certificate.pem());
    until("the broken pair is refused", async || refusals(&server, "certificates").await > before).await;
    assert!(connect(server.address, next.client(None)).await.is_err());
    files.write_pair(&authority.certify("localhost"));

    // A second principal comes in; then a file that is none, which changes nothing.
    let both = entry("feed", &["read"], &keys[0]) + &entry("desk", &["read"], &keys[1]);
    let channel = connect(server.address, authority.client(None)).await.unwrap();
    assert_eq!(call(&channel, keys[1].secret()).await.unwrap_err().code(), Code::Unauthenticated);
    files.write("principals.toml", &both);
    until("the new key is known", async || call(&channel, keys[1].secret()).await.is_ok()).await;
    let before = refusals(&server, "principals").await;
    files.write("principals.toml", "[[principals]]\nname = \"feed\"\nkey = \"hush\"\n");
    until("the broken file is refused", async || refusals(&server, "principals").await > before).await;
    call(&channel, keys[1].secret()).await.unwrap();
    files.write("principals.toml", &both);
    let calls = load.stop().await;
    assert!(calls > 20);
    println!("{calls} calls, half of them each over a new connection; none failed");

    // A key that is taken out is good no more, on open connections neither.
    files.write("principals.toml", entry("desk", &["read"], &keys[1]));
    until("the old key is forgotten", async || call(&channel, keys[0].secret()).await.is_err()).await;
    // And the other authority's pair takes over once it is whole.
    files.write_pair(&next.certify("localhost"));
    until("the new pair is taken", async || connect(server.address, next.client(None)).await.is_ok()).await;
}

#[tokio::test]
async fn an_issuers_new_key_is_taken_and_its_old_one_dropped() {
    let (files, old, new) = (Files::new(), Issuer::new(), Issuer::new());
    let server = server(&files, "", &old, &["--reload-interval=30ms"]).await;
    let channel = server.connect().await;
    call(&channel, &old.token("read")).await.unwrap();
    let before = refusals(&server, "token keys").await;
    files.write("jwks.json", r#"{"keys": [{"kty": "oct", "kid": "hush", "k": "c2VjcmV0"}]}"#);
    until("a symmetric key is refused", async || refusals(&server, "token keys").await > before).await;
    call(&channel, &old.token("read")).await.unwrap();
    files.write("jwks.json", new.jwks());
    until("the new key is taken", async || call(&channel, &new.token("read")).await.is_ok()).await;
    let refused = call(&channel, &old.token("read")).await.unwrap_err();
    assert_eq!(error_info(&refused).reason, "CREDENTIALS_INVALID");
}

#[tokio::test]
async fn the_log_says_who_called_and_never_with_what() {
    let (files, authority, issuer) = (Files::new(), Authority::new(), Issuer::new());
    let (key, wrong) = (NewKey::random().unwrap(), NewKey::random().unwrap());
    let pair = authority.certify("localhost");
    files.write_pair(&pair);
    files.write("principals.toml", entry("newsroom", &["read"], &key));
    files.write("jwks.json", issuer.jwks());
    let tls = [("--tls-cert", "tls.crt"), ("--tls-key", "tls.key")];
    let mut server = copydesk()
        .current_dir(files.folder())
        .args([
            "serve", "--listen=127.0.0.1:0", "--admin-listen=off", "--log=trace", "--reload-interval=50ms",
        ])
        .args(files.flags(&tls))
        .args(files.flags(&[("--principals", "principals.toml"), ("--jwt-keys", "jwks.json")]))
        .args(["--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE, "--quota=1", "--quota-burst=2"])
        // A file, since nobody empties a pipe during the calls.
        .stderr(File::create(files.path("log")).unwrap())
        .spawn()
        .unwrap();
    let log = || std::fs::read_to_string(files.path("log")).unwrap();
    until("it serves", async || log().contains("\"message\":\"serving\"")).await;
    let serving: Value = log().lines().find(|line| line.contains("\"serving\"")).unwrap().parse().unwrap();
    let address = serving["address"].as_str().unwrap().parse().unwrap();

    let channel = connect(address, authority.client(None)).await.unwrap();
    let (token, expired) = (issuer.token("read"), {
        let mut claims = claims("read");
        claims["exp"] = 1.into();
        issuer.sign(&json!({"alg": "EdDSA"}), &claims)
    });
    let secrets = [key.secret(), wrong.secret(), &token, &expired];
    let mut errors = String::new();
    for secret in secrets.iter().cycle().take(12) {
        errors += &call(&channel, secret).await.err().map(|error| format!("{error:?}")).unwrap_or_default();
    }
    files
        .write("principals.toml", format!("[[principals]]\nname = \"newsroom\"\nkey = {:?}\n", key.secret()));
    // As if the two files had been confused.
    files.write("tls.crt", pair.key.serialize_pem());
    until("both are refused", async || log().matches("their files are wrong").count() == 2).await;
    server.kill().unwrap();
    server.wait().unwrap();

    let log = log();
    assert!(log.contains("\"principal\":\"newsroom\"") && log.contains("\"principal\":\"token:feed-7\""));
    for reason in ["CREDENTIALS_INVALID", "TOKEN_EXPIRED", "QUOTA_EXCEEDED"] {
        assert!(errors.contains(reason), "{reason} is not among the errors");
    }
    let pem = pair.key.serialize_pem();
    let of_private_key = pem.lines().nth(1).unwrap();
    for secret in secrets.into_iter().chain([of_private_key]) {
        // The signature is the part of a token that must not be had.
        let part = secret.rsplit('.').next().unwrap();
        assert!(!log.contains(part) && !errors.contains(part), "a secret is told");
    }
}
