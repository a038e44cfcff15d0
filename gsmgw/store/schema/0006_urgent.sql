-- What other software writes in a hurry is checked before ten thousand ordinary rows that it wrote
-- a moment ago. (A priority that nobody knows is looked at early too, and refused.)
CREATE INDEX outbox_new_first ON outbox (id) WHERE state = 'new' AND priority <> 'routine';
