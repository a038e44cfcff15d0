# SPDX-License-Identifier: Apache-2.0
"""The pretend operator: takes submits, delivers them after a while, reports what became of them.

Theory of operation: a submit is judged at once (`submit`) and then carried to its recipient, which
is a phone or another modem of the park. Everything on its way to a modem, messages and status
reports alike, waits in one queue for each modem. The modem takes it, or does not (no network, no
power, memory full, no acknowledgement); then the network tries again after `retry`, and at once
when the modem says that it is ready again.

Loop thread only, but for the functions that say otherwise.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gsmgw import errors, pdu
from gsmgw.simulator import books, loop, phones, plan, relay

#: TP-ST: delivered; still trying because the phone does not answer; validity over.
_DELIVERED = 0x00
_NO_RESPONSE = 0x22
_EXPIRED = 0x46


@dataclass(slots=True)
class Arrival:
    """Something for a modem."""

    pdu: bytes  #: with service centre address
    is_report: bool
    message_class: int | None
    record: books.Incoming | books.Report
    on_taken: Callable[[], None] | None = None

    @property
    def tpdu_octets(self) -> int:
        """Octets without the service centre address, as AT answers count them."""
        return len(self.pdu) - 1 - self.pdu[0]


class Subscriber(Protocol):
    """What the network knows of a modem."""

    @property
    def name(self) -> str:
        """The modem's name."""

    @property
    def number(self) -> str:
        """The number of its SIM."""

    @property
    def reports(self) -> bool:
        """Whether status reports are made for its SIM."""

    @property
    def is_reachable(self) -> bool:
        """Whether it is switched on and registered."""

    def take(self, arrival: Arrival, done: Callable[[bool], None]) -> None:
        """Give it the arrival; it calls `done` once, now or later, with whether it has it."""

    def ring(self, number: str | None, rings: int, every_s: float) -> None:
        """Call it."""


@dataclass(slots=True)
class _Way:
    """What is on its way to one modem."""

    modem: Subscriber
    waiting: deque[Arrival]
    in_progress: bool = False
    retry: loop.Timer | None = None


@dataclass(slots=True)
class _Carried:
    """A part on its way from a modem to its recipient."""

    sender: Subscriber
    tpdu: bytes
    submit: pdu.DecodedSubmit
    mr: int
    taken_at: dt.datetime


class Network:
    """The operator."""

    def __init__(self, layout: plan.NetworkPlan, owner: loop.Loop, ledger: books.Books) -> None:
        self.layout = layout
        self._loop = owner
        self._books = ledger
        self._ways: dict[str, _Way] = {}
        self._phones: dict[str, phones.Phone] = {}
        self._reference = 0

    def add_modem(self, modem: Subscriber) -> None:
        """Give a modem a subscription."""
        self._ways[modem.name] = _Way(modem, deque())

    def add_phone(self, layout: plan.PhonePlan) -> None:
        """Put a phone with its own ways into the world."""
        self._phones[layout.number] = phones.Phone(layout)

    def local_time(self) -> dt.datetime:
        """Return the service centre's time, in its zone."""
        ahead = dt.timedelta(seconds=self.layout.clock_offset_s)
        return (self._books.wall() + ahead).astimezone(self.layout.time_zone)

    # -- for any thread ------------------------------------------------------------------------

    def receive(
        self,
        sender: str,
        modem: str,
        text: str = "",
        *,
        data: bytes | None = None,
        flash: bool = False,
        message_class: int | None = None,
        udh: bytes = b"",
        pid: int = 0,
        wide: bool | None = None,
        raw: str | None = None,
    ) -> None:
        """Send a message to a modem (its name or number), a long text in several parts.

        `data` makes it 8-bit data in one part; `raw` is a PDU in hex with service centre address
        that is delivered as it stands, broken or not. Callable from any thread.

        Raises:
            GsmgwError: there is no such modem, or the message cannot be encoded.
        """
        kind = 0 if flash else message_class
        use_wide = self.layout.wide_references if wide is None else wide

        def send() -> None:
            way = self._way(modem)
            if raw is not None:
                self._enqueue(way, self._arrival(way, sender, bytes.fromhex(raw)))
                return
            for part in self._parts(sender, text, data, kind, udh, pid, wide=use_wide):
                self._enqueue(way, self._arrival(way, sender, pdu.encode_deliver(part)))

        self._loop.call(send)

    def call(self, number: str | None, modem: str, rings: int = 3, *, every_s: float = 3.0) -> None:
        """Call a modem and give up after so many rings; None withholds the number. Any thread.

        Raises:
            GsmgwError: there is no such modem.
        """
        self._loop.call(lambda: self._way(modem).modem.ring(number, rings, every_s))

    def set_reachable(self, number: str, *, reachable: bool) -> None:
        """Switch a phone on or off; what waited for it is delivered. Callable from any thread."""

        def switch() -> None:
            phone = self._phone(number)
            phone.unreachable = not reachable
            if reachable:
                waiting, phone.waiting = list(phone.waiting), []
                for deliver in waiting:
                    deliver()

        self._loop.call(switch)

    # -- from modems ---------------------------------------------------------------------------

    def judge(self, submit: pdu.DecodedSubmit) -> int | None:
        """Return the CMS code with which a submit is refused, None where it is taken."""
        phone = self._phones.get(submit.recipient.digits)
        return None if phone is None else phone.layout.refuse

    def carry(self, sender: Subscriber, tpdu: bytes, submit: pdu.DecodedSubmit, mr: int) -> None:
        """Carry a taken submit to its recipient."""
        phone = self._phones.get(submit.recipient.digits)
        delay_s = phone.layout.delivery_s if phone is not None else None
        if delay_s is None:
            delay_s = self.layout.delivery_s
        carried = _Carried(sender, tpdu, submit, mr, self.local_time())
        self._loop.after(delay_s, lambda: self._reach(carried))

    def ready(self, name: str) -> None:
        """Hear that a modem can take messages (again): registered, or memory has become free."""
        way = self._ways[name]
        if way.retry is not None:
            way.retry.cancel()
            way.retry = None
        self._loop.after(0.0, lambda: self._hand_over(way))

    # -- carrying ------------------------------------------------------------------------------

    def _reach(self, carried: _Carried) -> None:
        recipient = carried.submit.recipient.digits
        deliver = relay.deliver_from_submit(
            carried.tpdu,
            sender=carried.sender.number,
            service_centre=self.layout.service_centre,
            service_centre_at=carried.taken_at,
        )
        for way in self._ways.values():
            if way.modem.number == recipient:
                arrival = self._arrival(way, carried.sender.number, deliver)
                arrival.on_taken = lambda: self._report(carried, _DELIVERED)
                self._enqueue(way, arrival)
                return
        phone = self._phone(recipient)
        if phone.unreachable:
            self._report(carried, _NO_RESPONSE)
            self._hold(phone, carried, deliver)
        else:
            self._arrive(phone, carried, deliver)

    def _hold(self, phone: phones.Phone, carried: _Carried, deliver: bytes) -> None:
        """Keep a part until the phone is switched on or its validity is over."""

        def wake() -> None:
            if expiry is not None:
                expiry.cancel()
            self._arrive(phone, carried, deliver)

        def expire() -> None:
            phone.waiting.remove(wake)
            self._report(carried, _EXPIRED)

        expiry: loop.Timer | None = None
        if carried.submit.validity is not None:
            left_s = pdu.validity_seconds(carried.submit.validity)
            expiry = self._loop.after(left_s, expire)
        phone.waiting.append(wake)

    def _arrive(self, phone: phones.Phone, carried: _Carried, deliver: bytes) -> None:
        status = phone.layout.status
        if status is None or status < 0x20:
            message = phone.take(deliver)
            if message is not None:
                self._enter(phone, carried, message)
        self._report(carried, _DELIVERED if status is None else status)

    def _enter(self, phone: phones.Phone, carried: _Carried, message: phones.Message) -> None:
        delivered = books.Delivered(
            at=self._books.now(),
            recipient=phone.layout.number,
            sender=carried.sender.number,
            text=message.text,
            data=message.data,
            parts=message.parts,
            arrived_at=self._books.monotonic(),
        )
        self._books.add(delivered)
        self._books.tell(
            "delivered", recipient=delivered.recipient, text=message.text, parts=message.parts
        )
        rule = phone.answer_to(message.text or "")
        if rule is not None:
            number, modem = phone.layout.number, carried.sender.name
            self._loop.after(rule.after_s, lambda: self.receive(number, modem, rule.text))

    def _report(self, carried: _Carried, status: int) -> None:
        wanted = carried.submit.report and carried.sender.reports and self.layout.reports
        if wanted:
            self._loop.after(self.layout.report_s, lambda: self._make_report(carried, status))

    def _make_report(self, carried: _Carried, status: int) -> None:
        recipient = carried.submit.recipient
        if self.layout.report_numbers == "short" and len(recipient.digits) > 9:
            recipient = pdu.make_address(recipient.digits[-9:])
        report = pdu.StatusReport(
            mr=carried.mr,
            recipient=recipient,
            service_centre_at=carried.taken_at,
            discharged_at=self.local_time(),
            status=status,
            service_centre=self.layout.service_centre,
        )
        octets = pdu.encode_status_report(report)
        record = books.Report(
            at=self._books.now(),
            modem=carried.sender.name,
            mr=carried.mr,
            recipient=recipient.digits,
            status=status,
            pdu=octets.hex().upper(),
        )
        self._books.add(record)
        told = {"mr": record.mr, "recipient": record.recipient, "status": status}
        self._books.tell("report", modem=record.modem, **told)
        way = self._ways[carried.sender.name]
        self._enqueue(way, Arrival(octets, is_report=True, message_class=None, record=record))

    # -- towards modems ------------------------------------------------------------------------

    def _parts(
        self,
        sender: str,
        text: str,
        data: bytes | None,
        message_class: int | None,
        udh: bytes,
        pid: int,
        *,
        wide: bool,
    ) -> list[pdu.Deliver]:
        def make(segment: pdu.Segment | None, concat: pdu.Concat | None) -> pdu.Deliver:
            return pdu.Deliver(
                sender=pdu.make_address(sender),
                text=None if segment is None else segment.text,
                data=data if segment is None else None,
                alphabet=pdu.Alphabet.DATA if segment is None else segment.alphabet,
                pid=pid,
                message_class=message_class,
                concat=concat,
                udh=udh,
                service_centre_at=self.local_time(),
                service_centre=self.layout.service_centre,
            )

        if data is not None:
            return [make(None, None)]
        segments = pdu.segment(text, header_octets=len(udh))
        if len(segments) == 1:
            return [make(segments[0], None)]
        if wide:  # the reference takes one octet more than the one that segments leave room for
            segments = pdu.segment(text, header_octets=len(udh) + 1)
        self._reference = (self._reference + 1) % (65536 if wide else 256)
        return [
            make(segment, pdu.Concat(self._reference, len(segments), number, wide=wide))
            for number, segment in enumerate(segments, 1)
        ]

    def _arrival(self, way: _Way, sender: str, octets: bytes) -> Arrival:
        decoded = pdu.decode(octets)
        text = decoded.text if isinstance(decoded, pdu.Deliver) else None
        record = books.Incoming(
            at=self._books.now(),
            modem=way.modem.name,
            sender=sender,
            text=text,
            pdu=octets.hex().upper(),
        )
        self._books.add(record)
        kind = decoded.message_class if isinstance(decoded, pdu.Deliver) else None
        return Arrival(octets, is_report=False, message_class=kind, record=record)

    def _enqueue(self, way: _Way, arrival: Arrival) -> None:
        way.waiting.append(arrival)
        self._hand_over(way)

    def _hand_over(self, way: _Way) -> None:
        if way.in_progress or way.retry is not None or not way.waiting:
            return
        if not way.modem.is_reachable:
            return  # it says so when it is back
        way.in_progress = True
        arrival = way.waiting[0]
        if isinstance(arrival.record, books.Incoming):
            arrival.record.tries += 1
            self._books.touch()
        way.modem.take(arrival, lambda has_it: self._taken(way, arrival, has_it=has_it))

    def _taken(self, way: _Way, arrival: Arrival, *, has_it: bool) -> None:
        way.in_progress = False
        if not has_it:
            way.retry = self._loop.after(self.layout.retry_s, lambda: self._try_again(way))
            return
        way.waiting.popleft()
        arrival.record.received_at = self._books.monotonic()
        if isinstance(arrival.record, books.Incoming):
            record = arrival.record
            self._books.tell("incoming", modem=record.modem, sender=record.sender, text=record.text)
        else:
            self._books.tell("report-received", modem=way.modem.name, mr=arrival.record.mr)
        if arrival.on_taken is not None:
            arrival.on_taken()
        if way.waiting:
            self._loop.after(0.0, lambda: self._hand_over(way))

    def _try_again(self, way: _Way) -> None:
        way.retry = None
        self._hand_over(way)

    def _phone(self, number: str) -> phones.Phone:
        if number not in self._phones:
            self._phones[number] = phones.Phone(plan.PhonePlan(number))
        return self._phones[number]

    def _way(self, modem: str) -> _Way:
        for way in self._ways.values():
            if modem in (way.modem.name, way.modem.number):
                return way
        raise errors.GsmgwError(f"there is no modem {modem!r}; there are {', '.join(self._ways)}")
