//! What comes with a report: contact data, answers to retries, and where an imported case came from.

use jiff::Timestamp;
use whistle_domain::{
    case::{Case, Outcome},
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn, Tx,
    case::{self, Hash},
    error::Result,
    params,
};

/// Keeps the sealed contact data of a report.
pub fn keep_contact(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    report: u32,
    sealed: &[u8],
) -> Result<()> {
    tx.put(
        "INSERT INTO contact (jurisdiction_id, number, report, sealed)
         VALUES ($1, $2, $3, $4)",
        params![jurisdiction.0, number.0, report, sealed],
    )
}

/// The sealed contact data of a case, by report.
pub fn contacts(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
) -> Result<Vec<(u32, Vec<u8>)>> {
    conn.rows(
        "SELECT report, sealed
         FROM contact
         WHERE jurisdiction_id = $1 AND number = $2
         ORDER BY report",
        params![jurisdiction.0, number.0],
        |row| Ok((row.int(0)? as u32, row.bytes(1)?.to_vec())),
    )
}

/// Keeps other sealed contact data of a report than before, or the first.
pub fn correct_contact(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    report: u32,
    sealed: &[u8],
) -> Result<()> {
    tx.exec(
        "INSERT INTO contact (jurisdiction_id, number, report, sealed)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (jurisdiction_id, number, report) DO UPDATE
         SET sealed = excluded.sealed",
        params![jurisdiction.0, number.0, report, sealed],
    )?;
    Ok(())
}

/// Erases the contact data of one report. Answers whether there was any.
pub fn erase_contact(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    report: u32,
) -> Result<bool> {
    let erased = tx.exec(
        "DELETE FROM contact
         WHERE jurisdiction_id = $1 AND number = $2 AND report = $3",
        params![jurisdiction.0, number.0, report],
    )?;
    Ok(erased == 1)
}

/// Sealed contact data of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The case.
    pub number: CaseNumber,
    /// Which report of it.
    pub report: u32,
    /// The data.
    pub sealed: Vec<u8>,
}

/// The sealed contact data of all cases in the order of their numbers, after a report, at most `limit`.
pub fn contacts_after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    (number, report): (CaseNumber, u32),
    limit: usize,
) -> Result<Vec<Sealed>> {
    conn.rows(
        "SELECT number, report, sealed
         FROM contact
         WHERE jurisdiction_id = $1 AND (number, report) > ($2, $3)
         ORDER BY number, report
         LIMIT $4",
        params![jurisdiction.0, number.0, report, limit as i64],
        |row| {
            Ok(Sealed {
                number: CaseNumber(row.int(0)?),
                report: row.int(1)? as u32,
                sealed: row.bytes(2)?.to_vec(),
            })
        },
    )
}

/// Keeps the same contact data sealed anew, unless it was corrected or erased meanwhile. Answers how many rows it were.
pub fn seal_anew(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, old: &Sealed, sealed: &[u8]) -> Result<u64> {
    tx.exec(
        "UPDATE contact
         SET sealed = $5
         WHERE jurisdiction_id = $1 AND number = $2 AND report = $3 AND sealed = $4",
        params![
            jurisdiction.0,
            old.number.0,
            old.report,
            old.sealed.as_slice(),
            sealed
        ],
    )
}

/// Keeps the sealed address of whoever outside is asked a question.
pub fn keep_respondent(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    question: u32,
    sealed: &[u8],
) -> Result<()> {
    tx.put(
        "INSERT INTO question_contact (jurisdiction_id, number, question, sealed)
         VALUES ($1, $2, $3, $4)",
        params![jurisdiction.0, number.0, question, sealed],
    )
}

/// The sealed address of whoever outside was asked a question; none where none is known, or the question is over.
pub fn respondent(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    question: u32,
) -> Result<Option<Vec<u8>>> {
    conn.row_optional(
        "SELECT sealed
         FROM question_contact
         WHERE jurisdiction_id = $1 AND number = $2 AND question = $3",
        params![jurisdiction.0, number.0, question],
        |row| Ok(row.bytes(0)?.to_vec()),
    )
}

/// Erases the addresses of who was asked about a case, when its question is over.
pub(crate) fn erase_respondents(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
) -> Result<()> {
    tx.queue(
        "DELETE FROM question_contact
         WHERE jurisdiction_id = $1 AND number = $2",
        params![jurisdiction.0, number.0],
    )
}

/// The sealed addresses of who is asked in all cases, in the order of their numbers, after a question, at most `limit`. In
/// [`Sealed::report`] is the question.
pub fn respondents_after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    (number, question): (CaseNumber, u32),
    limit: usize,
) -> Result<Vec<Sealed>> {
    conn.rows(
        "SELECT number, question, sealed
         FROM question_contact
         WHERE jurisdiction_id = $1 AND (number, question) > ($2, $3)
         ORDER BY number, question
         LIMIT $4",
        params![jurisdiction.0, number.0, question, limit as i64],
        |row| {
            Ok(Sealed {
                number: CaseNumber(row.int(0)?),
                report: row.int(1)? as u32,
                sealed: row.bytes(2)?.to_vec(),
            })
        },
    )
}

/// Keeps the same address of who is asked sealed anew. Answers how many rows it were.
pub fn seal_respondent_anew(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    old: &Sealed,
    sealed: &[u8],
) -> Result<u64> {
    tx.exec(
        "UPDATE question_contact
         SET sealed = $5
         WHERE jurisdiction_id = $1 AND number = $2 AND question = $3 AND sealed = $4",
        params![
            jurisdiction.0,
            old.number.0,
            old.report,
            old.sealed.as_slice(),
            sealed
        ],
    )
}

/// A look at the contact data of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// When.
    pub at: Timestamp,
    /// The post's code.
    pub post: String,
}

/// The looks at the contact data of a case, first things first.
pub fn contact_views(conn: &Conn, jurisdiction: JurisdictionId, number: CaseNumber) -> Result<Vec<View>> {
    conn.rows(
        "SELECT at, post_code
         FROM contact_view
         WHERE jurisdiction_id = $1 AND number = $2
         ORDER BY at, account_id",
        params![jurisdiction.0, number.0],
        |row| {
            Ok(View {
                at: row.time(0)?,
                post: row.text(1)?.to_owned(),
            })
        },
    )
}

/// Logs that somebody looked at the contact data of a case.
pub fn log_contact_view(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    now: Timestamp,
    account: i64,
    post: &str,
) -> Result<()> {
    tx.queue(
        "INSERT INTO contact_view (jurisdiction_id, number, at, account_id, post_code)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (jurisdiction_id, number, at, account_id) DO NOTHING",
        params![jurisdiction.0, number.0, now, account, post],
    )
}

/// The outcome of a case that was merged into another, as its column has it.
const DUPLICATE: &str = Outcome::Duplicate.as_str();

/// Whether a case was closed before a time.
fn is_over(case: &Case, closed_before: Timestamp) -> bool {
    !case.state.is_open() && case.times.closed_at.is_some_and(|at| at < closed_before)
}

/// What was found among some cases that were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T = CaseNumber> {
    /// The cases, in the order of their numbers.
    pub cases: Vec<T>,
    /// The last one that was looked at; none when there are no more.
    pub last: Option<CaseNumber>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self {
            cases: Vec::new(),
            last: None,
        }
    }
}

/// Goes through cases by their numbers, of which a row says whether each is one that is looked for.
fn found(conn: &Conn, sql: &str, values: &[crate::Value<'_>]) -> Result<Found> {
    let mut found = Found::default();
    conn.each(sql, values, |row| {
        let number = CaseNumber(row.int(0)?);
        if row.int(1)? == 1 {
            found.cases.push(number);
        }
        found.last = Some(number);
        Ok(())
    })?;
    Ok(found)
}

/// A case whose reporters are answered no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// The case.
    pub number: CaseNumber,
    /// The one that answered them to the end: itself, or the one that it was merged into.
    pub by: CaseNumber,
}

/// Among at most `limit` cases that have contact data, after one: those that were closed before a time. One that was merged
/// is over with the case that goes on, since its reporters are told of that one.
pub fn contacts_to_erase(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    closed_before: Timestamp,
    after: CaseNumber,
    limit: usize,
) -> Result<Found<Over>> {
    let (mut found, mut merged) = (Found::default(), Vec::new());
    conn.each(
        "SELECT k.number, CASE WHEN c.is_open = 0 AND c.closed_at < $2 THEN c.outcome ELSE '' END
         FROM (SELECT DISTINCT number
               FROM contact
               WHERE jurisdiction_id = $1 AND number > $3
               ORDER BY number
               LIMIT $4) AS k
         JOIN cases AS c ON c.jurisdiction_id = $1 AND c.number = k.number
         ORDER BY k.number",
        params![jurisdiction.0, closed_before, after.0, limit as i64],
        |row| {
            let number = CaseNumber(row.int(0)?);
            match row.text(1)? {
                "" => {}
                DUPLICATE => merged.push(number),
                _ => found.cases.push(Over { number, by: number }),
            }
            found.last = Some(number);
            Ok(())
        },
    )?;
    for number in merged {
        let original = case::goes_on_as(conn, jurisdiction, number)?;
        if let Some(original) = original.filter(|case| is_over(case, closed_before)) {
            let by = original.number;
            found.cases.push(Over { number, by });
        }
    }
    found.cases.sort_unstable_by_key(|over| over.number);
    Ok(found)
}

/// What reporters wrote: the texts of the first event of a case, of those by pick-up code, and of reports that joined; and
/// what was typed into bodies, which a program before this one kept inside the entry. The words are as `case.rs` writes them.
const OF_REPORTERS: &str = r#"(e.text <> '' AND (e.version = 1 OR e.entry LIKE '{"by":{"who":"reporter"%'
                                    OR e.entry LIKE '%"body":{"event":"joined"%')
              OR e.told IS NOT NULL OR e.entry LIKE '%"address":"%' OR e.entry LIKE '%"answers":[%')"#;

/// Among at most `limit` cases after one: those that were closed before a time and still have a text of a reporter. Reads
/// the logs of those that are closed: for now and then, not for every request.
pub fn texts_to_erase(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    closed_before: Timestamp,
    after: CaseNumber,
    limit: usize,
) -> Result<Found> {
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(
            "SELECT c.number,
                    CASE WHEN c.stage = 'closed' AND c.closed_at < $2
                              AND EXISTS (SELECT 1
                                          FROM event AS e
                                          WHERE e.jurisdiction_id = $1 AND e.number = c.number
                                            AND {OF_REPORTERS})
                         THEN 1
                         ELSE 0
                    END
             FROM (SELECT number, stage, closed_at
                   FROM cases
                   WHERE jurisdiction_id = $1 AND number > $3
                   ORDER BY number
                   LIMIT $4) AS c
             ORDER BY c.number"
        )
    });
    found(
        conn,
        &SQL,
        params![jurisdiction.0, closed_before, after.0, limit as i64],
    )
}

/// What was kept for long enough, or will be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// How many reports, texts or photos.
    pub n: u64,
    /// The oldest of them: when its case was closed; when a photo was sent.
    pub oldest: Option<Timestamp>,
}

fn due(row: &crate::Row<'_>) -> Result<Due> {
    Ok(Due {
        n: row.int(0)? as u64,
        oldest: row.time_opt(1)?,
    })
}

/// Contact data of cases that are over as [`contacts_to_erase`] says.
pub fn contacts_due(conn: &Conn, jurisdiction: JurisdictionId, closed_before: Timestamp) -> Result<Due> {
    let mut all = conn.row(
        "SELECT COUNT(*), MIN(c.closed_at)
         FROM contact AS k
         JOIN cases AS c ON c.jurisdiction_id = k.jurisdiction_id AND c.number = k.number
         WHERE k.jurisdiction_id = $1 AND c.is_open = 0 AND c.closed_at < $2 AND c.outcome <> $3",
        params![jurisdiction.0, closed_before, DUPLICATE],
        due,
    )?;
    let merged = conn.rows(
        "SELECT k.number, COUNT(*)
         FROM contact AS k
         JOIN cases AS c ON c.jurisdiction_id = k.jurisdiction_id AND c.number = k.number
         WHERE k.jurisdiction_id = $1 AND c.is_open = 0 AND c.closed_at < $2 AND c.outcome = $3
         GROUP BY k.number",
        params![jurisdiction.0, closed_before, DUPLICATE],
        |row| Ok((CaseNumber(row.int(0)?), row.int(1)? as u64)),
    )?;
    for (number, reports) in merged {
        let original = case::goes_on_as(conn, jurisdiction, number)?;
        if let Some(original) = original.filter(|case| is_over(case, closed_before)) {
            all.n += reports;
            all.oldest = all.oldest.into_iter().chain(original.times.closed_at).min();
        }
    }
    Ok(all)
}

/// Texts of reporters in cases that were closed before a time.
pub fn texts_due(conn: &Conn, jurisdiction: JurisdictionId, closed_before: Timestamp) -> Result<Due> {
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(
            "SELECT COUNT(*), MIN(c.closed_at)
             FROM event AS e
             JOIN cases AS c ON c.jurisdiction_id = e.jurisdiction_id AND c.number = e.number
             WHERE e.jurisdiction_id = $1 AND c.stage = 'closed' AND c.closed_at < $2 AND {OF_REPORTERS}"
        )
    });
    conn.row(&SQL, params![jurisdiction.0, closed_before], due)
}

/// Erases the contact data of a case, unless the one that answered its reporters was opened again. Answers how many reports
/// it concerned.
pub fn erase_contacts(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    over: Over,
    closed_before: Timestamp,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM contact
         WHERE jurisdiction_id = $1 AND number = $2
           AND EXISTS (SELECT 1
                       FROM cases AS c
                       WHERE c.jurisdiction_id = $1 AND c.number = $3 AND c.is_open = 0 AND c.closed_at < $4)",
        params![jurisdiction.0, over.number.0, over.by.0, closed_before],
    )
}

/// What an earlier request with the same idempotency key was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The hash of what it sent.
    pub body: Hash,
    /// The case it made or joined.
    pub number: CaseNumber,
    /// Which report of the case it was.
    pub report: u32,
    /// Which version of the case or whistle an act led to.
    pub version: Option<u32>,
}

/// The answer to an earlier request.
pub fn answered(conn: &Conn, jurisdiction: JurisdictionId, request: &Hash) -> Result<Option<Answered>> {
    conn.row_optional(
        "SELECT body, number, report, version
         FROM idempotency
         WHERE jurisdiction_id = $1 AND request = $2",
        params![jurisdiction.0, *request],
        |row| {
            let body = row
                .bytes(0)?
                .try_into()
                .map_err(|_| row.wrong(0, "a hash of 32 bytes", "another length"))?;
            Ok(Answered {
                body,
                number: CaseNumber(row.int(1)?),
                report: row.int(2)? as u32,
                version: row.int_opt(3)?.map(|version| version as u32),
            })
        },
    )
}

/// Keeps the answer to a request.
pub fn keep_answer(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    request: &Hash,
    answer: &Answered,
    now: Timestamp,
) -> Result<()> {
    tx.put(
        "INSERT INTO idempotency (jurisdiction_id, request, body, at, number, report, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            *request,
            answer.body,
            now,
            answer.number.0,
            answer.report,
            answer.version
        ],
    )
}

/// Forgets answers that are older than a time, at most `most`.
pub fn forget_answers(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    most: usize,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM idempotency
         WHERE jurisdiction_id = $1
           AND request IN (SELECT request FROM idempotency WHERE jurisdiction_id = $1 AND at < $2 LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

/// The case that a matter of another system was imported as.
pub fn imported(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    source: &str,
    reference: &str,
) -> Result<Option<CaseNumber>> {
    conn.row_optional(
        "SELECT number
         FROM imported
         WHERE jurisdiction_id = $1 AND source = $2 AND reference = $3",
        params![jurisdiction.0, source, reference],
        |row| row.int(0).map(CaseNumber),
    )
}

/// Those of some references that were imported before, with their cases and whether each is open. One query, however
/// many are asked for, up to [`MAX_REFERENCES`].
pub fn imported_among(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    source: &str,
    references: &[&str],
) -> Result<Vec<(String, CaseNumber, bool)>> {
    debug_assert!(references.len() <= MAX_REFERENCES, "{}", references.len());
    // Always the same statement, so that it is prepared once; what is left over asks for the first one again.
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let places: Vec<String> = (3..3 + MAX_REFERENCES).map(|i| format!("${i}")).collect();
        format!(
            "SELECT i.reference, i.number, c.is_open
             FROM imported AS i
             JOIN cases AS c ON c.jurisdiction_id = i.jurisdiction_id AND c.number = i.number
             WHERE i.jurisdiction_id = $1 AND i.source = $2 AND i.reference IN ({})",
            places.join(", ")
        )
    });
    let Some(first) = references.first() else {
        return Ok(Vec::new());
    };
    let padding = std::iter::repeat_n(first, MAX_REFERENCES - references.len().min(MAX_REFERENCES));
    let values: Vec<crate::Value<'_>> = [crate::Value::Int(jurisdiction.0), crate::Value::Text(source)]
        .into_iter()
        .chain(
            references
                .iter()
                .take(MAX_REFERENCES)
                .chain(padding)
                .map(|reference| crate::Value::Text(reference)),
        )
        .collect();
    conn.rows(&SQL, &values, |row| {
        Ok((row.text(0)?.to_owned(), CaseNumber(row.int(1)?), row.int(2)? == 1))
    })
}

/// The most references of one [`imported_among`].
pub const MAX_REFERENCES: usize = 256;

/// Remembers that, unless the reference is there already. Answers whether it was not.
pub fn claim_imported(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    source: &str,
    reference: &str,
    number: CaseNumber,
) -> Result<bool> {
    let added = tx.exec(
        "INSERT INTO imported (jurisdiction_id, source, reference, number)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (jurisdiction_id, source, reference) DO NOTHING",
        params![jurisdiction.0, source, reference, number.0],
    )?;
    Ok(added == 1)
}

/// One value of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// In which area; empty when it is counted by service.
    pub area_code: String,
    /// For which service; empty when it is counted by area.
    pub service_code: String,
    /// How many.
    pub n: i64,
}

/// All counters of a jurisdiction, days summed up from `since` on (days since 1970); what is open now in any case.
pub fn counts(conn: &Conn, jurisdiction: JurisdictionId, since: i64) -> Result<Vec<Count>> {
    conn.rows(
        "SELECT name, area_code, service_code, CAST(SUM(n) AS BIGINT)
         FROM counter
         WHERE jurisdiction_id = $1 AND (day >= $2 OR day = 0)
         GROUP BY name, area_code, service_code",
        params![jurisdiction.0, since],
        |row| {
            Ok(Count {
                name: row.text(0)?.to_owned(),
                area_code: row.text(1)?.to_owned(),
                service_code: row.text(2)?.to_owned(),
                n: row.int(3)?,
            })
        },
    )
}
