//! What every column of the schema holds about people: of whom, for what, how long, for whose eyes. The privacy page and
//! its API are made from this list, and a test holds the list against the migrated schema of both databases, so that
//! nothing is stored that the page does not name. A new column belongs in it.

/// Of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Those who report.
    Reporter,
    /// Those who hold a post.
    Staff,
}

impl About {
    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reporter => "reporter",
            Self::Staff => "staff",
        }
    }
}

/// How long. What is said in days, hours or minutes, the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As long as the case, which stays as a record of the service.
    WithCase,
    /// As long as the case, but for the texts: those until the case was closed for as many days as the place says.
    TextsAfterClosing,
    /// Until the case was closed for as many days as the place says.
    AfterClosing,
    /// As long as the log names the account by its number.
    WithAccount,
    /// Until the session is over.
    Session,
    /// As long as a request may be sent again.
    Retries,
    /// As long as tries to sign in count.
    Tries,
    /// Until a notice was sent, or given up, for some days.
    Notices,
    /// Until a note to the next holder of a post is so many days old.
    Handovers,
    /// Until it is taken back.
    UntilTakenBack,
    /// As many days as the place keeps acts of administration.
    Acts,
}

impl Kept {
    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WithCase => "with_case",
            Self::TextsAfterClosing => "texts_after_closing",
            Self::AfterClosing => "after_closing",
            Self::WithAccount => "with_account",
            Self::Session => "session",
            Self::Retries => "retries",
            Self::Tries => "tries",
            Self::Notices => "notices",
            Self::Handovers => "handovers",
            Self::UntilTakenBack => "until_taken_back",
            Self::Acts => "acts",
        }
    }
}

/// For whose eyes, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Everybody, where the case is public, and masked.
    Public,
    /// The unit that has the case, and the stations of its areas.
    CaseStaff,
    /// The posts that must answer the reporter; each look is noted.
    Answering,
    /// Whoever holds the post.
    Post,
    /// Those who run the install.
    Operator,
    /// Nobody: a hash, by which Whistle knows something again.
    Nobody,
}

impl Seen {
    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::CaseStaff => "case_staff",
            Self::Answering => "answering",
            Self::Post => "post",
            Self::Operator => "operator",
            Self::Nobody => "nobody",
        }
    }
}

/// What something about people is stored for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What was reported, where and when, and what the reporter said since.
    Matter,
    /// Photos of the matter.
    Photos,
    /// How the reporter can be reached.
    Contact,
    /// Which post looked at that, and when.
    Views,
    /// Which notices a report's reader is sent.
    Notices,
    /// That an address wants no mail.
    OptOuts,
    /// That a request sent again makes no second case.
    Retries,
    /// The number that the matter has in the system it was imported from.
    Origin,
    /// Which post did what, and wrote what.
    Deeds,
    /// What one holder of a post tells the next.
    Handovers,
    /// Which cases one looks at, as a filter under a name.
    Lists,
    /// Who may sign in, and for which posts.
    Accounts,
    /// What an account shows besides its password.
    SecondFactors,
    /// Who an account is at a provider of sign-ins.
    Links,
    /// Public keys by which an account is signed in.
    Passkeys,
    /// On which devices an account is told of notices.
    Devices,
    /// Who is signed in.
    Sessions,
    /// That nobody guesses a password, nor uses what a sign-in began a second time.
    Tries,
    /// Who changed accounts, keys, the place or the secret.
    Acts,
}

impl Purpose {
    /// All of them, in the order of the page: what concerns reporters first.
    pub const ALL: [Self; 19] = [
        Self::Matter,
        Self::Photos,
        Self::Contact,
        Self::Views,
        Self::Notices,
        Self::OptOuts,
        Self::Retries,
        Self::Origin,
        Self::Deeds,
        Self::Handovers,
        Self::Lists,
        Self::Accounts,
        Self::SecondFactors,
        Self::Links,
        Self::Passkeys,
        Self::Devices,
        Self::Sessions,
        Self::Tries,
        Self::Acts,
    ];

    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matter => "matter",
            Self::Photos => "photos",
            Self::Contact => "contact",
            Self::Views => "views",
            Self::Notices => "notices",
            Self::OptOuts => "opt_outs",
            Self::Retries => "retries",
            Self::Origin => "origin",
            Self::Deeds => "deeds",
            Self::Handovers => "handovers",
            Self::Lists => "lists",
            Self::Accounts => "accounts",
            Self::SecondFactors => "second_factors",
            Self::Links => "links",
            Self::Passkeys => "passkeys",
            Self::Devices => "devices",
            Self::Sessions => "sessions",
            Self::Tries => "tries",
            Self::Acts => "acts",
        }
    }

    /// Of whom it says something.
    pub const fn about(self) -> &'static [About] {
        match self {
            Self::Matter
            | Self::Photos
            | Self::Contact
            | Self::Notices
            | Self::OptOuts
            | Self::Retries
            | Self::Origin => &[About::Reporter],
            Self::Views => &[About::Reporter, About::Staff],
            Self::Deeds
            | Self::Handovers
            | Self::Lists
            | Self::Accounts
            | Self::SecondFactors
            | Self::Links
            | Self::Passkeys
            | Self::Devices
            | Self::Sessions
            | Self::Tries
            | Self::Acts => &[About::Staff],
        }
    }

    /// How long it is kept, where the place says nothing else of it.
    pub const fn kept(self) -> Kept {
        match self {
            Self::Matter | Self::Photos | Self::Views | Self::Origin | Self::Deeds => Kept::WithCase,
            Self::Contact => Kept::AfterClosing,
            Self::Notices => Kept::Notices,
            Self::OptOuts
            | Self::Lists
            | Self::SecondFactors
            | Self::Links
            | Self::Passkeys
            | Self::Devices => Kept::UntilTakenBack,
            Self::Retries => Kept::Retries,
            Self::Handovers => Kept::Handovers,
            Self::Accounts => Kept::WithAccount,
            Self::Sessions => Kept::Session,
            Self::Tries => Kept::Tries,
            Self::Acts => Kept::Acts,
        }
    }

    /// Who sees it.
    pub const fn seen(self) -> Seen {
        match self {
            Self::Matter | Self::Photos => Seen::Public,
            Self::Views | Self::Notices | Self::Deeds => Seen::CaseStaff,
            Self::Contact => Seen::Answering,
            Self::Origin | Self::Accounts | Self::Links | Self::Passkeys | Self::Devices | Self::Acts => {
                Seen::Operator
            }
            Self::Handovers | Self::Lists => Seen::Post,
            Self::OptOuts | Self::Retries | Self::SecondFactors | Self::Sessions | Self::Tries => {
                Seen::Nobody
            }
        }
    }

    /// The columns that hold it, as `table.column`, in the order of the list.
    pub fn columns(self) -> impl Iterator<Item = String> {
        COLUMNS.iter().flat_map(move |of| {
            let holding = of.people.iter().filter(move |(_, what)| what.contains(&self));
            holding.map(|(column, _)| format!("{}.{column}", of.table))
        })
    }
}

/// The columns of one table.
#[derive(Debug)]
pub struct Columns {
    /// Which table.
    pub table: &'static str,
    /// The columns that say nothing about anybody.
    pub nothing: &'static [&'static str],
    /// The others, with what they hold.
    pub people: &'static [(&'static str, &'static [Purpose])],
}

const fn of(
    table: &'static str,
    nothing: &'static [&'static str],
    people: &'static [(&'static str, &'static [Purpose])],
) -> Columns {
    Columns {
        table,
        nothing,
        people,
    }
}

use Purpose::{
    Accounts, Acts, Contact, Deeds, Devices, Handovers, Links, Lists, Matter, Notices, OptOuts, Origin,
    Passkeys, Photos, Retries, SecondFactors, Sessions, Tries, Views,
};

/// All columns of all tables, in the order of [`crate::tables::TABLES`].
pub const COLUMNS: &[Columns] = &[
    of(
        "migration",
        &["version", "name", "applied_at", "checksum", "reads_from"],
        &[],
    ),
    of("writer", &["writer_id", "commits"], &[]),
    of("key_mark", &["key_mark_id", "mark"], &[]),
    of("jurisdiction", &["jurisdiction_id", "code", "version"], &[]),
    of(
        "place_version",
        &["jurisdiction_id", "version", "applied_at", "hash"],
        &[],
    ),
    // Units and posts, never who holds them.
    of(
        "place_file",
        &["jurisdiction_id", "version", "path", "content"],
        &[],
    ),
    of("sequence", &["jurisdiction_id", "name", "next"], &[]),
    of(
        "counter",
        &[
            "jurisdiction_id",
            "name",
            "area_code",
            "unit_code",
            "service_code",
            "day",
            "slot",
            "n",
        ],
        &[],
    ),
    of(
        "cases",
        &[
            "jurisdiction_id",
            "number",
            "version",
            "stage",
            "outcome",
            "is_open",
            "is_public",
            "standard_code",
            "lead_code",
            "place_version",
            "updated_at",
            "closed_at",
            "due_at",
            "step_at",
            "parked_until",
            "escalated",
            "hash",
            "access_code",
        ],
        &[
            ("service_code", &[Matter]),
            ("city_code", &[Matter]),
            ("town_code", &[Matter]),
            ("community_code", &[Matter]),
            ("cell_code", &[Matter]),
            ("spot", &[Matter]),
            ("channel", &[Matter]),
            ("reported_at", &[Matter]),
            ("fold", &[Matter, Photos, Deeds]),
        ],
    ),
    of("case_unit", &["jurisdiction_id", "number", "unit_code"], &[]),
    of(
        "event",
        &["jurisdiction_id", "number", "version", "text_hash", "hash"],
        &[
            ("at", &[Matter, Deeds]),
            ("entry", &[Matter, Photos, Deeds]),
            ("text", &[Matter, Deeds]),
            ("told", &[Matter, Deeds]),
        ],
    ),
    of(
        "case_search",
        &["jurisdiction_id", "number", "version"],
        &[("words", &[Matter, Deeds])],
    ),
    of("case_search_due", &["jurisdiction_id", "number", "version"], &[]),
    of("case_search_pass", &["jurisdiction_id", "rule", "below"], &[]),
    of(
        "change",
        &["jurisdiction_id", "writer_id", "seq", "at", "numbers"],
        &[],
    ),
    of(
        "change_writer",
        &["jurisdiction_id", "writer_id", "seq", "at"],
        &[],
    ),
    of(
        "contact",
        &["jurisdiction_id", "number", "report"],
        &[("sealed", &[Contact])],
    ),
    of(
        "contact_view",
        &["jurisdiction_id", "number"],
        &[
            ("at", &[Views]),
            ("account_id", &[Views]),
            ("post_code", &[Views]),
        ],
    ),
    of(
        "question_contact",
        &["jurisdiction_id", "number", "question"],
        &[("sealed", &[Contact])],
    ),
    of(
        "outbox",
        &[
            "jurisdiction_id",
            "number",
            "version",
            "since_version",
            "created_at",
        ],
        &[],
    ),
    of(
        "idempotency",
        &["jurisdiction_id", "number", "report", "version"],
        &[("request", &[Retries]), ("body", &[Retries]), ("at", &[Retries])],
    ),
    of(
        "imported",
        &["jurisdiction_id", "number"],
        &[("source", &[Origin]), ("reference", &[Origin])],
    ),
    of(
        "account",
        &["jurisdiction_id"],
        &[
            ("account_id", &[Accounts]),
            ("login", &[Accounts]),
            ("password", &[Accounts]),
            ("created_at", &[Accounts]),
            ("disabled_at", &[Accounts]),
            ("calendar", &[Accounts]),
            ("first_view", &[Lists]),
        ],
    ),
    of(
        "holding",
        &["jurisdiction_id"],
        &[("account_id", &[Accounts]), ("post_code", &[Accounts])],
    ),
    // It is looked at by whoever sent it, put in force or dropped; who put it in force is among the acts.
    of(
        "place_draft",
        &["jurisdiction_id", "account_id", "path", "sent_at", "content"],
        &[],
    ),
    of(
        "handover",
        &["jurisdiction_id"],
        &[
            ("post_code", &[Handovers]),
            ("at", &[Handovers]),
            ("account_id", &[Handovers]),
            ("note", &[Handovers]),
        ],
    ),
    of(
        "saved_view",
        &["jurisdiction_id", "view_id"],
        &[
            ("account_id", &[Lists]),
            ("post_code", &[Lists]),
            ("name", &[Lists]),
            ("query", &[Lists]),
            ("created_at", &[Lists]),
        ],
    ),
    of(
        "session",
        &["jurisdiction_id"],
        &[
            ("token_hash", &[Sessions]),
            ("account_id", &[Sessions]),
            ("post_code", &[Sessions]),
            ("created_at", &[Sessions]),
            ("expires_at", &[Sessions]),
            ("seen_at", &[Sessions]),
            ("is_strong", &[Sessions]),
        ],
    ),
    of(
        "second_factor",
        &["jurisdiction_id"],
        &[
            ("account_id", &[SecondFactors]),
            ("secret", &[SecondFactors]),
            ("created_at", &[SecondFactors]),
            ("confirmed_at", &[SecondFactors]),
            ("last_step", &[SecondFactors]),
        ],
    ),
    of(
        "recovery_code",
        &["jurisdiction_id"],
        &[("account_id", &[SecondFactors]), ("code_hash", &[SecondFactors])],
    ),
    of(
        "account_link",
        &["jurisdiction_id", "issuer"],
        &[
            ("account_id", &[Links]),
            ("subject", &[Links]),
            ("name", &[Links]),
            ("created_at", &[Links]),
            ("used_at", &[Links]),
        ],
    ),
    of(
        "passkey",
        &["jurisdiction_id"],
        &[
            ("credential_id", &[Passkeys]),
            ("account_id", &[Passkeys]),
            ("name", &[Passkeys]),
            ("user_handle", &[Passkeys]),
            ("credential", &[Passkeys]),
            ("created_at", &[Passkeys]),
            ("used_at", &[Passkeys]),
        ],
    ),
    // Of the place.
    of(
        "push_key",
        &["jurisdiction_id", "sealed", "contact", "created_at"],
        &[],
    ),
    of(
        "push_device",
        &["jurisdiction_id"],
        &[
            ("device_id", &[Devices]),
            ("account_id", &[Devices]),
            ("service", &[Devices]),
            ("subscription_hash", &[Devices]),
            ("browser_hash", &[Devices]),
            ("sealed", &[Devices]),
            ("name", &[Devices]),
            ("lang", &[Devices]),
            ("created_at", &[Devices]),
            ("told_at", &[Devices]),
        ],
    ),
    // Keys are of systems, never of persons.
    of(
        "api_key",
        &[
            "jurisdiction_id",
            "key_id",
            "key_hash",
            "name",
            "created_at",
            "expires_at",
            "revoked_at",
            "scopes",
        ],
        &[],
    ),
    of(
        "photo",
        &["jurisdiction_id", "state"],
        &[("photo_id", &[Photos]), ("sent_at", &[Photos])],
    ),
    of(
        "sign_in_try",
        &["jurisdiction_id"],
        &[("login_hash", &[Tries]), ("tries", &[Tries]), ("since", &[Tries])],
    ),
    of(
        "sign_in_step",
        &["jurisdiction_id", "kind"],
        &[
            ("step_hash", &[Tries]),
            ("browser_hash", &[Tries]),
            ("held", &[Tries]),
            ("expires_at", &[Tries]),
            ("taken_at", &[Tries]),
        ],
    ),
    of(
        "whistle",
        &[
            "jurisdiction_id",
            "number",
            "version",
            "stage",
            "is_open",
            "kind_code",
            "town_code",
            "community_code",
            "asked_at",
            "updated_at",
            "due_at",
            "step_at",
            "hash",
        ],
        &[("fold", &[Deeds])],
    ),
    of(
        "whistle_event",
        &["jurisdiction_id", "number", "version", "text_hash", "hash"],
        &[("at", &[Deeds]), ("entry", &[Deeds]), ("text", &[Deeds])],
    ),
    of("whistle_case", &["jurisdiction_id", "case_number", "number"], &[]),
    of(
        "whistle_call",
        &[
            "jurisdiction_id",
            "number",
            "unit_code",
            "state",
            "is_open",
            "due_at",
        ],
        &[],
    ),
    of(
        "whistle_outbox",
        &[
            "jurisdiction_id",
            "number",
            "version",
            "since_version",
            "created_at",
        ],
        &[],
    ),
    of(
        "delivery",
        &[
            "jurisdiction_id",
            "delivery_id",
            "subject",
            "number",
            "version",
            "unit_code",
            "webhook_id",
            "tries",
        ],
        &[
            ("channel", &[Notices]),
            ("notice", &[Notices]),
            ("report", &[Notices]),
            ("merged_number", &[Notices]),
            ("state", &[Notices]),
            ("created_at", &[Notices]),
            ("next_at", &[Notices]),
            // What the other server answered; it may name the address.
            ("error", &[Notices]),
            ("device_id", &[Devices]),
        ],
    ),
    // Of systems, never of persons.
    of(
        "webhook",
        &[
            "jurisdiction_id",
            "webhook_id",
            "url",
            "events",
            "scope",
            "sealed",
            "created_at",
            "paused_at",
        ],
        &[],
    ),
    of(
        "opt_out",
        &["jurisdiction_id"],
        &[("who", &[OptOuts]), ("at", &[OptOuts])],
    ),
    of(
        "unit_choice",
        &["jurisdiction_id", "unit_code", "kinds", "pace", "lang"],
        &[],
    ),
    of(
        "failing_address",
        &["jurisdiction_id", "failing_id", "subject", "number", "unit_code"],
        &[
            ("who", &[Notices]),
            ("report", &[Notices]),
            ("times", &[Notices]),
            ("given_up", &[Notices]),
            ("at", &[Notices]),
            // What the other server answered, without the address.
            ("why", &[Notices]),
        ],
    ),
    of(
        "opt_out_key",
        &["jurisdiction_id", "key_hash", "sealed", "kept_at"],
        &[],
    ),
    of(
        "admin_act",
        &["jurisdiction_id", "act_id"],
        &[
            ("at", &[Acts]),
            ("account_id", &[Acts]),
            ("post_code", &[Acts]),
            ("actor", &[Acts]),
            ("act", &[Acts]),
            // A login, where it was done to an account.
            ("subject", &[Acts]),
            ("detail", &[Acts]),
        ],
    ),
    // Of a place, on a day; never of who looked.
    of(
        "look",
        &[
            "jurisdiction_id",
            "look_id",
            "stop_code",
            "finding",
            "case_number",
            "made_at",
            "received_at",
        ],
        &[],
    ),
    of(
        "last_look",
        &[
            "jurisdiction_id",
            "stop_code",
            "finding",
            "made_at",
            "received_at",
            "unit_code",
        ],
        &[],
    ),
    of(
        "briefing",
        &[
            "jurisdiction_id",
            "briefing_id",
            "period_from",
            "period_to",
            "language",
            "template_hash",
            "public",
            // Counts, and stories of public cases as anybody reads them.
            "document",
            "hash",
        ],
        &[("issued_at", &[Acts]), ("post_code", &[Acts])],
    ),
    of(
        "lease",
        &["jurisdiction_id", "name", "holder", "token", "beat", "done_at"],
        &[],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use whistle_testbed::Bed;

    use super::*;
    use crate::{Store, Target, tables::TABLES};

    #[test]
    fn the_list_names_every_column_of_the_schema_and_none_that_is_not_there() {
        let bed = Bed::new();
        let store = Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap();
        let listed: Vec<_> = COLUMNS.iter().map(|of| of.table).collect();
        let tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        assert_eq!(listed, tables);
        for of in COLUMNS {
            let columns = store.read_blocking(|conn| conn.columns(of.table)).unwrap();
            let stored: BTreeSet<_> = columns.iter().map(|column| column.name.as_str()).collect();
            let people = of.people.iter().map(|(column, _)| *column);
            let listed: Vec<_> = of.nothing.iter().copied().chain(people).collect();
            let once: BTreeSet<_> = listed.iter().copied().collect();
            assert_eq!(once.len(), listed.len(), "{}: a column is listed twice", of.table);
            assert_eq!(once, stored, "{}", of.table);
        }
    }

    #[test]
    fn each_purpose_has_a_column_and_each_column_of_people_a_purpose() {
        for purpose in Purpose::ALL {
            assert!(purpose.columns().next().is_some(), "{purpose:?}");
        }
        for of in COLUMNS {
            for (column, purposes) in of.people {
                assert!(!purposes.is_empty(), "{}.{column}", of.table);
            }
        }
        assert_eq!(
            Purpose::Contact.columns().collect::<Vec<_>>(),
            ["contact.sealed", "question_contact.sealed"]
        );
    }

    #[test]
    fn no_column_is_for_what_is_never_asked() {
        const NEVER: [&str; 16] = [
            "ethnic",
            "race",
            "racial",
            "nationality",
            "religio",
            "faith",
            "politic",
            "party",
            "health",
            "illness",
            "disability",
            "identity",
            "passport",
            "idcard",
            "birth",
            "gender",
        ];
        for of in COLUMNS {
            let people = of.people.iter().map(|(column, _)| *column);
            for column in of.nothing.iter().copied().chain(people).chain([of.table]) {
                let asked = column
                    .split('_')
                    .any(|word| NEVER.iter().any(|never| word.starts_with(never)));
                assert!(!asked, "{}.{column}", of.table);
            }
        }
    }
}
