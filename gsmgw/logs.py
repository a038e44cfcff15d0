# SPDX-License-Identifier: Apache-2.0
r"""The log: one masked line an event, for journald or a terminal.

Theory of operation: `get("modem").warning("modem.lost", modem="front", port=path)` writes
`warning modem.lost modem=front port=/dev/ttyUSB0`. The event is a literal `noun.verb` that stays
the same between releases; what changes stands in fields. Whoever logs a phone number passes
`number(...)`, a message's text `text(...)`, words that may hold numbers (an error, an answer of a
modem) `masked(...)`. Characters that could forge a line or steer a terminal are always written as
escapes (`\n`, `\x1b`, `\u202e`). Under systemd the same line goes to the journal with its fields.

A day in the log is a page: trouble that goes on is told now and then with a count, and so is what
passes every day by the hundred (`routine`); see repeats.py. Somebody calls `tell` once a minute.

Threads and locks: callable from any thread; one lock around the counters and the write.

On failure: a log that cannot be written (closed stream, full disk) is given up without a word;
logging never raises, and waits neither for the journal nor for whoever reads our stream: what they
do not take is counted (`log.dropped`). The standard library's log (of libraries that we use) is let
through from warning up once `configure` has run, masked as everything else.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import select
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from gsmgw import clock, journal, log_line, phone, repeats
from gsmgw.model import LogLevel

# A run of digits that could be a phone number, wherever it stands; rather one too many than a
# patient's. Of what is often logged only a date is spared, by `_mask_match`.
_NUMBER_IN_WORDS = re.compile(r"(?<!\d)\+?\d(?:[\s()/.\u2010-\u2015-]{0,2}\d){6,}")
_OPENS_QUOTE = re.compile(r"""(?<!\w)['"]""")
# One behind a backslash stands in the text itself: errors show texts as Python and JSON write them.
_CLOSES_QUOTE = {quote: re.compile(rf"(?<!\\)(?:\\\\)*{quote}(?!\w)") for quote in ("'", '"')}
_DIGITS_ONLY = re.compile(r"[\d+*# ()/-]+")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d)?\Z")


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the log shows it; what `capture` collects."""

    level: LogLevel
    area: str  #: who speaks: the word given to `get`
    event: str  #: `noun.verb`
    fields: dict[str, object]  #: as given, plus `repeated` where repeats were counted


@dataclass(frozen=True, slots=True)
class _Limits:
    """How much of an event is written."""

    repeats: bool = False  #: equal ones are counted
    key: tuple[str, ...] | None = None  #: fields that make two equal; None: all
    first: int = 1  #: so many are written before that begins
    routine: str = ""  #: everyday traffic, counted under this word


_NO_LIMITS = _Limits()

#: A reader of our stream may be so late before lines are dropped.
_PATIENCE_MS = 1000

#: What is kept of an event that is held back.
_Held = tuple[LogLevel, str, str, dict[str, object]]


@dataclass(slots=True)
class _Output:
    """Where events go; one for the process, kept in `_output`."""

    level: LogLevel = LogLevel.INFO
    private: bool = False
    every_message: bool = True
    stream: TextIO | None = None  #: None: whatever sys.stderr is at that moment
    is_journal: bool = False  #: the stream leads there
    journal: journal.Journal | None = None
    lost: int = 0  #: events that the journal, or the reader of the stream, did not take
    is_stuck: bool = False  #: nobody reads the stream
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    lock: threading.RLock = field(default_factory=threading.RLock)
    troubles: repeats.Troubles[_Held] = field(default_factory=repeats.Troubles)
    traffic: repeats.Traffic = field(default_factory=repeats.Traffic)
    captures: list[list[Record]] = field(default_factory=list)


_output = _Output()


class Logger:
    """Writes events of one area.

    Fields are keyword arguments; their order is the order on the line. `limit` turns the counting
    of repeats on or off (on for warnings and errors, off for the rest); `key` names the fields that
    make two events the same trouble, without it all fields do, and `first` says how many are
    written before counting begins. `routine` marks what passes every day by the hundred, with the
    word under which it is counted where it is not written.
    """

    __slots__ = ("area",)

    def __init__(self, area: str) -> None:
        self.area = area

    def debug(self, event: str, /, **fields: object) -> None:
        """Log what only helps to find a fault; costs next to nothing while debug is off."""
        if _output.level >= LogLevel.DEBUG or _output.captures:
            _log(LogLevel.DEBUG, self.area, event, fields)

    def info(
        self,
        event: str,
        /,
        *,
        key: tuple[str, ...] | None = None,
        first: int = 1,
        limit: bool = False,
        routine: str = "",
        **fields: object,
    ) -> None:
        """Log what happened in the course of things."""
        if _output.level >= LogLevel.INFO or _output.captures:
            about = _Limits(limit, key, first, routine)
            _log(LogLevel.INFO, self.area, event, fields, about)

    def warning(
        self,
        event: str,
        /,
        *,
        key: tuple[str, ...] | None = None,
        first: int = 1,
        limit: bool = True,
        **fields: object,
    ) -> None:
        """Log what a technician should look at; listed in docs/log-messages.md."""
        _log(LogLevel.WARNING, self.area, event, fields, _Limits(limit, key, first))

    def error(
        self,
        event: str,
        /,
        *,
        key: tuple[str, ...] | None = None,
        first: int = 1,
        limit: bool = True,
        **fields: object,
    ) -> None:
        """Log what a technician must act upon; listed in docs/log-messages.md."""
        _log(LogLevel.ERROR, self.area, event, fields, _Limits(limit, key, first))


def get(area: str) -> Logger:
    """Return the logger of an area, such as "modem" or "store"."""
    return Logger(area)


_library = get("library")
_own = get("log")
format_line = log_line.format_line


def configure(
    *,
    level: str | LogLevel = LogLevel.INFO,
    private: bool = False,
    every_message: bool = True,
    stream: TextIO | None = None,
    time: clock.Clock | None = None,
    journal_socket: Path = journal.SOCKET,
) -> None:
    """Set what is logged and where; may be called again, at a reload, after `tell`.

    Args:
        level: the least important level that is written: error, warning, info or debug.
        private: write whole numbers and texts; for a bench without patients' data.
        every_message: write each line of everyday traffic, however many; so does level debug.
        stream: where to write; None writes to stderr. If it leads to the journal, events go there.
        time: the clock that counts repeats; None takes the machine's.
        journal_socket: where the journal listens.

    Raises:
        KeyError: there is no such level.
    """
    with _output.lock:
        _output.level = level if isinstance(level, LogLevel) else LogLevel[level.upper()]
        _output.private = private
        _output.every_message = every_message
        _output.stream = stream
        _output.is_journal = journal.leads_there(stream if stream is not None else sys.stderr)
        _use_journal(journal_socket if _output.is_journal else None)
        _output.clock = time or clock.SystemClock()
        _forget()
    root = logging.getLogger()
    if not any(isinstance(handler, _FromLibraries) for handler in root.handlers):
        root.addHandler(_FromLibraries(logging.WARNING))


def leads_to_journal() -> bool:
    """Tell whether the log, as configured, goes to systemd's journal."""
    return _output.is_journal


def tell(*, at_once: bool = False) -> None:
    """Write what was held back and is due: troubles with their counts, and the hour's traffic.

    To be called every minute or so; what has nothing to tell costs nothing.

    Args:
        at_once: do not wait until it is due; before the end, or before `configure`.
    """
    with _output.lock:
        now = _output.clock.monotonic()
        for (level, area, event, fields), others in _output.troubles.due(now, at_once=at_once):
            _emit(level, area, event, {**fields, "repeated": others} if others else fields)
        told = _output.traffic.due(now, at_once=at_once)
        if told is not None:
            seconds, counts = told
            words = ", ".join(f"{count} {word}" for word, count in counts.items())
            _own.info("traffic.counted", minutes=max(1, round(seconds / 60)), counts=words)
        lost, _output.lost = _output.lost, 0
        if lost:
            _own.warning("log.dropped", limit=False, lines=lost)
            _output.lost = lost if _output.lost else 0  # this line was not taken either


def number(value: str | None) -> str:
    """Return a phone number as the log may show it, by `phone.mask`; "-" for one withheld."""
    if not value:
        return "-"
    return value if _output.private else phone.mask(value)


def text(value: str | None) -> str:
    """Return what the log may show of a message's text: how long it is."""
    if _output.private and value is not None:
        return value
    length = len(value or "")
    return f"<{length} char{'' if length == 1 else 's'}>"


def masked(words: object) -> str:
    """Return words, such as an error's, with everything hidden that could be a patient's.

    That is every run of digits that could be a phone number, and whatever stands in quotes: errors
    quote what they found, and people write names and texts into any field.
    """
    shown = str(words)
    if _output.private:
        return shown
    return _NUMBER_IN_WORDS.sub(_mask_match, _hide_quoted(shown))


@contextlib.contextmanager
def capture() -> Iterator[list[Record]]:
    """Collect the records of all levels and threads while the block runs; for tests.

    Repeats are counted as always, from a clean start: the list holds what a log would show.
    """
    records: list[Record] = []
    with _output.lock:
        _forget()
        _output.captures.append(records)
    try:
        yield records
    finally:
        with _output.lock:
            _output.captures = [held for held in _output.captures if held is not records]
            _forget()


def _forget() -> None:
    _output.troubles = repeats.Troubles()
    _output.traffic = repeats.Traffic()


def _use_journal(path: Path | None) -> None:
    """Send to the journal at this socket from now on; None: to none."""
    if _output.journal is not None and _output.journal.path != path:
        _output.journal.close()
        _output.journal = None
    if _output.journal is None and path is not None:
        _output.journal = journal.Journal(path)


def _log(
    level: LogLevel,
    area: str,
    event: str,
    fields: dict[str, object],
    limits: _Limits = _NO_LIMITS,
) -> None:
    with _output.lock:
        now = _output.clock.monotonic()
        if limits.repeats:
            names = fields if limits.key is None else limits.key
            identity = (level, event, *(log_line.format_value(fields.get(name)) for name in names))
            what = (level, area, event, fields)
            held_back = _output.troubles.take(identity, what, now, first=limits.first)
            if held_back is None:
                return
            if held_back:
                fields = {**fields, "repeated": held_back}
        is_summed = limits.routine and not _output.every_message and _output.level < LogLevel.DEBUG
        is_written = not is_summed or _output.traffic.take(limits.routine, now)
        _emit(level, area, event, fields, is_written=is_written)


def _emit(
    level: LogLevel, area: str, event: str, fields: dict[str, object], *, is_written: bool = True
) -> None:
    for records in _output.captures:
        records.append(Record(level, area, event, fields))
    if is_written and level <= _output.level:
        _write(level, event, fields)


def _write(level: LogLevel, event: str, fields: dict[str, object]) -> None:
    line = log_line.format_line(level, event, fields)
    if _output.journal is not None:
        shown = {
            name: log_line.visible(value) for name, value in fields.items() if value is not None
        }
        delivery = _output.journal.send(_encodable(line, "utf-8"), level.value, event, shown)
        if delivery is not journal.Delivery.AWAY:
            _output.lost += delivery is journal.Delivery.FULL
            return
    stream = _output.stream if _output.stream is not None else sys.stderr
    # sd-daemon(3): "<4>" at the start of a line is its syslog level.
    prefix = f"<{level.value}>" if _output.is_journal else ""
    with contextlib.suppress(OSError, ValueError):
        if not _has_room(stream):
            _output.lost += 1
            return
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(f"{prefix}{_encodable(line, encoding)}\n")
        stream.flush()


def _has_room(stream: TextIO) -> bool:
    """Tell whether a stream takes a line without making us wait; waits a moment, but only once."""
    poll = select.poll()
    try:
        poll.register(stream.fileno(), select.POLLOUT)
    except io.UnsupportedOperation:
        return True  # none of the system's
    _output.is_stuck = not poll.poll(0 if _output.is_stuck else _PATIENCE_MS)
    return not _output.is_stuck


def _encodable(line: str, encoding: str) -> str:
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _hide_quoted(words: str) -> str:
    """Hide what stands in quotes; each letter is looked at a few times at most, however many."""
    pieces: list[str] = []
    at, unclosed = 0, set[str]()
    for match in _OPENS_QUOTE.finditer(words):
        quote, start = match.group(), match.start()
        if start < at or quote in unclosed:
            continue
        end = _CLOSES_QUOTE[quote].search(words, start + 1)
        if end is None:
            unclosed.add(quote)
            continue
        found = words[start + 1 : end.end() - 1]
        # A number is masked with the others, so that one can still find it.
        shown = text(found) if found and not _DIGITS_ONLY.fullmatch(found) else found
        pieces += [words[at:start], quote, shown, quote]
        at = end.end()
    return "".join([*pieces, words[at:]])


def _mask_match(match: re.Match[str]) -> str:
    found = match.group()
    return found if _ISO_DATE.match(found) else phone.mask(found)


class _FromLibraries(logging.Handler):
    """Takes what libraries log; ours never goes this way."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            words = record.getMessage()
        except (TypeError, ValueError, KeyError):
            words = str(record.msg)
        if record.levelno >= logging.ERROR:
            _library.error("library.message", library=record.name, words=masked(words))
        else:
            _library.warning("library.message", library=record.name, words=masked(words))
