//! The index of words by which cases are found. It is made of the cases after they were committed, in turns: a commit only
//! notes that a case changed. What is erased goes from it at once, in the transaction that erases it.
//!
//! The index answers numbers, newest first. Which of these cases a viewer sees, the rows say, by the same conditions as in every
//! list; the marks among the words only keep a search from looking at cases that are not for it.
//!
//! An entry never goes back to an older version of its case: where a case was read, then something of it erased, then its words
//! are written, these come too late.

use std::hash::{DefaultHasher, Hash as _, Hasher};

use whistle_domain::{
    case::{Case, Event},
    place::Place,
    rights::Unclassed,
    search::{self, Mark, Term},
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn, Tx,
    audit::Audit,
    case::{Hash, event},
    error::Result,
    list::{Filter, MAX_PAGE, Sight, chosen},
    params,
};

/// Cases that the index names and the rows may refuse, of one page: then the page is short, and the next one goes on behind them.
/// It takes filters that have no mark to come to it.
const MAX_LOOKED_AT: usize = 5_000;

/// Services or units of a filter that are looked for by their marks: of more, the rows are asked alone.
const MAX_MARKS: usize = 16;

/// A case with its words.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Of which jurisdiction.
    pub jurisdiction: JurisdictionId,
    /// The case.
    pub number: CaseNumber,
    /// Which version of it has these words.
    pub version: u32,
    /// See [`search::words`]. None: it is found by nothing.
    pub words: Vec<String>,
}

/// What the index is asked.
pub(crate) struct Sought<'a> {
    pub jurisdiction: JurisdictionId,
    /// Of each of these lists, one term.
    pub terms: &'a [Vec<Term>],
    /// In cases with smaller numbers than this.
    pub below: i64,
}

// ---- kept in step -----------------------------------------------------------------------------------------------

/// Notes that a case is to be cut into words.
pub(crate) fn note_change(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    version: u32,
) -> Result<()> {
    tx.put(
        "INSERT INTO case_search_due (jurisdiction_id, number, version)
         VALUES ($1, $2, $3)",
        params![jurisdiction.0, number.0, version],
    )
}

/// Takes all words of a case out, since something of it is erased, which its next version tells of.
pub(crate) fn forget(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    next: u32,
) -> Result<()> {
    let words = Vec::new();
    tx.index(&Entry {
        jurisdiction,
        number,
        version: next,
        words,
    })
}

/// Puts words of cases in, in the order of their numbers, which is that of the index.
pub fn put(tx: &mut Tx<'_>, entries: &[Entry]) -> Result<()> {
    entries.iter().try_for_each(|entry| tx.index(entry))
}

/// Cases that have changed since they were cut into words, the newest first; each once.
pub fn due(conn: &Conn, jurisdiction: JurisdictionId, limit: usize) -> Result<Vec<CaseNumber>> {
    let mut numbers = conn.rows(
        "SELECT number
         FROM case_search_due
         WHERE jurisdiction_id = $1
         ORDER BY number DESC, version DESC
         LIMIT $2",
        params![jurisdiction.0, limit as i64],
        |row| row.int(0).map(CaseNumber),
    )?;
    numbers.dedup();
    Ok(numbers)
}

/// Notes that a case was cut into words as it was at a version.
pub fn settle(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, number: CaseNumber, version: u32) -> Result<()> {
    tx.queue(
        "DELETE FROM case_search_due
         WHERE jurisdiction_id = $1 AND number = $2 AND version <= $3",
        params![jurisdiction.0, number.0, version],
    )
}

/// How far all cases have been cut by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// By which.
    pub rule: Hash,
    /// The cases below this number are still to come.
    pub below: i64,
}

impl Pass {
    /// The first cases are numbered 1.
    const fn is_over(&self) -> bool {
        self.below <= 1
    }
}

/// The rule by which the cases of a place are cut: how, and by which names.
pub fn rule(place: &Place) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&search::RULE.to_le_bytes());
    let services = place.services().iter();
    let services = services.map(|s| {
        (
            s.code.as_str(),
            s.group.as_ref().map_or("", |g| g.as_str()),
            &s.name,
        )
    });
    let areas = place.areas.all().iter().map(|a| (a.code.as_str(), "", &a.name));
    for (code, group, name) in services.chain(areas) {
        let name = [Some(&name.own), name.zh.as_ref(), name.en.as_ref()];
        let name = name.map(|name| name.map_or("", |name| name));
        for text in [code, group].into_iter().chain(name) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    *hasher.finalize().as_bytes()
}

/// The pass through all cases, if it was ever begun.
pub fn pass(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Option<Pass>> {
    conn.row_optional(
        "SELECT rule, below
         FROM case_search_pass
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
        |row| {
            Ok(Pass {
                rule: crate::case::hash_at(row, 0)?,
                below: row.int(1)?,
            })
        },
    )
}

/// Notes how far it has come.
pub fn note_pass(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, pass: Pass) -> Result<()> {
    tx.queue(
        "INSERT INTO case_search_pass (jurisdiction_id, rule, below)
         VALUES ($1, $2, $3)
         ON CONFLICT (jurisdiction_id) DO UPDATE
         SET rule = excluded.rule, below = excluded.below",
        params![jurisdiction.0, pass.rule, pass.below],
    )
}

/// The pass that is to go on by a rule, if there is still something to do.
pub fn unfinished(conn: &Conn, jurisdiction: JurisdictionId, rule: Hash) -> Result<Option<Pass>> {
    let anew = Pass {
        rule,
        below: i64::MAX,
    };
    let pass = pass(conn, jurisdiction)?.filter(|pass| pass.rule == rule);
    Ok(Some(pass.unwrap_or(anew)).filter(|pass| !pass.is_over()))
}

/// The next cases of a pass, the newest first.
pub fn cases_below(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    below: i64,
    limit: usize,
) -> Result<Vec<CaseNumber>> {
    conn.rows(
        "SELECT number
         FROM cases
         WHERE jurisdiction_id = $1 AND number < $2
         ORDER BY number DESC
         LIMIT $3",
        params![jurisdiction.0, below, limit as i64],
        |row| row.int(0).map(CaseNumber),
    )
}

/// Empties the index, so that all is cut anew. `jurisdictions` are all that there are.
pub fn clear(tx: &mut Tx<'_>, jurisdictions: &[JurisdictionId]) -> Result<()> {
    for jurisdiction in jurisdictions {
        tx.queue(
            "DELETE FROM case_search
             WHERE jurisdiction_id = $1",
            params![jurisdiction.0],
        )?;
        tx.queue(
            "DELETE FROM case_search_pass
             WHERE jurisdiction_id = $1",
            params![jurisdiction.0],
        )?;
    }
    tx.clear_index()
}

// ---- searched ---------------------------------------------------------------------------------------------------

/// The newest cases that have all that is sought and that a filter lets through, and the number below which the next page
/// begins; none at the end. `fits` is asked for each of them as well.
pub fn page(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    terms: &[Vec<Term>],
    filter: &Filter,
    below: Option<i64>,
    limit: usize,
    fits: impl Fn(&Case) -> bool,
) -> Result<(Vec<Case>, Option<i64>)> {
    let Some(marks) = marks(filter) else {
        return Ok((Vec::new(), None));
    };
    let mut terms: Vec<Vec<Term>> = marks.into_iter().chain(terms.iter().cloned()).collect();
    let limit = limit.clamp(1, MAX_PAGE);
    let mut below = below.unwrap_or(i64::MAX);
    let (mut found, mut looked_at, mut most) = (Vec::new(), 0, limit + 1);
    // Nearly every case is public: to go through the mark of all of them costs more than to refuse a few rows. Where it refuses
    // many, the mark is looked for from then on.
    let mut is_marked = !filter.public;
    loop {
        let sought = Sought {
            jurisdiction,
            terms: &terms,
            below,
        };
        let numbers = conn.indexed(&sought, most)?;
        let mut cases = chosen(conn, jurisdiction, filter, &numbers)?;
        cases.retain(&fits);
        found.extend(cases);
        let (is_last, last) = (numbers.len() < most, numbers.last().copied());
        looked_at += numbers.len();
        if found.len() > limit || is_last || looked_at >= MAX_LOOKED_AT {
            return Ok(cut_to_page(found, limit, last.filter(|_| !is_last)));
        }
        // Most of these were not for the viewer, so many more are looked at.
        if !is_marked {
            terms.push(vec![Term::whole(Mark::Public.word())]);
            is_marked = true;
        }
        (below, most) = (last.unwrap_or(0), MAX_PAGE);
    }
}

/// The case with a number, if the filter lets it through.
pub fn one(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    filter: &Filter,
) -> Result<Option<Case>> {
    Ok(chosen(conn, jurisdiction, filter, &[number.0])?.pop())
}

/// The page, and below which number the next one begins, if more was found or more may come behind `last`.
fn cut_to_page(mut found: Vec<Case>, limit: usize, last: Option<i64>) -> (Vec<Case>, Option<i64>) {
    found.sort_unstable_by_key(|case| std::cmp::Reverse(case.number));
    if found.len() > limit {
        found.truncate(limit);
        let next = found.last().map(|case| case.number.0);
        return (found, next);
    }
    (found, last)
}

/// The marks that every case of a filter has, but for that of public ones: of each list one. None where the filter lets nothing through.
fn marks(filter: &Filter) -> Option<Vec<Vec<Term>>> {
    let mut all = Vec::new();
    let mut either = |marks: Vec<Mark<'_>>| {
        if (1..=MAX_MARKS).contains(&marks.len()) {
            all.push(marks.into_iter().map(|mark| Term::whole(mark.word())).collect());
        }
    };
    either(filter.open.map(Mark::Open).into_iter().collect());
    either(filter.services.iter().map(|code| Mark::Service(code)).collect());
    if let Some((_, area)) = &filter.area {
        either(vec![Mark::Area(area)]);
    }
    for unit in filter.lead.iter().chain(&filter.part) {
        either(vec![Mark::Unit(unit)]);
    }
    if let Some(sight) = filter.sight.as_ref().filter(|sight| !sight.or_public) {
        either(seen_marks(sight)?);
        if let Some(services) = &sight.services {
            either(services.iter().map(|code| Mark::Service(code)).collect());
        }
        if sight.unclassed == Unclassed::Nothing {
            either(sight.classes.iter().map(|code| Mark::Class(code)).collect());
        }
    }
    Some(all)
}

/// The marks of which every case has one that an actor sees, by area and units; empty where it sees all of them. None where it
/// sees none.
fn seen_marks(sight: &Sight) -> Option<Vec<Mark<'_>>> {
    let own = sight.unit.as_deref().map(Mark::Unit);
    let mut marks: Vec<Mark<'_>> = own.into_iter().collect();
    match (&sight.area, &sight.units) {
        _ if sight.everywhere && sight.units.is_none() => return Some(Vec::new()),
        (area, Some(units)) if sight.everywhere || area.is_some() => {
            marks.extend(units.iter().map(|unit| Mark::Unit(unit)));
        }
        (Some((_, area)), None) => marks.push(Mark::Area(area)),
        _ => {}
    }
    (!marks.is_empty()).then_some(marks)
}

// ---- checked ----------------------------------------------------------------------------------------------------

/// What to do about it.
const MEND: &str = "`whistle search rebuild` makes it anew";

/// Compares the words of every case with those that it would be cut to now. Those that are still to be cut are left out.
pub(crate) fn audit(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    place: &Place,
    audit: &mut Audit,
) -> Result<()> {
    compare_words(conn, jurisdiction, place, audit)?;
    compare_index(conn, jurisdiction, audit)
}

/// A case being gathered.
struct Gathering {
    number: CaseNumber,
    log: Vec<Event>,
    words: Option<String>,
    is_due: bool,
}

fn compare_words(conn: &Conn, jurisdiction: JurisdictionId, place: &Place, audit: &mut Audit) -> Result<()> {
    let below = match pass(conn, jurisdiction)?.filter(|pass| pass.rule == rule(place)) {
        Some(pass) => pass.below,
        None => return Ok(()),
    };
    let (words, other) = conn.words_column();
    let sql = format!(
        "SELECT c.number, e.at, e.entry, e.text, e.told,
                CASE WHEN e.version = 1 THEN {words} END,
                CASE WHEN e.version = 1 AND EXISTS (SELECT 1
                                                    FROM case_search_due AS d
                                                    WHERE d.jurisdiction_id = c.jurisdiction_id
                                                      AND d.number = c.number) THEN 1 ELSE 0 END
         FROM cases AS c
         JOIN event AS e ON e.jurisdiction_id = c.jurisdiction_id AND e.number = c.number
         LEFT JOIN case_search AS s ON s.jurisdiction_id = c.jurisdiction_id AND s.number = c.number
         WHERE c.jurisdiction_id = $1 AND c.number >= $2
         ORDER BY c.number, e.version"
    );
    let mut current: Option<Gathering> = None;
    let compare = |audit: &mut Audit, case: Gathering| {
        if !case.is_due && !case.is_right(place, other) {
            audit.find(format!(
                "case {}: the words by which it is found are not its own; {MEND}",
                case.number
            ));
        }
    };
    conn.each(&sql, params![jurisdiction.0, below], |row| {
        let number = CaseNumber(row.int(0)?);
        if current.as_ref().is_none_or(|case| case.number != number) {
            if let Some(done) = current.take() {
                compare(audit, done);
            }
            current = Some(Gathering {
                number,
                log: Vec::new(),
                words: row.text_opt(5)?.map(str::to_owned),
                is_due: row.int(6)? == 1,
            });
        }
        if let Some(case) = &mut current {
            case.log.push(event(row, 1)?);
        }
        Ok(())
    })?;
    if let Some(done) = current {
        compare(audit, done);
    }
    Ok(())
}

impl Gathering {
    /// Whether it has the words that it would have now. One that does not fold is found elsewhere.
    fn is_right(&self, place: &Place, other: Option<char>) -> bool {
        let Ok(case) = Case::fold(self.number, &self.log) else {
            return true;
        };
        let stored = self.words.as_deref().unwrap_or_default();
        let stored = stored.split_ascii_whitespace();
        let mut stored: Vec<&str> = stored
            .filter(|word| other.is_none_or(|sign| !word.starts_with(sign)))
            .collect();
        stored.sort_unstable();
        stored == search::words(&case, &self.log, place)
    }
}

/// Compares what the index keeps apart from its entries with these, as sums of hashes: in any order, with no memory of any.
fn compare_index(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    let hash = |number: i64, word: &str| {
        let mut hasher = DefaultHasher::new();
        (number, word).hash(&mut hasher);
        hasher.finish()
    };
    let (mut there, mut meant) = (0_u64, 0_u64);
    let found = |number: i64, word: &str| there = there.wrapping_add(hash(number, word));
    if !conn.each_indexed(jurisdiction, found)? {
        return Ok(());
    }
    conn.each(
        "SELECT number, words
         FROM case_search
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
        |row| {
            let number = row.int(0)?;
            let words = row.text(1)?.split_ascii_whitespace();
            meant = words.fold(meant, |sum, word| sum.wrapping_add(hash(number, word)));
            Ok(())
        },
    )?;
    if there != meant {
        audit.find(format!("the index of words is not what its entries say; {MEND}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use proptest::prelude::*;
    use whistle_testbed::Bed;

    use super::*;
    use crate::{Store, Target, postgres, sqlite};

    const PLACE: JurisdictionId = JurisdictionId(7);

    fn open(bed: &Bed) -> Store {
        Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap()
    }

    fn entry(number: i64, version: u32, words: &[&str]) -> Entry {
        Entry {
            jurisdiction: PLACE,
            number: CaseNumber(number),
            version,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    fn put_in(store: &Store, entries: Vec<Entry>) {
        let written: Result<()> = store.write_blocking(move |tx| put(tx, &entries));
        written.unwrap();
    }

    fn any_of(words: &[&str]) -> Vec<Term> {
        words.iter().map(|word| Term::whole(*word)).collect()
    }

    /// What the index answers, page by page.
    fn found(store: &Store, terms: &[Vec<Term>], page: usize) -> Vec<i64> {
        let (mut all, mut below) = (Vec::new(), i64::MAX);
        loop {
            let sought = Sought {
                jurisdiction: PLACE,
                terms,
                below,
            };
            let numbers: Result<_> = store.read_blocking(|conn| conn.indexed(&sought, page));
            let numbers = numbers.unwrap();
            all.extend(&numbers);
            match numbers.last() {
                Some(last) if numbers.len() == page => below = *last,
                _ => return all,
            }
        }
    }

    #[test]
    fn the_newest_come_first_however_far_apart_they_are() {
        let bed = Bed::new();
        let store = open(&bed);
        // Across the blocks of every size, and what nobody looks for between them.
        let numbers = [
            1, 9, 2_000, 9_000, 40_000, 40_001, 300_000, 2_500_000, 2_600_000, 9_000_000,
        ];
        put_in(
            &store,
            (1..3_000).map(|n| entry(n * 3_001, 1, &["路灯"])).collect(),
        );
        put_in(
            &store,
            numbers.map(|n| entry(n, 1, &["井盖", "~only", "#54321"])).into(),
        );
        let newest_first: Vec<i64> = numbers.into_iter().rev().collect();
        for page in [1, 3, 50] {
            assert_eq!(found(&store, &[any_of(&["井盖"])], page), newest_first, "{page}");
        }
        assert_eq!(found(&store, &[any_of(&["路灯"])], 500).len(), 2_999);
        let both = [any_of(&["only", "~only"]), any_of(&["井盖"])];
        assert_eq!(found(&store, &both, 4), newest_first);
        let tail = |digits: &str| Term {
            word: digits.to_owned(),
            is_prefix: true,
        };
        assert_eq!(found(&store, &[vec![tail("#543")]], 4), newest_first);
        for nothing in [any_of(&["only"]), any_of(&["路"]), vec![tail("#44")]] {
            assert_eq!(found(&store, &[nothing], 4), Vec::<i64>::new());
        }
        let neither = [any_of(&["路灯"]), any_of(&["井盖"])];
        assert_eq!(found(&store, &neither, 4), Vec::<i64>::new());
    }

    #[test]
    fn a_jurisdiction_finds_nothing_of_another() {
        let bed = Bed::new();
        let store = open(&bed);
        let other = Entry {
            jurisdiction: JurisdictionId(8),
            ..entry(5, 1, &["路灯"])
        };
        put_in(&store, vec![entry(4, 1, &["路灯"]), other]);
        assert_eq!(found(&store, &[any_of(&["路灯"])], 9), [4]);
    }

    #[test]
    fn words_read_before_an_erasure_and_written_after_it_come_too_late() {
        let bed = Bed::new();
        let store = open(&bed);
        put_in(&store, vec![entry(4, 1, &["secret", "路灯"])]);
        let erased: Result<()> = store.write_blocking(|tx| forget(tx, PLACE, CaseNumber(4), 3));
        erased.unwrap();
        assert_eq!(found(&store, &[any_of(&["secret"])], 9), Vec::<i64>::new());
        put_in(&store, vec![entry(4, 2, &["secret", "路灯"])]);
        assert_eq!(found(&store, &[any_of(&["secret"])], 9), Vec::<i64>::new());
        put_in(&store, vec![entry(4, 3, &["路灯"])]);
        assert_eq!(found(&store, &[any_of(&["路灯"])], 9), [4]);
    }

    const VOCABULARY: [&str; 8] = ["a", "b", "路灯", "~路灯", "井盖", "+open", "@t_1", "c1"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn whatever_is_put_in_and_replaced_the_index_finds_what_is_there(
            rounds in prop::collection::vec(
                prop::collection::vec((1_i64..20, prop::collection::btree_set(0_usize..8, 0..6)), 1..6),
                1..25,
            ),
        ) {
            let bed = Bed::new();
            let store = open(&bed);
            let mut meant: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
            for (version, round) in (1..).zip(rounds) {
                let changed: BTreeMap<i64, Vec<&str>> = round
                    .into_iter()
                    .map(|(number, words)| (number, words.into_iter().map(|at| VOCABULARY[at]).collect()))
                    .collect();
                put_in(&store, changed.iter().map(|(n, words)| entry(*n, version, words)).collect());
                meant.extend(changed);
                for word in VOCABULARY {
                    let has = |(_, words): &(&i64, &Vec<&str>)| words.contains(&word);
                    let expected: Vec<i64> = meant.iter().filter(has).map(|(n, _)| *n).rev().collect();
                    prop_assert_eq!(found(&store, &[any_of(&[word])], 3), expected, "{}", word);
                }
            }
            let mut audit = Audit::default();
            store.read_blocking(|conn| compare_index(conn, PLACE, &mut audit)).unwrap();
            prop_assert_eq!(audit.findings, Vec::<String>::new());
            store.check().unwrap();
        }
    }

    // ---- how it is found ----------------------------------------------------------------------------------------

    #[test]
    fn sqlite_walks_along_the_index_and_sorts_nothing() {
        let Some(bed) = Bed::sqlite() else { return };
        let store = open(&bed);
        let sql = format!("EXPLAIN QUERY PLAN {}", sqlite::INDEXED);
        let steps: Result<Vec<String>> = store.read_blocking(|conn| {
            conn.rows(&sql, params!["\"a\"", 1_i64, 9_i64, 5_i64], |row| {
                Ok(row.text(3)?.to_owned())
            })
        });
        let steps = steps.unwrap().join("; ");
        assert!(steps.contains("SCAN case_word VIRTUAL TABLE INDEX"), "{steps}");
        assert!(!steps.contains("TEMP B-TREE"), "a sort of everything: {steps}");
        // By its match, with both bounds, from the last row down.
        assert!(
            steps.contains('M') && steps.contains('<') && steps.contains('>'),
            "{steps}"
        );
    }

    #[test]
    fn postgresql_walks_along_the_key_and_then_asks_the_index() {
        let Some(bed) = Bed::postgres() else { return };
        let store = open(&bed);
        put_in(
            &store,
            (1..20_000).map(|n| entry(n, 1, &["路灯", "frequent"])).collect(),
        );
        whistle_testbed::sql(bed.database_url().unwrap(), "ANALYZE case_search");
        let explained = |sql: &str, values: &[crate::Value<'_>]| {
            let plan: Result<Vec<String>> = store.read_blocking(|conn| {
                conn.rows(&format!("EXPLAIN {sql}"), values, |row| {
                    Ok(row.text(0)?.to_owned())
                })
            });
            plan.unwrap().join("\n")
        };
        let walk = explained(
            postgres::WALK,
            params![PLACE.0, 19_000_i64, 2_048_i64, "'路灯'", 51_i64],
        );
        assert!(
            walk.contains("Index Scan Backward using case_search_pkey"),
            "{walk}"
        );
        assert!(!walk.contains("Seq Scan"), "a full scan: {walk}");
        let indexed = explained(
            postgres::INDEXED,
            params![PLACE.0, 19_000_i64, "('rare') & ('/7.13.2' | '/7.13.1')", 51_i64],
        );
        assert!(
            indexed.contains("Bitmap Index Scan on case_search_words"),
            "{indexed}"
        );
        assert!(!indexed.contains("Seq Scan"), "a full scan: {indexed}");
    }
}
