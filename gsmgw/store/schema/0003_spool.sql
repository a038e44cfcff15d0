-- Files of the spool that can be put away are found without a look at those that still wait, however
-- many there are; and the event handler is told which message it is about.

ALTER TABLE spool_file ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0; -- of its entries' messages
ALTER TABLE hook_run ADD COLUMN gsmgw_id INTEGER;   -- as `Gsmgw_id:` in the file; NULL for several

UPDATE spool_file SET unsettled = (
    SELECT count(*) FROM spool_entry JOIN outbox ON outbox.id = spool_entry.message_id
    WHERE spool_entry.file_id = spool_file.id AND outbox.settled_at IS NULL)
WHERE finished_at IS NULL;

CREATE INDEX spool_file_ready ON spool_file (id) WHERE finished_at IS NULL AND unsettled <= 0;

CREATE TRIGGER spool_entry_counted AFTER INSERT ON spool_entry
WHEN NEW.message_id IS NOT NULL
BEGIN
    UPDATE spool_file SET unsettled = unsettled + 1
    WHERE id = NEW.file_id
        AND EXISTS (SELECT 1 FROM outbox WHERE id = NEW.message_id AND settled_at IS NULL);
END;

-- Settled, or begun again: a retry, a late refusal.
CREATE TRIGGER outbox_settled AFTER UPDATE OF settled_at ON outbox
WHEN (NEW.settled_at IS NULL) <> (OLD.settled_at IS NULL)
BEGIN
    UPDATE spool_file SET unsettled = unsettled
        + (CASE WHEN NEW.settled_at IS NULL THEN 1 ELSE -1 END)
        * (SELECT count(*) FROM spool_entry WHERE file_id = spool_file.id AND message_id = NEW.id)
    WHERE finished_at IS NULL
        AND id IN (SELECT file_id FROM spool_entry WHERE message_id = NEW.id);
END;

-- A message goes before its file was put away: by our own hand only, if it was not settled.
CREATE TRIGGER spool_entry_left AFTER UPDATE OF message_id ON spool_entry
WHEN OLD.message_id IS NOT NULL AND NEW.message_id IS NULL
BEGIN
    UPDATE spool_file SET unsettled = unsettled - 1
    WHERE id = NEW.file_id
        AND EXISTS (SELECT 1 FROM outbox WHERE id = OLD.message_id AND settled_at IS NULL);
END;
