-- What the fleet says: a print of every text, so that no two accounts say the same, and bands by which near ones are found.
CREATE TABLE prints (
    print         BIGINT PRIMARY KEY NOT NULL,
    intent        BIGINT NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX prints_intent ON prints (intent);
CREATE INDEX prints_at ON prints (at);

CREATE TABLE bands (
    band          BIGINT NOT NULL,
    text          BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (band, text)
) WITHOUT ROWID;
CREATE INDEX bands_at ON bands (at);
CREATE INDEX texts_at ON texts (at);
