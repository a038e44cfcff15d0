# SPDX-License-Identifier: Apache-2.0
"""Runs the real daemon and ends it by SIGKILL at a named step: `crash_launcher.py CONFIG STEP[@N]`.

The product knows nothing of this: functions of it are wrapped here, and the N-th time that the step
is reached (1 if not given) the process is gone. A step is `before` or `after` a function, or
`commit` within it: everything of its transaction has been written, nothing is committed.

With `--power` the machine loses its power there: changes of the spool that no fsync has put on disk
are taken back. At a `commit` the power goes while SQLite writes; how long its log was before is
left in the file `torn` beside the configuration, and whoever started this cuts it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from spool_support import PowerCut

from gsmgw import daemon, pdu
from gsmgw.clinic.answering import Answering
from gsmgw.clinic.saying import Saying
from gsmgw.gateway.arrivals import Arrivals
from gsmgw.gateway.dispatcher import Dispatcher
from gsmgw.gateway.intake import Intake
from gsmgw.modem.dialogue import Dialogue
from gsmgw.modem.port import Port
from gsmgw.spool import files, handouts, recording, results, taking
from gsmgw.spool.clinic.handing import ClinicHanding
from gsmgw.spool.clinic.importing import Importing
from gsmgw.spool.clinic.taking import ClinicTaking
from gsmgw.store import spool_files
from gsmgw.store.clinic import lists, tasks
from gsmgw.store.database import Database

_CTRL_Z = b"\x1a"
_inside = threading.local()
_left = 1


class _Power(PowerCut):
    """What the disk has; when the power is gone no other thread changes a file any more."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = threading.Lock()

    def note(self, change: str, paths: tuple[Path, ...]) -> None:
        with self._gate:
            super().note(change, paths)

    def strike(self) -> None:
        self._gate.acquire()
        super().strike()


_power: _Power | None = None


def _is_time() -> bool:
    global _left
    _left -= 1
    return _left == 0


def _die() -> None:
    """End this process at the N-th call."""
    if _is_time():
        _end()


def _end() -> None:
    """End this process as nothing else would: no handler, no flush, no close."""
    if _power is not None:
        _power.strike()
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


def _always(*_arguments: Any) -> bool:
    return True


def _before(owner: Any, name: str, when: Callable[..., bool] = _always) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if when(*arguments):
            _die()
        return inner(*arguments, **named)

    setattr(owner, name, wrapped)


def _after(
    owner: Any,
    name: str,
    when: Callable[..., bool] = _always,
    *,
    result: Callable[[Any], bool] = lambda _: True,
) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        found = inner(*arguments, **named)
        if when(*arguments) and result(found):
            _die()
        return found

    setattr(owner, name, wrapped)


def _commit(owner: Any, name: str, when: Callable[..., bool] = _always) -> None:
    """Die when a transaction begun within the function is about to be committed."""
    inner, prepare = getattr(owner, name), Database._prepare

    @functools.wraps(inner)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        outer, _inside.it = getattr(_inside, "it", False), when(*arguments)
        try:
            return inner(*arguments, **named)
        finally:
            _inside.it = outer

    def traced(self: Database, connection: sqlite3.Connection) -> None:
        prepare(self, connection)

        def look(sql: str) -> None:
            if sql == "COMMIT" and getattr(_inside, "it", False) and _is_time():
                if _power is None:
                    _end()
                _note_log(self.path)
                _inside.is_torn = True

        connection.set_trace_callback(look)

    setattr(owner, name, wrapped)
    Database._prepare = traced  # type: ignore[method-assign]
    turn = Database._turn

    @contextlib.contextmanager
    def torn(self: Database) -> Iterator[None]:
        with turn(self):
            yield
            if getattr(_inside, "is_torn", False):
                _end()

    Database._turn = torn  # type: ignore[method-assign]


def _note_log(database: Path) -> None:
    """Write down how much of the write-ahead log is on disk before a commit."""
    log = database.with_name(database.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    (Path(sys.argv[1]).parent / "torn").write_text(str(size))


def _half_a_pdu() -> None:
    write = Port.write

    def half(self: Port, octets: bytes) -> None:
        if len(octets) < 20 or octets[-1:] == b"\r":
            write(self, octets)
            return
        write(self, octets[: len(octets) // 2])
        self.drain()
        _die()
        write(self, octets[len(octets) // 2 :])

    Port.write = half  # type: ignore[method-assign]


def _is_ctrl_z(_port: Any, octets: bytes) -> bool:
    return octets == _CTRL_Z


def _is_report(_self: Any, arrival: Any, *_: Any) -> bool:
    return isinstance(pdu.decode(arrival.pdu), pdu.StatusReport)


def _is_message(_self: Any, arrival: Any, *_: Any) -> bool:
    return not _is_report(_self, arrival)


def _is_deletion(_self: Any, line: str, *_: Any) -> bool:
    return line.startswith("AT+CMGD")


def _some(found: Any) -> bool:
    return bool(found)


STEPS: dict[str, Callable[[], None]] = {
    # a file comes in
    "file.renaming": lambda: _before(taking.Taking, "_move"),
    "file.renamed": lambda: _after(taking.Taking, "_move"),
    "file.synced": lambda: _before(recording.Recorder, "record"),
    "file.committing": lambda: _commit(recording.Recorder, "record"),
    "file.committed": lambda: _after(recording.Recorder, "record"),
    # a row comes in
    "row.committing": lambda: _commit(Intake, "accept_new_rows"),
    "row.committed": lambda: _after(Intake, "accept_new_rows", result=_some),
    # a part goes out
    "given.committed": lambda: _after(Dispatcher, "wait_ends", result=_some),
    "claim.committing": lambda: _commit(Dispatcher, "claim"),
    "claim.committed": lambda: _after(Dispatcher, "claim", result=_some),
    "cmgs.begins": lambda: _before(Dialogue, "submit"),
    "cmgs.written": lambda: _before(Dialogue, "_await_prompt"),
    "cmgs.prompted": lambda: _after(Dialogue, "_await_prompt"),
    "pdu.half": _half_a_pdu,
    "pdu.written": lambda: _before(Port, "write", _is_ctrl_z),
    "ctrlz.written": lambda: _after(Port, "write", _is_ctrl_z),
    "answer.read": lambda: _after(Dialogue, "submit"),
    "settle.committing": lambda: _commit(Dispatcher, "settle"),
    "settle.committed": lambda: _after(Dispatcher, "settle"),
    # a status report or a message comes to a modem
    "report.read": lambda: _before(Dispatcher, "received", _is_report),
    "report.committing": lambda: _commit(Arrivals, "receive", _is_report),
    "report.stored": lambda: _after(Dispatcher, "received", _is_report),
    "message.read": lambda: _before(Dispatcher, "received", _is_message),
    "message.committing": lambda: _commit(Arrivals, "receive", _is_message),
    "message.stored": lambda: _after(Dispatcher, "received", _is_message),
    "arrival.deleting": lambda: _before(Dialogue, "command", _is_deletion),
    "arrival.deleted": lambda: _after(Dialogue, "command", _is_deletion),
    "arrival.noted": lambda: _after(Dispatcher, "deleted"),
    # it is handed out
    "handout.written": lambda: _after(handouts.Handouts, "_prepare"),
    "handout.naming": lambda: _after(spool_files, "name_handout"),
    "handout.named": lambda: _before(handouts.Handouts, "_move"),
    "handout.renamed": lambda: _after(handouts.Handouts, "_move"),
    "handout.finishing": lambda: _before(spool_files, "finish_handout"),
    "handout.finished": lambda: _after(handouts.Handouts, "_round", result=_some),
    # a file is put away
    "result.writing": lambda: _before(results.Results, "_write"),
    "result.written": lambda: _after(results.Results, "_write"),
    "result.deciding": lambda: _after(spool_files, "decide"),
    "result.decided": lambda: _before(results.Results, "_rename"),
    "result.renamed": lambda: _after(results.Results, "_rename"),
    "result.cleared": lambda: _after(results.Results, "_clear"),
    "result.finishing": lambda: _before(spool_files, "finish"),
    "result.finished": lambda: _after(results.Results, "_round", result=_some),
    # a clinic's table is read, and its texts are said
    "visits.committing": lambda: _commit(Importing, "_apply_rows"),
    "visits.acknowledged": lambda: _after(ClinicTaking, "_acknowledge"),
    "said.committing": lambda: _commit(Saying, "step"),
    "said.committed": lambda: _after(Saying, "step", result=_some),
    # a patient's answer is dealt with, becomes work, and is handed to the clinic
    "heard.working": lambda: _after(tasks, "add"),
    "heard.committing": lambda: _commit(Answering, "_take"),
    "heard.committed": lambda: _after(Answering, "_take"),
    "handed.writing": lambda: _before(lists, "handed_over"),
    "handed.committing": lambda: _commit(ClinicHanding, "_answers"),
}


def main() -> int:
    """Run the daemon with the step armed; return its exit code if it is never reached."""
    global _left, _power
    path, step, *options = sys.argv[1:]
    name, _, times = step.partition("@")
    _left = int(times or "1")
    STEPS[name]()
    if options != ["--power"]:
        return daemon.run(Path(path))
    _power = _Power()
    with files.recording(_power.note):
        return daemon.run(Path(path))


if __name__ == "__main__":
    sys.exit(main())
