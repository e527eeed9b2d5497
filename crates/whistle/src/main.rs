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

/// Ends quietly when whoever read what is printed has had enough (`whistle plan DIR | head`); that is no fault.
fn end_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let said = info.payload().downcast_ref::<String>();
        if said.is_some_and(|said| said.starts_with("failed printing to stdout")) {
            std::process::exit(0);
        }
        usual(info);
    }));
}

fn main() -> ExitCode {
    end_when_nobody_reads();
    match command::run(command::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
