//! moto, a stand-in for AWS in Python, run on loopback by `testdata/moto/run.py` in an environment that it makes itself.
//!
//! The folder of the environment lies beside the test's own build, so that it is made once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A server, gone with the value.
pub(crate) struct Moto {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) url: String,
}

impl Moto {
    /// Starts one; nothing, with a loud line, where there is no Python.
    pub(crate) fn start() -> Option<Self> {
        let python = ["python3", "python"].into_iter().find(|name| {
            let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        });
        let Some(python) = python else {
            eprintln!("SKIPPED: no Python on this machine, so nothing was tried against moto");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/moto/run.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let (requests, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().expect("its output")));
        let mut moto = Self { child, requests, answers, url: String::new() };
        let line = moto.line();
        let port: String = line.chars().filter(char::is_ascii_digit).collect();
        moto.url = format!("http://127.0.0.1:{port}");
        Some(moto)
    }

    /// Asks for one thing of the script's list; the answer is JSON too.
    pub(crate) fn ask(&mut self, request: &str) -> String {
        let requests = self.requests.as_mut().expect("open until dropped");
        writeln!(requests, "{}", request.replace('\n', " ")).expect("the server reads");
        requests.flush().expect("the server reads");
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).expect("the server answers");
        assert!(read > 0, "moto ended; what it said stands above");
        line
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.requests = None;
        let _ = self.child.wait();
    }
}

/// Beside the build, which is where things that can be made again lie.
fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    // <target>/<profile>/deps/<test>
    test.ancestors().nth(3).unwrap_or(Path::new(".")).join("moto")
}
