# SPDX-License-Identifier: Apache-2.0
"""The simulator's own books: every submit, delivery, report, arrival and call, with its times.

They are the operator's, so they survive whatever happens to the modems.

Threads: the loop thread writes, any thread may read and `wait`. Records are only ever added;
a record's later fields are filled in when they happen.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gsmgw import clock, pdu

Event = dict[str, object]

#: After a look that found nothing, `wait` rests so many times as long as the look took.
_LOOK_SHARE = 4.0


@dataclass(slots=True)
class Submit:
    """A PDU that a program handed to a modem with Ctrl-Z."""

    number: int  #: 1, 2, 3 … in the order of Ctrl-Z
    modem: str
    imsi: str
    sender: str
    at: str  #: wall time, UTC
    pdu: str  #: hex with service centre address, as written
    recipient: str | None = None
    text: str | None = None  #: of this part alone
    data: str | None = None  #: hex
    concat: dict[str, int] | None = None  #: ref, total, number
    report_requested: bool = False
    mr: int | None = None
    outcome: str = "pending"  #: taken, refused, lost (power went before the network had it)
    code: int | None = None  #: CMS code of the refusal
    answer: str | None = None  #: what the program got to read; None: nothing
    line_at: float = 0.0  #: monotonic: the CMGS line was complete
    written_at: float = 0.0  #: monotonic: Ctrl-Z was read
    taken_at: float | None = None  #: monotonic: the network took or refused it
    answered_at: float | None = None  #: monotonic: the answer was written


@dataclass(slots=True)
class Delivered:
    """A whole message in a phone's inbox."""

    at: str
    recipient: str
    sender: str
    text: str | None
    data: str | None
    parts: int
    arrived_at: float  #: monotonic


@dataclass(slots=True)
class Report:
    """A status report that the network made."""

    at: str
    modem: str
    mr: int
    recipient: str
    status: int
    pdu: str
    received_at: float | None = None  #: monotonic: the modem had it


@dataclass(slots=True)
class Incoming:
    """One part on its way to a modem."""

    at: str
    modem: str
    sender: str
    text: str | None
    pdu: str
    received_at: float | None = None  #: monotonic: the modem had it
    tries: int = 0  #: how often the network tried


@dataclass(slots=True)
class Call:
    """A voice call to a modem."""

    at: str
    modem: str
    number: str | None  #: None: withheld
    rings: int = 0
    ended_by: str | None = None  #: caller, modem, nobody (it never got through)


@dataclass(slots=True)
class _Pages:
    submits: list[Submit] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


class Books:
    """All records, and a way to wait for them."""

    def __init__(
        self, source: clock.Clock, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self._clock = source
        self._on_event = on_event
        self._pages = _Pages()
        self._changed = threading.Condition()
        self._changes = 0

    @property
    def submits(self) -> list[Submit]:
        """All submits so far, in the order of Ctrl-Z."""
        return list(self._pages.submits)

    @property
    def taken(self) -> list[Submit]:
        """The submits that the network took."""
        return [submit for submit in self.submits if submit.outcome == "taken"]

    @property
    def delivered(self) -> list[Delivered]:
        """All whole messages that phones got."""
        return list(self._pages.delivered)

    @property
    def reports(self) -> list[Report]:
        """All status reports so far."""
        return list(self._pages.reports)

    @property
    def incoming(self) -> list[Incoming]:
        """All parts that were sent to modems."""
        return list(self._pages.incoming)

    @property
    def calls(self) -> list[Call]:
        """All calls to modems."""
        return list(self._pages.calls)

    def inbox(self, number: str) -> list[Delivered]:
        """Return the messages that one phone got."""
        return [message for message in self.delivered if message.recipient == number]

    def duplicates(self) -> list[Event]:
        """List the parts that the network took more than once.

        Equal are parts with the same recipient, content and place in their message; references
        do not count, because a message sent anew has new ones.
        """
        counted = Counter(_identity(submit) for submit in self.taken)
        return [
            {"recipient": recipient, "content": content, "number": number, "times": times}
            for (recipient, content, number), times in counted.items()
            if times > 1
        ]

    def counts(self) -> dict[str, int]:
        """Return how many of everything there are."""
        outcomes = Counter(submit.outcome for submit in self.submits)
        return {
            "submits": len(self.submits),
            "taken": outcomes["taken"],
            "refused": outcomes["refused"],
            "lost": outcomes["lost"],
            "sent_again": sum(int(str(row["times"])) - 1 for row in self.duplicates()),
            "delivered": len(self.delivered),
            "reports": len(self.reports),
            "incoming": len(self.incoming),
            "calls": len(self.calls),
        }

    def as_document(self) -> Event:
        """Return everything as one JSON document."""
        phones: dict[str, list[Event]] = {}
        for message in self.delivered:
            phones.setdefault(message.recipient, []).append(dataclasses.asdict(message))
        return {
            "counts": self.counts(),
            "duplicates": self.duplicates(),
            "submits": _as_dicts(self.submits),
            "phones": phones,
            "reports": _as_dicts(self.reports),
            "incoming": _as_dicts(self.incoming),
            "calls": _as_dicts(self.calls),
        }

    def wait(self, condition: Callable[[Books], bool], timeout_s: float) -> bool:
        """Block until the condition holds or the time is over; return whether it holds.

        Not to be called from the loop thread.
        """
        until = self._clock.monotonic() + timeout_s
        seen = -1

        def is_news() -> bool:
            return self._changes != seen

        while True:
            seen = self._changes
            # Not under the lock: the condition may ask the loop thread, which may want the lock.
            began_at = self._clock.monotonic()
            if condition(self):
                return True
            now = self._clock.monotonic()
            if now >= until:
                return False
            with self._changed:
                # A look at thick books takes long: leave the loop thread most of the time.
                self._changed.wait_for(_never, min(_LOOK_SHARE * (now - began_at), until - now))
                self._changed.wait_for(is_news, until - self._clock.monotonic())

    def now(self) -> str:
        """Return the wall time as it stands in records."""
        return clock.format_utc(self.wall())

    def wall(self) -> dt.datetime:
        """Return the wall time, aware, in UTC."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        return self._clock.monotonic()

    def count_submit(self) -> int:
        """Return the number of the next submit, from 1."""
        return len(self._pages.submits) + 1

    def add(self, record: Submit | Delivered | Report | Incoming | Call) -> None:
        """Enter a record. Loop thread only, as `count_submit` and `tell`."""
        match record:
            case Submit():
                self._pages.submits.append(record)
            case Delivered():
                self._pages.delivered.append(record)
            case Report():
                self._pages.reports.append(record)
            case Incoming():
                self._pages.incoming.append(record)
            case Call():
                self._pages.calls.append(record)
        self.touch()

    def tell(self, kind: str, **fields: object) -> None:
        """Tell whoever listens that something happened, and wake those who `wait`."""
        self.touch()
        if self._on_event is not None:
            self._on_event({"event": kind, "at": self.now(), **fields})

    def touch(self) -> None:
        """Wake those who `wait`: a record has changed."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()


def _never() -> bool:
    return False


def describe_content(decoded: pdu.Deliver | pdu.DecodedSubmit) -> tuple[str | None, str | None]:
    """Return text and data (hex) of a part; one of them is None."""
    return decoded.text, None if decoded.data is None else decoded.data.hex().upper()


def _identity(submit: Submit) -> tuple[str, str, int]:
    number = submit.concat["number"] if submit.concat else 1
    return submit.recipient or "", submit.text or submit.data or "", number


def _as_dicts(records: Sequence[Submit | Report | Incoming | Call]) -> list[Event]:
    return [dataclasses.asdict(record) for record in records]
