# SPDX-License-Identifier: Apache-2.0
"""The card and the message memories of a simulated modem: what survives a loss of power."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Stat(IntEnum):
    """Status of a stored message (3GPP 27.005 3.1)."""

    REC_UNREAD = 0
    REC_READ = 1
    STO_UNSENT = 2
    STO_SENT = 3


@dataclass(slots=True)
class Stored:
    """One message in a memory."""

    pdu: str  #: hex with service centre address
    stat: Stat
    filler: bool = False  #: put there by the fault sim-full


class Memory:
    """Numbered slots; the lowest free number is used first, as real cards do."""

    def __init__(self, name: str, capacity: int, *, first: int = 1) -> None:
        self.name = name
        self.capacity = capacity
        self.first = first  #: SIMCom counts from 1, Huawei from 0
        self.slots: dict[int, Stored] = {}

    @property
    def used(self) -> int:
        """How many slots are taken."""
        return len(self.slots)

    @property
    def is_full(self) -> bool:
        """Whether nothing more goes in."""
        return self.used >= self.capacity

    def has(self, index: int) -> bool:
        """Whether there is a slot of this number, taken or free."""
        return self.first <= index < self.first + self.capacity

    def add(self, pdu: str, stat: Stat, *, filler: bool = False) -> int | None:
        """Store a message and return its index, None when the memory is full."""
        for index in range(self.first, self.first + self.capacity):
            if index not in self.slots:
                self.slots[index] = Stored(pdu, stat, filler)
                return index
        return None


@dataclass(slots=True)
class Card:
    """A SIM."""

    number: str  #: E.164, what others see as the sender
    imsi: str
    iccid: str
    pin: str | None  #: asked for after every power-up; None: never
    puk: str = "12345678"
    pin_tries: int = 3
    puk_tries: int = 10
    last_mr: int = 255  #: EF_SMSS: the reference used last, so that the first is 0
    service_centre: str = ""
    is_present: bool = True
    sms: Memory = field(default_factory=lambda: Memory("SM", 20))

    def next_reference(self) -> int:
        """Count the TP-MR on, as the phone does when it submits (3GPP 23.040 9.2.3.6)."""
        self.last_mr = (self.last_mr + 1) % 256
        return self.last_mr
