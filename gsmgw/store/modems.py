# SPDX-License-Identifier: Apache-2.0
"""What is known of modems and SIMs, PINs that were tried, and lines asked for a modem."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3

from gsmgw.model import ModemReport, SimState
from gsmgw.store.database import Database, Transaction

# -- modems -------------------------------------------------------------------------------------


def write_state(tx: Transaction, report: ModemReport, sim_id: int | None) -> None:
    """Write what a worker tells of its modem."""
    tx.run(
        "INSERT OR IGNORE INTO modem (name, state, since, updated_at) VALUES (?, '', ?, ?)",
        (report.name, tx.now, tx.now),
    )
    tx.run(
        "UPDATE modem SET since = CASE WHEN state = ? THEN since ELSE ? END, state = ?, why = ?,"
        # Who the device is stays known while it is away.
        " port = ?, imei = coalesce(?, imei), manufacturer = coalesce(?, manufacturer),"
        " model = coalesce(?, model), firmware = coalesce(?, firmware),"
        " profile = coalesce(?, profile),"
        " operator = ?, registration = ?, signal_dbm = ?, service_centre = ?, storages = ?,"
        " sim_id = coalesce(?, sim_id), power = coalesce(?, power), updated_at = ?"
        " WHERE name = ?",
        (
            report.state,
            tx.now,
            report.state,
            report.why,
            report.port,
            report.imei,
            report.manufacturer,
            report.model,
            report.firmware,
            report.profile,
            report.operator,
            report.registration,
            report.signal_dbm,
            report.service_centre,
            json.dumps(report.storages),
            sim_id,
            report.power,
            tx.now,
            report.name,
        ),
    )


def listing(db: Database) -> list[sqlite3.Row]:
    """Return all modems with their SIM."""
    return db.rows(
        "SELECT modem.*, sim.iccid, sim.imsi, sim.state AS sim_state, sim.why AS sim_why,"
        " sim.resting_until FROM modem LEFT JOIN sim ON sim.id = modem.sim_id ORDER BY name"
    )


def get(db: Database | Transaction, name: str) -> sqlite3.Row | None:
    """Return one modem with its SIM's state."""
    return db.row(
        "SELECT modem.*, sim.iccid, sim.imsi, sim.state AS sim_state, sim.why AS sim_why,"
        " sim.resting_until FROM modem LEFT JOIN sim ON sim.id = modem.sim_id WHERE name = ?",
        (name,),
    )


def forget_others(tx: Transaction, names: list[str]) -> None:
    """Remove modems that are no longer configured."""
    for row in tx.rows("SELECT name FROM modem"):
        if row["name"] not in names:
            tx.run("DELETE FROM modem WHERE name = ?", (row["name"],))


# -- SIMs ---------------------------------------------------------------------------------------


def sim_key(iccid: str | None, imsi: str | None, imei: str | None) -> str | None:
    """Return the name under which a SIM is remembered; None if nothing of it can be read."""
    if iccid:
        return f"iccid:{iccid}"
    if imsi:
        return f"imsi:{imsi}"
    return f"imei:{imei}" if imei else None


def ensure_sim(tx: Transaction, key: str, iccid: str | None, imsi: str | None) -> int:
    """Return the id of a SIM, adding it if it is new."""
    row = tx.row("SELECT id, iccid, imsi FROM sim WHERE key = ?", (key,))
    if row is None:
        return tx.insert(
            "INSERT INTO sim (key, iccid, imsi, since) VALUES (?, ?, ?, ?)",
            (key, iccid, imsi, tx.now),
        )
    if (iccid and iccid != row["iccid"]) or (imsi and imsi != row["imsi"]):
        tx.run(
            "UPDATE sim SET iccid = coalesce(?, iccid), imsi = coalesce(?, imsi) WHERE id = ?",
            (iccid, imsi, row["id"]),
        )
    return int(row["id"])


def get_sim(db: Database | Transaction, sim_id: int) -> sqlite3.Row | None:
    """Return one SIM."""
    return db.row("SELECT * FROM sim WHERE id = ?", (sim_id,))


def sim_by_key(db: Database | Transaction, key: str) -> sqlite3.Row | None:
    """Return one SIM by its key."""
    return db.row("SELECT * FROM sim WHERE key = ?", (key,))


def set_sim_state(
    tx: Transaction,
    sim_id: int,
    state: SimState,
    why: str | None,
    *,
    resting_until: str | None = None,
    rests: int = 0,
) -> None:
    """Write whether a SIM may send; a resting one with the time of its next probe."""
    tx.run(
        "UPDATE sim SET since = CASE WHEN state = ? THEN since ELSE ? END, state = ?, why = ?,"
        " resting_until = ?, rests = ? WHERE id = ?",
        (state, tx.now, state, why, resting_until, rests, sim_id),
    )


def set_service_centre(tx: Transaction, sim_id: int, number: str) -> None:
    """Remember a SIM's service centre, to restore it if it vanishes."""
    tx.run("UPDATE sim SET service_centre = ? WHERE id = ?", (number, sim_id))


def set_counter(
    tx: Transaction, sim_id: int, *, last_mr: int | None, mr_steps: int, doubt_mr: int | None
) -> None:
    """Write what is known of a SIM's message references."""
    tx.run(
        "UPDATE sim SET last_mr = ?, mr_steps = ?, doubt_mr = ? WHERE id = ?",
        (last_mr, mr_steps, doubt_mr, sim_id),
    )


def next_concat_ref(tx: Transaction, sim_id: int) -> int:
    """Return the next reference for a multipart message of a SIM, 0..255, never restarting."""
    tx.run("UPDATE sim SET concat_ref = (concat_ref + 1) % 256 WHERE id = ?", (sim_id,))
    row = tx.row("SELECT concat_ref FROM sim WHERE id = ?", (sim_id,))
    return 0 if row is None else int(row["concat_ref"])


def recent_attempts(tx: Transaction, sim_id: int, limit: int) -> list[sqlite3.Row]:
    """Return the newest ended attempts of a SIM, newest first, with the recipient."""
    return tx.rows(
        "SELECT attempt.*, part.message_id, outbox.recipient FROM attempt"
        " JOIN part ON part.id = attempt.part_id JOIN outbox ON outbox.id = part.message_id"
        " WHERE attempt.sim_id = ? AND attempt.ended_at IS NOT NULL"
        " ORDER BY attempt.id DESC LIMIT ?",
        (sim_id, limit),
    )


# -- PINs ---------------------------------------------------------------------------------------


def may_try_pin(tx: Transaction, key: str, pin: str) -> bool:
    """Record a try of a PIN before it is made; False if this value was tried on this SIM."""
    digest = _digest(tx, pin)
    known = tx.row("SELECT 1 FROM pin_try WHERE sim_key = ? AND pin_digest = ?", (key, digest))
    if known is not None:
        return False
    tx.insert(
        "INSERT INTO pin_try (sim_key, pin_digest, at) VALUES (?, ?, ?)", (key, digest, tx.now)
    )
    return True


def clear_pin_tries(tx: Transaction, key: str) -> None:
    """Forget the tries on a SIM: its PIN was accepted."""
    tx.run("DELETE FROM pin_try WHERE sim_key = ?", (key,))


def _digest(tx: Transaction, pin: str) -> str:
    """Return a keyed digest of a PIN; the key is made once and stays in this database."""
    row = tx.row("SELECT value FROM setting WHERE name = 'pin_key'")
    if row is None:
        key = secrets.token_hex(32)
        tx.run("INSERT INTO setting (name, value) VALUES ('pin_key', ?)", (key,))
    else:
        key = row["value"]
    return hmac.new(bytes.fromhex(key), pin.encode(), hashlib.sha256).hexdigest()


# -- commands -----------------------------------------------------------------------------------


def ask(tx: Transaction, modem: str, kind: str, line: str, expires_at: str) -> int:
    """Leave a line for a modem; its worker runs it between parts."""
    return tx.insert(
        "INSERT INTO command (modem, kind, line, asked_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        (modem, kind, line, tx.now, expires_at),
    )


def command_waits(db: Database, modem: str | None = None) -> bool:
    """Tell whether a line waits for a modem, or for any (one indexed look-up)."""
    if modem is None:
        row = db.row("SELECT 1 FROM command WHERE started_at IS NULL LIMIT 1")
    else:
        row = db.row(
            "SELECT 1 FROM command WHERE modem = ? AND started_at IS NULL LIMIT 1", (modem,)
        )
    return row is not None


def take_command(tx: Transaction, modem: str) -> sqlite3.Row | None:
    """Mark the oldest waiting line of a modem as started and return it; old ones are dropped."""
    tx.run(
        "UPDATE command SET started_at = ?, finished_at = ?, error = 'nobody waits any longer'"
        " WHERE modem = ? AND started_at IS NULL AND expires_at <= ?",
        (tx.now, tx.now, modem, tx.now),
    )
    row = tx.row(
        "SELECT * FROM command WHERE modem = ? AND started_at IS NULL ORDER BY id LIMIT 1",
        (modem,),
    )
    if row is not None:
        tx.run("UPDATE command SET started_at = ? WHERE id = ?", (tx.now, row["id"]))
    return row


def finish_command(tx: Transaction, command_id: int, answer: str, error: str | None) -> None:
    """Write what a modem answered."""
    tx.run(
        "UPDATE command SET finished_at = ?, answer = ?, error = ? WHERE id = ?",
        (tx.now, answer, error, command_id),
    )


def get_command(db: Database, command_id: int) -> sqlite3.Row | None:
    """Return one asked line."""
    return db.row("SELECT * FROM command WHERE id = ?", (command_id,))
