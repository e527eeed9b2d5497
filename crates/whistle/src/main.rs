//! The binary: reads the command line and the configuration, calls the service or serves the web, and says in words
//! and an exit code how it went. Has no rules, no SQL, no HTML.
//!
//! - [`command`]: one file per command. [`config`]: the settings and where each came from.
//! - [`server`]: connections and their limits. [`output`]: what is printed. [`failure`]: exit codes.

mod command;
mod config;
mod failure;
mod output;
mod server;

use std::process::ExitCode;

use clap::Parser;

/// Gives freed memory back and scales over threads; the C library's allocator does neither well under this load.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(command::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
