//! Where the database is, and what holds for every connection to it.

use std::str::FromStr;
use std::time::Duration;
use std::{fmt, io};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use super::PostgresOptions;
use crate::store::StoreError;

/// What a network may add to the time that the server allows a statement.
const NETWORK: Duration = Duration::from_secs(1);

/// The URL of a database, `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`. Shown without
/// the password, also to debuggers.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// Takes any text; [`PostgresUrl::check`] tells what is wrong with it.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// What is wrong with the URL, without repeating it.
    pub fn check(&self) -> Result<(), String> {
        self.options().map(drop)
    }

    fn options(&self) -> Result<PgConnectOptions, String> {
        let options = PgConnectOptions::from_str(&self.0).map_err(|error| {
            format!(
                "{error}; give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for an @ in the password"
            )
        })?;
        let named = options.get_application_name().is_some();
        Ok(if named { options } else { options.application_name("copydesk") }.disable_statement_logging())
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(options) = self.options() else { return f.write_str("postgres://…") };
        let database = options.get_database().unwrap_or(options.get_username());
        match options.get_socket() {
            Some(socket) => write!(f, "postgres://{}/{database}", socket.display()),
            None => write!(f, "postgres://{}:{}/{database}", options.get_host(), options.get_port()),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How connections are made.
#[derive(Clone)]
pub struct Session {
    pub connect: PgConnectOptions,
    wait: Duration,
    statement_timeout: Duration,
}

impl Session {
    pub fn new(url: &PostgresUrl, options: &PostgresOptions) -> Result<Self, StoreError> {
        let connect = url.options().map_err(StoreError::Internal)?;
        Ok(Self { connect, wait: options.wait, statement_timeout: options.statement_timeout })
    }

    /// A connection that is ready for use.
    pub async fn connect(&self) -> sqlx::Result<PgConnection> {
        let connect = async {
            let mut connection = PgConnection::connect_with(&self.connect).await?;
            self.prepare(&mut connection).await?;
            Ok(connection)
        };
        timeout(self.wait, connect).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Sets the limits of what a connection does.
    ///
    /// # Errors
    /// Where it takes no writes: what leads to a standby now may lead to the primary later, and a
    /// connection that is kept would stay with the standby.
    pub async fn prepare(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let limit = self.statement_timeout.as_millis().to_string();
        // The last one frees the locks of a replica that froze amid a transaction.
        let set = "SELECT current_setting('transaction_read_only') = 'on', \
             set_config('statement_timeout', $1, false), \
             set_config('lock_timeout', $1, false), \
             set_config('idle_in_transaction_session_timeout', $1, false)";
        let read_only: bool = sqlx::query_scalar(set).bind(limit).fetch_one(connection).await?;
        if read_only {
            let standby = io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "it takes no writes");
            return Err(sqlx::Error::Io(standby));
        }
        Ok(())
    }

    /// When the client gives up on a statement whose server is silent.
    pub fn statement_limit(&self) -> Duration {
        self.statement_timeout + NETWORK
    }

    /// When the client gives up on a transaction.
    pub fn transaction_limit(&self) -> Duration {
        self.wait + 2 * self.statement_limit()
    }
}

/// Whether the connection is of no use any more, and what it was doing has been undone.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection errors; a shutdown or a killed backend; a server that is a standby now; a
            // transaction that was idle too long.
            code.starts_with("08")
                || matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "25P03")
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = PostgresUrl::new("postgres://desk:hush@db.example:5433/articles?sslmode=verify-full");
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://db.example:5433/articles postgres://db.example:5433/articles"
        );
        for wrong in
            ["postgres://desk:hush@:x/", "postgres://desk:hu/sh@db", "postgres://desk:hush@db?sslmode=hush1"]
        {
            let url = PostgresUrl::new(wrong);
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("hu"), "{shown}");
        }
        assert!(PostgresUrl::new("postgres://db:port/").check().is_err());
    }
}
