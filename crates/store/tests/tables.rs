//! What every table and every statement must be like, so that jurisdictions can be spread over the machines of a Citus
//! cluster; and the statements that spread them. There is no Citus here: a stand-in takes its place.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use whistle_store::distribute::{Catalogue, SHARDS};
use whistle_store::tables::{self, Spread, TABLES};
use whistle_store::{Error, Store, Target};
use whistle_testbed::{Bed, sql};

fn open(bed: &Bed) -> Store {
    Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap()
}

/// On PostgreSQL, whose catalogue tells what the schema is.
fn schema() -> Option<(Bed, Store)> {
    let bed = Bed::postgres()?;
    let store = open(&bed);
    Some((bed, store))
}

fn catalogue(store: &Store) -> Catalogue {
    store.read_blocking(Catalogue::read).unwrap()
}

// ---- the schema -------------------------------------------------------------------------------------------------

#[test]
fn every_table_keeps_the_rules_by_which_it_can_be_spread() {
    let Some((_bed, store)) = schema() else { return };
    assert_eq!(catalogue(&store).faults(), Vec::<String>::new());
}

#[test]
fn each_broken_rule_is_found() {
    let Some((bed, store)) = schema() else { return };
    let url = bed.database_url().unwrap();
    for (change, found) in [
        (
            "CREATE TABLE new (n BIGINT PRIMARY KEY)",
            "new: store/tables.rs does not say what it is",
        ),
        (
            "ALTER TABLE outbox DROP CONSTRAINT outbox_pkey",
            "outbox: it has no primary key",
        ),
        (
            "ALTER TABLE event ALTER COLUMN jurisdiction_id TYPE INTEGER",
            "event: jurisdiction_id is integer, and must be BIGINT NOT NULL everywhere",
        ),
        (
            "ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey, ADD PRIMARY KEY (request, jurisdiction_id)",
            "idempotency: the key idempotency_pkey does not begin with jurisdiction_id",
        ),
        (
            "CREATE UNIQUE INDEX by_hash ON cases (hash)",
            "cases: the key by_hash does not begin with jurisdiction_id",
        ),
        (
            "ALTER TABLE imported ADD COLUMN serial BIGINT GENERATED ALWAYS AS IDENTITY",
            "imported: serial is an identity column; take a number from the table sequence",
        ),
        (
            "ALTER TABLE contact_view ADD COLUMN serial SERIAL",
            "contact_view: the default of serial is nextval('contact_view_serial_seq'::regclass); \
             only a constant is the same everywhere",
        ),
        (
            "ALTER TABLE holding ADD COLUMN made_at TIMESTAMPTZ DEFAULT now()",
            "holding: the default of made_at is now(); only a constant is the same everywhere",
        ),
        (
            "CREATE TRIGGER quiet BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION \
             suppress_redundant_updates_trigger()",
            "api_key: it has a trigger, quiet",
        ),
        (
            "ALTER TABLE session ADD CONSTRAINT by_writer FOREIGN KEY (post_code) REFERENCES writer (writer_id)",
            "session: by_writer refers to writer, whose rows may be on another machine",
        ),
        (
            "ALTER TABLE place_file DROP CONSTRAINT place_file_jurisdiction_id_version_fkey, \
             ADD CONSTRAINT place_file_jurisdiction_id_version_fkey FOREIGN KEY (jurisdiction_id, version) \
             REFERENCES place_version (jurisdiction_id, version) ON DELETE SET NULL",
            "place_file: place_file_jurisdiction_id_version_fkey sets columns to NULL when a row is deleted",
        ),
        (
            "ALTER TABLE contact DROP CONSTRAINT contact_jurisdiction_id_number_fkey",
            "contact: the foreign key contact_jurisdiction_id_number_fkey of the list is missing",
        ),
    ] {
        sql(url, change);
        let faults = catalogue(&store).faults();
        assert!(faults.iter().any(|fault| fault == found), "{change}: {faults:#?}");
    }
}

#[test]
fn a_table_comes_after_those_that_it_refers_to() {
    for (at, table) in TABLES.iter().enumerate() {
        for reference in table.refers {
            let to = TABLES.iter().position(|other| other.name == reference.to);
            assert!(
                to.is_some_and(|to| to < at),
                "{} refers to {}",
                table.name,
                reference.to
            );
        }
    }
}

// ---- the statements that spread it ------------------------------------------------------------------------------

#[test]
fn foreign_keys_are_dropped_first_and_put_back_last() {
    let Some((_bed, store)) = schema() else { return };
    let statements = store.distribution(SHARDS).unwrap();
    insta::assert_snapshot!(statements.join("\n"));
}

#[test]
fn a_run_that_was_cut_short_is_taken_up_where_it_ended() {
    let Some((_bed, store)) = schema() else { return };
    let mut catalogue = catalogue(&store);
    for table in &mut catalogue.tables {
        table.foreign_keys.clear();
        table.on_citus = match table.name.as_str() {
            "jurisdiction" => Some("reference".to_owned()),
            "place_version" | "cases" => Some("distributed".to_owned()),
            _ => None,
        };
    }
    let statements = catalogue.statements(SHARDS).join("\n");
    assert!(!statements.contains("DROP CONSTRAINT"), "{statements}");
    assert!(!statements.contains("table('cases'"), "{statements}");
    assert!(
        statements.starts_with("SELECT create_distributed_table('place_file', 'jurisdiction_id', colocate_with => 'place_version')"),
        "{statements}"
    );
    assert_eq!(statements.matches("ADD CONSTRAINT").count(), 12, "{statements}");
}

/// Makes a database believe that it has Citus; its functions only write down what they were asked.
fn pretend_citus(url: &str) {
    sql(
        url,
        "SET allow_system_table_mods = on;
         INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
         VALUES (99999, 'citus', 10, 11, false, '13.2');
         CREATE TABLE citus_tables (table_name regclass, citus_table_type TEXT);
         CREATE FUNCTION create_reference_table(name regclass) RETURNS void LANGUAGE sql
         AS 'INSERT INTO citus_tables VALUES (name, ''reference'')';
         CREATE FUNCTION create_distributed_table(name regclass, by TEXT, colocate_with TEXT, shard_count INT DEFAULT 0)
         RETURNS void LANGUAGE sql AS 'INSERT INTO citus_tables VALUES (name, ''distributed'')';",
    );
}

#[test]
fn all_is_spread_once_and_the_second_run_does_nothing() {
    let Some((bed, store)) = schema() else { return };
    let url = bed.database_url().unwrap();
    pretend_citus(url);
    let planned = store.distribution(SHARDS).unwrap();
    let mut told = Vec::new();
    let ran = store
        .distribute(SHARDS, |statement| told.push(statement.to_owned()))
        .unwrap();
    assert_eq!(ran, planned);
    assert_eq!(ran, told);
    assert_eq!(catalogue(&store).faults(), Vec::<String>::new());
    let spread = TABLES
        .iter()
        .filter(|table| table.spread != Spread::Coordinator)
        .count();
    assert_eq!(sql(url, "SELECT COUNT(*) FROM citus_tables"), spread.to_string());
    assert_eq!(store.distribute(SHARDS, |_| {}).unwrap(), Vec::<String>::new());
    // As if the last run had been killed before its last statement.
    sql(
        url,
        "ALTER TABLE session DROP CONSTRAINT session_jurisdiction_id_account_id_fkey",
    );
    assert_eq!(store.distribute(SHARDS, |_| {}).unwrap().len(), 1);
    assert_eq!(catalogue(&store).faults(), Vec::<String>::new());
}

#[test]
fn without_citus_it_is_refused_in_a_sentence_and_nothing_is_changed() {
    let bed = Bed::new();
    let store = open(&bed);
    let refusal = store.distribute(SHARDS, |_| {}).unwrap_err();
    assert!(matches!(refusal, Error::NotDistributable { .. }), "{refusal}");
    if bed.database_url().is_some() {
        assert!(refusal.to_string().contains("no Citus"), "{refusal}");
        assert_eq!(catalogue(&store).faults(), Vec::<String>::new());
    } else {
        assert!(refusal.to_string().contains("--database-url"), "{refusal}");
    }
}

// ---- the statements of the program ------------------------------------------------------------------------------

/// Statements on spread tables that do not say in their own text of which jurisdiction, each with why it may.
const EXCEPTIONS: [(&str, &str); 12] = [
    (
        "SELECT jurisdiction_id, writer_id, seq",
        "how far the writers of all jurisdictions have come: one distributed query twice a second, a few rows each",
    ),
    (
        "SELECT number FROM cases LIMIT 1",
        "whether there is any case at all: asked once, at a start without a secret key",
    ),
    (
        "WHERE service_code <> ''",
        "the figures of all jurisdictions: one distributed sum, in no hot path",
    ),
    (
        "SELECT jurisdiction_id, name, holder, token, beat, done_at",
        "the leases of all jurisdictions: one distributed query every two seconds, a few rows each, in no hot path",
    ),
    (
        "JOIN place_version AS v ON v.jurisdiction_id = j.jurisdiction_id",
        "the places in force, of all jurisdictions: one distributed query, a few rows from each machine, in no hot path",
    ),
    (
        "SELECT c.jurisdiction_id, c.number, c.due_at, c.reported_at",
        "fills the memory beside SQLite; PostgreSQL has indexes instead",
    ),
    ("SELECT jurisdiction_id, number, step_at", "the same"),
    (
        "SELECT {column}, number, fold",
        "list.rs puts the jurisdiction first into its conditions",
    ),
    ("SELECT COUNT(*) FROM (SELECT 1 FROM cases {}", "the same"),
    ("SELECT fold\\n         FROM cases\\n         {}", "the same"),
    (
        "SELECT 1 FROM {} LIMIT 1",
        "transfer.rs moves whole tables, with the service stopped",
    ),
    ("SELECT COUNT(*) FROM {}", "the same"),
];

/// Words whose value differs from machine to machine, or that Citus refuses in a change: times and chance are parameters.
const UNSTEADY: [&str; 7] = [
    "now(",
    "random(",
    "clock_timestamp",
    "current_timestamp",
    "current_date",
    "gen_random_uuid",
    "nextval",
];

#[test]
fn every_statement_on_a_spread_table_names_its_jurisdiction() {
    let mut seen = 0;
    for (file, statement) in statements() {
        let lower = statement.to_lowercase();
        for word in UNSTEADY {
            assert!(!lower.contains(word), "{file}: {word} in: {statement}");
        }
        let spread: Vec<_> = tables_in(&statement)
            .filter(|name| tables::table(name).is_some_and(|table| table.spread == Spread::ByJurisdiction))
            .collect();
        if spread.is_empty() || EXCEPTIONS.iter().any(|(part, _)| statement.contains(part)) {
            continue;
        }
        seen += 1;
        let names_it = if statement.starts_with("INSERT") {
            lower.contains("(jurisdiction_id,") && lower.contains("values ($1")
        } else {
            lower.contains("jurisdiction_id = $1")
        };
        assert!(names_it, "{file}: of which jurisdiction? {statement}");
        // Each further table is held to the same jurisdiction.
        let held = lower.matches("jurisdiction_id =").count() + usize::from(statement.starts_with("INSERT"));
        assert!(
            held >= spread.len(),
            "{file}: {spread:?} are not all held to one jurisdiction: {statement}"
        );
    }
    assert!(seen > 40, "only {seen} statements were found");
}

#[test]
fn every_exception_is_still_needed() {
    let all: Vec<_> = statements().into_iter().map(|(_, statement)| statement).collect();
    for (part, why) in EXCEPTIONS {
        assert!(
            all.iter().any(|statement| statement.contains(part)),
            "no statement has {part:?} ({why})"
        );
    }
}

/// The names behind FROM, JOIN, INTO and UPDATE.
fn tables_in(statement: &str) -> impl Iterator<Item = &str> {
    let words: Vec<_> = statement
        .split([' ', '\n', '(', ')', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let pairs: Vec<_> = words.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs
        .into_iter()
        .filter(|(before, _)| ["FROM", "JOIN", "INTO", "UPDATE"].contains(before))
        .map(|(_, name)| name)
}

/// Every text in the sources of the store that begins as a statement does, with its file; those of tests left out.
fn statements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for folder in [source.clone(), source.join("postgres")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(texts(code).into_iter().map(|statement| (name.clone(), statement)));
        }
    }
    found
}

/// The texts between double quotes that are SQL, in code without comments.
fn texts(code: &str) -> Vec<String> {
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect::<String>()
        .replace("'\"'", "")
        .replace("\\\"", "");
    code.split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| {
            ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "]
                .iter()
                .any(|verb| text.starts_with(verb))
        })
        .map(str::to_owned)
        .collect()
}
