//! `copydesk` as a process of its own.

#![allow(dead_code, reason = "every test binary uses its own part")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The command without anything of the test's environment.
pub fn copydesk() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copydesk"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// What `copydesk serve` says and leaves with, where it does not serve.
pub fn serve(flags: &[&str], environment: &[(&str, &str)]) -> Output {
    copydesk().arg("serve").args(flags).envs(environment.iter().copied()).output().unwrap()
}

/// A server in a process of its own, killed if the test fails.
pub struct Process {
    pub child: Child,
    /// One JSON object a line.
    pub log: BufReader<ChildStderr>,
    pub address: String,
    /// Where its store is, if nothing else uses it.
    directory: Option<TempDir>,
}

impl Process {
    /// A server with an empty store of its own.
    pub fn start(flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut process = Self::start_in(directory.path(), flags);
        process.directory = Some(directory);
        process
    }

    /// A server with its store in a directory.
    pub fn start_in(directory: &Path, flags: &[&str]) -> Self {
        let mut child = copydesk()
            .current_dir(directory)
            // Flags win.
            .envs([("COPYDESK_LISTEN", "127.0.0.1:0"), ("COPYDESK_ADMIN_LISTEN", "off")])
            .arg("serve")
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut process = Self { child, log, address: String::new(), directory: None };
        let serving = process.log_until("serving");
        process.address = serving["address"].as_str().unwrap().to_owned();
        process
    }

    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Reads the log up to a message.
    pub fn log_until(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "the log ends before {message:?}");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["message"] == message {
                return event;
            }
        }
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// SIGKILL; returns when the process is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
