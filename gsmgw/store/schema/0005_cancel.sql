-- A wish to cancel that is written as no 1 would be overlooked, and the message sent: some languages
-- write -1 for true, some a word. (Of new rows intake refuses it, in words.)
CREATE TRIGGER outbox_cancel_wish BEFORE UPDATE OF cancel_requested ON outbox
WHEN NOT EXISTS (SELECT 1 FROM writing)
BEGIN
    SELECT RAISE(ABORT, 'gsmgw: cancel_requested is 1, or 0')
    WHERE NEW.cancel_requested IS NOT OLD.cancel_requested
        AND coalesce(NEW.cancel_requested, 0) NOT IN (0, 1);
END;
