# SPDX-License-Identifier: Apache-2.0
r"""The log: one masked line an event, for journald or a terminal.

Theory of operation: `get("modem").warning("modem.lost", modem="front", port=path)` writes
`warning modem.lost modem=front port=/dev/ttyUSB0`. The event is a literal `noun.verb` that stays
the same between releases; what changes stands in fields. Whoever logs a phone number passes
`number(...)`, a message's text `text(...)`, words that may hold numbers (an error, an answer of a
modem) `masked(...)`. Characters that could forge a line or steer a terminal are always written as
escapes (`\n`, `\x1b`, `\u202e`).

Repeating trouble: a warning or error that says the same as one less than a minute ago is counted
instead of written; the next one let through carries `repeated=17`. The first is written at once.

Threads and locks: callable from any thread; one lock around the counters and the write.

On failure: a log that cannot be written (closed stream, full disk) is given up without a word;
logging never raises. The standard library's log (of libraries that we use) is let through from
warning up once `configure` has run, masked as everything else.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TextIO

from gsmgw import clock, phone
from gsmgw.model import LogLevel

#: For so long, trouble that says the same again is only counted.
REPEAT_WINDOW_S = 60.0
#: So many different troubles are remembered; the one seen longest ago is forgotten first.
REPEAT_MEMORY = 512
#: A longer value is cut: a line is for reading, and journald splits at 48 KiB.
LONGEST_VALUE = 4000

# A run of digits that could be a phone number, wherever it stands; rather one too many than a
# patient's. Of what is often logged only a date is spared, by `_mask_match`.
_NUMBER_IN_WORDS = re.compile(r"(?<!\d)\+?\d(?:[\s()/.\u2010-\u2015-]{0,2}\d){6,}")
_OPENS_QUOTE = re.compile(r"""(?<!\w)['"]""")
# One behind a backslash stands in the text itself: errors show texts as Python and JSON write them.
_CLOSES_QUOTE = {quote: re.compile(rf"(?<!\\)(?:\\\\)*{quote}(?!\w)") for quote in ("'", '"')}
_DIGITS_ONLY = re.compile(r"[\d+*# ()/-]+")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d)?\Z")
# These make a value ambiguous on the line unless it stands in quotes.
_NEEDS_QUOTES = re.compile(r"[\s\"'=\\]")
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the log shows it; what `capture` collects."""

    level: LogLevel
    area: str  #: who speaks: the word given to `get`
    event: str  #: `noun.verb`
    fields: dict[str, object]  #: as given, plus `repeated` where repeats were counted


@dataclass(slots=True)
class _Repeats:
    """How often one trouble came since it was last written."""

    written_at: float  #: monotonic
    held_back: int = 0


@dataclass(slots=True)
class _Output:
    """Where events go; one for the process, kept in `_output`."""

    level: LogLevel = LogLevel.INFO
    private: bool = False
    stream: TextIO | None = None  #: None: whatever sys.stderr is at that moment
    journal: bool = False
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    lock: threading.RLock = field(default_factory=threading.RLock)
    repeats: OrderedDict[tuple[object, ...], _Repeats] = field(default_factory=OrderedDict)
    captures: list[list[Record]] = field(default_factory=list)


_output = _Output()


class Logger:
    """Writes events of one area.

    Fields are keyword arguments; their order is the order on the line. `limit` turns the counting
    of repeats on or off (on for warnings and errors, off for the rest); `key` names the fields that
    make two events the same trouble, without it all fields do.
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
        limit: bool = False,
        **fields: object,
    ) -> None:
        """Log what happened in the course of things."""
        if _output.level >= LogLevel.INFO or _output.captures:
            _log(LogLevel.INFO, self.area, event, fields, key=key, limit=limit)

    def warning(
        self,
        event: str,
        /,
        *,
        key: tuple[str, ...] | None = None,
        limit: bool = True,
        **fields: object,
    ) -> None:
        """Log what a technician should look at; listed in docs/log-messages.md."""
        _log(LogLevel.WARNING, self.area, event, fields, key=key, limit=limit)

    def error(
        self,
        event: str,
        /,
        *,
        key: tuple[str, ...] | None = None,
        limit: bool = True,
        **fields: object,
    ) -> None:
        """Log what a technician must act upon; listed in docs/log-messages.md."""
        _log(LogLevel.ERROR, self.area, event, fields, key=key, limit=limit)


def get(area: str) -> Logger:
    """Return the logger of an area, such as "modem" or "store"."""
    return Logger(area)


_library = get("library")


def configure(
    *,
    level: str | LogLevel = LogLevel.INFO,
    private: bool = False,
    stream: TextIO | None = None,
    time: clock.Clock | None = None,
) -> None:
    """Set what is logged and where; may be called again, at a reload.

    Args:
        level: the least important level that is written: error, warning, info or debug.
        private: write whole numbers and texts; for a bench without patients' data.
        stream: where to write; None writes to stderr.
        time: the clock that counts repeats; None takes the machine's.

    Raises:
        KeyError: there is no such level.
    """
    with _output.lock:
        _output.level = level if isinstance(level, LogLevel) else LogLevel[level.upper()]
        _output.private = private
        _output.stream = stream
        _output.journal = _is_journal(stream if stream is not None else sys.stderr)
        _output.clock = time or clock.SystemClock()
        _output.repeats.clear()
    root = logging.getLogger()
    if not any(isinstance(handler, _FromLibraries) for handler in root.handlers):
        root.addHandler(_FromLibraries(logging.WARNING))


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
        _output.repeats.clear()
        _output.captures.append(records)
    try:
        yield records
    finally:
        with _output.lock:
            _output.captures = [held for held in _output.captures if held is not records]
            _output.repeats.clear()


def format_line(level: LogLevel, event: str, fields: dict[str, object]) -> str:
    """Return the line of an event, without line end; pure."""
    words = [level.name.lower(), _escape(event)]
    words.extend(
        f"{name}={_format_value(value)}" for name, value in fields.items() if value is not None
    )
    return " ".join(words)


def _log(
    level: LogLevel,
    area: str,
    event: str,
    fields: dict[str, object],
    *,
    key: tuple[str, ...] | None = None,
    limit: bool = False,
) -> None:
    with _output.lock:
        if limit:
            held_back = _count_repeat((level, event), fields, key)
            if held_back is None:
                return
            if held_back:
                fields = {**fields, "repeated": held_back}
        for records in _output.captures:
            records.append(Record(level, area, event, fields))
        if level <= _output.level:
            _write(level, format_line(level, event, fields))


def _count_repeat(
    what: tuple[LogLevel, str], fields: dict[str, object], key: tuple[str, ...] | None
) -> int | None:
    """Return how many repeats were held back before this one, or None to hold it back too."""
    names = fields if key is None else key
    identity = (*what, *(_format_value(fields.get(name)) for name in names))
    now = _output.clock.monotonic()
    known = _output.repeats.get(identity)
    if known is not None and now - known.written_at < REPEAT_WINDOW_S:
        known.held_back += 1
        return None
    _output.repeats[identity] = _Repeats(now)
    _output.repeats.move_to_end(identity)
    while len(_output.repeats) > REPEAT_MEMORY:
        _output.repeats.popitem(last=False)
    return known.held_back if known else 0


def _write(level: LogLevel, line: str) -> None:
    stream = _output.stream if _output.stream is not None else sys.stderr
    # sd-daemon(3): "<4>" at the start of a line is its syslog level.
    prefix = f"<{level.value}>" if _output.journal else ""
    with contextlib.suppress(OSError, ValueError):
        encoding = getattr(stream, "encoding", None) or "utf-8"
        encodable = line.encode(encoding, "backslashreplace").decode(encoding)
        stream.write(f"{prefix}{encodable}\n")
        stream.flush()


def _is_journal(stream: TextIO) -> bool:
    """Tell whether the stream leads to the journal, as systemd.exec(5) says of JOURNAL_STREAM."""
    wanted = os.environ.get("JOURNAL_STREAM", "")
    if not wanted:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return wanted == f"{status.st_dev}:{status.st_ino}"


def _format_value(value: object) -> str:
    shown = _plain(value)
    if len(shown) > LONGEST_VALUE:
        shown = f"{shown[:LONGEST_VALUE]}…"
    escaped = _escape(shown)
    if not shown or escaped != shown or _NEEDS_QUOTES.search(shown):
        return f'"{escaped}"'
    return shown


def _plain(value: object) -> str:
    match value:
        case str() if not isinstance(value, Enum):
            return value
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case dt.datetime() if value.tzinfo is not None:
            return clock.format_utc(value)
        case Enum():
            return str(value.value)
    with contextlib.suppress(TypeError, ValueError, AttributeError, RuntimeError):
        return str(value)
    return f"<{type(value).__name__}>"


def _escape(shown: str) -> str:
    if shown.isascii() and shown.isprintable() and "\\" not in shown and '"' not in shown:
        return shown
    return "".join(map(_escape_char, shown))


def _escape_char(char: str) -> str:
    # Not printable are control characters, C1, bidi marks, separators, surrogates, unassigned ones.
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


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
