//! `whistle mail-in`: one mail that came back, from standard input, as a mail server's pipe gives it.

use std::io::{self, Read};

use whistle_service::{
    Error,
    notices::{MAX_MAIL, Taken},
};

use super::open;
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "A report that a mail could not be delivered is noted: nothing more is sent to an address that \
    is not there. What else a program sent (an absence note, a list) is left aside with exit code 0, so that nothing goes \
    back and forth. Exit code 75 asks the mail server to try again later.\n\
    Example: whistle mail-in --data /var/lib/whistle < mail";

pub(super) fn run(config: &Config) -> Result<()> {
    let mut mail = Vec::new();
    io::stdin()
        .lock()
        // One byte more tells that it is too large.
        .take(MAX_MAIL as u64 + 1)
        .read_to_end(&mut mail)
        .map_err(|error| Failure::Later(format!("the mail cannot be read: {error}")))?;
    let whistle = open(config)?;
    match whistle.take_mail(&mail) {
        Ok(Taken::Said(number)) => output::line(format!("case {number}: added")),
        Ok(Taken::Answered(number)) => output::line(format!("case {number}: answered")),
        Ok(Taken::Returned { given_up: true }) => {
            output::line("noted: a mail came back, and no more goes to its address");
        }
        Ok(Taken::Returned { given_up: false }) => output::line("noted: a mail came back"),
        Ok(Taken::LeftAside) => output::line("left aside: a program sent this"),
        Err(error @ (Error::Busy(_) | Error::Full | Error::Store(_) | Error::Io { .. })) => {
            return Err(Failure::Later(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
