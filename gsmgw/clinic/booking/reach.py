# SPDX-License-Identifier: Apache-2.0
"""Whether a patient may be written to, and if not, why.

The clinic's own word (`patient.consent`) and the patient's (a STOP, in table consent) are two: a
file that says yes never overrides a STOP.
"""

from __future__ import annotations

from gsmgw import phone
from gsmgw.config import Config
from gsmgw.model import Category
from gsmgw.store import consent
from gsmgw.store.database import Database, Row, Transaction

#: Which categories a STOP ends, by `replies.stop`; the same that intake enforces.
STOPPED: dict[str, tuple[Category, ...]] = {
    "all": (Category.CARE, Category.SURVEY, Category.MARKETING),
    "marketing": (Category.MARKETING,),
    "off": (),
}


class Reach:
    """Says what stands between a text and a patient. Immutable; one indexed look at most."""

    def __init__(self, config: Config) -> None:
        """Read which services are never written about, and what a STOP ends."""
        self._never = frozenset(word.casefold() for word in config.reminders.never_text)
        self._stops = STOPPED[config.replies.stop]

    def hindrance(
        self,
        tx: Database | Transaction,
        patient: Row,
        service: str | None = None,
        category: Category = Category.CARE,
    ) -> str | None:
        """Return why a patient is not written to; None: nothing stands against it.

        One of inactive, sensitive, no-phone, landline, no-consent, stopped.
        """
        if not patient["active"]:
            return "inactive"
        if self.is_sensitive(service):
            return "sensitive"
        if patient["phone"] is None:
            return "no-phone"
        if patient["phone_type"] == "landline":
            return "landline"
        if patient["consent"] == "deny":
            return "no-consent"
        return self._decided(tx, patient["phone"], category)

    def of_phone(
        self, tx: Database | Transaction, number: str, category: Category = Category.CARE
    ) -> str | None:
        """Return why a phone of nobody known is not written to: landline, no-consent, stopped."""
        if phone.is_landline(number):
            return "landline"
        return self._decided(tx, number, category)

    def is_sensitive(self, service: str | None) -> bool:
        """Tell whether nothing is ever said of such visits."""
        return service is not None and service.casefold() in self._never

    def _decided(self, tx: Database | Transaction, number: str, category: Category) -> str | None:
        if category == Category.STAFF:
            return None
        decision = consent.decision(tx, number, category)
        if decision == "deny" and category in self._stops:
            return "stopped"
        # Marketing wants a yes beforehand; the other categories end with a no.
        if category == Category.MARKETING and decision != "permit":
            return "no-consent"
        return None
