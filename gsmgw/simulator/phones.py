# SPDX-License-Identifier: Apache-2.0
"""The phones at the other end: they put long texts together and write back by simple rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gsmgw import pdu
from gsmgw.simulator import books, plan


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message in a phone."""

    text: str | None
    data: str | None  #: hex
    parts: int


@dataclass(slots=True)
class Phone:
    """One phone."""

    layout: plan.PhonePlan
    unreachable: bool = False
    #: deliveries to make when the phone is switched on
    waiting: list[Callable[[], None]] = field(default_factory=list)
    _parts: dict[tuple[str, int, int], dict[int, pdu.Deliver]] = field(default_factory=dict)
    _answered: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unreachable = self.layout.unreachable

    def take(self, deliver: bytes) -> Message | None:
        """Take a part; return the message when it is whole, None before."""
        part = pdu.decode(deliver)
        if not isinstance(part, pdu.Deliver):
            return Message(None, deliver.hex().upper(), 1)
        if part.concat is None:
            text, octets = books.describe_content(part)
            return Message(text, octets, 1)
        key = (part.sender.digits, part.concat.ref, part.concat.total)
        parts = self._parts.setdefault(key, {})
        parts[part.concat.number] = part
        if len(parts) < part.concat.total:
            return None
        del self._parts[key]
        return _join(list(parts.values()))

    def answer_to(self, text: str) -> plan.AnswerRule | None:
        """Return the first rule that fits and is not used up, and count its use."""
        for place, rule in enumerate(self.layout.answers):
            used = self._answered.get(place, 0)
            if rule.times is not None and used >= rule.times:
                continue
            if rule.contains is None or rule.contains.casefold() in text.casefold():
                self._answered[place] = used + 1
                return rule
        return None


def _join(parts: list[pdu.Deliver]) -> Message:
    if all(part.text is not None for part in parts):
        return Message(pdu.join_texts(parts), None, len(parts))
    ordered = sorted(parts, key=lambda part: part.concat.number if part.concat else 0)
    octets = b"".join(part.data or b"" for part in ordered)
    return Message(None, octets.hex().upper(), len(parts))
