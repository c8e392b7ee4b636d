//! The configuration of the server: flags and environment variables as they come, validated
//! into one typed whole.
//!
//! A value that is wrong by itself is refused while the flags are parsed; [`ServeArgs::validate`]
//! sees to what only holds between several of them. Either way the message names the flag, and
//! the process ends with [`EXIT_USAGE`].

pub mod taxonomies;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser};
use http::Uri;

use crate::access::TokenRules;
use crate::api::Limits;
use crate::store::postgres::{PostgresOptions, PostgresUrl};
use crate::telemetry::{LogConfig, LogFilter, LogFormat, TraceConfig};

/// Exit status for a command line or environment that makes no sense (`EX_USAGE`).
pub const EXIT_USAGE: i32 = 64;

/// Parses the command line and the environment, or ends the process: with status 0 after
/// `--help` and `--version`, with [`EXIT_USAGE`] after an error.
pub fn parse_or_exit<P: Parser>() -> P {
    P::try_parse().unwrap_or_else(|error| {
        // Where neither stdout nor stderr can be written to, the status alone has to do.
        let _ = error.print();
        std::process::exit(if error.use_stderr() { EXIT_USAGE } else { 0 })
    })
}

/// Flags of `copydesk serve`. Every flag can be given as an environment variable too; the flag
/// wins.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address and port for gRPC
    #[arg(long, env = "COPYDESK_LISTEN", default_value = "127.0.0.1:50051", value_name = "ADDR:PORT")]
    #[arg(help_heading = "Addresses")]
    listen: SocketAddr,

    /// Address and port for operators: /metrics for Prometheus, /healthz (the process lives), /readyz
    /// (calls should be sent here) over HTTP/1, and the health service for gRPC probes; "off" for
    /// none
    #[arg(long, env = "COPYDESK_ADMIN_LISTEN", default_value = "127.0.0.1:9464", value_name = "ADDR:PORT")]
    #[arg(help_heading = "Addresses")]
    admin_listen: Switchable<SocketAddr>,

    /// Whether clients may list services and messages by server reflection
    #[arg(long, env = "COPYDESK_REFLECTION", default_value_t = true, value_name = "BOOL")]
    #[arg(help_heading = "Addresses", action = clap::ArgAction::Set)]
    reflection: bool,

    /// Whether the health check knows the services by name, which tells whether the store is away,
    /// and /readyz says why not
    #[arg(long, env = "COPYDESK_HEALTH_DETAIL", default_value_t = true, value_name = "BOOL")]
    #[arg(help_heading = "Addresses", action = clap::ArgAction::Set)]
    health_detail: bool,

    #[command(flatten)]
    security: SecurityArgs,

    /// Where documents are kept: the path of an SQLite file, made if it is not there, also
    /// written as sqlite:PATH; or a PostgreSQL database, which several servers may share:
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full
    #[arg(long, env = "COPYDESK_STORE", default_value = "copydesk.db", value_name = "STORE")]
    #[arg(help_heading = "Storage", hide_env_values = true)]
    store: StoreLocation,

    #[command(flatten)]
    postgres: PostgresArgs,

    /// Files with taxonomies of your own, in TOML or JSON, that documents can be tagged with beside
    /// the IPTC Media Topics; SIGHUP reads them again
    #[arg(long, env = "COPYDESK_TAXONOMIES", value_delimiter = ',', value_name = "FILE,...")]
    #[arg(help_heading = "Engine")]
    taxonomies: Vec<PathBuf>,

    /// How many documents are analysed at once; 0 for one on each core
    #[arg(long, env = "COPYDESK_ENGINE_THREADS", default_value_t = 0, value_name = "N")]
    #[arg(help_heading = "Engine", value_parser = count(0..=1024))]
    engine_threads: usize,

    /// How many threads serve connections; 0 for one on every second core. They take a fifth of what
    /// the engine takes, and each one more costs waking it
    #[arg(long, env = "COPYDESK_IO_THREADS", default_value_t = 0, value_name = "N")]
    #[arg(help_heading = "Engine", value_parser = count(0..=1024))]
    io_threads: usize,

    /// How long a unary call waits for a thread of the engine, while there is more work than the
    /// engine can do, before it is refused with UNAVAILABLE; in a burst twenty times as long
    #[arg(long, env = "COPYDESK_MAX_WAIT", default_value = "5ms", value_name = "DURATION")]
    #[arg(help_heading = "Limits", value_parser = parse_positive_duration)]
    max_wait: Duration,

    /// How many unary calls are under way at once, over all connections; what comes beyond is refused
    /// with UNAVAILABLE
    #[arg(long, env = "COPYDESK_MAX_IN_FLIGHT", default_value_t = 256, value_name = "N")]
    #[arg(help_heading = "Limits", value_parser = count(1..=1_000_000))]
    max_in_flight: usize,

    /// How many streaming calls are open at once, over all connections
    #[arg(long, env = "COPYDESK_MAX_OPEN_STREAMS", default_value_t = 1024, value_name = "N")]
    #[arg(help_heading = "Limits", value_parser = count(1..=1_000_000))]
    max_open_streams: usize,

    /// How many bytes of answers to unary calls may wait for clients to read them; what comes beyond is
    /// refused with UNAVAILABLE, and what is not read within a minute is given up
    #[arg(long, env = "COPYDESK_MAX_UNREAD_BYTES", default_value = "256MiB", value_name = "BYTES")]
    #[arg(help_heading = "Limits", value_parser = parse_bytes)]
    max_unread_bytes: usize,

    /// The largest content of one document; a message must have room for 256 KiB more
    #[arg(long, env = "COPYDESK_MAX_CONTENT_BYTES", default_value = "1MiB", value_name = "BYTES")]
    #[arg(help_heading = "Limits", value_parser = parse_bytes)]
    max_content_bytes: usize,

    /// The largest message that is accepted, before and after decompression
    #[arg(long, env = "COPYDESK_MAX_MESSAGE_BYTES", default_value = "4MiB", value_name = "BYTES")]
    #[arg(help_heading = "Limits", value_parser = parse_bytes)]
    max_message_bytes: usize,

    /// The most documents in one batch
    #[arg(long, env = "COPYDESK_MAX_BATCH", default_value_t = 100, value_name = "N")]
    #[arg(help_heading = "Limits", value_parser = count(1..=10_000))]
    max_batch: usize,

    /// The most documents in one summary
    #[arg(long, env = "COPYDESK_MAX_SUMMARY_DOCUMENTS", default_value_t = 20, value_name = "N")]
    #[arg(help_heading = "Limits", value_parser = count(1..=1000))]
    max_summary_documents: usize,

    /// How long a unary call may take where the client sets no deadline, and its request to come in any case
    #[arg(long, env = "COPYDESK_DEFAULT_DEADLINE", default_value = "10s", value_name = "DURATION")]
    #[arg(help_heading = "Limits", value_parser = parse_positive_duration)]
    default_deadline: Duration,

    /// How many connections are open at once; one more is closed at once. The admin port is not
    /// counted
    #[arg(long, env = "COPYDESK_MAX_CONNECTIONS", default_value_t = 4096, value_name = "N")]
    #[arg(help_heading = "Connections", value_parser = count(1..=1_000_000))]
    max_connections: usize,

    /// How many calls are open at once on one connection
    #[arg(long, env = "COPYDESK_MAX_STREAMS_PER_CONNECTION", default_value_t = 256, value_name = "N")]
    #[arg(help_heading = "Connections", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_streams_per_connection: u32,

    /// The largest header list of one call
    #[arg(long, env = "COPYDESK_MAX_HEADER_BYTES", default_value = "16KiB", value_name = "BYTES")]
    #[arg(help_heading = "Connections", value_parser = parse_bytes)]
    max_header_bytes: usize,

    /// A connection that is older takes no new calls: its client is told to open another one, and
    /// so finds replicas that have come since. A tenth more or less, by chance, so that not all of
    /// them come back at once; "off" for connections of any age
    #[arg(long, env = "COPYDESK_MAX_CONNECTION_AGE", default_value = "15m", value_name = "DURATION")]
    #[arg(help_heading = "Connections", value_parser = parse_switchable_duration)]
    max_connection_age: Switchable<Duration>,

    /// How long calls in flight may take after that. Streams are then wound up as in a drain, and
    /// what is left --keepalive-timeout later is cut off
    #[arg(long, env = "COPYDESK_MAX_CONNECTION_AGE_GRACE", default_value = "1m", value_name = "DURATION")]
    #[arg(help_heading = "Connections", value_parser = parse_duration)]
    max_connection_age_grace: Duration,

    /// A connection that is silent for this long is asked whether its client is still there
    #[arg(long, env = "COPYDESK_KEEPALIVE_INTERVAL", default_value = "30s", value_name = "DURATION")]
    #[arg(help_heading = "Connections", value_parser = parse_positive_duration)]
    keepalive_interval: Duration,

    /// A connection whose client does not answer for this long is closed; a new connection has
    /// this long to send its first bytes
    #[arg(long, env = "COPYDESK_KEEPALIVE_TIMEOUT", default_value = "10s", value_name = "DURATION")]
    #[arg(help_heading = "Connections", value_parser = parse_positive_duration)]
    keepalive_timeout: Duration,

    /// After SIGTERM or SIGINT: how long calls are still accepted, while the health check already
    /// answers NOT_SERVING, so that load balancers can turn away
    #[arg(long, env = "COPYDESK_DRAIN_DELAY", default_value = "0s", value_name = "DURATION")]
    #[arg(help_heading = "Shutdown", value_parser = parse_duration)]
    drain_delay: Duration,

    /// After the delay: how long calls in flight may take to finish; what is left is cut off. A
    /// second signal cuts it off at once
    #[arg(long, env = "COPYDESK_DRAIN_TIMEOUT", default_value = "30s", value_name = "DURATION")]
    #[arg(help_heading = "Shutdown", value_parser = parse_duration)]
    drain_timeout: Duration,

    /// What is logged, to stderr: a level (error, warn, info, debug, trace), or levels by module
    /// as in "info,copydesk::server=debug"
    #[arg(long = "log", env = "COPYDESK_LOG", default_value = "info", value_name = "FILTER")]
    #[arg(help_heading = "Logs")]
    log: LogFilter,

    /// How lines of the log look
    #[arg(long, env = "COPYDESK_LOG_FORMAT", default_value = "auto", value_name = "FORMAT")]
    #[arg(help_heading = "Logs")]
    log_format: LogFormat,

    /// Where traces are sent, by OTLP over gRPC, as http://localhost:4317; none are made if nothing
    /// is said
    #[arg(long, env = "COPYDESK_OTLP_ENDPOINT", value_parser = parse_endpoint, value_name = "URI")]
    #[arg(help_heading = "Traces")]
    otlp_endpoint: Option<Uri>,

    /// The share of calls that are traced, from 0 to 1; a caller that sends a traceparent decides for
    /// its own calls
    #[arg(long, env = "COPYDESK_TRACE_RATIO", default_value_t = 0.1, value_name = "RATIO")]
    #[arg(help_heading = "Traces", value_parser = parse_ratio)]
    trace_ratio: f64,
}

/// Flags that protect the port for gRPC.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Security")]
pub struct SecurityArgs {
    /// The server's certificate with those that lead to its authority, in PEM; switches TLS on
    #[arg(long, env = "COPYDESK_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key, in PEM
    #[arg(long, env = "COPYDESK_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// Certificates of authorities, in PEM; clients must have a certificate of one of them (mutual
    /// TLS)
    #[arg(long, env = "COPYDESK_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,

    /// Who may call, in TOML: principals with their keys' hashes or certificates, and their scopes;
    /// copydesk key makes an entry
    #[arg(long, env = "COPYDESK_PRINCIPALS", value_name = "FILE")]
    principals: Option<PathBuf>,

    /// The keys of an issuer of tokens (JWT), as a JWK set
    #[arg(long, env = "COPYDESK_JWT_KEYS", value_name = "FILE", requires_all = ["jwt_issuer", "jwt_audience"])]
    jwt_keys: Option<PathBuf>,

    /// Who must have issued tokens (iss)
    #[arg(long, env = "COPYDESK_JWT_ISSUER", value_name = "ISSUER", requires = "jwt_keys")]
    jwt_issuer: Option<String>,

    /// For whom tokens must have been issued (aud)
    #[arg(long, env = "COPYDESK_JWT_AUDIENCE", value_name = "AUDIENCE", requires = "jwt_keys")]
    jwt_audience: Option<String>,

    /// The claim of a token that lists scopes
    #[arg(long, env = "COPYDESK_JWT_SCOPE_CLAIM", default_value = "scope", value_name = "CLAIM")]
    jwt_scope_claim: String,

    /// How many documents a second each caller may have handled, or "off"; callers are principals,
    /// tokens' subjects or, where nobody needs a credential, addresses
    #[arg(long, env = "COPYDESK_QUOTA", default_value = "off", value_name = "N")]
    quota: Switchable<NonZeroU32>,

    /// How many documents at once after a pause
    #[arg(long, env = "COPYDESK_QUOTA_BURST", default_value = "100", value_name = "N")]
    quota_burst: NonZeroU32,

    /// Whether to listen beyond this machine although TLS or credentials are missing
    #[arg(long, env = "COPYDESK_ALLOW_INSECURE", default_value_t = false, value_name = "BOOL")]
    #[arg(action = clap::ArgAction::Set)]
    allow_insecure: bool,

    /// How often these files are looked at for a change, beside SIGHUP, which has them read again
    /// at once
    #[arg(long, env = "COPYDESK_RELOAD_INTERVAL", default_value = "10s", value_name = "DURATION")]
    #[arg(value_parser = parse_positive_duration)]
    reload_interval: Duration,
}

impl SecurityArgs {
    /// Checks what holds between them and with the address that they protect.
    fn validate(self, listen: SocketAddr) -> Result<SecurityConfig, ConfigError> {
        let needs = |flag, value: &Path, other: &str| ConfigError {
            flag,
            value: value.display().to_string(),
            problem: format!("{other} is missing"),
        };
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(TlsFiles { certificate, key, client_authorities: self.tls_client_ca })
            }
            (Some(certificate), None) => return Err(needs("--tls-cert", &certificate, "--tls-key")),
            (None, Some(key)) => return Err(needs("--tls-key", &key, "--tls-cert")),
            (None, None) => match self.tls_client_ca {
                Some(authorities) => return Err(needs("--tls-client-ca", &authorities, "--tls-cert")),
                None => None,
            },
        };
        let rules = match (self.jwt_issuer, self.jwt_audience) {
            (Some(issuer), Some(audience)) => {
                Some(TokenRules { issuer, audience, scope_claim: self.jwt_scope_claim })
            }
            // The parser of flags wants both or none.
            _ => None,
        };
        let mutual_tls = tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
        let are_known = self.principals.is_some() || self.jwt_keys.is_some() || mutual_tls;
        let is_safe = tls.is_some() && are_known;
        if !listen.ip().is_loopback() && !is_safe && !self.allow_insecure {
            return Err(ConfigError {
                flag: "--listen",
                value: listen.to_string(),
                problem:
                    "other machines can get there, and anybody could call or listen in: give --tls-cert \
                          and --tls-key, and --principals, --jwt-keys or --tls-client-ca; or \
                          --allow-insecure=true where something else protects it"
                        .to_owned(),
            });
        }
        Ok(SecurityConfig {
            tls,
            principals: self.principals,
            tokens: self.jwt_keys.zip(rules),
            quota: self.quota.0.map(|per_second| QuotaConfig { per_second, burst: self.quota_burst }),
            reload_interval: self.reload_interval,
        })
    }
}

/// Flags of a store in PostgreSQL.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Storage")]
pub struct PostgresArgs {
    /// How many connections to PostgreSQL there are at most: one writes, one checks
    /// whether the database is there, the others read
    #[arg(long, env = "COPYDESK_STORE_CONNECTIONS", default_value_t = 8, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(3..=1000))]
    store_connections: u32,

    /// How long a free or a new connection to PostgreSQL is waited for
    #[arg(long, env = "COPYDESK_STORE_WAIT", default_value = "2s", value_name = "DURATION")]
    #[arg(value_parser = parse_positive_duration)]
    store_wait: Duration,

    /// How long one statement of PostgreSQL may take
    #[arg(long, env = "COPYDESK_STORE_STATEMENT_TIMEOUT", default_value = "5s", value_name = "DURATION")]
    #[arg(value_parser = parse_positive_duration)]
    store_statement_timeout: Duration,

    /// Whether servers that start at once take turns at bringing PostgreSQL's tables up to date,
    /// by an advisory lock; "off" for databases that have none, where one server has to start
    /// before the others
    #[arg(long, env = "COPYDESK_STORE_MIGRATION_LOCK", default_value = "on", value_name = "on|off")]
    #[arg(action = clap::ArgAction::Set, value_parser = parse_switch)]
    store_migration_lock: bool,
}

impl PostgresArgs {
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions {
            connections: self.store_connections,
            wait: self.store_wait,
            statement_timeout: self.store_statement_timeout,
            migration_lock: self.store_migration_lock,
            ..PostgresOptions::default()
        }
    }
}

/// Everything that the server needs to know, and that holds together.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeConfig {
    pub listen: SocketAddr,
    /// None: no admin port.
    pub admin_listen: Option<SocketAddr>,
    pub reflection: bool,
    pub health_detail: bool,
    pub security: SecurityConfig,
    pub store: StoreLocation,
    /// Files of the user's own taxonomies.
    pub taxonomies: Vec<PathBuf>,
    /// How the store works, where it is in PostgreSQL.
    pub postgres: PostgresOptions,
    /// Threads that serve connections; 0 for one on every second core.
    pub io_threads: usize,
    pub engine: EngineConfig,
    /// What one call may ask for.
    pub limits: Limits,
    pub admission: AdmissionConfig,
    pub connections: ConnectionConfig,
    pub drain: DrainConfig,
    pub log: LogConfig,
    pub traces: TraceConfig,
}

/// How the port for gRPC is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityConfig {
    /// None: no TLS.
    pub tls: Option<TlsFiles>,
    /// The file of those who are known by keys and certificates.
    pub principals: Option<PathBuf>,
    /// The file of an issuer's keys, and what its tokens must say.
    pub tokens: Option<(PathBuf, TokenRules)>,
    /// None: callers may call as often as they like.
    pub quota: Option<QuotaConfig>,
    /// How often files are looked at for a change.
    pub reload_interval: Duration,
}

/// Where what TLS needs is read from, all of it PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Given: clients must have a certificate of one of these authorities.
    pub client_authorities: Option<PathBuf>,
}

/// How many documents each caller may have handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaConfig {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// How much the engine does at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// 0: one on each core.
    pub threads: usize,
    /// How long a call waits for one of them while there is more work than they can do.
    pub max_wait: Duration,
}

/// How many calls there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionConfig {
    pub max_in_flight: usize,
    pub max_open_streams: usize,
    pub max_unread_bytes: usize,
}

/// How clients' connections are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionConfig {
    pub max_connections: usize,
    pub max_streams: u32,
    pub max_header_bytes: u32,
    /// None: any.
    pub max_age: Option<Duration>,
    pub max_age_grace: Duration,
    pub keepalive_interval: Duration,
    pub keepalive_timeout: Duration,
}

/// How the server goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainConfig {
    pub delay: Duration,
    pub timeout: Duration,
}

/// Values that make no sense together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value '{value}' for '{flag}': {problem}")]
pub struct ConfigError {
    pub flag: &'static str,
    pub value: String,
    pub problem: String,
}

/// Room in a message for a document's labels, authors and names, which may have 180 KiB together, and for what is
/// around it.
const BESIDE_CONTENT_BYTES: usize = 256 << 10;

impl ServeArgs {
    /// Checks what holds between several flags.
    ///
    /// # Errors
    /// Names the flag, its value and what is wrong with it.
    pub fn validate(self) -> Result<ServeConfig, ConfigError> {
        if self.max_content_bytes.saturating_add(BESIDE_CONTENT_BYTES) > self.max_message_bytes {
            return Err(ConfigError {
                flag: "--max-content-bytes",
                value: self.max_content_bytes.to_string(),
                problem: format!(
                    "a message has at most {} bytes (--max-message-bytes), of which {BESIDE_CONTENT_BYTES} are for what \
                     stands beside the content",
                    self.max_message_bytes
                ),
            });
        }
        if self.max_message_bytes > self.max_unread_bytes {
            return Err(ConfigError {
                flag: "--max-unread-bytes",
                value: self.max_unread_bytes.to_string(),
                problem: format!("an answer may have {} bytes (--max-message-bytes)", self.max_message_bytes),
            });
        }
        let max_header_bytes = u32::try_from(self.max_header_bytes).map_err(|_| ConfigError {
            flag: "--max-header-bytes",
            value: self.max_header_bytes.to_string(),
            problem: format!("HTTP/2 allows at most {} bytes", u32::MAX),
        })?;
        let admin_listen = self.admin_listen.0;
        if admin_listen == Some(self.listen) && self.listen.port() != 0 {
            return Err(ConfigError {
                flag: "--admin-listen",
                value: self.listen.to_string(),
                problem: "--listen has this address already".to_owned(),
            });
        }
        self.store.check("--store")?;
        Ok(ServeConfig {
            listen: self.listen,
            admin_listen,
            reflection: self.reflection,
            health_detail: self.health_detail,
            security: self.security.validate(self.listen)?,
            store: self.store,
            taxonomies: self.taxonomies,
            postgres: self.postgres.options(),
            io_threads: self.io_threads,
            engine: EngineConfig { threads: self.engine_threads, max_wait: self.max_wait },
            limits: Limits {
                max_content_bytes: self.max_content_bytes,
                max_message_bytes: self.max_message_bytes,
                max_batch_size: self.max_batch,
                max_summary_documents: self.max_summary_documents,
                default_deadline: self.default_deadline,
            },
            admission: AdmissionConfig {
                max_in_flight: self.max_in_flight,
                max_open_streams: self.max_open_streams,
                max_unread_bytes: self.max_unread_bytes,
            },
            connections: ConnectionConfig {
                max_connections: self.max_connections,
                max_streams: self.max_streams_per_connection,
                max_header_bytes,
                max_age: self.max_connection_age.0,
                max_age_grace: self.max_connection_age_grace,
                keepalive_interval: self.keepalive_interval,
                keepalive_timeout: self.keepalive_timeout,
            },
            drain: DrainConfig { delay: self.drain_delay, timeout: self.drain_timeout },
            log: LogConfig { filter: self.log, format: self.log_format },
            traces: TraceConfig { endpoint: self.otlp_endpoint, ratio: self.trace_ratio },
        })
    }
}

/// Where documents are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLocation {
    Sqlite(PathBuf),
    Postgres(PostgresUrl),
}

impl StoreLocation {
    /// Tells what is wrong with a URL without repeating it: it may hold a password, and so is
    /// not refused by the parser of flags, which repeats what it refuses.
    ///
    /// # Errors
    /// Names the flag or argument that it was given by.
    pub fn check(&self, flag: &'static str) -> Result<(), ConfigError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(url) => {
                url.check().map_err(|problem| ConfigError { flag, value: url.to_string(), problem })
            }
        }
    }
}

impl FromStr for StoreLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = match text.split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                return Ok(Self::Postgres(PostgresUrl::new(text)));
            }
            Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
            // A scheme, and not the drive letter of a path or a colon further on in it.
            Some((scheme, rest)) if rest.starts_with("//") => {
                return Err(format!(
                    "there is no store {scheme:?}; give a path, sqlite:PATH or postgres://…"
                ));
            }
            _ => text,
        };
        if path.is_empty() {
            return Err("the path is empty".to_owned());
        }
        // SQLite would keep documents in memory, or read parameters out of the name.
        if path == ":memory:" || path.starts_with("file:") {
            return Err("only the path of a file is taken; write ./ before it if this is one".to_owned());
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// A value, or "off".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Switchable<T>(Option<T>);

impl<T: FromStr> FromStr for Switchable<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(|value| Self(Some(value))) }
    }
}

/// As [`parse_positive_duration`], or "off".
fn parse_switchable_duration(text: &str) -> Result<Switchable<Duration>, String> {
    if text == "off" {
        Ok(Switchable(None))
    } else {
        parse_positive_duration(text).map(|it| Switchable(Some(it)))
    }
}

/// A whole number within bounds.
fn count(bounds: std::ops::RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(bounds)
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("give on or off".to_owned()),
    }
}

/// Where a server is: a scheme, a host and perhaps a port.
pub(crate) fn parse_endpoint(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err("give http://HOST:PORT, or https:// for TLS".to_owned()),
    }
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "give a number from 0 to 1".to_owned())
}

/// As [`parse_duration`], but more than nothing.
fn parse_positive_duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration.is_zero() { Err("must be more than 0".to_owned()) } else { Ok(duration) }
}

/// A whole number with its unit: `500ms`, `10s`, `2m`, `1h`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("give a number and its unit: 500ms, 10s, 2m, 1h".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(milliseconds))
        .filter(|milliseconds| *milliseconds <= MAX_DURATION.as_millis() as u64)
        .map(Duration::from_millis)
        .ok_or_else(|| "give a whole number and its unit, at most 24h: 500ms, 10s, 2m, 1h".to_owned())
}

/// Longer than any deadline or timeout that helps anyone.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// A positive number of bytes, or with a unit: `4194304`, `512KiB`, `4MiB`.
fn parse_bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = number_and_unit(text);
    let bytes = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err("give bytes, KiB or MiB: 4194304, 512KiB, 4MiB".to_owned()),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(bytes))
        .filter(|bytes| (1..=MAX_BYTES).contains(bytes))
        .ok_or_else(|| "give a whole number from 1 to 1024MiB: 4194304, 512KiB, 4MiB".to_owned())
}

/// No gRPC message comes near it.
const MAX_BYTES: usize = 1 << 30;

fn number_and_unit(text: &str) -> (&str, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn parse(arguments: &[&str]) -> Result<ServeConfig, String> {
        let cli = Cli::try_parse_from(std::iter::once(&"copydesk").chain(arguments))
            .map_err(|error| error.to_string())?;
        cli.serve.validate().map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_valid_and_as_published() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.limits.max_content_bytes, 1 << 20);
        assert_eq!(config.limits.max_message_bytes, 4 << 20);
        assert_eq!(config.limits.max_batch_size, 100);
        assert!(parse(&["--max-content-bytes=3840KiB"]).is_ok());
        assert_eq!(config.limits.default_deadline, Duration::from_secs(10));
        assert_eq!(config.store, StoreLocation::Sqlite("copydesk.db".into()));
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn values_carry_their_units() {
        let config = parse(&[
            "--default-deadline=500ms",
            "--drain-timeout=2m",
            "--max-content-bytes=512KiB",
            "--admin-listen=off",
            "--store=sqlite:/var/lib/copydesk/a.db",
        ])
        .unwrap();
        assert_eq!(config.limits.default_deadline, Duration::from_millis(500));
        assert_eq!(config.drain.timeout, Duration::from_secs(120));
        assert_eq!(config.limits.max_content_bytes, 512 << 10);
        assert_eq!(config.admin_listen, None);
        assert_eq!(config.store.to_string(), "sqlite:/var/lib/copydesk/a.db");
    }

    #[test]
    fn a_database_is_shown_without_its_password() {
        let config =
            parse(&["--store=postgres://desk:hush@db/articles", "--store-migration-lock=off"]).unwrap();
        assert_eq!(config.store.to_string(), "postgres://db:5432/articles");
        assert!(!config.postgres.migration_lock);
        assert!(!format!("{config:?}").contains("hush"));
        let error = parse(&["--store=postgres://desk:hush@db:port/articles"]).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn other_machines_are_let_in_by_tls_with_credentials_or_a_flag_that_says_so() {
        let beyond = "--listen=10.0.0.7:50051";
        let tls = ["--tls-cert=a.pem", "--tls-key=a.key"];
        let tokens = ["--jwt-keys=jwks.json", "--jwt-issuer=https://issuer", "--jwt-audience=copydesk"];
        let accepts = |flags: &[&[&str]]| parse(&[&[beyond], &*flags.concat()].concat()).is_ok();
        assert!(accepts(&[&tls, &["--principals=principals.toml"]]));
        assert!(accepts(&[&tls, &tokens]));
        assert!(accepts(&[&tls, &["--tls-client-ca=clients.pem"]]));
        assert!(accepts(&[&["--allow-insecure=true"]]));
        assert!(!accepts(&[]) && !accepts(&[&tls]) && !accepts(&[&tokens]));
        assert!(parse(&["--listen=127.0.0.1:1"]).is_ok() && parse(&["--listen=[::1]:1"]).is_ok());
    }

    #[test]
    fn a_bad_value_names_itself() {
        for (flag, value) in [
            ("--listen", "localhost"),
            ("--default-deadline", "10"),
            ("--default-deadline", "0s"),
            ("--default-deadline", "99999999999h"),
            ("--drain-timeout", "-1s"),
            ("--max-message-bytes", "4MB"),
            ("--max-message-bytes", "0"),
            ("--max-content-bytes", "5MiB"),
            ("--max-content-bytes", "3841KiB"),
            ("--max-batch", "0"),
            ("--log", "copydesk=loud"),
            ("--log-format", "xml"),
            ("--store", "redis://x"),
            ("--store", "postgres://desk@db:port/x"),
            ("--store-connections", "2"),
            ("--store-migration-lock", "maybe"),
            ("--store", ":memory:"),
            ("--store", "sqlite::memory:"),
            ("--store", "file:a.db?mode=memory"),
            ("--admin-listen", "127.0.0.1:50051"),
            ("--tls-cert", "server.pem"),
            ("--tls-key", "server.key"),
            ("--tls-client-ca", "clients.pem"),
            ("--reload-interval", "0s"),
            ("--jwt-keys", "jwks.json"),
            ("--jwt-audience", "copydesk"),
            ("--quota", "0"),
            ("--quota-burst", "many"),
            ("--listen", "0.0.0.0:50051"),
            ("--listen", "[::]:50051"),
        ] {
            let error = parse(&[&format!("{flag}={value}")]).unwrap_err();
            assert!(error.contains(flag), "{flag} {value}: {error}");
        }
    }
}
