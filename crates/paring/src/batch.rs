//! The lines of a file of cases, worked on by all cores, handed over in their order.
//!
//! Equal input gives equal output whatever the cores do: only the work is done side by side.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use rayon::prelude::*;

use crate::error::CliError;

/// Lines that are worked on before the first of them is handed over: bounds the memory that waits.
const CHUNK: usize = 2048;

/// Works on every line that is not blank, by its number from one, and takes the results in order.
pub(crate) fn lines<T: Send>(
    text: &str,
    work: impl Fn(usize, &str) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut numbered = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    loop {
        let chunk: Vec<(usize, &str)> = numbered.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let made: Vec<T> = chunk.par_iter().map(|(number, line)| work(*number, line)).collect();
        made.into_iter().try_for_each(&mut take)?;
    }
}

/// The longest line.
const LONGEST: u64 = 16 << 20;
/// Bytes of lines that are held at a time.
const HELD: usize = 32 << 20;

/// Works on every line of a file, or of standard input for `-`, that is not blank; takes the results in order, by their
/// numbers from one. Holds a bounded part of the file at a time.
pub(crate) fn stream<T: Send>(
    path: &Path,
    work: impl Fn(usize, &str) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(1 << 16, File::open(path).map_err(|e| CliError::io("read", path, &e))?))
    };
    let (mut number, mut ended) = (0, false);
    while !ended {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while chunk.len() < CHUNK && bytes < HELD && !ended {
            let mut line = Vec::new();
            let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            ended = read.map_err(|e| CliError::io("read", path, &e))? == 0;
            number += 1;
            if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
                return Err(CliError::user(format!("{}:{number}: the line is longer than 16 MiB", path.display())));
            }
            let line = String::from_utf8(line)
                .map_err(|_| CliError::user(format!("{}:{number}: the line is not UTF-8", path.display())))?;
            bytes += line.len();
            if !line.trim().is_empty() {
                chunk.push((number, line));
            }
        }
        let made: Vec<T> = chunk.par_iter().map(|(number, line)| work(*number, line.trim_end())).collect();
        for ((number, _), made) in chunk.iter().zip(made) {
            take(*number, made)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_worked_on_in_the_order_of_its_lines() {
        let path = std::env::temp_dir().join(format!("paring-batch-{}", std::process::id()));
        std::fs::write(&path, (0..5000).map(|n| format!("{n}\n\n")).collect::<String>() + "end").unwrap();
        let mut seen = Vec::new();
        let take = |number: usize, made: String| {
            seen.push((number, made));
            Ok(())
        };
        stream(&path, |_, line| line.to_owned(), take).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut expected: Vec<_> = (0..5000).map(|n| (2 * n + 1, n.to_string())).collect();
        expected.push((10_001, "end".into()));
        assert_eq!(seen, expected);
    }

    #[test]
    fn results_come_in_the_order_of_the_lines() {
        let text: String = (0..5000).map(|n| format!("{n}\n\n")).collect();
        let mut seen = Vec::new();
        lines(
            &text,
            |number, line| (number, line.to_owned()),
            |made| {
                seen.push(made);
                Ok(())
            },
        )
        .unwrap();
        let expected: Vec<_> = (0..5000).map(|n| (2 * n + 1, n.to_string())).collect();
        assert_eq!(seen, expected);
    }
}
