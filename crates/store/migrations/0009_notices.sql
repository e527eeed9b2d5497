-- What is told to whom. Nobody's address is in here: a delivery names the report, the unit or the webhook.

CREATE TABLE delivery (
    jurisdiction_id BIGINT NOT NULL,
    -- By which a reader knows the same one when it comes twice.
    delivery_id     BIGINT NOT NULL,
    -- What it is about, case or whistle, and the number of that.
    subject         TEXT   NOT NULL,
    number          BIGINT NOT NULL,
    -- The event that is told of.
    version         BIGINT NOT NULL,
    -- mail or webhook.
    channel         TEXT   NOT NULL,
    -- The notice or, to a webhook, the event; sms for a text to a reporter's telephone.
    notice          TEXT   NOT NULL,
    -- Which report's reader, or 0.
    report          BIGINT NOT NULL,
    -- Which unit, or empty.
    unit_code       TEXT   NOT NULL,
    -- Which webhook, or 0.
    webhook_id      BIGINT NOT NULL,
    -- waiting, sent, dropped (nobody wants it any more) or dead (given up).
    state           TEXT   NOT NULL,
    tries           BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    -- When it is tried next; when it was sent, dropped or given up.
    next_at         BIGINT NOT NULL,
    -- Why the last try failed, or why it was dropped; empty when all is well.
    error           TEXT   NOT NULL,
    PRIMARY KEY (jurisdiction_id, delivery_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX delivery_by_state ON delivery (jurisdiction_id, state, channel, webhook_id, next_at, number, version);
CREATE INDEX delivery_by_subject ON delivery (jurisdiction_id, subject, number, version);
-- How many a unit was sent of late.
CREATE INDEX delivery_by_unit ON delivery (jurisdiction_id, unit_code, created_at) WHERE unit_code <> '';

-- Systems that are told by signed requests.
CREATE TABLE webhook (
    jurisdiction_id BIGINT NOT NULL,
    webhook_id      BIGINT NOT NULL,
    url             TEXT   NOT NULL,
    -- Words of events, by commas; * for all that happens to cases and whistles.
    events          TEXT   NOT NULL,
    -- public or all.
    scope           TEXT   NOT NULL,
    -- What requests are signed with, sealed with a key that is not in the database.
    sealed          BYTEA  NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, webhook_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Who wants no mail: a keyed hash of the address, and of the case where it is about one.
CREATE TABLE opt_out (
    jurisdiction_id BIGINT NOT NULL,
    who             BYTEA  NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id, who)
) /* sqlite: STRICT, WITHOUT ROWID */;
