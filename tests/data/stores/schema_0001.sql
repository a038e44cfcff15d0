-- A database as gsmgw 0.1.0 wrote it (schema 1); numbers are fictitious.
PRAGMA application_id = 1735617895;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'gsmgw','0001_transport','2026-11-22 15:13:03.065303+00:00');
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
INSERT INTO "attempt" VALUES(1,1,'front',1,'2026-11-22T15:13:03.314Z','2026-11-22T15:13:03.319Z','taken',0,NULL,NULL,NULL,NULL,0,'answer');
INSERT INTO "attempt" VALUES(2,2,'front',1,'2026-11-22T15:13:03.319Z','2026-11-22T15:13:03.323Z','taken',1,NULL,NULL,NULL,NULL,0,'answer');
INSERT INTO "attempt" VALUES(3,3,'front',1,'2026-11-22T15:13:03.323Z','2026-11-22T15:13:03.329Z','taken',2,NULL,NULL,NULL,NULL,0,'answer');
INSERT INTO "attempt" VALUES(4,4,'front',1,'2026-11-22T15:13:03.329Z','2026-11-22T15:13:03.333Z','taken',3,NULL,NULL,NULL,NULL,0,'answer');
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
INSERT INTO "command" VALUES(1,'front','at','AT+CSQ','2026-11-22T15:13:05.241Z','2026-11-22T15:14:35.241Z','2026-11-22T15:13:05.265Z','2026-11-22T15:13:05.272Z','+CSQ: 17,99
OK',NULL);
CREATE TABLE consent (
    phone TEXT NOT NULL,
    category TEXT NOT NULL,                 -- care survey marketing
    decision TEXT NOT NULL,                 -- permit deny
    at TEXT NOT NULL,
    source TEXT,
    PRIMARY KEY (phone, category)
);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    message_id INTEGER,
    modem TEXT,
    detail TEXT NOT NULL DEFAULT '{}'       -- JSON, without texts
);
INSERT INTO "event" VALUES(1,'2026-11-22T15:13:03.115Z','modem.state',NULL,'front','{"state": "opening"}');
INSERT INTO "event" VALUES(2,'2026-11-22T15:13:03.274Z','modem.state',NULL,'front','{"state": "ready"}');
CREATE TABLE handout (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox_id INTEGER UNIQUE REFERENCES inbox(id),
    status_report_id INTEGER UNIQUE REFERENCES status_report(id),
    created_at TEXT NOT NULL,
    name TEXT,                              -- set before the file is made
    finished_at TEXT
);
INSERT INTO "handout" VALUES(1,NULL,1,'2026-11-22T15:13:04.820Z','front.000001','2026-11-22T15:13:04.831Z');
INSERT INTO "handout" VALUES(2,NULL,3,'2026-11-22T15:13:04.830Z','front.000003','2026-11-22T15:13:04.843Z');
INSERT INTO "handout" VALUES(3,NULL,4,'2026-11-22T15:13:04.835Z','front.000004','2026-11-22T15:13:04.849Z');
INSERT INTO "handout" VALUES(4,1,NULL,'2026-11-22T15:13:04.854Z','front.000001','2026-11-22T15:13:04.864Z');
INSERT INTO "handout" VALUES(5,2,NULL,'2026-11-22T15:13:04.860Z','front.000002','2026-11-22T15:13:04.872Z');
INSERT INTO "handout" VALUES(6,3,NULL,'2026-11-22T15:13:04.863Z','front.000003','2026-11-22T15:13:04.872Z');
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
INSERT INTO "inbox" VALUES(1,'+48500100201','TAK, przyjdę','sms','front',1,'2026-11-22T15:13:04.000Z','2026-11-22T15:13:04.854Z',1,1,2);
INSERT INTO "inbox" VALUES(2,'+48500100202','STOP','sms','front',1,'2026-11-22T15:13:04.000Z','2026-11-22T15:13:04.860Z',1,1,3);
INSERT INTO "inbox" VALUES(3,'+48500100203',NULL,'missed_call','front',1,NULL,'2026-11-22T15:13:04.863Z',1,1,1);
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
INSERT INTO "modem" VALUES('front','ready','','2026-11-22T15:13:03.274Z','/dev/ttyUSB0','356938035600001','Generic','GSM modem','1.0','generic','Pretend',1,-80,'+48500100900','{"SM": [0, 20], "SR": [0, 10]}',1,'8801-4-1795360382434437203-0','2026-11-22T15:13:04.277Z');
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
INSERT INTO "outbox" VALUES(1,'+48500100203','Zażółć gęślą jaźń','clinic','visit-17','care','routine',NULL,NULL,0,0,NULL,0,'delivered',NULL,NULL,NULL,1,'2026-11-22T15:13:03.288Z','2026-11-22T15:13:03.323Z','2026-11-22T15:13:04.826Z',NULL,'ucs2',13,'',NULL,NULL,NULL,0,0,NULL);
INSERT INTO "outbox" VALUES(2,'+48500100201','Appointment on Monday at 8:30','root',NULL,'care','routine',NULL,NULL,1,0,NULL,0,'delivered',NULL,NULL,NULL,1,'2026-11-22T15:13:03.290Z','2026-11-22T15:13:03.319Z','2026-11-22T15:13:04.820Z','one','gsm7',13,'',NULL,NULL,NULL,0,0,NULL);
INSERT INTO "outbox" VALUES(3,'+48500100202','A long reminder that takes more than one part. A long reminder that takes more than one part. A long reminder that takes more than one part. A long reminder that takes more than one part. A long reminder that takes more than one part. A long reminder that takes more than one part.','root',NULL,'care','routine',NULL,NULL,1,0,NULL,0,'delivered',NULL,NULL,NULL,2,'2026-11-22T15:13:03.313Z','2026-11-22T15:13:03.333Z','2026-11-22T15:13:04.835Z','two','gsm7',13,'sim:1',NULL,1,1,0,0,NULL);
INSERT INTO "outbox" VALUES(4,'+48500100204','later','sql',NULL,'care','routine','2099-01-01T08:00:00.000Z',NULL,0,0,NULL,0,'queued',NULL,NULL,NULL,1,'2026-11-22T15:13:03.327Z',NULL,NULL,NULL,'gsm7',13,'','2099-01-01T08:00:00.000Z',NULL,NULL,0,0,NULL);
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
INSERT INTO "part" VALUES(1,2,1,'delivered','Appointment on Monday at 8:30',NULL,'front',1,0,NULL,'2026-11-22T15:13:03.314Z','2026-11-22T15:13:03.319Z','2026-11-22T15:13:04.820Z',NULL,NULL,NULL,'answer');
INSERT INTO "part" VALUES(2,1,1,'delivered','Zażółć gęślą jaźń',NULL,'front',1,1,NULL,'2026-11-22T15:13:03.319Z','2026-11-22T15:13:03.323Z','2026-11-22T15:13:04.826Z',NULL,NULL,NULL,'answer');
INSERT INTO "part" VALUES(3,3,1,'delivered','A long reminder that takes more than one part. A long reminder that takes more than one part. A long reminder that takes more than one part. A long remin',NULL,'front',1,2,NULL,'2026-11-22T15:13:03.323Z','2026-11-22T15:13:03.329Z','2026-11-22T15:13:04.830Z',NULL,NULL,NULL,'answer');
INSERT INTO "part" VALUES(4,3,2,'delivered','der that takes more than one part. A long reminder that takes more than one part. A long reminder that takes more than one part.',NULL,'front',1,3,NULL,'2026-11-22T15:13:03.329Z','2026-11-22T15:13:03.333Z','2026-11-22T15:13:04.835Z',NULL,NULL,NULL,'answer');
INSERT INTO "part" VALUES(5,4,1,'waiting','later',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE pin_try (
    sim_key TEXT NOT NULL,
    pin_digest TEXT NOT NULL,               -- keyed, so that the PIN does not stand here
    at TEXT NOT NULL,
    PRIMARY KEY (sim_key, pin_digest)
);
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
INSERT INTO "received_part" VALUES(1,1,'front','2026-11-22T15:13:04.820Z','07918405100009F006000B918405100002F1621122513130006211225131400000','SR',1,'2026-11-22T15:13:04.826Z','status-report',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "received_part" VALUES(2,1,'front','2026-11-22T15:13:04.826Z','07918405100009F006010B918405100002F3621122513130006211225131400000','SR',2,'2026-11-22T15:13:04.830Z','status-report',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "received_part" VALUES(3,1,'front','2026-11-22T15:13:04.830Z','07918405100009F006020B918405100002F2621122513130006211225131400000','SR',1,'2026-11-22T15:13:04.835Z','status-report',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "received_part" VALUES(4,1,'front','2026-11-22T15:13:04.835Z','07918405100009F006030B918405100002F2621122513130006211225131400000','SR',1,'2026-11-22T15:13:04.854Z','status-report',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "received_part" VALUES(5,1,'front','2026-11-22T15:13:04.854Z','07918405100009F0040B918405100002F10008621122513140001800540041004B002C002000700072007A0079006A00640119','SM',1,'2026-11-22T15:13:04.860Z','deliver','+48500100201',NULL,NULL,NULL,NULL,1,NULL);
INSERT INTO "received_part" VALUES(6,1,'front','2026-11-22T15:13:04.860Z','07918405100009F0040B918405100002F20000621122513140000453EA130A','SM',2,'2026-11-22T15:13:05.109Z','deliver','+48500100202',NULL,NULL,NULL,NULL,2,NULL);
CREATE TABLE service_centre (number TEXT PRIMARY KEY, offset_s REAL NOT NULL, at TEXT NOT NULL);
INSERT INTO "service_centre" VALUES('+48500100900',0.0,'2026-11-22T15:13:04.820Z');
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
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
INSERT INTO "sim" VALUES(1,'iccid:89480100000000000001','89480100000000000001','260010000000001','working',NULL,'2026-11-22T15:13:03.272Z',NULL,0,'+48500100900',3,3,1,NULL);
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
INSERT INTO "spool_entry" VALUES(1,0,2,NULL,'48500100201',NULL,NULL);
INSERT INTO "spool_entry" VALUES(2,0,3,NULL,'48500100202',NULL,NULL);
INSERT INTO "spool_entry" VALUES(3,0,NULL,NULL,NULL,'bad-text','No text');
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
INSERT INTO "spool_file" VALUES(1,'one','one','smstools','2026-11-22T15:13:03.290Z','sent','one','2026-11-22T15:13:03.331Z');
INSERT INTO "spool_file" VALUES(2,'two','two','smstools','2026-11-22T15:13:03.313Z','sent','two','2026-11-22T15:13:03.353Z');
INSERT INTO "spool_file" VALUES(3,'bad','bad','smstools','2026-11-22T15:13:03.313Z','failed','bad','2026-11-22T15:13:03.321Z');
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
INSERT INTO "status_report" VALUES(1,1,'front','2026-11-22T15:13:04.820Z',0,'+48500100201',145,'+48500100900','2026-11-22T15:13:03.000Z','2026-11-22T15:13:04.000Z',0,1,1,'2026-11-22T15:13:04.820Z');
INSERT INTO "status_report" VALUES(2,1,'front','2026-11-22T15:13:04.826Z',1,'+48500100203',145,'+48500100900','2026-11-22T15:13:03.000Z','2026-11-22T15:13:04.000Z',0,2,2,'2026-11-22T15:13:04.826Z');
INSERT INTO "status_report" VALUES(3,1,'front','2026-11-22T15:13:04.830Z',2,'+48500100202',145,'+48500100900','2026-11-22T15:13:03.000Z','2026-11-22T15:13:04.000Z',0,3,3,'2026-11-22T15:13:04.830Z');
INSERT INTO "status_report" VALUES(4,1,'front','2026-11-22T15:13:04.835Z',3,'+48500100202',145,'+48500100900','2026-11-22T15:13:03.000Z','2026-11-22T15:13:04.000Z',0,4,4,'2026-11-22T15:13:04.835Z');
CREATE TABLE writing (who INTEGER PRIMARY KEY);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
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
CREATE INDEX part_sending ON part (modem) WHERE state = 'sending';
CREATE INDEX part_open ON part (sim_id, mr) WHERE state IN ('sent', 'uncertain', 'sending');
CREATE INDEX part_uncertain ON part (claimed_at) WHERE state = 'uncertain';
CREATE INDEX part_refused ON part (sim_id) WHERE state = 'waiting' AND error_code IS NOT NULL;
CREATE INDEX part_sent ON part (sim_id, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX attempt_part ON attempt (part_id);
CREATE INDEX attempt_sim ON attempt (sim_id, id);
CREATE INDEX status_report_open ON status_report (sim_id, received_at)
    WHERE matched_at IS NULL;
CREATE INDEX status_report_part ON status_report (part_id) WHERE part_id IS NOT NULL;
CREATE INDEX received_part_same ON received_part (sim_id, pdu);
CREATE INDEX received_part_waiting ON received_part (sim_id, sender, concat_ref, concat_total)
    WHERE inbox_id IS NULL AND concat_ref IS NOT NULL;
CREATE INDEX received_part_overdue ON received_part (received_at)
    WHERE inbox_id IS NULL AND concat_ref IS NOT NULL;
CREATE INDEX received_part_inbox ON received_part (inbox_id) WHERE inbox_id IS NOT NULL;
CREATE INDEX inbox_sender ON inbox (sender, id);
CREATE UNIQUE INDEX spool_file_open ON spool_file (name) WHERE finished_at IS NULL;
CREATE INDEX spool_entry_message ON spool_entry (message_id);
CREATE INDEX handout_owed ON handout (id) WHERE finished_at IS NULL;
CREATE INDEX hook_run_owed ON hook_run (id) WHERE finished_at IS NULL;
CREATE INDEX command_waiting ON command (modem, id) WHERE started_at IS NULL;
CREATE INDEX event_message ON event (message_id) WHERE message_id IS NOT NULL;
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event',2);
INSERT INTO "sqlite_sequence" VALUES('sim',1);
INSERT INTO "sqlite_sequence" VALUES('outbox',4);
INSERT INTO "sqlite_sequence" VALUES('spool_file',3);
INSERT INTO "sqlite_sequence" VALUES('part',5);
INSERT INTO "sqlite_sequence" VALUES('attempt',4);
INSERT INTO "sqlite_sequence" VALUES('received_part',6);
INSERT INTO "sqlite_sequence" VALUES('status_report',4);
INSERT INTO "sqlite_sequence" VALUES('handout',6);
INSERT INTO "sqlite_sequence" VALUES('inbox',3);
INSERT INTO "sqlite_sequence" VALUES('command',1);
COMMIT;
