-- What plugins keep, whether they are paused, and when their timers ran last.
CREATE TABLE plugins (
    name          TEXT PRIMARY KEY NOT NULL,
    state         TEXT,
    paused        TEXT
);

CREATE TABLE plugin_timers (
    plugin        TEXT NOT NULL,
    timer         TEXT NOT NULL,
    ran_at        BIGINT NOT NULL,
    PRIMARY KEY (plugin, timer)
);
