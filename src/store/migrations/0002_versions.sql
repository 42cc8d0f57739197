-- How every version fared, and which versions of a persona run.
ALTER TABLE scripts ADD COLUMN ticks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scripts ADD COLUMN errors BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scripts ADD COLUMN actions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scripts ADD COLUMN refused BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scripts ADD COLUMN calls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scripts ADD COLUMN cpu_micros BIGINT NOT NULL DEFAULT 0;

CREATE TABLE lines (
    persona       TEXT PRIMARY KEY NOT NULL,
    stable        TEXT NOT NULL,
    pinned        BIGINT NOT NULL DEFAULT 0,
    held_back     TEXT,
    canary        TEXT,
    canary_since  BIGINT,
    canary_whole  BIGINT NOT NULL DEFAULT 0,
    verdict       TEXT NOT NULL DEFAULT '',
    verdict_at    BIGINT
);
