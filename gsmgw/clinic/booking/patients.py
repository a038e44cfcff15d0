# SPDX-License-Identifier: Apache-2.0
"""Patients as the clinic's files tell of them, and what a change of one means for what is planned.

A patient without a number of the clinic is known by phone and given name, so that two children on
one phone stay two.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass

from gsmgw import errors, phone
from gsmgw.clinic import plan
from gsmgw.clinic.booking import checking
from gsmgw.clinic.booking.reach import Reach
from gsmgw.clinic.booking.reconciling import Reconciler
from gsmgw.clinic.calendar import Calendar
from gsmgw.clinic.model import Kind, PatientRecord
from gsmgw.clock import format_utc
from gsmgw.config import Config
from gsmgw.errors import RefusedRecordError
from gsmgw.model import Category
from gsmgw.store import events
from gsmgw.store.clinic import people, planning, regimens, requests, visits
from gsmgw.store.database import Row, Transaction

#: What is said to a patient beside visits, and moves with the phone. Answers stay where they were
#: asked for.
_BESIDE_VISITS = (Kind.RESULTS, Kind.DOSE, Kind.TEXT)
#: A change of one of these changes who can be written to.
_REACH = frozenset({"phone", "phone_type", "consent", "active"})
#: What stands between two phones in one cell of a table.
_SEVERAL = re.compile(r"[,;|/\n]|\s(?:lub|oraz|albo|i|o|y|u|или|и|or|and|oder|und)\s")
_OWNERS = frozenset({"self", "guardian"})
#: So many phones, once read, are not read again when their records are taken.
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Known:
    """A patient as stored, after a record was applied."""

    row: Row
    requests: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The patient's number."""
        return str(self.row["id"])


class Patients:
    """Applies what files say of patients. Immutable; works in the caller's transaction."""

    def __init__(
        self, config: Config, calendar: Calendar, reach: Reach, reconciler: Reconciler
    ) -> None:
        """Read the country of national numbers, and whether new phones are greeted."""
        self._country = config.country
        self._greets = config.reminders.welcome
        self._calendar = calendar
        self._reach = reach
        self._reconciler = reconciler

    def take(
        self, tx: Transaction, record: PatientRecord, *, owner: str, known_as: str | None = None
    ) -> Known:
        """Add or change a patient, and replan what that touches.

        Args:
            tx: the transaction.
            record: what the file says; what it does not say stays.
            owner: whose record it is, for words of refusal: `visit 'A-1'`.
            known_as: the patient that a record without number is about, if its visit is known.

        Raises:
            RefusedRecordError: neither number nor phone, or a part that cannot be read.
        """
        values, warnings = self._values(record, owner)
        patient_id = self._id(record, values, owner, known_as)
        if record.merged_from is not None:
            self._merge(tx, record.merged_from.strip(), patient_id)
        old = people.get(tx, patient_id)
        if old is None:
            row = people.add(tx, patient_id, values)
            return Known(row, self._welcome(tx, row), warnings)
        changed = {key for key, value in values.items() if old[key] != value}
        if not changed:
            return Known(old, 0, warnings)
        people.put(tx, patient_id, values)
        found = people.get(tx, patient_id)
        if found is None:
            raise errors.StoreError("a patient that was just written is not there")
        added = self._follow(tx, old, found, changed)
        added += self._welcome(tx, found) if "phone" in changed else 0
        return Known(found, added, warnings)

    # -- reading ----------------------------------------------------------------------------------

    def read_phone(self, text: str) -> tuple[str | None, str | None, str | None]:
        """Return number and type (mobile, landline) of a phone, or None and a warning's code."""
        return _read_phone(text, self._country)

    def _values(
        self, record: PatientRecord, owner: str
    ) -> tuple[dict[str, object], tuple[str, ...]]:
        """Return the columns that a record fills, and what is wrong with it all the same."""
        values: dict[str, object] = {}
        warning = None
        if record.phone is not None:
            values["phone"], values["phone_type"], warning = self.read_phone(record.phone)
        given = {
            "given": checking.name(record.given, owner, "first") or None,
            "family": checking.name(record.family, owner, "last") or None,
            "language": checking.language(record.language),
            "birth_date": (record.birth_date or "").strip() or None,
            "gender": (record.gender or "").strip().lower() or None,
            "phone_of": record.phone_of if record.phone_of in _OWNERS else None,
            "consent": {True: "permit", False: "deny", None: None}[record.consent],
            "active": None if record.active is None else int(record.active),
        }
        values |= {key: value for key, value in given.items() if value is not None}
        return values, () if warning is None else (warning,)

    def _id(
        self, record: PatientRecord, values: dict[str, object], owner: str, known_as: str | None
    ) -> str:
        if record.id is not None and record.id.strip():
            return checking.number(record.id, f"the patient of {owner}", "patient")
        if known_as is not None:
            return known_as
        number, given = values.get("phone"), values.get("given")
        if number is None:
            raise RefusedRecordError(
                f"{owner}: the patient has neither a number (patient) nor a phone that can be read;"
                " one of the two is needed",
                "patient",
            )
        return f"{number}/{checking.same_name(str(given))}" if given else str(number)

    # -- what follows -----------------------------------------------------------------------------

    def _follow(self, tx: Transaction, old: Row, new: Row, changed: set[str]) -> int:
        """Replan what a change of a patient touches; return how many texts came to it."""
        if not changed & _REACH:
            return 0
        events.add(tx, "person.changed", patient=new["id"], what=",".join(sorted(changed & _REACH)))
        if "phone" in changed and old["phone"] is not None:
            # Whoever has the old phone now: their word is not this patient's.
            planning.close_questions(tx, new["id"], old["phone"])
        self._follow_beside_visits(tx, new)
        ahead = visits.ahead_of_patient(tx, new["id"], tx.now)
        return sum(self._reconciler.replan(tx, visit["id"]) for visit in ahead)

    def _follow_beside_visits(self, tx: Transaction, patient: Row) -> None:
        for row in planning.waiting_beside_visits(tx, patient["id"], _BESIDE_VISITS):
            reason = self._reach.hindrance(tx, patient, category=Category(row["category"]))
            if reason is not None:
                requests.revoke(tx, [row["id"]], reason)
            elif row["phone"] != patient["phone"]:
                planning.readdress(tx, row["id"], patient["phone"], patient["id"], row["asks"])
        regimens.plan_anew(tx, patient["id"])

    def _welcome(self, tx: Transaction, patient: Row) -> int:
        """Greet a phone that is new to us, once."""
        if not self._greets or self._reach.hindrance(tx, patient) is not None:
            return 0
        due = self._calendar.next_allowed(dt.datetime.fromisoformat(tx.now))
        new = requests.NewRequest(
            kind=Kind.WELCOME,
            phone=patient["phone"],
            due=format_utc(due),
            expires=format_utc(plan.expiry(Kind.WELCOME, due, None)),
            same_as=f"welcome:{patient['phone']}",
            patient_id=patient["id"],
        )
        return int(requests.add(tx, new) is not None)

    def _merge(self, tx: Transaction, old_id: str, new_id: str) -> None:
        """Let one patient take the place of another: visits, texts and work go with them."""
        old = people.get(tx, old_id)
        if old is None or old_id == new_id:
            return
        if people.get(tx, new_id) is None:
            people.add(tx, new_id, {name: old[name] for name in people.COLUMNS})
        planning.patient_becomes(tx, old_id, new_id)
        events.add(tx, "person.merged", patient=new_id, replaces=old_id)
        for visit in visits.ahead_of_patient(tx, new_id, tx.now):
            self._reconciler.replan(tx, visit["id"])
        survivor = people.get(tx, new_id)
        if survivor is not None:
            self._follow_beside_visits(tx, survivor)


@functools.lru_cache(maxsize=_REMEMBERED)
def _read_phone(text: str, country: str) -> tuple[str | None, str | None, str | None]:
    if not text.strip():
        return None, None, None
    found = _number(text, country)
    if found is None:
        # Several phones in one cell: the first mobile of them, else the first.
        several = [one for part in _SEVERAL.split(text) if (one := _number(part, country))]
        mobiles = [one for one in several if not phone.is_landline(one)]
        found = next(iter(mobiles + several), None)
    if found is None:
        return None, None, "bad-number"
    return found, "landline" if phone.is_landline(found) else "mobile", None


def _number(text: str, country: str) -> str | None:
    try:
        found = phone.parse_recipient(text, country=country)
    except errors.BadNumberError:
        return None
    return found if found.startswith("+") else None  # a short code is nobody's phone
