//! Addresses from which mail comes back: noted, so that no more goes there, until somebody mends them.

use jiff::Timestamp;
use whistle_domain::{
    mask::mask,
    words::{JurisdictionId, Subject},
};
use whistle_notices::told::Reader;
use whistle_store::{
    Conn, Tx,
    notice::{self as stored, Delivery, Failing},
};

use super::{DEAD_KEPT, MAX_PAGE, letter::reader_of};
use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

/// Mails that come back for a while only, a full mailbox or a server that is away for days, before an address is given up.
const MOST: u32 = 3;

/// How long it is remembered that mail came back; then the address is tried again.
pub(super) const REMEMBERED: jiff::SignedDuration = DEAD_KEPT;

/// A mail that came back.
pub(super) struct Returned<'a> {
    /// From which address.
    pub email: &'a str,
    /// What it was about.
    pub subject: Subject,
    /// For whom it was.
    pub reader: &'a Reader,
    /// Whether the server says that nothing will ever arrive there.
    pub for_good: bool,
    /// The server's words.
    pub why: &'a str,
}

impl Whistle {
    /// Since when no mail goes to an address, because it came back from there; none where it may go.
    pub(crate) fn failing_since(
        &self,
        conn: &Conn,
        id: JurisdictionId,
        email: &str,
    ) -> Result<Option<Timestamp>> {
        if email.is_empty() {
            return Ok(None);
        }
        let found = stored::failing(conn, id, &self.secret.opt_outs(id, email, None))?;
        Ok(found.filter(|found| found.given_up).map(|found| found.at))
    }

    /// Of some addresses, since when no mail goes there.
    pub(crate) fn failing_among<'e>(
        &self,
        conn: &Conn,
        id: JurisdictionId,
        emails: impl IntoIterator<Item = &'e str>,
    ) -> Result<Vec<Option<Timestamp>>> {
        let given_up = stored::given_up(conn, id)?;
        let since = |email: &str| {
            let hashes = self.secret.opt_outs(id, email, None);
            let found = given_up.iter().find(|(who, _)| hashes.contains(who));
            found.filter(|_| !email.is_empty()).map(|(_, at)| *at)
        };
        Ok(emails.into_iter().map(since).collect())
    }

    /// Notes that a mail came back. Answers whether its address is given up.
    pub(super) fn note_returned(
        &self,
        tx: &mut Tx<'_>,
        id: JurisdictionId,
        returned: &Returned<'_>,
        now: Timestamp,
    ) -> Result<bool> {
        let hashes = self.secret.opt_outs(id, returned.email, None);
        let before = stored::failing(tx, id, &hashes)?;
        let times = before.as_ref().map_or(0, |before| before.times) + 1;
        let given_up = returned.for_good || times >= MOST || before.as_ref().is_some_and(|it| it.given_up);
        let (report, unit) = match returned.reader {
            Reader::Unit(unit) => (0, Some(unit.clone())),
            Reader::Reporter(report) | Reader::Merged(_, report) => (*report, None),
            Reader::Asked(_) => (0, None),
        };
        let subject = match returned.reader {
            Reader::Merged(own, _) => Subject::Case(*own),
            _ => returned.subject,
        };
        let failing = Failing {
            id: before.as_ref().map_or(0, |before| before.id),
            who: before.map_or_else(|| self.secret.opt_out(id, returned.email, None), |it| it.who),
            subject,
            report,
            unit,
            times,
            given_up,
            at: now,
            // A server names the address that it refuses.
            why: mask(returned.why).into_owned(),
        };
        stored::keep_failing(tx, id, &failing)?;
        Ok(given_up)
    }

    /// Lets mail go again to the reader of a delivery.
    pub(super) fn trust_reader(&self, tx: &mut Tx<'_>, here: &Here, delivery: &Delivery) -> Result<()> {
        let reader = reader_of(delivery);
        let (email, _) = self.address_of(tx, here, delivery.subject, &reader)?;
        if email.is_empty() {
            return Ok(());
        }
        let found = stored::failing(tx, here.id, &self.secret.opt_outs(here.id, &email, None))?;
        if let Some(found) = found {
            stored::trust_again(tx, here.id, found.id)?;
        }
        Ok(())
    }

    /// Addresses from which mail came back, the last first, below a number.
    pub fn failing_addresses(&self, here: &Here, below: Option<i64>) -> Result<Vec<Failing>> {
        let (id, below) = (here.id, below.unwrap_or(i64::MAX));
        Ok(self
            .store
            .read_blocking(|conn| stored::all_failing(conn, id, below, MAX_PAGE))?)
    }

    /// Lets mail go to an address again.
    pub fn trust_address(&self, here: &Here, failing: i64) -> Result<()> {
        let id = here.id;
        let known = self
            .store
            .write_blocking(move |tx| stored::trust_again(tx, id, failing))?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("address from which mail came back", failing))
        }
    }
}
