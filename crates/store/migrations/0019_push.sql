-- Notices to devices by the push services of their browsers.

-- By which push services know a place; none where push is off.
CREATE TABLE push_key (
    jurisdiction_id BIGINT NOT NULL,
    -- The private key, sealed with a key that is not in the database.
    sealed          BYTEA  NOT NULL,
    -- Whom push services write to.
    contact         TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

-- Devices of accounts that are told what the units of their posts are.
CREATE TABLE push_device (
    jurisdiction_id   BIGINT NOT NULL,
    device_id         BIGINT NOT NULL,
    account_id        BIGINT NOT NULL,
    -- Which push service, by a number of its name: each is a way of its own.
    service           BIGINT NOT NULL,
    -- Of its address there: two accounts have no device together.
    subscription_hash BYTEA  NOT NULL,
    -- Of the cookie of its browser, by which it is known when somebody signs in or out there.
    browser_hash      BYTEA  NOT NULL,
    -- Where it is reached, sealed with a key that is not in the database.
    sealed            BYTEA  NOT NULL,
    -- What its holder calls it.
    name              TEXT   NOT NULL,
    lang              TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    told_at           BIGINT,
    PRIMARY KEY (jurisdiction_id, device_id),
    UNIQUE (jurisdiction_id, subscription_hash),
    FOREIGN KEY (jurisdiction_id, account_id) REFERENCES account (jurisdiction_id, account_id)
) /* sqlite: STRICT, WITHOUT ROWID */;

CREATE INDEX push_device_by_account ON push_device (jurisdiction_id, account_id);
CREATE INDEX push_device_by_browser ON push_device (jurisdiction_id, browser_hash);

-- Which device, or 0. Of what goes to one, webhook_id is the number of its push service.
ALTER TABLE delivery ADD COLUMN device_id BIGINT NOT NULL DEFAULT 0;

-- How many a device was sent of late.
CREATE INDEX delivery_by_device ON delivery (jurisdiction_id, device_id, created_at) WHERE device_id <> 0;
