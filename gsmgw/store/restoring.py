# SPDX-License-Identifier: Apache-2.0
"""Puts a copy in the place of the database, in such a way that it sends nothing by itself.

Theory of operation: what was unsettled when the copy was made may have been sent since, and what
was owed may have been handed out. Nobody can tell from the copy, so all of it is closed: messages
become `cancelled`, with code `restored`, or stay `uncertain`; a person decides about each.
References of SIMs count anew, because a counter that stood still would prove what is not true.
Numbers go on far above those of the copy: other programs remember the highest one that they have
seen. From the present database, where it can be read, is kept what must not be forgotten: who asked
to stop, and which PINs were tried.

The restored file is made whole beside the present one, fsynced, and only then renamed. The present
one is moved aside with its write-ahead log, never removed.

On failure: the present database stands where it stood, unless the power fails between the renames;
then nothing stands there, `Database.open` refuses to make an empty one, and the same command
again ends it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gsmgw import errors
from gsmgw.clock import Clock, format_utc
from gsmgw.model import ErrorFamily, MessageState, PartState
from gsmgw.store import backup, database, events, outbox
from gsmgw.store.database import Database, Transaction

#: `error_code` of what the copy did not know the end of.
CODE = "restored"
#: Numbers go on at least so far above the highest one of the copy.
GAP = 100_000
#: SQLite's locks lie at these octets of every database file, whatever its size.
_LOCKS_AT, _LOCKS_LENGTH = 0x40000000, 512

_CANCELLED = (
    "the database was restored from a copy in which this was not settled; it may have been sent"
    " since. To send it: gsmgw retry {id}"
)
_IN_FLIGHT = "on its way when the copy was made"


@dataclass(frozen=True, slots=True)
class Restored:
    """What restoring has done."""

    contents: backup.Contents  #: what the copy held
    cancelled: int  #: messages that were unsettled in it
    uncertain: int  #: messages in doubt, now final
    handouts: int  #: files for incoming/ and report/ that were owed
    aside: tuple[Path, ...]  #: where the present database went, main file first


@dataclass(slots=True)
class _Kept:
    """What is taken over from the present database."""

    consent: list[tuple[object, ...]] = field(default_factory=list)
    pin_tries: list[tuple[object, ...]] = field(default_factory=list)
    pin_key: str | None = None
    highest: dict[str, int] = field(default_factory=dict)


def restore(
    copy: Path, path: Path, clock: Clock, *, close_files: Callable[[Transaction], None]
) -> Restored:
    """Put a copy in the place of a database that nobody uses.

    Blocks for the copy, the checks and the disk. The caller holds the daemon's lock.

    Args:
        copy: a backup, or any database of ours.
        path: the database; it need not be there, or may be damaged.
        clock: tells when.
        close_files: closes what the spool holds, in the transaction that closes the rest.

    Raises:
        OSError: the copy cannot be read, or nothing can be written.
        StoreError: the copy is damaged, too new, or not ours; nothing was changed.
        StoreBusyError: another program has the present database open.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and copy.samefile(path):
        raise errors.StoreError(f"{copy} is the present database itself; name a backup")
    contents = backup.check_copy(copy)
    fresh = database.unfinished_restore(path)
    for left in (fresh, *backup.beside(fresh)):
        left.unlink(missing_ok=True)
    try:
        counts = _build(copy, fresh, _keep(path), clock, close_files)
        _take_over_rights(fresh, path)
        backup.sync(fresh)
        backup.sync(path.parent)
        aside = _exchange(fresh, path, format_utc(clock.now()))
    except BaseException:
        if path.exists():  # else it is the only whole one
            fresh.unlink(missing_ok=True)
        raise
    return Restored(contents, *counts, aside)


def _build(
    copy: Path,
    fresh: Path,
    kept: _Kept,
    clock: Clock,
    close_files: Callable[[Transaction], None],
) -> tuple[int, int, int]:
    try:
        with (
            backup.reading(copy) as source,
            contextlib.closing(sqlite3.connect(fresh)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise errors.StoreError(f"{copy} cannot be copied to {fresh}: {error}") from error
    db = Database(fresh, clock=clock)
    try:
        db.open()
        with db.write() as tx:
            counts = close_all(tx)
            close_files(tx)
            _take_over(tx, kept)
            _leave_gap(tx, kept.highest)
            events.add(
                tx,
                "store.restored",
                cancelled=counts[0],
                uncertain=counts[1],
                handouts=counts[2],
            )
    finally:
        db.close()
    found = backup.finish(fresh)
    if found:
        raise errors.StoreDamagedError(f"{fresh} is damaged ({found}); does the disk fail?")
    return counts


# -- what was under way ---------------------------------------------------------------------------


def close_all(tx: Transaction) -> tuple[int, int, int]:
    """Close all that was under way; return how many messages, doubts and hand-outs it was."""
    _close_parts(tx)
    cancelled = uncertain = 0
    for row in tx.rows("SELECT * FROM outbox WHERE settled_at IS NULL ORDER BY id"):
        state = MessageState(row["state"])
        if state in (MessageState.NEW, MessageState.QUEUED, MessageState.SENDING):
            cancelled += 1
            words = _CANCELLED.format(id=row["id"])
            outbox.settle(tx, row["id"], MessageState.CANCELLED, ErrorFamily.GSMGW, CODE, words)
        else:
            uncertain += state is MessageState.UNCERTAIN
            family = row["error_family"] and ErrorFamily(row["error_family"])
            outbox.settle(tx, row["id"], state, family, row["error_code"], row["error"])
    handouts = tx.run("UPDATE handout SET finished_at = ? WHERE finished_at IS NULL", (tx.now,))
    tx.run(
        "UPDATE hook_run SET finished_at = ?, error = ? WHERE finished_at IS NULL", (tx.now, CODE)
    )
    # Of what was wrong when the copy was made nobody is told now.
    tx.run(
        "UPDATE alarm_notice SET finished_at = ?, error = ? WHERE finished_at IS NULL",
        (tx.now, CODE),
    )
    tx.run("UPDATE alarm SET closed_at = ? WHERE closed_at IS NULL", (tx.now,))
    tx.run("DELETE FROM self_test WHERE finished_at IS NULL")
    tx.run("DELETE FROM balance WHERE answered_at IS NULL")
    tx.run(
        "UPDATE command SET started_at = coalesce(started_at, ?1), finished_at = ?1, error = ?2"
        " WHERE finished_at IS NULL",
        (tx.now, CODE),
    )
    return cancelled, uncertain, handouts


def _close_parts(tx: Transaction) -> None:
    """Put parts in flight in doubt, and let no reference counter judge any doubt."""
    change = outbox.PartChange(
        PartState.UNCERTAIN, family=ErrorFamily.GSMGW, code=CODE, error=_IN_FLIGHT
    )
    for part in outbox.sending_parts(tx):
        outbox.change_part(tx, part["id"], change)
        outbox.end_attempt(tx, part["id"], outcome="uncertain", change=change)
    tx.run("UPDATE part SET expected_mr = NULL WHERE expected_mr IS NOT NULL")
    tx.run("UPDATE sim SET last_mr = NULL, mr_steps = 0, doubt_mr = NULL")


# -- what is kept of the present database ---------------------------------------------------------


def _keep(path: Path) -> _Kept:
    """Read what must not be forgotten; as much of it as a damaged file gives."""
    kept = _Kept()
    if not path.exists():
        return kept
    with contextlib.suppress(sqlite3.Error), backup.reading(path) as connection:
        kept.highest = {
            str(name): int(seq)
            for name, seq in connection.execute("SELECT name, seq FROM sqlite_sequence")
        }
        kept.consent = _tuples(
            connection, "SELECT phone, category, decision, at, source FROM consent"
        )
        kept.pin_tries = _tuples(connection, "SELECT sim_key, pin_digest, at FROM pin_try")
        for row in connection.execute("SELECT value FROM setting WHERE name = 'pin_key'"):
            kept.pin_key = str(row[0])
    return kept


def _tuples(connection: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(sql)]


def _take_over(tx: Transaction, kept: _Kept) -> None:
    for row in kept.consent:
        # The younger decision of the two counts.
        tx.run(
            "INSERT OR REPLACE INTO consent (phone, category, decision, at, source)"
            " SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM consent"
            " WHERE phone = ?1 AND category = ?2 AND at >= ?4)",
            row,
        )
    if kept.pin_key is None:
        return
    # The digests of PINs mean nothing without the key that they were made with.
    own = tx.row("SELECT value FROM setting WHERE name = 'pin_key'")
    if own is None or own["value"] != kept.pin_key:
        tx.run("DELETE FROM pin_try")
        tx.run(
            "INSERT OR REPLACE INTO setting (name, value) VALUES ('pin_key', ?)", (kept.pin_key,)
        )
    for row in kept.pin_tries:
        tx.run("INSERT OR IGNORE INTO pin_try (sim_key, pin_digest, at) VALUES (?, ?, ?)", row)


def _leave_gap(tx: Transaction, highest: dict[str, int]) -> None:
    """Let numbers go on far above all that were ever given, also since the copy was made."""
    tables = tx.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
    )
    own = {row["name"]: int(row["seq"]) for row in tx.rows("SELECT * FROM sqlite_sequence")}
    for table in tables:
        name = table["name"]
        used = max(own.get(name, 0), highest.get(name, 0))
        tx.run("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        tx.insert(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
            (name, (used // GAP + 2) * GAP),
        )


# -- the exchange ---------------------------------------------------------------------------------


def _take_over_rights(fresh: Path, path: Path) -> None:
    """Give the new file the owner of the old one, or of its directory, where we may."""
    like = path.stat() if path.exists() else path.parent.stat()
    fresh.chmod(backup.MODE)
    if os.geteuid() == 0:
        os.chown(fresh, like.st_uid, like.st_gid)


def _exchange(fresh: Path, path: Path, now: str) -> tuple[Path, ...]:
    """Move the present files aside and the new one into their place; return where they went."""
    stamp = now.partition(".")[0].replace(":", "").replace("-", "")
    name = _free_name(path, f"{path.name}.before-{stamp}Z")
    moved: list[Path] = []
    with _alone(path):
        for present in (path, *backup.beside(path)):
            if os.path.lexists(present):
                aside = path.with_name(name + present.name.removeprefix(path.name))
                present.rename(aside)
                moved.append(aside)
        fresh.rename(path)
    backup.sync(path.parent)
    return tuple(moved)


def _free_name(path: Path, wished: str) -> str:
    name, number = wished, 0
    while os.path.lexists(path.with_name(name)):
        number += 1
        name = f"{wished}.{number}"
    return name


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold SQLite's own locks on the present file, so that nobody has it open or opens it.

    A program that had it open would remove the new file's write-ahead log when it closes the old.
    """
    if not path.exists():
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKS_LENGTH, _LOCKS_AT)
        except OSError as error:
            raise errors.StoreBusyError(
                f"another program has {path} open; end it first, see who: fuser -v {path}"
            ) from error
        yield
    finally:
        os.close(descriptor)
