# SPDX-License-Identifier: Apache-2.0
"""The only way into the outbox: every message is checked here, whatever door it came through.

Theory of operation: a door hands in a `Draft`, in which nothing has been checked, together with a
write transaction of its own, so that what the door must remember (a file, an element of a list)
is committed with the message. What can never be sent raises a `RejectedError` that says what is
wrong, and nothing is recorded. What we may not send (STOP, a program that has run away) is kept
as a rejected row, because a person may still decide to send it.

Threads and locks: no state of its own; callable from any thread.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from gsmgw import errors, logs, pdu, phone
from gsmgw.clock import Clock, SystemClock, format_utc, parse_time
from gsmgw.config import Config
from gsmgw.errors import BadTextError, RejectedError
from gsmgw.gateway import routing
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import Category, Draft, ErrorFamily, MessageState, Priority, TpOptions
from gsmgw.store import consent, entry, events, outbox
from gsmgw.store.database import Database, Row, Transaction

log = logs.get("intake")

#: So many equal texts to one number go out within the time below; the next one means that a
#: program has run away.
EQUAL_TEXTS = 5
EQUAL_TEXTS_WITHIN = dt.timedelta(minutes=30)

#: Rows of other software that are checked in one transaction, about 4 ms: a modem that has an
#: answer to write down waits no longer.
NEW_ROWS_AT_ONCE = 20

#: No text of 255 parts is longer (3GPP TS 23.040 9.2.3.24.1).
LONGEST_TEXT = 255 * 153

#: Begins a write transaction: `Database.write`, or `Dispatcher.writing`.
Writing: TypeAlias = Callable[..., contextlib.AbstractContextManager[Transaction]]

_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a draft at the door."""

    message_id: int
    state: MessageState  #: queued; rejected or expired if it is kept but not sent
    repeat: bool  #: the reference was known: this is the first message's id and state
    parts: int
    error_code: str | None = None
    error: str | None = None


class Intake:
    """Checks drafts and puts them into the outbox."""

    def __init__(
        self,
        config: Config,
        db: Database,
        clock: Clock | None = None,
        *,
        trust: ClockTrust | None = None,
        writing: Writing | None = None,
    ) -> None:
        """Make the door.

        Args:
            config: what is checked against.
            db: where new rows of other software are found.
            clock: for tests.
            trust: while it holds the clock for suspect nothing is expired on arrival; without it
                the clock is believed.
            writing: begins a transaction for `accept`; None for one that no modem waits for.
        """
        self._config = config
        self._db = db
        self._trust = trust
        self._clock = clock or SystemClock()
        self._zone = ZoneInfo(config.timezone)
        self.writing: Writing = writing or db.write

    def warm_up(self) -> None:
        """Check a specimen, so that the first message need not wait for what is loaded when used.

        Number plans take 20 ms on a fast machine. Blocks for that.
        """
        with contextlib.suppress(RejectedError):
            self._check(Draft(recipient="500100200", text="Zażółć", source=""))

    def accept(self, tx: Transaction, draft: Draft) -> Accepted:
        """Check a draft and add it, within the caller's transaction.

        Raises:
            RejectedError: it can never be sent as it stands; nothing was added.
        """
        _check_utf8(draft)
        first = entry.find_reference(tx, draft.source, draft.reference)
        if first is not None:
            events.add(tx, "message.repeated", message_id=first["id"], source=draft.source)
            return _as_accepted(first)
        message = self._check(draft)
        refusal = self._refusal(tx, message)
        if refusal is not None:
            code, words = refusal
            message_id = entry.add_rejected(tx, message, code, words)
            _tell_refused(tx, message_id, message, code)
            return Accepted(
                message_id, MessageState.REJECTED, False, len(message.parts), code, words
            )
        message_id = entry.add(tx, message)
        return self._accepted(tx, message_id, message)

    def _accepted(self, tx: Transaction, message_id: int, message: entry.NewMessage) -> Accepted:
        parts = len(message.parts)
        is_over = message.expires_at is not None and message.expires_at <= tx.now
        if is_over and not (self._trust is not None and self._trust.is_suspect):
            words = f"expired on arrival: expires_at {message.expires_at} had passed"
            outbox.settle(tx, message_id, MessageState.EXPIRED, ErrorFamily.GSMGW, "expired", words)
            recipient = logs.number(message.recipient)
            tx.after_commit(
                lambda: log.warning(
                    "message.expired", key=(), id=message_id, recipient=recipient, why=words
                )
            )
            return Accepted(message_id, MessageState.EXPIRED, False, parts, "expired", words)
        if message.is_folded:
            events.add(tx, "message.folded", message_id=message_id)
        tx.after_commit(
            lambda: log.info(
                "message.accepted",
                routine="accepted",
                id=message_id,
                recipient=logs.number(message.recipient),
                source=message.source,
                parts=parts,
                alphabet=message.alphabet,
                folded=message.is_folded or None,
            )
        )
        return Accepted(message_id, MessageState.QUEUED, False, parts)

    # -- rows written by other software -----------------------------------------------------------

    def accept_new_rows(self) -> int:
        """Check rows that other software has inserted; return how many there were.

        Takes at most `NEW_ROWS_AT_ONCE`; call again until it returns 0. Blocks for one commit.
        """
        if not entry.new_rows(self._db, 1):
            return 0
        with self.writing() as tx:
            rows = entry.new_rows(tx, NEW_ROWS_AT_ONCE)
            for row in rows:
                self._accept_row(tx, row)
        return len(rows)

    def _accept_row(self, tx: Transaction, row: Row) -> None:
        entry.take_over(tx, row["id"])
        if row["cancel_requested"] == 1:
            outbox.settle(
                tx,
                row["id"],
                MessageState.CANCELLED,
                ErrorFamily.GSMGW,
                "cancelled",
                "cancelled before it was sent",
            )
            return
        try:
            message = self._check(entry.read_row(tx, row))
        except RejectedError as error:
            code, words = error.reason, str(error)
            outbox.settle(tx, row["id"], MessageState.REJECTED, ErrorFamily.REJECTED, code, words)
            row_id, source = row["id"], row["source"]
            tx.after_commit(
                lambda: log.warning(
                    "message.rejected",
                    key=("source", "reason"),
                    first=5,
                    id=row_id,
                    source=source,
                    reason=code,
                    why=logs.masked(words),
                )
            )
            return
        refusal = self._refusal(tx, message)
        entry.accept(tx, row["id"], message)
        if refusal is not None:
            code, words = refusal
            outbox.settle(tx, row["id"], MessageState.REJECTED, ErrorFamily.REJECTED, code, words)
            _tell_refused(tx, row["id"], message, code)
        else:
            self._accepted(tx, row["id"], message)

    # -- checks -----------------------------------------------------------------------------------

    def _check(self, draft: Draft) -> entry.NewMessage:
        _check_nul(draft)
        not_before = self._time("not_before", draft.not_before)
        expires_at = self._time("expires_at", draft.expires_at)
        if not_before and expires_at and expires_at <= not_before:
            raise RejectedError(
                f"expires_at {draft.expires_at} is not after not_before {draft.not_before}",
                "bad-time",
            )
        recipient = phone.parse_recipient(
            draft.recipient,
            country=self._config.country,
            international_digits=draft.international_digits,
        )
        text = self._fold(draft.text)
        alphabet, parts = self._parts(text, draft.tp)
        if draft.tp is not None and draft.tp.data is not None:
            _check_room(recipient, draft.tp)
        modem = self._modem(draft.modem)
        return entry.NewMessage(
            recipient=recipient,
            text=draft.text,
            source=draft.source,
            reference=draft.reference or None,
            category=_word("category", draft.category, Category, Category.CARE),
            priority=_word("priority", draft.priority, Priority, Priority.ROUTINE),
            not_before=not_before,
            expires_at=expires_at,
            report_requested=draft.report_requested,
            flash=draft.flash,
            modem=modem,
            route=routing.route_of(recipient, modem, self._config.modems),
            alphabet=alphabet,
            parts=parts,
            spool_file=draft.spool_file,
            tp=draft.tp,
            is_folded=text != draft.text,
        )

    def _time(self, name: str, text: str | None) -> str | None:
        if text is None or not text.strip():
            return None
        try:
            return format_utc(parse_time(text, self._zone))
        except (errors.GsmgwError, OverflowError) as error:
            raise RejectedError(f"{name}: {error}", "bad-time") from error

    def _modem(self, name: str | None) -> str | None:
        if not name:
            return None
        known = [modem.name for modem in self._config.modems]
        if name not in known:
            raise RejectedError(
                f"modem {name!r} is not configured; there are: {', '.join(known) or 'none'}",
                "bad-modem",
            )
        return name

    def _parts(self, text: str, tp: TpOptions | None) -> tuple[str, tuple[entry.NewPart, ...]]:
        if tp is not None and tp.data is not None:
            return pdu.Alphabet.DATA.value, (entry.NewPart(None, tp.data),)
        if not text:
            raise BadTextError("the text is empty")
        if len(text) > LONGEST_TEXT:
            raise BadTextError(
                f"the text has {len(text)} characters; no SMS is longer than {LONGEST_TEXT}"
            )
        segments = _segments(text, tp)
        limit = self._config.sending.max_parts
        if len(segments) > limit:
            raise BadTextError(
                f"the text needs {len(segments)} parts, {limit} are allowed"
                " (sending.max_parts); shorten it, or see what made it long: gsmgw count TEXT"
            )
        return segments[0].alphabet.value, tuple(entry.NewPart(s.text) for s in segments)

    def _fold(self, text: str) -> str:
        """Fold letters if the clinic wants plain text and if that makes the message shorter."""
        if self._config.sending.charset != "plain" or len(text) > LONGEST_TEXT:
            return text
        folded = pdu.fold(text)
        return folded if pdu.measure(folded).parts < pdu.measure(text).parts else text

    def _refusal(self, tx: Transaction, message: entry.NewMessage) -> tuple[str, str] | None:
        """Say why a message that could be sent may not be: code and words."""
        if self._is_stopped(tx, message):
            return "stopped", "this number has asked not to be written to (STOP)"
        since = format_utc(self._clock.now() - EQUAL_TEXTS_WITHIN)
        if entry.count_equal(tx, message, since) >= EQUAL_TEXTS:
            return (
                "repeated",
                f"the same text went to this number {EQUAL_TEXTS} times within"
                f" {EQUAL_TEXTS_WITHIN.seconds // 60} minutes; a program has run away?"
                " To send it all the same: gsmgw retry ID",
            )
        return None

    def _is_stopped(self, tx: Transaction, message: entry.NewMessage) -> bool:
        binds = {
            "all": (Category.CARE, Category.SURVEY, Category.MARKETING),
            "marketing": (Category.MARKETING,),
            "off": (),
        }[self._config.replies.stop]
        return (
            message.category in binds
            and consent.decision(tx, message.recipient, message.category) == "deny"
        )


def _check_utf8(draft: Draft) -> None:
    """Refuse halves of surrogate pairs, which JSON can hold and no database."""
    for name in ("text", "source", "reference", "spool_file"):
        try:
            (getattr(draft, name) or "").encode()
        except UnicodeEncodeError as error:
            raise BadTextError(f"{name} holds half of a surrogate pair") from error


def _check_nul(draft: Draft) -> None:
    """Refuse NULs: phones and programs written in C take them for the end of the text."""
    for name in ("text", "source", "reference"):
        if "\x00" in (getattr(draft, name) or ""):
            raise BadTextError(f"{name} holds a NUL character")


def _check_room(recipient: str, tp: TpOptions) -> None:
    """Refuse 8-bit data that does not fit into one SMS with its header."""
    pdu.encode_submit(pdu.Submit(recipient, data=tp.data or b"", udh=tp.udh or b""))


def _segments(text: str, tp: TpOptions | None) -> tuple[pdu.Segment, ...]:
    if tp is None:
        return pdu.segment(text)
    alphabet = pdu.Alphabet.UCS2 if tp.alphabet == "ucs2" else None
    header = len(tp.udh) if tp.udh else 0
    if tp.split == "cut" or tp.udh:
        return pdu.segment(text, alphabet=alphabet, header_octets=header, one_part=True)
    if tp.split == "plain":
        return pdu.segment(text, alphabet=alphabet, with_header=False)
    if tp.split == "numbered":
        return pdu.segment_numbered(text, alphabet=alphabet)
    return pdu.segment(text, alphabet=alphabet)


def _word(name: str, found: str | None, words: type[_Word], default: _Word) -> _Word:
    if not found or not found.strip():
        return default
    try:
        return words(found.strip().lower())
    except ValueError as error:
        allowed = ", ".join(words)
        raise RejectedError(
            f"{name} {found!r} is unknown; allowed: {allowed}", f"bad-{name}"
        ) from error


def _as_accepted(row: Row) -> Accepted:
    return Accepted(
        row["id"],
        MessageState(row["state"]),
        True,
        row["parts"] or 0,
        row["error_code"],
        row["error"],
    )


def _tell_refused(tx: Transaction, message_id: int, message: entry.NewMessage, code: str) -> None:
    events.add(tx, "message.refused", message_id=message_id, reason=code)
    recipient = logs.number(message.recipient)
    if code == "repeated":
        tx.after_commit(
            lambda: log.warning(
                "message.runaway",
                key=("source",),
                first=5,
                id=message_id,
                recipient=recipient,
                source=message.source,
            )
        )
    else:
        tx.after_commit(
            lambda: log.info(
                "message.stopped",
                routine="stopped",
                id=message_id,
                recipient=recipient,
                source=message.source,
            )
        )
