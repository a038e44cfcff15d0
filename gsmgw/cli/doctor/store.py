# SPDX-License-Identifier: Apache-2.0
"""Checks of the database: whole, ours, free to write; and the health record that it gives."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from gsmgw import errors, locks
from gsmgw.cli.doctor import machine, places
from gsmgw.cli.doctor.installation import Installation
from gsmgw.gateway.health import judgement, record, trouble
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.spool import layout
from gsmgw.store import backup, database
from gsmgw.store.database import Database

#: Somebody who holds the lock for longer keeps the daemon waiting, too.
_LOCK_PATIENCE_S = 3.0
_SPOOL_LOCK = locks.spool_lock(Path("/")).name
#: The record is written each minute; on a slow disk it may take some time.
_HANGS_AFTER_S = 240.0
_RESTORE = (
    "sudo systemctl stop gsmgw; sudo gsmgw restore FILE (the last backup);"
    " sudo systemctl start gsmgw"
)


class _EnoughError(errors.GsmgwError):
    """Ends a write that was only to show that one can begin."""


def check(seen: Installation) -> tuple[list[Trouble], record.Health | None]:
    """Return what is wrong with and in the database, and the record, if it could be read.

    Blocks for reading most of the database, and some seconds where it is locked.
    """
    if seen.config is None:
        return [], None
    path = seen.config.database.path
    try:
        if not path.exists():
            return [*_remains(path), *_stopped(seen)], None
        version = backup.examine(path)
    except OSError as error:
        return [*_hidden(path, error), *_stopped(seen)], None
    except errors.StoreError as error:
        return [_spoilt(path, error), *_stopped(seen)], None
    if not version or not seen.is_whole:
        return _stopped(seen), None
    return _read(seen, path)


def _read(seen: Installation, path: Path) -> tuple[list[Trouble], record.Health | None]:
    assert seen.config is not None
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        denied = PermissionError(13, os.strerror(13))
        return [places.blind(str(path), denied), *_stopped(seen)], None
    db = Database(path, clock=seen.current.clock, busy_timeout_s=_LOCK_PATIENCE_S)
    found: list[Trouble] = []
    try:
        health = record.gather(
            seen.config,
            db,
            seen.current.clock.now(),
            daemon_pid=seen.daemon_pid,
            outgoing=layout.outgoing(seen.config, seen.current.clock),
        )
        found += judgement.judge(health)
        if not any(one.name == "disk.full" for one in found):
            found += _hangs(seen)
        if seen.daemon_pid is None and seen.is_daemon_known:
            found += _elsewhere(seen)
        _try_to_write(db)
    except errors.StoreBusyError:
        return [*found, _locked(path, seen.daemon_pid)], None
    except errors.StoreFullError as error:
        do = f"df -h {path.parent}; remove what is not needed"
        return [*found, Trouble("error", "disk.full", str(path.parent), str(error), do)], None
    except errors.StoreError as error:
        return [*_spoilt_once(path, error), *_stopped(seen)], None
    finally:
        db.close()
    return found, health


def _try_to_write(db: Database) -> None:
    """Begin to write, and think better of it.

    Raises:
        StoreError: one cannot write now.
    """

    def stop() -> NoReturn:
        raise _EnoughError

    with contextlib.suppress(_EnoughError), db.write():
        stop()


def _stopped(seen: Installation) -> list[Trouble]:
    """Say that the daemon does not run, where no record does."""
    if seen.daemon_pid is not None or not seen.is_daemon_known:
        return []
    elsewhere = next(_elsewhere(seen), None)
    if elsewhere is not None:
        return [elsewhere]
    what = "the daemon does not run: nothing is sent or received"
    do = "sudo systemctl start gsmgw; if it does not stay up: journalctl -u gsmgw -p warning -e"
    return [Trouble("error", "daemon.stopped", "gsmgw", what, do)]


def _elsewhere(seen: Installation) -> Iterator[Trouble]:
    """Yield a daemon of this configuration that holds the lock of another database."""
    assert seen.config is not None
    ours = locks.database_lock(seen.config.database.path)
    for process in machine.processes():
        words = machine.command_line(process.pid)
        if "run" not in words or str(seen.config_path) not in words:
            continue
        held = [Path(name) for name in machine.open_files(process.pid) if name.endswith(".lock")]
        others = [path for path in held if path.name != _SPOOL_LOCK and path != ours]
        if others and ours not in held:
            old = others[0].with_suffix("")
            what = (
                f"the daemon ({process}) works on {old}: database.path was changed since it began"
            )
            do = "sudo systemctl restart gsmgw"
            yield Trouble("error", "config.pending", "gsmgw", what, do)


def _hangs(seen: Installation) -> Iterator[Trouble]:
    """Say that the daemon has the lock and does nothing: it writes `status.json` each minute."""
    assert seen.config is not None
    written = seen.config.spool.path / "status.json"
    try:
        if places.lack(written.parent, seen.account, places.WRITE | places.ENTER) is not None:
            return  # it cannot write it, and that is told
        begun_at = locks.database_lock(seen.config.database.path).stat().st_mtime
        last_at = max(begun_at, written.stat().st_mtime)
    except OSError:
        return
    silent_s = seen.current.clock.now().timestamp() - last_at
    if seen.daemon_pid is not None and silent_s > _HANGS_AFTER_S:
        what = (
            f"the daemon (process {seen.daemon_pid}) has done nothing for {trouble.age(silent_s)}"
        )
        do = "sudo dmesg | tail -n 30 (a disk that fails?); sudo systemctl restart gsmgw; if it"
        do += " comes again: gsmgw doctor --bundle FILE.tar.gz for a maintainer"
        yield Trouble("error", "daemon.hangs", "gsmgw", what, do)


def _remains(path: Path) -> Iterator[Trouble]:
    for found in database.remains(path):
        what = f"the database is gone, but {found.name} is there"
        do = f"ls -la {path.parent}; put the database back, or {_RESTORE}"
        yield Trouble("error", "store.remains", str(path), what, do)


def _hidden(path: Path, error: OSError) -> Iterator[Trouble]:
    if isinstance(error, PermissionError):
        yield places.blind(str(path), error)
    elif isinstance(error, IsADirectoryError):
        what = "a directory stands in the place of the database"
        do = f"sudo mv {path} {path}.aside, or correct database.path"
        yield Trouble("error", "store.foreign", str(path), what, do)
    else:
        what = f"the database cannot be read: {error.strerror or error}"
        do = f"sudo dmesg | tail -n 50 (a disk that fails?); {_RESTORE}"
        yield Trouble("error", "store.unreadable", str(path), what, do)


def _spoilt(path: Path, error: errors.StoreError) -> Trouble:
    """Say what is wrong with the file itself."""
    where = str(path)
    match error:
        case errors.StoreTooNewError():
            do = "install the newer gsmgw again, or restore a backup from before the upgrade"
            return Trouble("error", "store.too_new", where, str(error), do)
        case errors.StoreDamagedError():
            what = f"the database is damaged: {error}"
            return Trouble("error", "store.damaged", where, what, _RESTORE)
        case errors.StoreBusyError():
            return _locked(path, None)
    if "another program" in str(error):
        do = "correct database.path in the configuration; never point it at another program's file"
        return Trouble("error", "store.foreign", where, str(error), do)
    do = f"ls -la {path.parent}; sudo dmesg | tail -n 50; {_RESTORE}"
    return Trouble("error", "store.unreadable", where, str(error), do)


def _spoilt_once(path: Path, error: errors.StoreError) -> Iterator[Trouble]:
    """Say what is wrong; a schema that the daemon has yet to bring up to date is nothing."""
    if "no such column" not in str(error) and "no such table" not in str(error):
        yield _spoilt(path, error)


def _locked(path: Path, daemon_pid: int | None) -> Trouble:
    others = [process for process in machine.holders(path) if process.pid != daemon_pid]
    named = [str(process) for process in others if process.pid != os.getpid()]
    who = ", ".join(named) or "a program that only root may see (sudo gsmgw doctor)"
    what = f"another program keeps the database locked: {who}"
    do = f"sudo fuser -v {path}; end the program that should not be there"
    return Trouble("error", "store.locked", str(path), what, do)
