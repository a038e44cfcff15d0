-- The transport: messages out, messages in, and what is known of modems and SIMs.
-- Times are UTC, ISO 8601 with Z and milliseconds, so that text order is time order.
-- Nothing here is newer than SQLite 3.8.3, because clients bring their own old library.

-- One row stands here inside our own transactions only; it tells the triggers below who writes.
CREATE TABLE writing (who INTEGER PRIMARY KEY);

-- What is known of each SIM: the unit of references, quotas and trouble with the operator.
CREATE TABLE sim (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,               -- iccid:…, else imsi:…, else imei:… of the modem
    iccid TEXT,
    imsi TEXT,
    state TEXT NOT NULL DEFAULT 'working',  -- working resting blocked
    why TEXT,
    since TEXT NOT NULL,
    resting_until TEXT,                     -- next probe of a resting SIM
    rests INTEGER NOT NULL DEFAULT 0,       -- rests in a row, decides the length of the next one
    service_centre TEXT,
    last_mr INTEGER,                        -- TP-MR of the last part the network took
    mr_steps INTEGER NOT NULL DEFAULT 0,    -- how often in a row it rose by exactly one
    concat_ref INTEGER NOT NULL DEFAULT 0,  -- last reference given to a multipart message
    doubt_mr INTEGER                        -- last_mr when the oldest open doubt arose; NULL where
                                            -- the counter cannot tell
);

CREATE TABLE modem (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    why TEXT,
    since TEXT NOT NULL,
    port TEXT, imei TEXT, manufacturer TEXT, model TEXT, firmware TEXT, profile TEXT,
    operator TEXT, registration INTEGER, signal_dbm INTEGER, service_centre TEXT,
    storages TEXT,                          -- JSON: {"SM": [used, total]}
    sim_id INTEGER REFERENCES sim(id),
    power TEXT,                             -- another value: it was without power meanwhile
    updated_at TEXT NOT NULL
);

-- A PIN is tried once for each SIM and value; the row is written before the try.
CREATE TABLE pin_try (
    sim_key TEXT NOT NULL,
    pin_digest TEXT NOT NULL,               -- keyed, so that the PIN does not stand here
    at TEXT NOT NULL,
    PRIMARY KEY (sim_key, pin_digest)
);

-- Service centres' clocks, learnt from status reports: theirs minus ours.
CREATE TABLE service_centre (number TEXT PRIMARY KEY, offset_s REAL NOT NULL, at TEXT NOT NULL);

CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Messages to be sent. Others insert recipient and text, and may give the columns down to modem.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    source TEXT NOT NULL DEFAULT 'sql',
    reference TEXT,
    category TEXT DEFAULT 'care',
    priority TEXT DEFAULT 'routine',
    not_before TEXT,
    expires_at TEXT,
    report_requested INTEGER DEFAULT 0,
    flash INTEGER DEFAULT 0,
    modem TEXT,
    cancel_requested INTEGER DEFAULT 0,
    -- from here on ours
    state TEXT NOT NULL DEFAULT 'new',
    error_family TEXT,
    error_code TEXT,
    error TEXT,
    parts INTEGER,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    sent_at TEXT,
    settled_at TEXT,
    spool_file TEXT,
    alphabet TEXT,                          -- gsm7 ucs2 8bit
    rank INTEGER,                           -- order of sending, from priority and category
    route TEXT NOT NULL DEFAULT '',         -- who must send it: a modem, a prefix, sim:ID; '' any
    due_at TEXT,                            -- next try; NULL when no part is waiting
    sim_id INTEGER REFERENCES sim(id),      -- parts of one message stay on one SIM
    concat_ref INTEGER,
    restarts INTEGER NOT NULL DEFAULT 0,    -- started anew on another SIM
    tries INTEGER NOT NULL DEFAULT 0,       -- attempts used up, see attempt.counted
    tp TEXT                                 -- JSON: TP fields that a smstools file asked for
);
CREATE UNIQUE INDEX outbox_once ON outbox (source, reference)
    WHERE reference IS NOT NULL AND reference <> '';
CREATE INDEX outbox_new ON outbox (id) WHERE state = 'new';
CREATE INDEX outbox_due ON outbox (route, rank, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_expires ON outbox (expires_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_cancel ON outbox (id) WHERE cancel_requested = 1 AND settled_at IS NULL;
CREATE INDEX outbox_uncertain ON outbox (id) WHERE state = 'uncertain';
CREATE INDEX outbox_state ON outbox (state, id);
CREATE INDEX outbox_recipient ON outbox (recipient, created_at);
CREATE INDEX outbox_created ON outbox (created_at, state);
CREATE INDEX outbox_answer ON outbox (recipient, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_split ON outbox (sim_id)
    WHERE sim_id IS NOT NULL AND due_at IS NOT NULL;

CREATE TABLE part (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL REFERENCES outbox(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,                -- 1..outbox.parts
    state TEXT NOT NULL DEFAULT 'waiting',
    text TEXT,                              -- this part's text, or
    data BLOB,                              -- its 8-bit user data
    modem TEXT,
    sim_id INTEGER REFERENCES sim(id),
    mr INTEGER,                             -- TP-Message-Reference, 0..255
    expected_mr INTEGER,                    -- of an uncertain part, where the SIM's references count
    claimed_at TEXT,
    sent_at TEXT,
    settled_at TEXT,
    error_family TEXT,
    error_code TEXT,
    error TEXT,
    proof TEXT,                             -- what settled it: answer late-answer counter report person
    UNIQUE (message_id, number)
);
CREATE INDEX part_sending ON part (modem) WHERE state = 'sending';
CREATE INDEX part_open ON part (sim_id, mr) WHERE state IN ('sent', 'uncertain', 'sending');
CREATE INDEX part_uncertain ON part (claimed_at) WHERE state = 'uncertain';
CREATE INDEX part_refused ON part (sim_id) WHERE state = 'waiting' AND error_code IS NOT NULL;
CREATE INDEX part_sent ON part (sim_id, sent_at) WHERE sent_at IS NOT NULL;

-- Every try of a part at a modem.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    part_id INTEGER NOT NULL REFERENCES part(id) ON DELETE CASCADE,
    modem TEXT NOT NULL,
    sim_id INTEGER REFERENCES sim(id),
    claimed_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,                           -- taken refused uncertain untouched
    mr INTEGER,
    error_family TEXT,
    error_code TEXT,
    error TEXT,
    whose TEXT,                             -- message sim network modem unclear
    counted INTEGER NOT NULL DEFAULT 0,     -- 1: it used up one of the message's attempts
    proof TEXT
);
CREATE INDEX attempt_part ON attempt (part_id);
CREATE INDEX attempt_sim ON attempt (sim_id, id);

CREATE TABLE status_report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sim_id INTEGER REFERENCES sim(id),
    modem TEXT NOT NULL,
    received_at TEXT NOT NULL,
    mr INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    recipient_toa INTEGER,
    service_centre TEXT,
    service_centre_at TEXT,                 -- when the service centre took the message
    discharged_at TEXT,
    st INTEGER NOT NULL,                    -- TP-ST, 3GPP TS 23.040 9.2.3.15
    received_part_id INTEGER NOT NULL REFERENCES received_part(id),
    part_id INTEGER REFERENCES part(id),    -- NULL while no part fits
    matched_at TEXT                         -- set with part_id, and stays when the part is gone
);
CREATE INDEX status_report_open ON status_report (sim_id, received_at)
    WHERE matched_at IS NULL;
CREATE INDEX status_report_part ON status_report (part_id) WHERE part_id IS NOT NULL;

-- Every TPDU that came in, raw, committed before it is removed from the SIM.
CREATE TABLE received_part (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sim_id INTEGER REFERENCES sim(id),
    modem TEXT NOT NULL,
    received_at TEXT NOT NULL,
    pdu TEXT NOT NULL,                      -- hex, with the service centre address
    memory TEXT,
    slot INTEGER,
    deleted_at TEXT,                        -- the modem confirmed that it forgot it
    kind TEXT NOT NULL,                     -- deliver status-report undecodable
    sender TEXT,
    concat_ref INTEGER,
    concat_total INTEGER,
    concat_number INTEGER,
    concat_wide INTEGER,
    inbox_id INTEGER REFERENCES inbox(id),  -- NULL while parts are missing
    error TEXT
);
CREATE INDEX received_part_same ON received_part (sim_id, pdu);
CREATE INDEX received_part_waiting ON received_part (sim_id, sender, concat_ref, concat_total)
    WHERE inbox_id IS NULL AND concat_ref IS NOT NULL;
CREATE INDEX received_part_overdue ON received_part (received_at)
    WHERE inbox_id IS NULL AND concat_ref IS NOT NULL;
CREATE INDEX received_part_inbox ON received_part (inbox_id) WHERE inbox_id IS NOT NULL;

-- What arrived. A row once readable never changes; others read WHERE id > the last one they know.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,                   -- '' where withheld
    text TEXT,                              -- NULL for a missed call; hex for binary
    kind TEXT NOT NULL,                     -- sms missed_call binary
    modem TEXT NOT NULL,
    sim_id INTEGER REFERENCES sim(id),
    service_centre_at TEXT,
    received_at TEXT NOT NULL,
    parts INTEGER NOT NULL DEFAULT 1,
    complete INTEGER NOT NULL DEFAULT 1,
    in_reply_to INTEGER                     -- newest message sent to that number in the last 7 days
);
CREATE INDEX inbox_sender ON inbox (sender, id);

-- Files of the spool that we have taken and not yet put where they belong.
CREATE TABLE spool_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,                     -- in checked/
    original_name TEXT NOT NULL,            -- in outgoing/
    format TEXT NOT NULL,                   -- smstools json
    taken_at TEXT NOT NULL,
    folder TEXT,                            -- sent or failed, decided before the move
    final_name TEXT,
    finished_at TEXT                        -- the move is on disk
);
CREATE UNIQUE INDEX spool_file_open ON spool_file (name) WHERE finished_at IS NULL;

-- What stood in a file: the message that it became, or repeated, or why it was refused.
CREATE TABLE spool_entry (
    file_id INTEGER NOT NULL REFERENCES spool_file(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,              -- 0 is the first element
    message_id INTEGER REFERENCES outbox(id) ON DELETE SET NULL,
    reference TEXT,
    recipient TEXT,
    error_code TEXT,
    error TEXT,
    PRIMARY KEY (file_id, position)
);
CREATE INDEX spool_entry_message ON spool_entry (message_id);

-- What is owed to the spool: incoming files and report files, under the name they will always have.
CREATE TABLE handout (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox_id INTEGER UNIQUE REFERENCES inbox(id),
    status_report_id INTEGER UNIQUE REFERENCES status_report(id),
    created_at TEXT NOT NULL,
    name TEXT,                              -- set before the file is made
    finished_at TEXT
);
CREATE INDEX handout_owed ON handout (id) WHERE finished_at IS NULL;

-- Runs of the event handler that are owed.
CREATE TABLE hook_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,                    -- SENT FAILED RECEIVED REPORT CALL
    path TEXT NOT NULL,
    message_ref TEXT,                       -- third argument, NULL for none
    created_at TEXT NOT NULL,
    finished_at TEXT,
    exit_code INTEGER,
    error TEXT
);
CREATE INDEX hook_run_owed ON hook_run (id) WHERE finished_at IS NULL;

-- A line for a modem, asked by the command line, run between parts.
CREATE TABLE command (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    modem TEXT NOT NULL,
    kind TEXT NOT NULL,                     -- at ussd probe
    line TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,               -- nobody waits for the answer any longer
    started_at TEXT,
    finished_at TEXT,
    answer TEXT,
    error TEXT
);
CREATE INDEX command_waiting ON command (modem, id) WHERE started_at IS NULL;

-- Who may be written to. Read at intake; written by replies, the command line, other software.
CREATE TABLE consent (
    phone TEXT NOT NULL,
    category TEXT NOT NULL,                 -- care survey marketing
    decision TEXT NOT NULL,                 -- permit deny
    at TEXT NOT NULL,
    source TEXT,
    PRIMARY KEY (phone, category)
);

-- What happened, in the words of the log, for `gsmgw show` and for other software.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    message_id INTEGER,
    modem TEXT,
    detail TEXT NOT NULL DEFAULT '{}'       -- JSON, without texts
);
CREATE INDEX event_message ON event (message_id) WHERE message_id IS NOT NULL;

-- INSERT, OR IGNORE, OR REPLACE and upserts by others all leave a row that is there alone. With OR
-- REPLACE a NULL source becomes the default only after this trigger, hence coalesce. The largest id
-- is bounded: after the largest possible one SQLite gives out no more.
CREATE TRIGGER outbox_insert BEFORE INSERT ON outbox
WHEN NOT EXISTS (SELECT 1 FROM writing)
BEGIN
    SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM outbox WHERE id = NEW.id)
        OR (NEW.reference <> '' AND EXISTS (
            SELECT 1 FROM outbox
            WHERE source = coalesce(NEW.source, 'sql') AND reference = NEW.reference));
    SELECT RAISE(ABORT, 'gsmgw: a row is inserted with state new, or without state')
    WHERE NEW.state <> 'new' OR NEW.settled_at IS NOT NULL OR NEW.due_at IS NOT NULL;
    SELECT RAISE(ABORT, 'gsmgw: this id is too large; leave it out')
    WHERE NEW.id > 1000000000000;
END;

CREATE TRIGGER outbox_update BEFORE UPDATE ON outbox
WHEN NOT EXISTS (SELECT 1 FROM writing)
BEGIN
    SELECT RAISE(ABORT, 'gsmgw: only cancel_requested may be changed')
    WHERE NEW.id IS NOT OLD.id OR NEW.state IS NOT OLD.state
        OR NEW.error_family IS NOT OLD.error_family OR NEW.error_code IS NOT OLD.error_code
        OR NEW.error IS NOT OLD.error OR NEW.parts IS NOT OLD.parts
        OR NEW.sent_at IS NOT OLD.sent_at OR NEW.settled_at IS NOT OLD.settled_at
        OR NEW.spool_file IS NOT OLD.spool_file OR NEW.alphabet IS NOT OLD.alphabet
        OR NEW.rank IS NOT OLD.rank OR NEW.route IS NOT OLD.route
        OR NEW.due_at IS NOT OLD.due_at OR NEW.sim_id IS NOT OLD.sim_id
        OR NEW.concat_ref IS NOT OLD.concat_ref OR NEW.restarts IS NOT OLD.restarts
        OR NEW.tries IS NOT OLD.tries OR NEW.tp IS NOT OLD.tp
        OR (OLD.state <> 'new' AND (
            NEW.recipient IS NOT OLD.recipient OR NEW.text IS NOT OLD.text
            OR NEW.source IS NOT OLD.source OR NEW.reference IS NOT OLD.reference
            OR NEW.category IS NOT OLD.category OR NEW.priority IS NOT OLD.priority
            OR NEW.not_before IS NOT OLD.not_before OR NEW.expires_at IS NOT OLD.expires_at
            OR NEW.report_requested IS NOT OLD.report_requested OR NEW.flash IS NOT OLD.flash
            OR NEW.modem IS NOT OLD.modem OR NEW.created_at IS NOT OLD.created_at));
    SELECT RAISE(ABORT, 'gsmgw: source and reference belong to another row')
    WHERE NEW.reference <> '' AND EXISTS (
        SELECT 1 FROM outbox
        WHERE source = coalesce(NEW.source, 'sql') AND reference = NEW.reference AND id <> OLD.id);
END;

-- What hangs on a message goes with it, also where the deleter does not enforce foreign keys. Its
-- reports stay, as received, but are never matched again (matched_at tells).
CREATE TRIGGER outbox_delete BEFORE DELETE ON outbox
BEGIN
    SELECT RAISE(ABORT, 'gsmgw: not settled yet; set cancel_requested instead')
    WHERE NOT EXISTS (SELECT 1 FROM writing) AND (OLD.settled_at IS NULL OR EXISTS (
        SELECT 1 FROM part WHERE message_id = OLD.id AND state = 'sending'));
    UPDATE status_report SET part_id = NULL
    WHERE part_id IN (SELECT id FROM part WHERE message_id = OLD.id);
    UPDATE spool_entry SET message_id = NULL WHERE message_id = OLD.id;
    DELETE FROM attempt WHERE part_id IN (SELECT id FROM part WHERE message_id = OLD.id);
    DELETE FROM part WHERE message_id = OLD.id;
END;
