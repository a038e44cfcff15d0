# SPDX-License-Identifier: Apache-2.0
"""Says what is due: phone by phone, each text once, into the outbox.

Theory of operation: a step takes some phones for which something is due. What waits for one of them
is judged, put together with what is due within a quarter of an hour, and written to the outbox in
the transaction that marks the requests as said: a crash can neither lose nor double a text. The
outbox row expires with its requests, so that a dead modem that comes back sends nothing stale.

What files say of visits waits until they are read whole: brothers and sisters may stand far apart
in a table, and are told in one text.

One open question a phone: a question waits (on-hold) while another one is open, unless it asks
about the same visits again, or tells of a new time; then it takes the older one's place. A reminder
that would have to wait until it is stale is said without asking.

Threads and locks: one service calls `step`; a transaction is kept short, since modems write down
what they have sent through the same lock.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence

from gsmgw import logs, phone
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, Participation, TaskCode
from gsmgw.clinic.reading.family import MOST_VISITS
from gsmgw.clinic.saying import texts
from gsmgw.clinic.saying.verdicts import ANSWERS, CAPPED, SAY, STAFF, Verdict, Verdicts
from gsmgw.clinic.wording import Wording
from gsmgw.clinic.work import Work
from gsmgw.clock import Clock, format_utc
from gsmgw.config import Config
from gsmgw.errors import BadNumberError, RejectedError
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import Category, Draft, MessageState
from gsmgw.store import events
from gsmgw.store.clinic import imports, requests, tasks
from gsmgw.store.database import Database, Row, Transaction

log = logs.get("clinic")

#: Phones that are dealt with in one transaction at most, some 10 ms.
PHONES_AT_ONCE = 30
#: What is due so soon goes into the same text (R5).
TOGETHER = dt.timedelta(minutes=15)
#: A file that is read for longer is not waited for.
READ_WITHIN = dt.timedelta(minutes=2)
#: The same text goes to the same phone once in so long (R7), unless it is news or was asked for.
SAME_TEXT = dt.timedelta(hours=12)
#: Nobody may come for nothing: a person tells what could not be said in time.
MUST_BE_TOLD = frozenset({Kind.CANCELLED, Kind.CHANGED})
#: Reasons which mean that somebody did not hear what they should have.
_UNHEARD = frozenset(
    {"expired", "too-late", "stopped", "no-consent", "no-phone", "landline", "sensitive", "error"}
)
#: Questions with news in them: they do not wait for older ones, they take their place.
_NEWS = frozenset({Kind.CHANGED, Kind.MOVED})

_Bundle = list[Row]


class Saying:
    """Turns due requests into messages. One thread at a time."""

    def __init__(
        self,
        config: Config,
        db: Database,
        intake: Intake,
        calendar: Calendar,
        wording: Wording,
        work: Work,
        clock: Clock,
        trust: ClockTrust,
    ) -> None:
        self._db = db
        self._intake = intake
        self._calendar = calendar
        self._work = work
        self._clock = clock
        self._trust = trust
        self._country = config.country
        self._verdicts = Verdicts(config, calendar)
        self._texts = texts.Texts(wording, calendar, work)
        #: what came too late since the last line about it: kind to count
        self._late: collections.Counter[str] = collections.Counter()

    def step(self) -> int:
        """Deal with some phones for which something is due; return how many there were.

        Blocks for one commit, if there are any. While the clock is suspect nothing falls due.
        """
        now = format_utc(self._clock.now())
        if self._trust.is_suspect or not requests.is_due(self._db, now):
            self._tell_late()
            return 0
        unread = self._read_since(now)
        kinds = () if unread is None else tuple(texts.FAMILIES)
        found = requests.due_phones(
            self._db, now, PHONES_AT_ONCE, but=kinds, made_since=unread or now
        )
        try:
            return self._phones(found, unread) if found else 0
        except (LookupError, TypeError, ValueError):
            for number in found:  # one of them; the others are not to wait for it
                self._phone_alone(number, unread)
        return len(found)

    def _read_since(self, now: str) -> str | None:
        """Return since when a file is being read, which may hold more for the same phones."""
        earliest = dt.datetime.fromisoformat(now) - READ_WITHIN
        return imports.read_since(self._db, format_utc(earliest), now)

    def _read_numbers(self, found: Sequence[str]) -> None:
        """Read numbers beforehand: there is no time for it while others wait to write."""
        for number in found:
            with contextlib.suppress(BadNumberError):
                phone.parse_recipient(number, country=self._country)

    def _phones(self, found: Sequence[str], unread: str | None) -> int:
        """Deal with phones until others want to write; return with how many."""
        done = 0
        with self._db.pace.piece() as piece:
            self._read_numbers(found)
            # After a loss of power it would be said again; the claim of its first part is synced.
            with self._db.write(synced=False) as tx:
                while done < len(found) and not piece.is_over():
                    self._phone(tx, found[done], unread)
                    done += 1
        return done

    def _phone_alone(self, number: str, unread: str | None) -> None:
        try:
            with self._db.write() as tx:
                self._phone(tx, number, unread)
        except (LookupError, TypeError, ValueError) as error:
            why = logs.masked(f"{type(error).__name__}: {error}")
            with self._db.write() as tx:
                until = format_utc(dt.datetime.fromisoformat(tx.now) + TOGETHER)
                ids = [int(row["id"]) for row in requests.waiting_for(tx, number, until)]
                requests.revoke(tx, ids, "error")
                for request in ids:
                    events.add(tx, "request.revoked", request=request, why="error")
            log.error("request.failed", key=("kind",), request=ids[0], kind="all", why=why)

    def _tell_late(self) -> None:
        """Say in one line what an outage has made stale, however much it was."""
        if not self._late:
            return
        kinds = ",".join(f"{kind}={count}" for kind, count in sorted(self._late.items()))
        log.warning("request.expired", count=self._late.total(), kinds=kinds)
        self._late.clear()

    # -- one phone --------------------------------------------------------------------------------

    def _phone(self, tx: Transaction, number: str, unread: str | None) -> None:
        now = dt.datetime.fromisoformat(tx.now)
        rows = requests.waiting_for(tx, number, format_utc(now + TOGETHER))
        if unread is not None:
            rows = [row for row in rows if not _may_grow(row, unread)]
        ready = []
        for row in rows:
            task = texts.details_of(row).get("task")
            verdict = self._verdicts.judge(tx, row, now, task if isinstance(task, int) else None)
            if verdict == SAY:
                ready.append(row)
            else:
                self._obey(tx, row, verdict)
        for bundle in self._bundles(tx, ready):
            if any(row["due"] <= tx.now for row in bundle):
                self._bundle(tx, bundle, now)

    def _bundles(self, tx: Transaction, rows: Sequence[Row]) -> Iterator[_Bundle]:
        """Put together what is said in one text (R5)."""
        families: dict[tuple[object, ...], _Bundle] = {}
        key: tuple[object, ...]
        for number, row in enumerate(rows):
            if row["kind"] in texts.FAMILIES and row["about_start"] is not None:
                day = self._calendar.day(dt.datetime.fromisoformat(row["about_start"]))
                own = texts.details_of(row)
                words = (own.get("template"), own.get("text"), own.get("minutes"))
                key = (row["kind"], _asks(row), day, *words, row["category"])
            else:
                key = (number,)
            families.setdefault(key, []).append(row)
        for bundle in families.values():
            newest = {row["about"] or row["id"]: row for row in bundle}
            for row in bundle:
                if newest[row["about"] or row["id"]] is not row:  # two steps of one plan
                    self._revoke(tx, row, "replaced")
            kept = sorted(newest.values(), key=lambda row: (row["about_start"] or "", row["id"]))
            yield from (kept[at : at + MOST_VISITS] for at in range(0, len(kept), MOST_VISITS))

    def _bundle(self, tx: Transaction, bundle: _Bundle, now: dt.datetime) -> None:
        """Say one text, or put it off."""
        asks = any(map(_asks, bundle))
        hold = self._hold(tx, bundle) if asks else None
        if hold is not None and hold < min(row["expires"] for row in bundle):
            for row in bundle:
                requests.put_off(tx, row["id"], hold, on_hold=True)
            return
        if hold is not None and "template" not in texts.details_of(bundle[0]):
            asks = asks and bundle[0]["kind"] != Kind.REMINDER
        if self._verdicts.cap(tx, bundle[0], now) == SAY:
            self._say(tx, bundle, now, asks=asks)
            return
        for row in bundle:
            self._obey(tx, row, self._verdicts.cap(tx, row, now))

    def _obey(self, tx: Transaction, row: Row, verdict: Verdict) -> None:
        if verdict.reason is not None:
            self._revoke(tx, row, verdict.reason)
        elif verdict.later is not None and row["due"] <= tx.now:
            requests.put_off(tx, row["id"], format_utc(verdict.later), on_hold=False)

    def _hold(self, tx: Transaction, bundle: _Bundle) -> str | None:
        """Return until when a question has to wait for another one; close those it replaces."""
        kinds = {row["kind"] for row in bundle}
        if kinds <= {Kind.DOSE}:
            return None  # its time is now; the newest question is the one that is answered
        opened = requests.open_questions(tx, bundle[0]["phone"], tx.now)
        about = {row["about"] for row in bundle if row["about"] is not None}
        is_news = bool(kinds & _NEWS)
        replaced = [
            row for row in opened if row["about"] in about or (is_news and row["kind"] != Kind.DOSE)
        ]
        others = [row for row in opened if row not in replaced]
        if others and not is_news:
            return str(min(row["expires"] for row in others))
        requests.supersede(tx, [int(row["id"]) for row in replaced])
        return None

    # -- one text ---------------------------------------------------------------------------------

    def _say(self, tx: Transaction, bundle: _Bundle, now: dt.datetime, *, asks: bool) -> None:
        first = bundle[0]
        try:
            said = self._texts.compose(tx, bundle, asks=asks)
        except (LookupError, ValueError, TypeError) as error:
            self._cannot(tx, bundle, error)
            return
        since = format_utc(now - SAME_TEXT)
        if first["kind"] in CAPPED and requests.same_text(tx, first["phone"], said.text, since):
            for row in bundle:
                self._revoke(tx, row, "same-text")
            return
        try:
            accepted = self._intake.accept(tx, _draft(bundle, said.text))
        except RejectedError as error:
            for row in bundle:
                self._revoke(tx, row, error.reason)
            self._unreachable(tx, first, error.reason)
            return
        if accepted.state in (MessageState.REJECTED, MessageState.EXPIRED):
            why = accepted.error_code or accepted.state
            for row in bundle:
                self._revoke(tx, row, why)
                requests.refused(tx, row["id"], accepted.message_id, why)
            return
        self._note(tx, bundle, said, accepted.message_id, asks=asks)

    def _note(
        self, tx: Transaction, bundle: _Bundle, said: texts.Said, message_id: int, *, asks: bool
    ) -> None:
        for number, row in enumerate(bundle, start=1):
            requests.said(
                tx,
                row["id"],
                message_id,
                number if len(bundle) > 1 else None,
                asks=row["asks"] if asks else None,
                template=said.template,
            )
        ids = [row["id"] for row in bundle]
        events.add(tx, "request.said", message_id=message_id, requests=ids)
        kind = bundle[0]["kind"]
        tx.after_commit(lambda: log.debug("request.said", id=message_id, kind=kind, requests=ids))

    def _cannot(self, tx: Transaction, bundle: _Bundle, error: Exception) -> None:
        """Take back what cannot be put into words; the others go on."""
        for row in bundle:
            self._revoke(tx, row, "error")
        request, kind = bundle[0]["id"], bundle[0]["kind"]
        why = logs.masked(f"{type(error).__name__}: {error}")
        tx.after_commit(
            lambda: log.error("request.failed", key=("kind",), request=request, kind=kind, why=why)
        )

    def _revoke(self, tx: Transaction, row: Row, reason: str) -> None:
        requests.revoke(tx, [row["id"]], reason)
        request, kind = row["id"], Kind(row["kind"])
        events.add(tx, "request.revoked", request=request, kind=kind, why=reason)
        tx.after_commit(
            lambda: log.debug("request.revoked", request=request, kind=kind.value, why=reason)
        )
        if reason in ("expired", "too-late"):
            self._late[kind.value] += 1
        is_ahead = row["about_start"] is not None and row["about_start"] > tx.now
        if kind in MUST_BE_TOLD and reason in _UNHEARD and is_ahead:
            self._urgent(tx, row, reason)

    def _urgent(self, tx: Transaction, row: Row, reason: str) -> None:
        """Let a person tell what was not said: somebody would come for nothing."""
        note = f"{row['kind']} not told: {reason}"
        self._work.add(tx, _task(TaskCode.URGENT, row, note))

    def _unreachable(self, tx: Transaction, row: Row, reason: str) -> None:
        if row["kind"] not in ANSWERS and row["kind"] not in STAFF:
            self._work.add(tx, _task(TaskCode.UNREACHABLE, row, f"{row['kind']}: {reason}"))


def _may_grow(row: Row, unread: str) -> bool:
    """Tell whether a file that is being read may bring more that goes into the same text."""
    return row["kind"] in texts.FAMILIES and row["created_at"] >= unread


def _asks(row: Row) -> bool:
    """Tell whether a request still asks: who has answered is told, and not asked again."""
    is_answered = (
        row["kind"] == Kind.REMINDER and row["visit_response"] != Participation.NEEDS_ACTION
    )
    return row["asks"] is not None and not is_answered


def _task(code: TaskCode, row: Row, note: str) -> tasks.NewTask:
    return tasks.NewTask(
        code=code,
        phone=row["phone"],
        patient_id=row["patient_id"],
        about=row["about"],
        request_id=row["id"],
        note=note,
    )


def _draft(bundle: Sequence[Row], text: str) -> Draft:
    """Return the message of a text; it dies with the first of its requests."""
    first = bundle[0]
    is_stop = first["kind"] == Kind.STOP_ACK
    return Draft(
        recipient=first["phone"],
        text=text,
        source="clinic",
        reference=f"request:{first['id']}",
        # A STOP ends all texts but those to staff, and this one confirms it.
        category=Category.STAFF if is_stop else first["category"],
        priority=first["priority"],
        expires_at=min(row["expires"] for row in bundle),
    )
