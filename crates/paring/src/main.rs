//! The command line: parses arguments, runs one command, prints its result, and sets the exit code.
//!
//! Knows files, the terminal and the order of the stops. Knows no IAM rule: those live in the rooms it calls.

mod applying;
mod baseline;
mod batch;
mod catalog;
mod cli;
mod commands;
mod committed;
mod config;
mod digest;
mod error;
mod example;
mod generated;
mod ground;
mod input;
mod job;
mod judging;
mod keep;
mod last_accessed;
mod logs;
mod pipeline;
mod redact;
mod remote_logs;
mod report;
mod rulebook;
mod second_opinion;
mod terminal;
mod usage_state;
mod waivers;
mod write;
mod written;

use std::process::ExitCode;

use terminal::Terminal;

/// Policies are many small texts; with the system's allocator a third of the time of a decision goes into them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(error) => return terminal::print_usage(&error),
    };
    if command.redact {
        redact::switch_on();
    }
    let mut terminal = Terminal::new(command.color, command.quiet);
    let outcome = commands::run(&command.action, &mut terminal);
    match outcome.and_then(|outcome| terminal.finish().map(|()| outcome)) {
        Ok(commands::Outcome::Clean) => ExitCode::SUCCESS,
        Ok(commands::Outcome::Findings) if command.exit_zero => ExitCode::SUCCESS,
        Ok(commands::Outcome::Findings) => ExitCode::from(1),
        Err(error) => terminal.print_error(&error),
    }
}
