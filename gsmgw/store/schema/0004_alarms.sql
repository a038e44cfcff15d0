-- What watches by itself: alarms and who is told of them, a modem's message to itself, the credit of
-- SIMs.

-- What is wrong for longer than a moment. One row each time, kept until it has been well for a while.
CREATE TABLE alarm (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,                  -- modem for all states of one, else the finding's name
    place TEXT NOT NULL,                    -- modem, file, directory; '' for the whole
    finding TEXT NOT NULL,                  -- as it is now, or was at last
    level TEXT NOT NULL,                    -- error warning
    what TEXT NOT NULL,
    advice TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    seen_s REAL NOT NULL DEFAULT 0,         -- while the daemon looked
    gone_s REAL NOT NULL DEFAULT 0,         -- since it was last seen
    quiet_s REAL NOT NULL DEFAULT 0,        -- since somebody was last told
    told_level TEXT,
    opened_at TEXT,                         -- NULL: too short for an alarm as yet
    closed_at TEXT
);
CREATE UNIQUE INDEX alarm_open ON alarm (subject, place) WHERE closed_at IS NULL;

-- What is owed to whoever is told of an alarm.
CREATE TABLE alarm_notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alarm_id INTEGER NOT NULL REFERENCES alarm(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                     -- open worse again closed
    via TEXT NOT NULL,                      -- hook, or a phone number
    level TEXT NOT NULL,
    finding TEXT NOT NULL,
    what TEXT NOT NULL,
    advice TEXT NOT NULL,
    made_at TEXT NOT NULL,
    message_id INTEGER,                     -- the SMS
    tries INTEGER NOT NULL DEFAULT 0,       -- SMS that were made of it
    finished_at TEXT,
    exit_code INTEGER,
    error TEXT
);
CREATE INDEX alarm_notice_owed ON alarm_notice (via, id) WHERE finished_at IS NULL;
CREATE INDEX alarm_notice_alarm ON alarm_notice (alarm_id);
CREATE INDEX alarm_notice_message ON alarm_notice (message_id) WHERE message_id IS NOT NULL;

-- Questions for the credit of a SIM, and what the network answered.
CREATE TABLE balance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    modem TEXT NOT NULL,
    sim_id INTEGER REFERENCES sim(id),
    command_id INTEGER NOT NULL,            -- the service code, as a person would ask it
    asked_at TEXT NOT NULL,
    answered_at TEXT,
    amount REAL,                            -- NULL where no amount stood in the answer
    error TEXT
);
CREATE INDEX balance_modem ON balance (modem, id);

-- Messages of a modem to its own SIM. What comes in with exactly this text from exactly this number
-- is its arrival, and no message for anybody.
CREATE TABLE self_test (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    modem TEXT NOT NULL,
    sim_id INTEGER REFERENCES sim(id),
    number TEXT NOT NULL,                   -- E.164
    text TEXT NOT NULL UNIQUE,
    message_id INTEGER,
    begun_at TEXT NOT NULL,
    until TEXT NOT NULL,                    -- it has failed if it has not arrived by then
    arrived_at TEXT,                        -- perhaps later
    finished_at TEXT,
    error TEXT
);
CREATE INDEX self_test_modem ON self_test (modem, id);
