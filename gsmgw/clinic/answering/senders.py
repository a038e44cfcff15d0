# SPDX-License-Identifier: Apache-2.0
"""Who writes or rings: senders that are never answered, and the patients of a phone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gsmgw import phone
from gsmgw.clock import parse_time
from gsmgw.config import Config
from gsmgw.store.clinic import people
from gsmgw.store.database import Row, Transaction

#: R18: a number with fewer digits is a service of the operator.
FEWEST_DIGITS = 7

#: A time of the network nearer to ours than this says nothing: clocks differ by minutes.
_SAME_TIME = dt.timedelta(minutes=15)
#: Service centres that take local time for UTC are off by whole half hours, and by what clocks
#: differ.
_ZONE_STEP, _ZONE_SLACK = dt.timedelta(minutes=30), dt.timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in from a number that may be answered."""

    row: Row  #: of the inbox
    phone: str
    patients: tuple[Row, ...]  #: of this phone; without those who have left, unless all have

    @property
    def inbox_id(self) -> int:
        """The inbox row."""
        return int(self.row["id"])

    @property
    def text(self) -> str:
        """What was written; empty for a call."""
        return str(self.row["text"] or "")

    @property
    def patient_id(self) -> str | None:
        """The patient, if the phone belongs to one only."""
        return str(self.patients[0]["id"]) if len(self.patients) == 1 else None

    @property
    def written_at(self) -> dt.datetime:
        """When it was written, as well as can be known.

        It may have waited in a modem while we were down; the network's time tells. That is not
        believed where it may be a clock or a zone that is wrong.
        """
        received = dt.datetime.fromisoformat(self.row["received_at"])
        if not self.row["service_centre_at"]:
            return received
        sent = parse_time(self.row["service_centre_at"], dt.UTC)
        age = received - sent
        beside = age % _ZONE_STEP
        is_zone = min(beside, _ZONE_STEP - beside) <= _ZONE_SLACK
        return received if age < _SAME_TIME or is_zone else sent


class Senders:
    """Tells who may be answered. Immutable; nothing blocks but the reading of patients."""

    def __init__(self, config: Config) -> None:
        """Read the numbers that are not answered from the configuration."""
        self._country = config.country
        self._never = {_folded(number, self._country) for number in config.replies.never}
        self._staff = {_folded(one.phone, self._country) for one in config.staff.values()}
        clinic = config.clinic
        sites = () if clinic is None else clinic.locations.values()
        phones = [clinic.phone] if clinic is not None else []
        phones += [site.phone for site in sites if site.phone]
        self._desks = {_folded(number, self._country) for number in phones}

    def why_not(self, sender: str) -> str:
        """Say why a sender is never answered (R18); "" if it may be."""
        if not sender:
            return "withheld"
        if _folded(sender, self._country) in self._never:
            return "never answered"
        digits = sender.removeprefix("+")
        if not (digits.isascii() and digits.isdecimal()):
            return "no number"
        if len(digits) < FEWEST_DIGITS:
            return "a short number"
        return "the clinic's own" if sender in self._desks else ""

    def is_staff(self, arrival: Arrival) -> bool:
        """Tell whether it comes from a person of the clinic who is no patient."""
        return arrival.phone in self._staff and not arrival.patients

    def arrival(self, tx: Transaction, row: Row) -> Arrival:
        """Return an inbox row with the patients of its phone."""
        found = people.on_phone(tx, row["sender"])
        present = [patient for patient in found if patient["active"]]
        return Arrival(row, str(row["sender"]), tuple(present or found))


def _folded(number: str, country: str) -> str:
    return phone.normalise_sender(number, country).casefold()
