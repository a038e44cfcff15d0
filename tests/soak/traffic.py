# SPDX-License-Identifier: Apache-2.0
"""What the soak sends through every door and lets come in, and the ledger of all of it.

Every text is used once, so each can be found again in the books, the database and the folders.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from site_support import Site

SOURCE = "soak"
#: Phones that take nothing, for good (unassigned number) or perhaps (short message rejected).
WRONG, UNCLEAR = ("+48500100291", "+48500100292"), ("+48500100293",)
#: Phones for which the network reports that they never got it, and phones that are switched off.
UNDELIVERED, OFF = ("+48500100294", "+48500100295"), ("+48500100296", "+48500100297")
GOOD = tuple(f"+48500100{number}" for number in range(201, 281))
#: Exit codes of `gsmgw send`: accepted, refused, try later (sysexits.h).
OK, REFUSED, TRY_LATER = 0, 65, 75


@dataclass(slots=True)
class Put:
    """A message that was put through a door."""

    text: str
    recipient: str
    door: str  #: file, list, row, command
    reference: str
    file: str | None = None  #: its name in `outgoing/`
    mark: str | None = None  #: the X-Soak header of a smstools file
    index: int = 0  #: in a list
    is_wrong: bool = False  #: must be refused at the door
    repeats: bool = False  #: the reference was used before


@dataclass(slots=True)
class Told:
    """A text that was sent to one of our modems."""

    text: str
    sender: str
    modem: str


@dataclass(slots=True)
class Ledger:
    """Everything that went in. Written by several threads, each record by one."""

    puts: list[Put] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    cancelled: int = 0
    errors: list[str] = field(default_factory=list)  #: a door did not behave


class Traffic:
    """Three producers at once: a program that writes files and rows, a person, the patients."""

    def __init__(self, box: Site, seed: int, *, per_second: float) -> None:
        self.ledger = Ledger()
        self._box = box
        (box.folder / "desk.yaml").write_text(box.config.read_text())
        self._modems = sorted(box.sim.ports)
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        pauses = {"doors": 1 / per_second, "desk": 4.0, "patients": 2.5 / per_second}
        acts = {"doors": self._put, "desk": self._desk, "patients": self._come_in}
        self._threads = [
            threading.Thread(
                target=self._produce,
                args=(acts[name], pauses[name], random.Random(f"{seed} {name}")),
                name=f"soak-{name}",
            )
            for name in acts
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; blocks until what was begun is done."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _produce(
        self, act: Callable[[random.Random], None], pause_s: float, chance: random.Random
    ) -> None:
        while not self._end.wait(chance.expovariate(1 / pause_s)):
            try:
                act(chance)
            except Exception as error:  # noqa: BLE001 - a door that does not take is a finding
                self.ledger.errors.append(f"{act.__name__}: {error!r}")

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    # -- messages -----------------------------------------------------------------------------

    def _put(self, chance: random.Random) -> None:
        draw = chance.random()
        if draw < 0.45:
            self._file(chance)
        elif draw < 0.6:
            self._list(chance)
        elif draw < 0.95:
            self._row(chance)
        else:
            self._repeat(chance)

    def _new(self, chance: random.Random, door: str, **more: object) -> Put:
        number = self._next()
        wrong = chance.random() < 0.02
        recipient = "nobody" if wrong else recipient_for(chance)
        text = text_for(chance, f"m{number}")
        return Put(text, recipient, door, f"ref-{number}", is_wrong=wrong, **more)  # type: ignore[arg-type]

    def _file(self, chance: random.Random) -> None:
        put = self._new(chance, "file")
        # Now and then a name that has been used already: nothing may be overwritten.
        put.file = f"visit-{chance.randint(1, 40)}" if chance.random() < 0.1 else put.reference
        self._drop_file(chance, put, times_for(chance))

    def _drop_file(self, chance: random.Random, put: Put, times: dict[str, str]) -> None:
        put.mark = f"{self._next()}"
        head = {
            "To": put.recipient.removeprefix("+"),
            "Source": SOURCE,
            "Reference": put.reference,
            "X-Soak": put.mark,
            "Alphabet": "UTF-8",
        }
        if chance.random() < 0.5:
            head["Report"] = "yes"
        if chance.random() < 0.1:
            head["Priority"] = "HIGH"
        names = {"not_before": "Not_before", "expires_at": "Expires"}
        head |= {names[name]: value for name, value in times.items()}
        block = "".join(f"{name}: {value}\n" for name, value in head.items())
        self._write(chance, put.file or put.reference, f"{block}\n{put.text}\n")
        self.ledger.puts.append(put)

    def _write(self, chance: random.Random, name: str, content: str) -> None:
        """Rename a file in, or write it in place under a lock file, as clients do."""
        target = self._box.spool / "outgoing" / name
        while target.exists():  # a well-behaved client does not overwrite its own files
            time.sleep(0.05)
        if chance.random() < 0.7:
            self._box.drop(name, content)
            return
        lock = target.with_name(f"{name}.LOCK")
        lock.touch()
        target.write_text(content)
        lock.unlink()

    def _list(self, chance: random.Random) -> None:
        count = chance.randint(2, 8)
        name = f"list-{self._next()}.json"
        puts = [self._new(chance, "list", file=name, index=index) for index in range(count)]
        elements = [
            {
                "recipient": put.recipient,
                "text": put.text,
                "source": SOURCE,
                "reference": put.reference,
                "report_requested": chance.random() < 0.5,
                **times_for(chance),
                **wishes_for(chance, self._modems),
            }
            for put in puts
        ]
        self._write(chance, name, json.dumps(elements, ensure_ascii=False))
        self.ledger.puts += puts

    def _row(self, chance: random.Random) -> None:
        put = self._new(chance, "row")
        columns: dict[str, object] = {
            "source": SOURCE,
            "reference": put.reference,
            "report_requested": int(chance.random() < 0.5),
            **times_for(chance),
            **wishes_for(chance, self._modems),
        }
        self._box.insert(put.recipient, put.text, **columns)
        self.ledger.puts.append(put)

    def _repeat(self, chance: random.Random) -> None:
        """Put a message once more, as a program does that has lost its memory."""
        first = [put for put in self.ledger.puts if not put.is_wrong and not put.repeats]
        if not first:
            return
        put = chance.choice(first)
        again = Put(put.text, put.recipient, "row", put.reference, repeats=True)
        if chance.random() < 0.5:
            self._box.insert(put.recipient, put.text, source=SOURCE, reference=put.reference)
            self.ledger.puts.append(again)
        else:
            again.door, again.file = "file", f"again-{self._next()}"
            self._drop_file(chance, again, {})

    # -- reception ----------------------------------------------------------------------------

    def _desk(self, chance: random.Random) -> None:
        if chance.random() < 0.7:
            self._send(chance)
        else:
            self._withdraw(chance)

    def _send(self, chance: random.Random) -> None:
        put = self._new(chance, "command")
        more = ["--report"] if chance.random() < 0.5 else []
        command = ["send", "--source", SOURCE, "--reference", put.reference, *more]
        done = self._run(*command, put.recipient, put.text)
        if done.returncode != (REFUSED if put.is_wrong else OK):
            self.ledger.errors.append(f"{command}: {done.returncode} {done.stderr}")
            return
        self.ledger.puts.append(put)

    def _withdraw(self, chance: random.Random) -> None:
        """Write a message for later, and cancel it."""
        put = self._new(chance, "row")
        later = after(chance.uniform(0.0, 6.0))
        number = self._box.insert(
            put.recipient, put.text, source=SOURCE, reference=put.reference, not_before=later
        )
        self.ledger.puts.append(put)
        self._end.wait(chance.uniform(0.0, 3.0))
        done = self._run("cancel", str(number))
        # Too late to cancel is an answer as well: it has been sent.
        if done.returncode not in (OK, REFUSED):
            self.ledger.errors.append(f"cancel {number}: {done.returncode} {done.stderr}")
        self.ledger.cancelled += 1

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command; its own configuration, because the daemon's is spoilt at times."""
        while True:
            done = self._box.run("--config", str(self._box.folder / "desk.yaml"), *arguments)
            if done.returncode != TRY_LATER:
                return done

    # -- patients -----------------------------------------------------------------------------

    def _come_in(self, chance: random.Random) -> None:
        number = self._next()
        modem = chance.choice(self._modems)
        if chance.random() < 0.15:
            caller = f"+48500{100300 + number % 99000:06d}"
            if caller not in self.ledger.callers:
                self.ledger.callers.append(caller)
                self._box.sim.call(caller, modem, 4, every_s=1.0)
            return
        told = Told(text_for(chance, f"r{number}"), chance.choice(GOOD), modem)
        self._box.sim.receive(told.sender, told.modem, told.text)
        self.ledger.told.append(told)


def recipient_for(chance: random.Random) -> str:
    """Choose a phone: nearly always one that takes everything."""
    draw = chance.random()
    if draw < 0.9:
        return chance.choice(GOOD)
    return chance.choice(WRONG + UNCLEAR + UNDELIVERED + OFF)


def text_for(chance: random.Random, mark: str) -> str:
    """Make a text with the mark in each part: short, long, long with emoji."""
    draw = chance.random()
    if draw < 0.7:
        return f"{mark}: your visit is on Monday at 9:30."
    if draw < 0.85:
        return " ".join(f"{mark}/{word}" for word in range(chance.randint(20, 60)))
    return " ".join(f"{mark}/{word} 👍🏽 zażółć" for word in range(chance.randint(3, 14)))


def times_for(chance: random.Random) -> dict[str, str]:
    """Choose, seldom, a time before which or after which a message may not go out."""
    draw = chance.random()
    if draw < 0.05:
        return {"not_before": after(chance.uniform(0.0, 8.0))}
    if draw < 0.1:
        return {"expires_at": after(chance.uniform(0.5, 12.0))}
    return {}


def wishes_for(chance: random.Random, modems: list[str]) -> dict[str, str]:
    """Choose priority and category, and seldom a modem."""
    wishes = {
        "priority": chance.choice(("routine", "routine", "routine", "urgent", "stat")),
        "category": chance.choice(("care", "care", "staff", "survey", "marketing")),
    }
    if chance.random() < 0.1:
        wishes["modem"] = chance.choice(modems)
    return wishes


def after(seconds: float) -> str:
    """Return a time so many seconds from now, as ISO 8601."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat()
