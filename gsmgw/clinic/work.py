# SPDX-License-Identifier: Apache-2.0
"""Work for people of the clinic: a task is made, those who see to such tasks are told by SMS.

Who is told: each member of `staff` whose `gets` names the code; within their hours at once, else
when they begin. Who has a digest is spared what came while they were away: it tells at its hour
what is open, in one text.
"""

from __future__ import annotations

import collections
import datetime as dt
import functools
from dataclasses import dataclass

from gsmgw import errors, logs, phone
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, TaskCode, TaskStatus
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.config.clinic import StaffMember
from gsmgw.model import Category, Priority
from gsmgw.store import events
from gsmgw.store.clinic import requests, tasks
from gsmgw.store.database import Database, Transaction

log = logs.get("clinic")

#: A notice that could not be sent for so long is left to the list of tasks and the next digest.
NOTICE_FOR = dt.timedelta(hours=24)
#: So many notices one phone gets in an hour: after a day without network all visits may be work,
#: and the list of tasks has them all.
NOTICES_AN_HOUR = 10
#: A digest is sent so long after its hour, if nobody ran then.
DIGEST_FOR = dt.timedelta(hours=4)
#: A digest so soon after people begin tells them early enough.
SOON = dt.timedelta(hours=1)
#: Codes in the order in which a digest names them.
ORDER = (
    TaskCode.URGENT,
    TaskCode.CALLBACK,
    TaskCode.RESCHEDULE,
    TaskCode.UNREACHABLE,
    TaskCode.REVIEW,
    TaskCode.STOPPED,
    TaskCode.UNCERTAIN,
)
_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
#: Nobody's hours leave out more days than this.
_DAYS_AHEAD = 400


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    number: str  #: E.164
    keys: StaffMember


class Work:
    """Makes and closes tasks. Immutable but for what it remembers of digests; one thread each."""

    def __init__(self, config: Config, calendar: Calendar) -> None:
        """Read who is told of what.

        Raises:
            ConfigError: a member of staff has a phone that is none.
        """
        self._calendar = calendar
        self._closed = config.clinic.closed if config.clinic else frozenset()
        self._members = _members(config)
        self._looked: set[str] = set()

    def add(self, tx: Transaction, new: tasks.NewTask) -> tasks.Made:
        """Make a task within the caller's transaction, and tell those who see to it.

        An open task for the same phone and visit counts one more attempt; nobody is told again.
        """
        made = tasks.add(tx, new)
        if not made.is_new:
            events.add(tx, "task.repeated", task=made.task_id, code=new.code)
            return made
        events.add(tx, "task.made", task=made.task_id, code=new.code)
        told = self._tell(tx, made.task_id, new.code)
        tx.after_commit(
            lambda: log.info(
                "task.made",
                routine="tasks made",
                task=made.task_id,
                code=new.code,
                told=",".join(told) or None,
            )
        )
        return made

    def close(
        self,
        tx: Transaction,
        task_id: int,
        *,
        who: str,
        outcome: str,
        status: TaskStatus = TaskStatus.COMPLETED,
    ) -> bool:
        """Close an open task; False if it is closed already, or not there.

        Args:
            tx: the caller's transaction.
            task_id: which one.
            who: who did it; it becomes the task's owner.
            outcome: what came of it, in their words.
            status: completed, or cancelled where nothing had to be done any more.
        """
        if not tasks.close(tx, task_id, status, who, outcome):
            return False
        events.add(tx, "task.closed", task=task_id, who=who, status=status)
        tx.after_commit(
            lambda: log.info(
                "task.closed", routine="tasks closed", task=task_id, status=status.value
            )
        )
        return True

    # -- telling ----------------------------------------------------------------------------------

    def _tell(self, tx: Transaction, task_id: int, code: str) -> list[str]:
        now = dt.datetime.fromisoformat(tx.now)
        told = []
        for member in self._members:
            at = self._notice_at(member, now) if code in member.keys.gets else None
            if at is None:
                continue
            since = format_utc(now - _HOUR)
            if requests.count_notices(tx, member.number, Kind.STAFF_TASK, since) >= NOTICES_AN_HOUR:
                tx.after_commit(functools.partial(_tell_held, member.name))
                continue
            told.append(member.name)
            requests.add(
                tx,
                requests.NewRequest(
                    kind=Kind.STAFF_TASK,
                    phone=member.number,
                    due=format_utc(at),
                    expires=format_utc(at + NOTICE_FOR),
                    same_as=f"staff:{task_id}:{member.name}",
                    category=Category.STAFF,
                    priority=Priority.URGENT if code == TaskCode.URGENT else Priority.ROUTINE,
                    details={"task": task_id, "staff": member.name},
                ),
            )
        return told

    def _notice_at(self, member: _Member, now: dt.datetime) -> dt.datetime | None:
        """Return when a member is told of a task; None: their digest will."""
        begins = self._begins(member, now)
        if begins > now and member.keys.digest is not None:
            digest = self._next_digest(member.keys.digest, now)
            if digest <= begins + SOON:
                return None
        return begins

    def _begins(self, member: _Member, now: dt.datetime) -> dt.datetime:
        """Return the first moment, not before now, at which a member wants to be told."""
        hours = member.keys.hours
        if hours is None:
            return now
        local = self._calendar.local(now)
        for _ in range(_DAYS_AHEAD):
            local = hours.next_allowed(local)
            if local.date() not in self._closed:
                break
            local = dt.datetime.combine(local.date() + _DAY, dt.time(), local.tzinfo)
        return local.astimezone(dt.UTC)

    def _next_digest(self, clock: dt.time, now: dt.datetime) -> dt.datetime:
        day = self._calendar.local(now).date() - _DAY
        while True:
            day = self._calendar.working_day_after(day)
            at = self._calendar.moment(day, clock)
            if at > now:
                return at

    def language(self, name: str) -> str | None:
        """Return the language in which a member of staff is written to; None: the clinic's."""
        return next((one.keys.language for one in self._members if one.name == name), None)

    # -- digests ----------------------------------------------------------------------------------

    def digests(self, db: Database) -> int:
        """Ask for the digests whose hour has come; return how many. Costs nothing at other hours.

        Blocks for a commit where there is one.
        """
        now = db.clock.now()
        day = self._calendar.local(now).date()
        made = 0
        for member in self._members:
            key = f"digest:{member.name}:{day.isoformat()}"
            if member.keys.digest is None or key in self._looked:
                continue
            at = self._calendar.moment(day, member.keys.digest)
            if not at <= now < at + DIGEST_FOR:
                continue
            if self._calendar.working_day_after(day - _DAY) == day:
                made += self._digest(db, member, key, at)
            # Not before it is on disk: a store that is full is tried again.
            self._looked = {one for one in self._looked if one.endswith(day.isoformat())} | {key}
        return made

    def _digest(self, db: Database, member: _Member, key: str, at: dt.datetime) -> bool:
        with db.write() as tx:
            counts = collections.Counter(row["code"] for row in tasks.open_tasks(tx))
            listed = {
                code.value: counts[code]
                for code in ORDER
                if code in member.keys.gets and counts[code]
            }
            if not listed:
                return False
            request = requests.NewRequest(
                kind=Kind.DIGEST,
                phone=member.number,
                due=tx.now,
                expires=format_utc(at + DIGEST_FOR),
                same_as=key,
                category=Category.STAFF,
                details={"counts": listed, "staff": member.name},
            )
            return requests.add(tx, request) is not None


def _tell_held(name: str) -> None:
    log.warning("notice.held", key=("staff",), staff=name, most=NOTICES_AN_HOUR)


def _members(config: Config) -> tuple[_Member, ...]:
    members, problems = [], []
    for name, keys in config.staff.items():
        try:
            number = phone.parse_recipient(keys.phone, country=config.country)
        except errors.BadNumberError as error:
            problems.append(f"staff.{name}.phone: {error}")
            continue
        members.append(_Member(name, number, keys))
    if problems:
        raise errors.ConfigError("staff is wrong:\n" + "\n".join(problems), tuple(problems))
    return tuple(members)
