//! The lines of a file of cases, worked on by all cores, handed over in their order.
//!
//! Equal input gives equal output whatever the cores do: only the work is done side by side.

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

#[cfg(test)]
mod tests {
    use super::*;

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
