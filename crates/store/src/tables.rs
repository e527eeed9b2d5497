//! Every table of the schema: what it is where jurisdictions are spread over machines, what it refers to, and whether
//! it goes along when an install moves. A table that is not in this list fails `tests/tables.rs`.

/// Where the rows of a table are on Citus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// All rows of one jurisdiction together on one machine, with those of every other such table.
    ByJurisdiction,
    /// The same rows on every machine: small, read with the others, hardly ever written.
    Everywhere,
    /// On the coordinator, to which every process connects. It also keeps the advisory locks, which each machine has of
    /// its own.
    Coordinator,
}

/// One table.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub spread: Spread,
    /// Foreign keys, all of which refer to columns of the same names.
    pub refers: &'static [Reference],
    /// Whether its rows belong to the install and not to the database or to a process.
    pub moves: bool,
}

/// A foreign key.
#[derive(Debug)]
pub struct Reference {
    pub columns: &'static [&'static str],
    pub to: &'static str,
}

impl Reference {
    /// What PostgreSQL names it by itself.
    pub fn name(&self, table: &str) -> String {
        format!("{table}_{}_fkey", self.columns.join("_"))
    }
}

const fn by_jurisdiction(name: &'static str, refers: &'static [Reference]) -> Table {
    Table {
        name,
        spread: Spread::ByJurisdiction,
        refers,
        moves: true,
    }
}

const fn of_the_database(name: &'static str) -> Table {
    Table {
        name,
        spread: Spread::Coordinator,
        refers: &[],
        moves: false,
    }
}

const JURISDICTION: Reference = Reference {
    columns: &["jurisdiction_id"],
    to: "jurisdiction",
};

const PLACE_VERSION: Reference = Reference {
    columns: &["jurisdiction_id", "version"],
    to: "place_version",
};

const CASE: Reference = Reference {
    columns: &["jurisdiction_id", "number"],
    to: "cases",
};

const ACCOUNT: Reference = Reference {
    columns: &["jurisdiction_id", "account_id"],
    to: "account",
};

/// All tables; one that another refers to comes before it.
pub const TABLES: [Table; 54] = [
    of_the_database("migration"),
    // Met by every group commit: a copy on every machine would make each commit wait for all of them.
    of_the_database("writer"),
    Table {
        name: "key_mark",
        spread: Spread::Coordinator,
        refers: &[],
        moves: true,
    },
    Table {
        name: "jurisdiction",
        spread: Spread::Everywhere,
        refers: &[],
        moves: true,
    },
    by_jurisdiction("place_version", &[JURISDICTION]),
    by_jurisdiction("place_file", &[PLACE_VERSION]),
    by_jurisdiction("sequence", &[]),
    by_jurisdiction("counter", &[]),
    by_jurisdiction("cases", &[]),
    by_jurisdiction("case_unit", &[]),
    by_jurisdiction("event", &[]),
    // Made of the cases, by whichever program has them.
    Table {
        moves: false,
        ..by_jurisdiction("case_search", &[])
    },
    Table {
        moves: false,
        ..by_jurisdiction("case_search_due", &[])
    },
    Table {
        moves: false,
        ..by_jurisdiction("case_search_pass", &[])
    },
    // Of the writers of this database. Who follows begins anew after a move.
    Table {
        moves: false,
        ..by_jurisdiction("change", &[])
    },
    Table {
        moves: false,
        ..by_jurisdiction("change_writer", &[])
    },
    by_jurisdiction("contact", &[CASE]),
    by_jurisdiction("contact_view", &[]),
    by_jurisdiction("question_contact", &[]),
    by_jurisdiction("outbox", &[]),
    by_jurisdiction("idempotency", &[]),
    by_jurisdiction("imported", &[]),
    by_jurisdiction("account", &[]),
    by_jurisdiction("holding", &[ACCOUNT]),
    by_jurisdiction("place_draft", &[ACCOUNT]),
    by_jurisdiction("handover", &[]),
    by_jurisdiction("saved_view", &[ACCOUNT]),
    by_jurisdiction("session", &[ACCOUNT]),
    by_jurisdiction("second_factor", &[ACCOUNT]),
    by_jurisdiction("recovery_code", &[ACCOUNT]),
    by_jurisdiction("account_link", &[ACCOUNT]),
    by_jurisdiction("passkey", &[ACCOUNT]),
    by_jurisdiction("push_key", &[]),
    by_jurisdiction("push_device", &[ACCOUNT]),
    by_jurisdiction("api_key", &[]),
    by_jurisdiction("photo", &[]),
    by_jurisdiction("sign_in_try", &[]),
    by_jurisdiction("sign_in_step", &[]),
    by_jurisdiction("whistle", &[]),
    by_jurisdiction("whistle_event", &[]),
    by_jurisdiction("whistle_case", &[]),
    by_jurisdiction("whistle_call", &[]),
    by_jurisdiction("whistle_outbox", &[]),
    by_jurisdiction("delivery", &[]),
    by_jurisdiction("webhook", &[]),
    by_jurisdiction("opt_out", &[]),
    by_jurisdiction("unit_choice", &[]),
    by_jurisdiction("failing_address", &[]),
    by_jurisdiction("opt_out_key", &[]),
    by_jurisdiction("admin_act", &[]),
    by_jurisdiction("look", &[]),
    by_jurisdiction("last_look", &[]),
    by_jurisdiction("briefing", &[]),
    // Who holds a duty holds it of this database. Spread like the rest: a duty's transaction checks its lease, and must
    // stay on one machine.
    Table {
        moves: false,
        ..by_jurisdiction("lease", &[])
    },
];

/// What the list says of a table.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}
