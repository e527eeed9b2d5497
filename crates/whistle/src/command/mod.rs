//! The commands: what each takes, and the few steps they share.

mod apply;
mod audit;
mod backup;
mod briefing;
mod check;
mod config;
mod demo;
mod distribute;
mod explain;
mod export;
mod figures;
mod import;
mod key;
mod mail_in;
mod migrate;
mod notices;
mod plan;
mod push;
mod restore;
mod retention;
mod search;
mod secret;
mod serve;
mod user;
mod verify;
mod webhook;

use std::io::{self, IsTerminal};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use whistle_domain::words::Lang;
use whistle_service::{Here, Site, Whistle};

use crate::{
    config::{Config, Flags, Layers, LogFormat, ServeFlags},
    failure::{Failure, Result},
};

/// A place looks after itself: residents report, the grid finds who must come, others verify, then it is closed.
#[derive(Debug, Parser)]
#[command(
    name = "whistle",
    version,
    propagate_version = true,
    max_term_width = 110,
    after_help = "Exit codes: 0 done, 1 refused or found faults, 2 wrong usage.\n\
                  Example: whistle apply examples/three-rivers --data /var/lib/whistle && \
                  whistle serve --data /var/lib/whistle"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the APIs until stopped
    #[command(after_help = serve::EXAMPLE)]
    Serve(ServeFlags),
    /// Show what applying a place folder would change, and every fault in it
    #[command(after_help = plan::EXAMPLE)]
    Plan(plan::Plan),
    /// Put a place folder in force as a new version, or nothing of it
    #[command(after_help = apply::EXAMPLE)]
    Apply(apply::Apply),
    /// List every service and area that nobody leads
    #[command(after_help = check::EXAMPLE)]
    Check(check::Check),
    /// Add, list and disable staff accounts
    User(user::User),
    /// Make, list and revoke API keys
    Key(key::Key),
    /// Rotate the install's secret key
    Secret(secret::Secret),
    /// List deliveries of notices, try again what did not arrive, look at templates
    Notices(notices::Notices),
    /// Add, list and remove systems that are told by signed requests
    Webhook(webhook::Webhook),
    /// Switch notices on the devices of staff on and off
    Push(push::Push),
    /// Take one mail from standard input that answers a notice
    #[command(after_help = mail_in::EXAMPLE)]
    MailIn,
    /// Bring in cases of another system
    Import(import::Import),
    /// Write cases to a CSV, GeoJSON or Parquet file
    #[command(after_help = export::EXAMPLE)]
    Export(export::Export),
    /// Print what all jurisdictions counted, side by side
    #[command(after_help = figures::EXAMPLE)]
    Figures(figures::Figures),
    /// Write a period's report: HTML, PDF, DOCX or JSON
    #[command(after_help = briefing::EXAMPLE)]
    Briefing(briefing::Briefing),
    /// Make a sample place with a history, and serve it
    #[command(after_help = demo::EXAMPLE)]
    Demo(demo::Demo),
    /// Write the whole install to a new folder while it serves
    #[command(after_help = backup::EXAMPLE)]
    Backup(backup::Backup),
    /// Make a backup the install of a data folder
    #[command(after_help = restore::EXAMPLE)]
    Restore(restore::Restore),
    /// Make the index of words anew by which cases are found
    Search(search::Search),
    /// Erase what was kept for long enough, or say what that is
    #[command(after_help = retention::EXAMPLE)]
    Retention(retention::Retention),
    /// Print what administrators and operators did
    #[command(after_help = audit::EXAMPLE)]
    Audit(audit::Audit),
    /// Say why the clocks of a case stand where they do
    #[command(after_help = explain::EXAMPLE)]
    Explain(explain::Explain),
    /// Check the log's hashes, every case against its log, every counter against a recount
    #[command(after_help = verify::EXAMPLE)]
    Verify(verify::Verify),
    /// Move a whole install to another database, such as PostgreSQL
    #[command(after_help = migrate::EXAMPLE)]
    Migrate(migrate::Migrate),
    /// Spread jurisdictions over the machines of a Citus cluster
    #[command(after_help = distribute::EXAMPLE)]
    Distribute(distribute::Distribute),
    /// Show every setting, its value and where that came from
    #[command(after_help = config::EXAMPLE)]
    Config(config::Show),
}

/// Runs what the command line says.
pub(crate) fn run(cli: Cli) -> Result<()> {
    let serve_flags = match &cli.command {
        Command::Serve(flags) => Some(flags),
        Command::Config(show) => Some(&show.serve),
        Command::Demo(demo) => Some(&demo.serve),
        _ => None,
    };
    let layers = Layers::gather(&cli.flags, serve_flags)?;
    if let Command::Config(show) = &cli.command {
        return show.run(&layers);
    }
    let mut config = layers.config()?;
    if !matches!(cli.command, Command::Serve(_)) && layers.is_default("log") {
        // Who types a command reads its output; a server's log is read later.
        "warn".clone_into(&mut config.log);
    }
    start_log(&config);
    match cli.command {
        Command::Serve(_) => serve::run(&config),
        Command::Plan(plan) => plan.run(&config),
        Command::Apply(apply) => apply.run(&config),
        Command::Check(check) => check.run(&config),
        Command::User(user) => user.run(&config),
        Command::Key(key) => key.run(&config),
        Command::Secret(secret) => secret.run(&config),
        Command::Notices(notices) => notices.run(&config),
        Command::Webhook(webhook) => webhook.run(&config),
        Command::Push(push) => push.run(&config),
        Command::MailIn => mail_in::run(&config),
        Command::Import(import) => import.run(&config),
        Command::Export(export) => export.run(&config),
        Command::Figures(figures) => figures.run(&config),
        Command::Briefing(briefing) => briefing.run(&config),
        Command::Demo(demo) => demo.run(config),
        Command::Backup(backup) => backup.run(&config),
        Command::Restore(restore) => restore.run(&config),
        Command::Search(search) => search.run(&config),
        Command::Retention(retention) => retention.run(&config),
        Command::Audit(audit) => audit.run(&config),
        Command::Explain(explain) => explain.run(&config),
        Command::Verify(verify) => verify.run(&config),
        Command::Migrate(migrate) => migrate.run(&config),
        Command::Distribute(distribute) => distribute.run(&config),
        Command::Config(_) => unreachable!("answered above, before the settings are checked"),
    }
}

/// Logs to standard error, so that standard output is what the command was asked for.
///
/// At debug, PostgreSQL's driver would log what it sends: names, free text, keys. No rule brings that into a log.
fn start_log(config: &Config) {
    let silent = "tokio_postgres=info".parse().expect("a rule");
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log).add_directive(silent))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).init(),
    }
}

/// Opens the install, which must be there: a wrong path must not make an empty one that looks fine.
fn open(config: &Config) -> Result<Whistle> {
    ensure_taken(&config.site)?;
    Ok(Whistle::open(config.site.clone())?)
}

fn ensure_taken(site: &Site) -> Result<()> {
    if !site.is_taken()? {
        return Err(Failure::Refused(match site.database_url {
            Some(_) => {
                "there is no install in this database; name it with --database-url, or begin one with \
                `whistle apply DIR`"
                    .to_owned()
            }
            None => format!(
                "there is no install in {}; name its folder with --data, or begin one with `whistle apply DIR --data {0}`",
                site.dir.display()
            ),
        }));
    }
    Ok(())
}

/// A language that is spoken.
fn lang(text: &str) -> Result<Lang, &'static str> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err("write zh or en"),
    }
}

/// The jurisdiction that a command is about.
#[derive(Debug, clap::Args)]
struct Which {
    /// The jurisdiction's code, when several are served
    #[arg(long, value_name = "CODE")]
    jurisdiction: Option<String>,
}

impl Which {
    fn here(&self, whistle: &Whistle) -> Result<Here> {
        let places = whistle.places();
        let codes = || {
            let codes = places.all().iter().map(|h| h.place.jurisdiction.code.to_string());
            codes.collect::<Vec<_>>().join(", ")
        };
        match &self.jurisdiction {
            Some(code) if places.by_code(code).is_none() && !places.all().is_empty() => {
                Err(Failure::Refused(format!(
                    "there is no jurisdiction {code:?} here; it is one of {}",
                    codes()
                )))
            }
            code => Ok(places.named(code.as_deref())?.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
