//! Running the program in a folder of its own, with an environment that holds nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a run left behind.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A temporary folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("paring-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Runs paring in this folder.
    pub(crate) fn paring(&self, arguments: &[&str]) -> Output {
        self.paring_with(&[], arguments)
    }

    /// Runs paring in this folder, with an environment.
    pub(crate) fn paring_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        output(self.command(arguments).envs(environment.iter().copied()))
    }

    /// Runs paring in this folder, with a file of it as standard input.
    pub(crate) fn paring_piped(&self, input: &str, arguments: &[&str]) -> Output {
        output(self.command(arguments).stdin(fs::File::open(self.0.join(input)).unwrap()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paring"));
        command.args(arguments).current_dir(&self.0).env_clear();
        command
    }

    /// Runs git in this folder.
    pub(crate) fn git(&self, arguments: &[&str]) -> bool {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
            .status();
        status.unwrap().success()
    }
}

fn output(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    Output {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The files of the built-in example.
pub(crate) fn example() -> PathBuf {
    workspace().join("testdata/example")
}

/// A folder of the repository's test data.
pub(crate) fn testdata(name: &str) -> PathBuf {
    workspace().join("testdata").join(name)
}

/// The conformance folder, or nothing after saying so.
pub(crate) fn conformance() -> Option<PathBuf> {
    let folder = std::env::var_os("PARING_CONFORMANCE").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    if folder.join("vectors").is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no conformance folder at {} (set PARING_CONFORMANCE)", folder.display());
    None
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Copies a folder whole.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
