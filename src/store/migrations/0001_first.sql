CREATE TABLE bots (
    id            TEXT PRIMARY KEY NOT NULL,
    persona       TEXT NOT NULL,
    place         BIGINT NOT NULL,
    username      TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    account       TEXT,
    born_at       BIGINT NOT NULL,
    retired_at    BIGINT,
    deleted_at    BIGINT,
    state         TEXT,
    tick          BIGINT NOT NULL DEFAULT 0,
    version       TEXT,
    wake_at       BIGINT NOT NULL,
    wake_why      TEXT NOT NULL,
    wake_by       TEXT NOT NULL DEFAULT '',
    visit         BIGINT NOT NULL DEFAULT 0,
    visit_tick    BIGINT NOT NULL DEFAULT 0,
    visit_left    BIGINT NOT NULL DEFAULT 0,
    failures      BIGINT NOT NULL DEFAULT 0,
    error         TEXT NOT NULL DEFAULT '',
    held          TEXT NOT NULL DEFAULT '',
    held_reason   TEXT NOT NULL DEFAULT '',
    held_until    BIGINT
);
CREATE INDEX bots_persona ON bots (persona, place);

CREATE TABLE intents (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    bot           TEXT NOT NULL,
    tick          BIGINT NOT NULL,
    ordinal       BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    target        TEXT NOT NULL,
    payload       TEXT NOT NULL,
    state         TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX intents_target ON intents (bot, kind, target);
CREATE INDEX intents_at ON intents (bot, at);
CREATE INDEX intents_open ON intents (state) WHERE state = 'open';

CREATE TABLE activities (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            BIGINT NOT NULL,
    bot           TEXT,
    persona       TEXT,
    kind          TEXT NOT NULL,
    ending        TEXT NOT NULL,
    target        TEXT NOT NULL,
    words         TEXT NOT NULL,
    detail        TEXT NOT NULL
);
CREATE INDEX activities_bot ON activities (bot, id);
CREATE INDEX activities_at ON activities (at);

CREATE TABLE texts (
    bot           TEXT NOT NULL,
    at            BIGINT NOT NULL,
    words         TEXT NOT NULL
);
CREATE INDEX texts_bot ON texts (bot, at);

CREATE TABLE entries (
    scope         TEXT NOT NULL,
    name          TEXT NOT NULL,
    value         TEXT NOT NULL,
    expires_at    BIGINT,
    PRIMARY KEY (scope, name)
);

CREATE TABLE memories (
    bot           TEXT NOT NULL,
    kind          TEXT NOT NULL,
    about         TEXT NOT NULL,
    words         TEXT NOT NULL,
    weight        DOUBLE PRECISION NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (bot, kind, about)
);

CREATE TABLE events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    bot           TEXT NOT NULL,
    source        TEXT NOT NULL,
    kind          TEXT NOT NULL,
    post          TEXT NOT NULL,
    post_title    TEXT NOT NULL,
    comment       TEXT,
    words         TEXT,
    sender        TEXT,
    is_fleet      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    delivered_at  BIGINT,
    UNIQUE (bot, source)
);
CREATE INDEX events_waiting ON events (bot, id) WHERE delivered_at IS NULL;

CREATE TABLE posts (
    id            TEXT PRIMARY KEY NOT NULL,
    bot           TEXT NOT NULL,
    title         TEXT NOT NULL,
    workflow      TEXT,
    at            BIGINT NOT NULL,
    comments_seen BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX posts_bot ON posts (bot, at);
CREATE INDEX posts_workflow ON posts (workflow);

CREATE TABLE scripts (
    id            TEXT PRIMARY KEY NOT NULL,
    persona       TEXT NOT NULL,
    files         TEXT NOT NULL,
    accepted_at   BIGINT NOT NULL
);
CREATE INDEX scripts_persona ON scripts (persona, accepted_at);

CREATE TABLE settings (
    name          TEXT PRIMARY KEY NOT NULL,
    value         TEXT NOT NULL
);

CREATE TABLE audit (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            BIGINT NOT NULL,
    who           TEXT NOT NULL,
    what          TEXT NOT NULL,
    target        TEXT NOT NULL,
    detail        TEXT NOT NULL
);
