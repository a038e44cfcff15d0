-- What a clinic's day needs on top of the messages: names follow FHIR R4. Times are UTC, ISO 8601
-- with Z and milliseconds; phones are E.164. Readable by others, ours to write.

-- FHIR Patient: only what a message needs.
CREATE TABLE patient (
    id TEXT PRIMARY KEY,                    -- the clinic's own number
    given TEXT,
    family TEXT,
    phone TEXT,                             -- NULL: none, or none that exists
    phone_type TEXT,                        -- mobile landline; NULL with phone
    phone_of TEXT NOT NULL DEFAULT 'self',  -- self guardian
    language TEXT,                          -- ISO 639-1; NULL: clinic.language
    birth_date TEXT,
    gender TEXT,                            -- FHIR: male female other unknown
    consent TEXT,                           -- what the clinic says about texts: permit deny; NULL: nothing
    active INTEGER NOT NULL DEFAULT 1,      -- 0: left, or deceased
    updated_at TEXT NOT NULL
);
CREATE INDEX patient_phone ON patient (phone) WHERE phone IS NOT NULL;

-- FHIR Appointment. `status` is written by the clinic alone, `response` by the patient alone.
CREATE TABLE appointment (
    id TEXT PRIMARY KEY,
    patient_id TEXT NOT NULL REFERENCES patient(id),
    start TEXT,                             -- NULL only before a date is known (proposed, waitlist)
    minutes INTEGER,
    status TEXT NOT NULL DEFAULT 'booked',  -- FHIR: proposed pending booked arrived fulfilled cancelled
                                            -- noshow entered-in-error waitlist
    response TEXT NOT NULL DEFAULT 'needs-action',  -- FHIR: needs-action accepted declined tentative
    practitioner TEXT,
    service TEXT,
    location TEXT,
    version INTEGER NOT NULL DEFAULT 1,     -- rises with each new start, and when it is booked again
    variant TEXT,                           -- a b: how it is asked, fixed at the first plan
    booked_at TEXT NOT NULL,                -- when we first heard of this start
    answered_at TEXT,                       -- of `response`
    withdrawn TEXT,                         -- NULL or, where it will not take place although no file
                                            -- cancelled it: absence (of the doctor) missing (from a snapshot)
    file_id INTEGER REFERENCES import_file(id) ON DELETE SET NULL,  -- newest file that names it
    updated_at TEXT NOT NULL
);
CREATE INDEX appointment_start ON appointment (start, status);
CREATE INDEX appointment_patient ON appointment (patient_id, start);

-- FHIR CommunicationRequest: something to be said, once, in a span of time.
CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                     -- booked reminder changed cancelled ... see the documents
    category TEXT NOT NULL DEFAULT 'care',
    patient_id TEXT REFERENCES patient(id), -- NULL: a phone that belongs to nobody known, or staff
    phone TEXT NOT NULL,
    about TEXT REFERENCES appointment(id),
    about_start TEXT,                       -- the visit's start as it is spoken of
    asks TEXT,                              -- NULL or confirm object offer rating dose consent
    number INTEGER,                         -- which of several visits in one text; NULL alone
    details TEXT NOT NULL DEFAULT '{}',     -- JSON: what the text needs beside patient and visit
    due TEXT NOT NULL,
    expires TEXT NOT NULL,
    priority TEXT NOT NULL DEFAULT 'routine',
    status TEXT NOT NULL DEFAULT 'active',  -- active on-hold completed revoked
    reason TEXT,                            -- why revoked: answered cancelled moved expired too-late stopped
                                            -- no-consent no-phone cap ...
    same_as TEXT UNIQUE,                    -- makes it once only
    outbox_id INTEGER REFERENCES outbox(id) ON DELETE SET NULL,
    answered TEXT,                          -- when its question was answered
    clarified INTEGER NOT NULL DEFAULT 0,   -- how often we asked back
    told INTEGER NOT NULL DEFAULT 0,        -- 1: what became of its message was acted upon
    created_at TEXT NOT NULL
);
CREATE INDEX request_due ON request (due) WHERE status IN ('active', 'on-hold');
CREATE INDEX request_pressing ON request (due)
    WHERE status IN ('active', 'on-hold') AND priority <> 'routine';
CREATE INDEX request_next ON request (phone, due) WHERE status IN ('active', 'on-hold');
CREATE INDEX request_waiting ON request (about) WHERE status IN ('active', 'on-hold');
CREATE INDEX request_about ON request (about, kind);
CREATE INDEX request_phone ON request (phone, id);
CREATE INDEX request_patient ON request (patient_id) WHERE patient_id IS NOT NULL;
CREATE INDEX request_open ON request (phone) WHERE asks IS NOT NULL AND answered IS NULL;
CREATE INDEX request_outbox ON request (outbox_id) WHERE outbox_id IS NOT NULL;
CREATE INDEX request_told ON request (outbox_id) WHERE status = 'completed' AND told = 0;

-- FHIR AppointmentResponse, and any other answer: one row for each visit that an answer is about.
CREATE TABLE response (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox_id INTEGER REFERENCES inbox(id) ON DELETE SET NULL,
    request_id INTEGER REFERENCES request(id) ON DELETE SET NULL,
    appointment_id TEXT REFERENCES appointment(id) ON DELETE SET NULL,
    patient_id TEXT,
    phone TEXT NOT NULL,
    asked TEXT,                             -- template of the question: reminder_a changed ...; NULL: none
    start TEXT,                             -- the visit's start as asked about
    meaning TEXT NOT NULL,                  -- accept decline reschedule callback ... rating:4 unclear
    applied INTEGER NOT NULL,               -- 1: acted upon; 0: a person decides
    status TEXT,                            -- accepted declined tentative; NULL: changes no visit
    value TEXT,                             -- a mark, a dose
    text TEXT,                              -- as it came; NULL once its time is over
    why TEXT,                               -- why it was not applied
    at TEXT NOT NULL,
    task_id INTEGER REFERENCES task(id) ON DELETE SET NULL,  -- the work that it made
    exported TEXT                           -- when its file was handed to the clinic system
);
CREATE INDEX response_owed ON response (id) WHERE exported IS NULL;
CREATE INDEX response_phone ON response (phone, id);
CREATE INDEX response_appointment ON response (appointment_id, id);
CREATE INDEX response_at ON response (at);
CREATE INDEX response_patient ON response (patient_id) WHERE patient_id IS NOT NULL;

-- FHIR Task: work for a person.
CREATE TABLE task (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL,                     -- callback reschedule review unreachable urgent stopped uncertain
    phone TEXT,
    patient_id TEXT,
    about TEXT REFERENCES appointment(id) ON DELETE SET NULL,
    request_id INTEGER REFERENCES request(id) ON DELETE SET NULL,
    note TEXT,
    status TEXT NOT NULL DEFAULT 'requested',  -- requested in-progress completed cancelled
    owner TEXT,
    due TEXT,
    attempts INTEGER NOT NULL DEFAULT 1,    -- how often the patient asked for it
    created_at TEXT NOT NULL,
    closed_at TEXT,
    outcome TEXT                            -- in the words of who closed it
);
CREATE INDEX task_open ON task (code, phone) WHERE status IN ('requested', 'in-progress');
CREATE INDEX task_created ON task (created_at);
CREATE INDEX task_patient ON task (patient_id) WHERE patient_id IS NOT NULL;

-- Calls that people made to patients of the call list.
CREATE TABLE call_try (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    appointment_id TEXT REFERENCES appointment(id) ON DELETE CASCADE,
    phone TEXT NOT NULL,
    at TEXT NOT NULL,
    outcome TEXT NOT NULL,                  -- answered accepted declined busy noanswer machine wrong
    who TEXT,
    note TEXT
);
CREATE INDEX call_try_appointment ON call_try (appointment_id, id);
CREATE INDEX call_try_at ON call_try (at);

-- When a medicine is to be taken; a text for each time of each day.
CREATE TABLE regimen (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient_id TEXT NOT NULL REFERENCES patient(id),
    times TEXT NOT NULL,                    -- JSON: ["08:00", "20:00"], on the clock at the wall
    first_day TEXT NOT NULL,                -- local dates, both included
    last_day TEXT NOT NULL,
    asks INTEGER NOT NULL DEFAULT 1,
    planned_to TEXT,                        -- last day for which requests were made
    missed INTEGER NOT NULL DEFAULT 0,      -- doses in a row without a yes
    status TEXT NOT NULL DEFAULT 'active',  -- active completed revoked
    same_as TEXT UNIQUE,
    created_at TEXT NOT NULL
);
CREATE INDEX regimen_open ON regimen (id) WHERE status = 'active';

-- Files of the clinic system: once only, and what became of each.
CREATE TABLE import_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,                     -- in clinic/in
    done_name TEXT NOT NULL,                -- in clinic/done: the claim
    kind TEXT,                              -- visits patients json hl7; NULL before it was read
    sha256 TEXT,
    days TEXT,                              -- JSON: local days that a file of visits covers
    accepted INTEGER,
    refused INTEGER,
    ack TEXT,                               -- JSON, as written to out/ack; NULL before it was read
    taken_at TEXT NOT NULL,
    finished_at TEXT                        -- its acknowledgement is on disk
);
CREATE UNIQUE INDEX import_file_open ON import_file (done_name) WHERE finished_at IS NULL;
CREATE INDEX import_file_name ON import_file (name, id);

-- HL7 messages that were stored: the same control id again is answered alike and changes nothing.
CREATE TABLE import_message (
    sender TEXT NOT NULL,                   -- MSH-3 and MSH-4
    control_id TEXT NOT NULL,               -- MSH-10
    sha256 TEXT NOT NULL,                   -- another content under the same id is another message
    ack TEXT NOT NULL,                      -- AA AE AR
    at TEXT NOT NULL,
    PRIMARY KEY (sender, control_id, sha256)
);

-- Counts of a day that outlive the rows they were made from.
CREATE TABLE daily_count (
    day TEXT NOT NULL,                      -- local date
    location TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,                     -- planned sent delivered accepted ...
    value REAL NOT NULL,
    PRIMARY KEY (day, location, kind, name)
);

-- Who was erased or has left: a keyed hash, so that an objection outlives the number.
CREATE TABLE erased (
    digest TEXT PRIMARY KEY,                -- HMAC-SHA256 of the phone with this database's key
    category TEXT NOT NULL,                 -- what was objected to: care survey marketing
    at TEXT NOT NULL
);
