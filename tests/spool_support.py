# SPDX-License-Identifier: Apache-2.0
"""A spool in a temporary directory: real files, the real store and intake, no threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from factories import make_config, make_database
from fakes import FakeClock

from gsmgw import pdu
from gsmgw.gateway.arrivals import Arrivals
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.model import (
    ErrorFamily,
    InboundPdu,
    MessageState,
    ModemReport,
    ModemState,
    Outcome,
    PartState,
)
from gsmgw.spool import files, names
from gsmgw.spool.handouts import Handouts
from gsmgw.spool.hooks import Hooks
from gsmgw.spool.layout import Layout
from gsmgw.spool.results import Results
from gsmgw.spool.taking import Taking
from gsmgw.store import modems, outbox
from gsmgw.store.database import Database
from gsmgw.store.outbox import PartChange

GOLDENS = Path(__file__).parent / "data" / "spool" / "smstools3"
IMSI = "260010000000001"
IMEI = "350000000000017"


def golden(name: str) -> bytes:
    """Return a file that the real smsd wrote."""
    return (GOLDENS / name).read_bytes()


class Killed(BaseException):
    """The process dies here."""


class Bench:
    """A spool and all its services; `restart` is what a new process would see."""

    def __init__(self, folder: Path, *, template: bool = True, **groups: Any) -> None:
        self.folder = folder
        self.clock = FakeClock()
        if template:
            self.db = make_database(folder, self.clock)
        else:  # by a user who may not read the template
            self.db = Database(folder / "gsmgw.db", clock=self.clock)
            self.db.open()
        spool = {"path": str(folder / "spool"), **groups.pop("spool", {})}
        self.config = make_config(spool=spool, **groups)
        self.place = Layout(self.config.spool.path)
        self.start()

    def start(self) -> None:
        """Make the services anew, as after a restart, without the watcher's threads."""
        self.hints = Hints()
        self.intake = Intake(self.config, self.db, self.clock)
        self.taking = Taking(self.config, self.place, self.db, self.intake, self.hints, self.clock)
        self.taking._watcher = NoWatcher()  # type: ignore[assignment]
        self.results = Results(self.config, self.place, self.db, self.hints, self.clock)
        self.handouts = Handouts(self.config, self.place, self.db, self.hints, self.clock)
        self.hooks = Hooks(self.config, self.db, self.hints, self.clock)
        self.taking.open()
        self.results.open()
        self.handouts.open()

    def close(self) -> None:
        """Close the store."""
        self.db.close()

    # -- files ------------------------------------------------------------------------------------

    def drop(self, name: str, content: str | bytes) -> None:
        """Rename a file into outgoing, and tell the service as the watcher would."""
        octets = content.encode() if isinstance(content, str) else content
        aside = self.folder / "aside"
        aside.write_bytes(octets)
        aside.rename(self.place.outgoing / name)
        self.taking._readiness.notice(name, "moved_in", self.clock.monotonic())

    def take(self, name: str, content: str | bytes) -> None:
        """Drop a file and let it be taken."""
        self.drop(name, content)
        self.taking.take_ready()

    def put_away(self) -> int:
        """Let settled files be put away, all of them."""
        count = 0
        while done := self.results.put_away():
            count += done
        return count

    def hand_out(self) -> int:
        """Let all be written that is owed to incoming and report."""
        count = 0
        while done := self.handouts.hand_out():
            count += done
        return count

    def content(self, folder: str) -> dict[str, bytes]:
        """Return the files of a folder by name."""
        place = self.place.folder(folder)
        return {name: (place / name).read_bytes() for name in sorted(files.listing(place))}

    def tree(self) -> dict[str, list[str]]:
        """Return the names in all folders that are not empty."""
        folders = ("outgoing", "checked", "sent", "failed", "incoming", "report", ".tmp")
        found = {folder: sorted(files.listing(self.place.folder(folder))) for folder in folders}
        return {folder: listed for folder, listed in found.items() if listed}

    def result(self, name: str, folder: str = "sent") -> list[dict[str, Any]]:
        """Return the messages of a result document."""
        document = json.loads((self.place.folder(folder) / f"{name}.result.json").read_bytes())
        assert set(document) == {"file", "messages"}
        return list(document["messages"])

    # -- the gateway's part -----------------------------------------------------------------------

    def messages(self) -> list[Any]:
        """Return all messages, oldest first."""
        return outbox.listing(self.db, limit=1000)[::-1]

    def modem(self, name: str = "front") -> int:
        """Let a modem with a SIM be known; return the SIM's id."""
        with self.db.write() as tx:
            sim_id = modems.ensure_sim(tx, f"imsi:{IMSI}", None, IMSI)
            report = ModemReport(name, ModemState.READY, imei=IMEI)
            modems.write_state(tx, report, sim_id)
        return sim_id

    def send(self, message_id: int, *mrs: int | None, seconds: float = 9) -> None:
        """Let a modem send all parts of a message, with these references."""
        self.modem()
        self._claim(message_id)
        self.clock.advance(seconds)
        with self.db.write() as tx:
            for part, mr in zip(outbox.parts(tx, message_id), mrs, strict=True):
                change = PartChange(PartState.SENT, mr=mr, proof="answer")
                outbox.change_part(tx, part["id"], change)
            outbox.mirror(tx, message_id)

    def _claim(self, message_id: int) -> None:
        sim_id = self.modem()
        with self.db.write() as tx:
            for part in outbox.parts(tx, message_id):
                outbox.claim(tx, part["id"], "front", sim_id)

    def deliver(self, message_id: int) -> None:
        """Let reports say that all parts of a message arrived."""
        with self.db.write() as tx:
            for part in outbox.parts(tx, message_id):
                outbox.change_part(tx, part["id"], PartChange(PartState.DELIVERED))
            outbox.mirror(tx, message_id)

    def refuse(self, message_id: int, code: int, words: str) -> None:
        """Let the network refuse a message for good."""
        self._claim(message_id)
        change = PartChange(
            PartState.FAILED,
            family=ErrorFamily.CMS,
            code=str(code),
            error=f"+CMS ERROR: {code} ({words})",
        )
        with self.db.write() as tx:
            for part in outbox.parts(tx, message_id):
                outbox.change_part(tx, part["id"], change)
                outbox.end_attempt(tx, part["id"], outcome=Outcome.REFUSED, change=change)
            outbox.mirror(tx, message_id)

    def doubt(self, message_id: int, *, final: bool = True) -> None:
        """Let nobody know what became of a message."""
        self._claim(message_id)
        with self.db.write() as tx:
            for part in outbox.parts(tx, message_id):
                outbox.change_part(tx, part["id"], PartChange(PartState.UNCERTAIN))
            outbox.mirror(tx, message_id)
            if final:
                family = ErrorFamily.GSMGW
                outbox.settle(tx, message_id, MessageState.UNCERTAIN, family, "uncertain", "?")

    def receive(self, *pdus: str | bytes, modem: str = "front") -> None:
        """Let TPDUs arrive."""
        sim_id = self.modem(modem)
        arrivals = Arrivals(self.config, self.db, self.hints)
        for octets in pdus:
            text = octets if isinstance(octets, str) else octets.hex().upper()
            arrivals.receive(InboundPdu(modem, text), sim_id)

    def call(self, number: str | None) -> None:
        """Let somebody call."""
        sim_id = self.modem()
        Arrivals(self.config, self.db, self.hints).missed_call("front", number, sim_id)


class NoWatcher:
    """Tells of nothing; the tests do."""

    def start(self) -> bool:
        """Begin."""
        return True

    def is_alive(self) -> bool:
        """Tell that all is well."""
        return True

    def stop(self) -> None:
        """End."""

    def wake(self) -> None:
        """End a wait."""

    def wait(self, seconds: float) -> list[tuple[str, str]]:
        """Return nothing, at once."""
        return []


def kill_at(number: int) -> Callable[[str, tuple[Path, ...]], None]:
    """Return a recorder that lets the process die at the n-th change of files, 0 the first."""
    seen = iter(range(1_000_000))

    def note(change: str, paths: tuple[Path, ...]) -> None:
        if next(seen) == number:
            raise Killed(f"{change} {[names.to_text(path.name) for path in paths]}")

    return note


def make_deliver(text: str, **fields: Any) -> str:
    """Return the hex of an SMS-DELIVER as a modem hands it over."""
    sender = pdu.make_address(fields.pop("sender", "+48500100201"))
    needs = pdu.Alphabet.GSM7 if pdu.is_gsm7(text) else pdu.Alphabet.UCS2
    deliver = pdu.Deliver(sender, text, alphabet=needs, **fields)
    return pdu.encode_deliver(deliver).hex().upper()


class PowerCut:
    """Remembers changes of files that are not on disk yet, and takes them back.

    A new name, a rename or a removal is on disk once a folder that it touches was synced; a
    journalling file system makes a rename in one piece.
    """

    def __init__(self) -> None:
        self._pending: list[tuple[set[Path], Callable[[], None]]] = []

    def note(self, change: str, paths: tuple[Path, ...]) -> None:
        """Take in a change that is about to be made; a recorder."""
        if change == "sync":
            self._pending = [item for item in self._pending if paths[0] not in item[0]]
        elif change == "move":
            source, target = paths
            before = target.read_bytes() if target.exists() else None
            folders = {source.parent, target.parent}
            self._pending.append((folders, lambda: _move_back(source, target, before)))
        elif change == "remove" and paths[0].exists():
            path, content = paths[0], paths[0].read_bytes()
            self._pending.append(({path.parent}, lambda: _put_back(path, content)))
        elif change == "write" and not paths[0].exists():
            path = paths[0]
            self._pending.append(({path.parent}, lambda: path.unlink(missing_ok=True)))

    def strike(self) -> None:
        """Take back all that is not on disk, the last change first."""
        while self._pending:
            self._pending.pop()[1]()


def _move_back(source: Path, target: Path, before: bytes | None) -> None:
    if target.exists():
        target.rename(source)
    if before is not None:
        target.write_bytes(before)


def _put_back(path: Path, content: bytes) -> None:
    path.write_bytes(content)
