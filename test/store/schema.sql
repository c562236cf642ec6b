CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE alerts (
  ord          INTEGER PRIMARY KEY,
  key          TEXT NOT NULL UNIQUE,
  rule         TEXT NOT NULL,
  level        TEXT NOT NULL CHECK (level IN ('P0', 'P1', 'P2')),
  code         TEXT NOT NULL,
  about        TEXT NOT NULL,
  message      TEXT NOT NULL,
  fix          TEXT,
  since        REAL NOT NULL,
  announced_at REAL NOT NULL,
  tellings     TEXT NOT NULL CHECK (json_valid(tellings)),
  quiet        INTEGER NOT NULL CHECK (quiet IN (0, 1)),
  told         TEXT NOT NULL CHECK (json_valid(told)),
  acked        TEXT CHECK (json_valid(acked)),
  resolved     TEXT CHECK (json_valid(resolved))
) STRICT;

CREATE TABLE attempts (
  ord         INTEGER PRIMARY KEY,
  token       TEXT NOT NULL UNIQUE,
  task        TEXT NOT NULL,
  n           INTEGER NOT NULL CHECK (n >= 0),
  kind        TEXT NOT NULL CHECK (kind IN ('work', 'gate')),
  subject     TEXT CHECK (json_valid(subject)),
  node        TEXT NOT NULL REFERENCES nodes (name),
  epoch       INTEGER NOT NULL,
  base        TEXT,
  credential  TEXT,
  executor    TEXT,
  contract    TEXT,
  reserved    TEXT CHECK (json_valid(reserved)),
  claimed_at  REAL NOT NULL,
  started_at  REAL,
  phase       TEXT NOT NULL CHECK (phase IN ('claimed', 'running', 'ended', 'fenced')),
  detail      TEXT NOT NULL CHECK (json_valid(detail)),
  unconfirmed INTEGER NOT NULL CHECK (unconfirmed IN (0, 1)),
  step        TEXT AS (detail ->> '$.step') VIRTUAL CHECK (step IN ('prepare', 'agent', 'gates', 'verify')),
  round       INTEGER AS (coalesce(detail ->> '$.round', detail ->> '$.outcome.rounds')) VIRTUAL,
  closed_at   REAL AS (detail ->> '$.at') VIRTUAL,
  outcome     TEXT AS (detail ->> '$.outcome.kind') VIRTUAL CHECK (outcome IN (
    'done', 'refused', 'failed', 'timeout', 'overspent', 'cancelled', 'lost')),
  CHECK ((kind = 'gate') = (subject IS NOT NULL)),
  CHECK (unconfirmed = 0 OR phase = 'fenced'),
  CHECK ((phase = 'ended') = (outcome IS NOT NULL))
) STRICT;

CREATE TABLE credentials (
  ord        INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  bound      REAL CHECK (bound >= 1),
  seen       INTEGER CHECK (seen >= 1),
  not_before REAL NOT NULL,
  strikes    INTEGER NOT NULL CHECK (strikes >= 0),
  refusals   INTEGER NOT NULL CHECK (refusals >= 1),
  refused_at REAL NOT NULL,
  why        TEXT NOT NULL CHECK (why IN ('rate', 'overload', 'quota', 'account', 'login')),
  message    TEXT NOT NULL
) STRICT;

CREATE TABLE events (
  seq            INTEGER PRIMARY KEY,
  at             REAL NOT NULL,
  epoch          INTEGER NOT NULL,
  type           TEXT NOT NULL,
  task           TEXT,
  fact           TEXT NOT NULL,
  source_node    TEXT,
  source_journal TEXT,
  source_seq     INTEGER
) STRICT;

CREATE TABLE lease (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  held  INTEGER NOT NULL CHECK (held IN (0, 1)),
  host  TEXT NOT NULL,
  pid   INTEGER NOT NULL,
  since REAL NOT NULL
) STRICT;

CREATE TABLE meta (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE nodes (
  ord     INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  boot_id TEXT,
  journal TEXT,
  cursor  INTEGER NOT NULL CHECK (cursor >= 0),
  mark    TEXT NOT NULL CHECK (mark IN ('none', 'cordon', 'drain')),
  program TEXT,
  programs TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(programs)),
  silence TEXT CHECK (json_valid(silence) AND silence ->> '$.is' IN ('suspect', 'lost')),
  health  TEXT NOT NULL CHECK (json_valid(health))
) STRICT;

CREATE TABLE projects (
  ord         INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  config      TEXT NOT NULL CHECK (json_valid(config)),
  started     INTEGER NOT NULL DEFAULT 0 CHECK (started IN (0, 1)),
  skip_control TEXT,
  integration TEXT,
  green       TEXT NOT NULL CHECK (json_valid(green)),
  tests       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tests)),
  gates       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(gates)),
  delivery_at TEXT CHECK (delivery_at IN ('draining', 'preparing', 'gating', 'pushing')),
  delivery    TEXT CHECK (json_valid(delivery)),
  broken      TEXT CHECK (json_valid(broken)),
  controls    TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(controls)),
  contract    TEXT CHECK (json_valid(contract)),
  hold        TEXT CHECK (json_valid(hold)),
  delivered   TEXT CHECK (json_valid(delivered)),
  repo        TEXT AS (config ->> '$.repo') VIRTUAL,
  target      TEXT AS (config ->> '$.target') VIRTUAL,
  delivered_commit TEXT AS (delivered ->> '$.commit') VIRTUAL,
  CHECK ((delivery_at IS NULL) = (delivery IS NULL))
) STRICT;

CREATE TABLE tasks (
  ord         INTEGER PRIMARY KEY,
  key         TEXT NOT NULL UNIQUE,
  project     TEXT NOT NULL REFERENCES projects (name),
  added_at    REAL NOT NULL,
  n           INTEGER NOT NULL CHECK (n >= 0),
  at          TEXT NOT NULL CHECK (at IN (
    'open', 'attempt', 'finished', 'review', 'queued', 'gating', 'landing', 'parked', 'merged', 'reverted', 'failed',
    'cancelled')),
  progress    TEXT NOT NULL CHECK (json_valid(progress)),
  returns     INTEGER NOT NULL CHECK (returns >= 0),
  failures    INTEGER NOT NULL CHECK (failures >= 0),
  losses      INTEGER NOT NULL CHECK (losses >= 0),
  not_before  REAL NOT NULL,
  front       REAL,
  ready_since REAL,
  unmet       INTEGER NOT NULL CHECK (unmet >= 0),
  locked      INTEGER NOT NULL CHECK (locked IN (0, 1)),
  feedback    TEXT CHECK (json_valid(feedback)),
  spec        TEXT NOT NULL CHECK (json_valid(spec)),
  title       TEXT AS (spec ->> '$.title') VIRTUAL,
  priority    INTEGER AS (spec ->> '$.priority') VIRTUAL,
  token       TEXT AS (progress ->> '$.token') VIRTUAL,
  head        TEXT AS (progress ->> '$.head') VIRTUAL,
  merged_commit TEXT AS (CASE at WHEN 'merged' THEN progress ->> '$.commit' END) VIRTUAL,
  reason      TEXT AS (progress ->> '$.reason') VIRTUAL,
  since       REAL AS (coalesce(progress ->> '$.since', progress ->> '$.when')) VIRTUAL,
  CHECK (locked = 0 OR at NOT IN ('merged', 'reverted', 'failed', 'cancelled'))
) STRICT;

CREATE INDEX events_of_task ON events (task) WHERE task IS NOT NULL;
