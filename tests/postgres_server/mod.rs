//! A real PostgreSQL for tests: one that they start themselves, or the one at
//! `COPYDESK_TEST_POSTGRES`, a URL of a user who may create databases.
//!
//! Where there is neither, tests say so and pass; with `COPYDESK_REQUIRE_POSTGRES` they fail.

#![allow(dead_code, reason = "every test binary uses its own part")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use copydesk::store::postgres::{PostgresOptions, PostgresStore, PostgresUrl};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tempfile::TempDir;

/// A server of its own, stopped when the last test that uses it ends.
pub struct Server {
    binaries: PathBuf,
    directory: TempDir,
    /// Whether commits reach the disk.
    durable: bool,
    /// Where it listens beside its socket, and then for encrypted connections alone.
    port: Option<u16>,
}

impl Server {
    /// None where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with(false)
    }

    /// One whose commits reach the disk.
    pub fn durable() -> Option<Self> {
        Self::start_with(true)
    }

    fn start_with(durable: bool) -> Option<Self> {
        let Some(binaries) = binaries() else {
            let missing = "PostgreSQL is not installed: its tests were SKIPPED";
            assert!(std::env::var_os("COPYDESK_REQUIRE_POSTGRES").is_none(), "{missing}");
            eprintln!("{missing}");
            return None;
        };
        // Sockets have short names.
        let server = Self { binaries, directory: tempfile::tempdir_in("/tmp").unwrap(), durable, port: None };
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(server.directory.path()));
        }
        let mut initdb = server.command("initdb");
        initdb.arg("-D").arg(server.data());
        run(initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]));
        server.up();
        Some(server)
    }

    /// One that takes TCP connections with TLS, too: from the user `postgres` without a certificate, from the
    /// user `desk` with one that the authority has signed for that name. All in PEM.
    pub fn with_tls(certificate: &str, key: &str, authority: &str) -> Option<Self> {
        let mut server = Self::start()?;
        server.down();
        for (name, pem) in [("server.crt", certificate), ("server.key", key), ("root.crt", authority)] {
            server.write(name, pem);
        }
        let who = "local all all trust\nhostssl all desk all cert\nhostssl all postgres all trust\n";
        server.write("pg_hba.conf", who);
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        server.port = Some(free.local_addr().unwrap().port());
        drop(free);
        server.up();
        Some(server)
    }

    /// A file in the server's directory that it alone may read.
    fn write(&self, name: &str, content: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.data().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(path));
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// PostgreSQL does not run as root.
    fn command(&self, name: &str) -> Command {
        let program = self.binaries.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.directory.path());
        command
    }

    /// Starts the server and waits until it answers.
    pub fn up(&self) {
        let directory = self.directory.path().display();
        let listen = match self.port {
            None => "-c listen_addresses=''".to_owned(),
            Some(port) => {
                format!("-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_ca_file=root.crt")
            }
        };
        let fsync = if self.durable { "on" } else { "off" };
        let flags = format!("{listen} -c fsync={fsync} -c max_connections=200 -k {directory}");
        let mut start = self.command("pg_ctl");
        start.arg("-D").arg(self.data()).arg("-l").arg(self.directory.path().join("log"));
        run(start.args(["-w", "-o", &flags, "start"]));
    }

    /// Stops the server as it would before an upgrade: connections are cut.
    pub fn down(&self) {
        run(self.command("pg_ctl").arg("-D").arg(self.data()).args(["-w", "-m", "fast", "stop"]));
    }

    fn url(&self, database: &str) -> String {
        let directory = self.directory.path().display().to_string().replace('/', "%2F");
        let port = self.port.unwrap_or(5432);
        format!("postgres://postgres@{directory}:{port}/{database}")
    }

    /// The server's address for TCP.
    pub fn port(&self) -> u16 {
        self.port.expect("a server that was started with TLS")
    }

    /// An empty database.
    pub async fn database(self: &Arc<Self>) -> Database {
        let name = create_database(&self.url("postgres")).await;
        Database { url: self.url(&name), _server: Some(Arc::clone(self)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be down.
        let stop = ["-w", "-m", "immediate", "stop"];
        let _ = self.command("pg_ctl").arg("-D").arg(self.data()).args(stop).output();
    }
}

fn run(command: &mut Command) {
    // Not `output`, which would wait for the server that holds the pipes.
    let log = tempfile::NamedTempFile::new().unwrap();
    let (out, err) = (log.reopen().unwrap(), log.reopen().unwrap());
    let status = command.stdout(out).stderr(err).status().unwrap();
    assert!(status.success(), "{command:?}: {}", std::fs::read_to_string(log.path()).unwrap());
}

/// The newest installation.
fn binaries() -> Option<PathBuf> {
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = packaged.map(|version| version.path().join("bin")).collect();
    packaged.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |directory: &PathBuf| directory.join("initdb").exists();
    packaged.into_iter().rev().chain(std::env::split_paths(&path)).find(there)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}

/// An empty database at first.
pub struct Database {
    pub url: String,
    /// None for one that was there before.
    _server: Option<Arc<Server>>,
}

impl Database {
    /// On the server that all tests of this process share.
    pub async fn shared() -> Option<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        if let Ok(url) = std::env::var("COPYDESK_TEST_POSTGRES") {
            let name = create_database(&url).await;
            let (server, parameters) = url.split_once('?').unwrap_or((&url, ""));
            let (server, _) = server.rsplit_once('/').expect("a URL with a database");
            return Some(Self { url: format!("{server}/{name}?{parameters}"), _server: None });
        }
        let server = {
            let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            match shared.upgrade() {
                Some(server) => server,
                None => {
                    let server = Arc::new(Server::start()?);
                    *shared = Arc::downgrade(&server);
                    server
                }
            }
        };
        Some(server.database().await)
    }

    pub fn location(&self) -> PostgresUrl {
        PostgresUrl::new(&*self.url)
    }

    pub async fn store(&self, options: PostgresOptions) -> Arc<PostgresStore> {
        Arc::new(PostgresStore::open(&self.location(), options).await.unwrap())
    }

    /// A connection of some other program.
    pub async fn connect(&self) -> PgConnection {
        self.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
    }
}

/// Gives the name of a new database.
async fn create_database(url: &str) -> String {
    let name = format!("copydesk_test_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")))
        .await
        .unwrap();
    connection.close().await.unwrap();
    name
}
