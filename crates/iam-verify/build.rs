//! Lists the shipped rules and cases for the binary, so that a new rule needs no Rust. Reads `policies/` and nothing else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new("../../policies");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed={}", folder.join("cases").display());
    let mut out = String::new();
    list(&mut out, "RULES", folder, "cedar", "policies")?;
    list(&mut out, "CASES", &folder.join("cases"), "json", "policies/cases")?;
    let target = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    fs::write(target.join("policies.rs"), out)
}

/// Writes one constant: the files of a folder with one extension, in the order of their names.
fn list(out: &mut String, constant: &str, folder: &Path, extension: &str, shown: &str) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path.canonicalize()?);
        }
    }
    files.sort();
    let mut write = |text: std::fmt::Arguments<'_>| out.write_fmt(text).map_err(io::Error::other);
    write(format_args!("const {constant}: &[(&str, &str)] = &[\n"))?;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        write(format_args!("    ({:?}, include_str!({:?})),\n", format!("{shown}/{name}"), path))?;
    }
    write(format_args!("];\n"))
}
