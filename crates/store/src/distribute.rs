//! Spreading jurisdictions over the machines of a Citus cluster: what the catalogue of the schema must be like for that,
//! and the statements that do it.
//!
//! The rules were learnt from Citus 13 and are what makes one schema serve on one machine and on many. The order, too:
//! foreign keys are dropped first and put back last, since a table that is referred to cannot be spread before the one
//! that refers to it, nor after. Each statement stands by itself; where one fails, the next run does what is left, since
//! which foreign keys there must be is known from [`tables`](crate::tables), not from what is there.

use crate::conn::Conn;
use crate::error::{Error, Result};
use crate::params;
use crate::tables::{self, Spread, TABLES, Table};

/// What the tables of a database are like, from PostgreSQL's catalogue.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub tables: Vec<Described>,
}

/// One table as it is.
#[derive(Debug, Default)]
pub struct Described {
    pub name: String,
    pub columns: Vec<Column>,
    /// Primary keys, unique indexes and exclusions.
    pub keys: Vec<Key>,
    pub foreign_keys: Vec<ForeignKey>,
    pub triggers: Vec<String>,
    /// What Citus calls it: `distributed`, `reference`; none for a table that it does not know.
    pub on_citus: Option<String>,
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub kind: String,
    pub not_null: bool,
    pub default: Option<String>,
    pub is_identity: bool,
}

#[derive(Debug)]
pub struct Key {
    pub name: String,
    pub columns: Vec<String>,
    pub is_primary: bool,
}

#[derive(Debug)]
pub struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub to: String,
    pub to_columns: Vec<String>,
    /// Whether a row that is deleted empties columns of those that refer to it.
    pub sets_null: bool,
}

/// The column by which everything is spread.
const BY: &str = "jurisdiction_id";

/// How many shards there are when nothing is said: what Citus has by itself.
pub const SHARDS: u32 = 32;

/// Between names in an aggregated text: no name of ours has it.
const BETWEEN: char = ',';

impl Catalogue {
    /// Reads the catalogue of the schema that names are looked for in.
    pub fn read(conn: &Conn) -> Result<Self> {
        if conn.postgres().is_none() {
            return Err(Error::NotDistributable {
                why: "an SQLite database is one file on one machine; name a PostgreSQL database with --database-url"
                    .to_owned(),
            });
        }
        let names = conn.rows(
            "SELECT CAST(c.relname AS TEXT)
             FROM pg_class AS c
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = CAST(current_schema() AS regnamespace)
               AND c.relname <> 'citus_tables'
             ORDER BY c.relname",
            params![],
            |row| row.text(0).map(str::to_owned),
        )?;
        let on_citus = on_citus(conn)?;
        let tables = names.into_iter().map(|name| {
            Ok(Described {
                columns: columns(conn, &name)?,
                keys: keys(conn, &name)?,
                foreign_keys: foreign_keys(conn, &name)?,
                triggers: triggers(conn, &name)?,
                on_citus: on_citus
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, kind)| kind.clone()),
                name,
            })
        });
        Ok(Self {
            tables: tables.collect::<Result<_>>()?,
        })
    }

    fn table(&self, name: &str) -> Option<&Described> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Everything that Citus would refuse, or that would go wrong on it.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for listed in TABLES.iter().filter(|listed| self.table(listed.name).is_none()) {
            faults.push(format!(
                "{}: it is in the list and not in the schema",
                listed.name
            ));
        }
        for table in &self.tables {
            match tables::table(&table.name) {
                Some(listed) => faults.extend(
                    table
                        .faults(listed)
                        .into_iter()
                        .map(|f| format!("{}: {f}", table.name)),
                ),
                None => faults.push(format!("{}: store/tables.rs does not say what it is", table.name)),
            }
        }
        faults
    }

    /// The statements that are still to be run so that all tables are where the list wants them; none when they are.
    pub fn statements(&self, shards: u32) -> Vec<String> {
        let is_placed = |name: &str| self.table(name).is_some_and(|table| table.on_citus.is_some());
        let is_there = |table: &Table, key: &str| {
            self.table(table.name)
                .is_some_and(|described| described.foreign_keys.iter().any(|there| there.name == key))
        };
        let mut statements = Vec::new();
        let references = || {
            TABLES
                .iter()
                .flat_map(|table| table.refers.iter().map(move |to| (table, to)))
        };
        let is_to_move = |table: &Table| table.spread != Spread::Coordinator && !is_placed(table.name);
        // A key between two tables, one of which is not in its place yet.
        let is_in_the_way =
            |table: &Table, to: &str| is_to_move(table) || tables::table(to).is_some_and(is_to_move);
        for (table, reference) in references() {
            let key = reference.name(table.name);
            if is_in_the_way(table, reference.to) && is_there(table, &key) {
                statements.push(format!("ALTER TABLE {} DROP CONSTRAINT {key}", table.name));
            }
        }
        for table in TABLES
            .iter()
            .filter(|table| table.spread == Spread::Everywhere && is_to_move(table))
        {
            statements.push(format!("SELECT create_reference_table('{}')", table.name));
        }
        let mut first = None;
        for table in TABLES
            .iter()
            .filter(|table| table.spread == Spread::ByJurisdiction)
        {
            let beside = *first.get_or_insert(table.name);
            if !is_to_move(table) {
                continue;
            }
            statements.push(if beside == table.name {
                format!(
                    "SELECT create_distributed_table('{beside}', '{BY}', colocate_with => 'none', shard_count => {shards})"
                )
            } else {
                format!(
                    "SELECT create_distributed_table('{}', '{BY}', colocate_with => '{beside}')",
                    table.name
                )
            });
        }
        for (table, reference) in references() {
            let key = reference.name(table.name);
            if is_in_the_way(table, reference.to) || !is_there(table, &key) {
                let columns = reference.columns.join(", ");
                statements.push(format!(
                    "ALTER TABLE {} ADD CONSTRAINT {key} FOREIGN KEY ({columns}) REFERENCES {} ({columns})",
                    table.name, reference.to
                ));
            }
        }
        statements
    }
}

impl Described {
    fn faults(&self, listed: &Table) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.keys.iter().any(|key| key.is_primary) {
            faults.push("it has no primary key".to_owned());
        }
        for column in &self.columns {
            let name = &column.name;
            if name == BY && (column.kind != "bigint" || !column.not_null) {
                faults.push(format!(
                    "{BY} is {}, and must be BIGINT NOT NULL everywhere",
                    column.kind
                ));
            }
            if column.is_identity {
                faults.push(format!(
                    "{name} is an identity column; take a number from the table sequence"
                ));
            }
            if let Some(default) = column.default.as_deref().filter(|default| !is_constant(default)) {
                faults.push(format!(
                    "the default of {name} is {default}; only a constant is the same everywhere"
                ));
            }
        }
        // On what it has taken, Citus has triggers of its own.
        for trigger in self.triggers.iter().filter(|_| self.on_citus.is_none()) {
            faults.push(format!("it has a trigger, {trigger}"));
        }
        for key in &self.foreign_keys {
            key.judge(listed, &mut faults);
        }
        for reference in listed.refers {
            let name = reference.name(listed.name);
            if !self.foreign_keys.iter().any(|key| key.name == name) {
                faults.push(format!("the foreign key {name} of the list is missing"));
            }
        }
        if listed.spread == Spread::ByJurisdiction {
            if !self.columns.iter().any(|column| column.name == BY) {
                faults.push(format!("it has no {BY}"));
            }
            for key in &self.keys {
                if key.columns.first().map(String::as_str) != Some(BY) {
                    faults.push(format!("the key {} does not begin with {BY}", key.name));
                }
            }
        }
        faults
    }
}

impl ForeignKey {
    fn judge(&self, listed: &Table, faults: &mut Vec<String>) {
        let (key, name) = (self, &self.name);
        if key.sets_null {
            faults.push(format!("{name} sets columns to NULL when a row is deleted"));
        }
        if key.columns != key.to_columns
            || !listed.refers.iter().any(|known| {
                known.name(listed.name) == *name && known.to == key.to && known.columns == key.columns
            })
        {
            faults.push(format!("the foreign key {name} is not as store/tables.rs has it"));
        }
        let to = tables::table(&key.to).map(|table| table.spread);
        let fits = match (listed.spread, to) {
            (Spread::ByJurisdiction, Some(Spread::ByJurisdiction)) => {
                key.columns.iter().any(|column| column == BY)
            }
            (_, Some(Spread::Everywhere)) | (Spread::Coordinator, Some(Spread::Coordinator)) => true,
            _ => false,
        };
        if !fits {
            faults.push(format!(
                "{name} refers to {}, whose rows may be on another machine",
                key.to
            ));
        }
    }
}

/// Numbers, quoted texts, true and false; anything else may be a sequence or the time.
fn is_constant(default: &str) -> bool {
    let text = default.split("::").next().unwrap_or(default);
    let is_plain = text.parse::<i64>().is_ok() || matches!(text, "true" | "false");
    is_plain || (text.len() >= 2 && text.starts_with('\'') && text.ends_with('\''))
}

// ---- doing it ---------------------------------------------------------------------------------------------------

/// Refused where Citus is not at hand.
pub(crate) fn ensure_citus(conn: &Conn) -> Result<()> {
    let is_in = |sql: &str| {
        conn.row_optional(sql, params![], |_| Ok(()))
            .map(|found| found.is_some())
    };
    if is_in("SELECT 1 FROM pg_extension WHERE extname = 'citus'")? {
        return Ok(());
    }
    let why = if is_in("SELECT 1 FROM pg_available_extensions WHERE name = 'citus'")? {
        "this server has Citus, but this database does not use it; run CREATE EXTENSION citus in it as a superuser"
    } else {
        "this PostgreSQL server has no Citus; install it on every machine of the cluster, or stay with one server, \
         where nothing need be spread"
    };
    Err(Error::NotDistributable { why: why.to_owned() })
}

/// Runs what is left to be run, one statement after the other. Answers what was run.
pub(crate) fn distribute(conn: &Conn, shards: u32, mut ran: impl FnMut(&str)) -> Result<Vec<String>> {
    let catalogue = Catalogue::read(conn)?;
    ensure_citus(conn)?;
    // While a key is dropped it is no fault that it is missing.
    let faults: Vec<_> = catalogue
        .faults()
        .into_iter()
        .filter(|fault| !fault.ends_with("of the list is missing"))
        .collect();
    if !faults.is_empty() {
        return Err(Error::NotDistributable {
            why: format!("the schema is not as it must be: {}", faults.join("; ")),
        });
    }
    let statements = catalogue.statements(shards);
    for statement in &statements {
        conn.define(statement)?;
        ran(statement);
    }
    Ok(statements)
}

// ---- the catalogue ----------------------------------------------------------------------------------------------

fn on_citus(conn: &Conn) -> Result<Vec<(String, String)>> {
    let knows_citus = conn.row_optional(
        "SELECT 1 FROM pg_extension WHERE extname = 'citus'",
        params![],
        |_| Ok(()),
    )?;
    if knows_citus.is_none() {
        return Ok(Vec::new());
    }
    conn.rows(
        "SELECT CAST(c.relname AS TEXT), citus_table_type
         FROM citus_tables AS t
         JOIN pg_class AS c ON c.oid = t.table_name
         WHERE citus_table_type IN ('distributed', 'reference')",
        params![],
        |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())),
    )
}

fn columns(conn: &Conn, table: &str) -> Result<Vec<Column>> {
    conn.rows(
        "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod), a.attnotnull,
                pg_get_expr(d.adbin, d.adrelid), a.attidentity <> ''
         FROM pg_attribute AS a
         LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = CAST($1 AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attnum",
        params![table],
        |row| {
            Ok(Column {
                name: row.text(0)?.to_owned(),
                kind: row.text(1)?.to_owned(),
                not_null: row.bool(2)?,
                default: row.text_opt(3)?.map(str::to_owned),
                is_identity: row.bool(4)?,
            })
        },
    )
}

fn keys(conn: &Conn, table: &str) -> Result<Vec<Key>> {
    conn.rows(
        "SELECT CAST(i.relname AS TEXT), x.indisprimary,
                (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ',' ORDER BY n)
                 FROM generate_series(1, x.indnkeyatts) AS n)
         FROM pg_index AS x
         JOIN pg_class AS i ON i.oid = x.indexrelid
         WHERE x.indrelid = CAST($1 AS regclass) AND (x.indisunique OR x.indisexclusion)
         ORDER BY i.relname",
        params![table],
        |row| {
            Ok(Key {
                name: row.text(0)?.to_owned(),
                is_primary: row.bool(1)?,
                columns: names(row.text(2)?),
            })
        },
    )
}

fn foreign_keys(conn: &Conn, table: &str) -> Result<Vec<ForeignKey>> {
    conn.rows(
        "SELECT CAST(k.conname AS TEXT), CAST(r.relname AS TEXT), k.confdeltype = 'n',
                (SELECT string_agg(a.attname, ',' ORDER BY n.place)
                 FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
                 JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number),
                (SELECT string_agg(a.attname, ',' ORDER BY n.place)
                 FROM unnest(k.confkey) WITH ORDINALITY AS n (number, place)
                 JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = n.number)
         FROM pg_constraint AS k
         JOIN pg_class AS r ON r.oid = k.confrelid
         WHERE k.contype = 'f' AND k.conrelid = CAST($1 AS regclass)
         ORDER BY k.conname",
        params![table],
        |row| {
            Ok(ForeignKey {
                name: row.text(0)?.to_owned(),
                to: row.text(1)?.to_owned(),
                sets_null: row.bool(2)?,
                columns: names(row.text(3)?),
                to_columns: names(row.text(4)?),
            })
        },
    )
}

fn triggers(conn: &Conn, table: &str) -> Result<Vec<String>> {
    conn.rows(
        "SELECT CAST(tgname AS TEXT)
         FROM pg_trigger
         WHERE tgrelid = CAST($1 AS regclass) AND NOT tgisinternal
         ORDER BY tgname",
        params![table],
        |row| row.text(0).map(str::to_owned),
    )
}

fn names(joined: &str) -> Vec<String> {
    joined.split(BETWEEN).map(str::to_owned).collect()
}
