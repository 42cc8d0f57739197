-- What calls to models cost: a row for each call, written before it and settled after it, and sums by scope and period.
-- Times are real time. Money is in billionths of the currency's unit.
CREATE TABLE spend (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            BIGINT NOT NULL,
    counted_at    BIGINT NOT NULL,
    bot           TEXT NOT NULL,
    persona       TEXT NOT NULL,
    purpose       TEXT NOT NULL,
    model         TEXT NOT NULL,
    state         TEXT NOT NULL,
    held_money    BIGINT NOT NULL,
    held_tokens   BIGINT NOT NULL,
    money         BIGINT NOT NULL DEFAULT 0,
    input         BIGINT NOT NULL DEFAULT 0,
    cached_input  BIGINT NOT NULL DEFAULT 0,
    image         BIGINT NOT NULL DEFAULT 0,
    output        BIGINT NOT NULL DEFAULT 0,
    saved         BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX spend_open ON spend (state) WHERE state = 'open';
CREATE INDEX spend_at ON spend (counted_at);

CREATE TABLE spend_counters (
    scope         TEXT NOT NULL,
    name          TEXT NOT NULL,
    period        TEXT NOT NULL,
    start         BIGINT NOT NULL,
    money         BIGINT NOT NULL DEFAULT 0,
    tokens        BIGINT NOT NULL DEFAULT 0,
    held_money    BIGINT NOT NULL DEFAULT 0,
    held_tokens   BIGINT NOT NULL DEFAULT 0,
    calls         BIGINT NOT NULL DEFAULT 0,
    cached        BIGINT NOT NULL DEFAULT 0,
    saved         BIGINT NOT NULL DEFAULT 0,
    actions       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (scope, name, period, start)
);
CREATE INDEX spend_counters_start ON spend_counters (period, start, scope);

-- What was said of a cap, once each. The limit is part of the key: another limit is told anew.
CREATE TABLE spend_told (
    scope         TEXT NOT NULL,
    name          TEXT NOT NULL,
    period        TEXT NOT NULL,
    start         BIGINT NOT NULL,
    cap           TEXT NOT NULL,
    what          TEXT NOT NULL,
    PRIMARY KEY (scope, name, period, start, cap, what)
);
