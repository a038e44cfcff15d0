# SPDX-License-Identifier: Apache-2.0
"""What is wrong or unwise in a configuration beyond single values: how its keys fit together.

Works on what the file says, not on checked values, so that these mistakes are named together
with all others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gsmgw import phone
from gsmgw.config import values
from gsmgw.config.model import Retry
from gsmgw.config.reading import Document, Place, Value
from gsmgw.errors import BadNumberError

#: What modems speak; anything else is either a typing error or very special.
USUAL_BAUDRATES = ("9600", "19200", "38400", "57600", "115200", "230400", "460800", "921600")

_BY_NUMBER = re.compile(r"/dev/tty(USB|ACM)\d+")
_SHORTEST_RESULT_S = 30.0
#: Keys that other gateways know too, and that change nothing here.
_WITHOUT_EFFECT = {
    ("calls", "window"): "gsmgw does not dial, so no hours bind it; the key has no effect",
    ("waitlist",): (
        "freed slots are not offered to a waiting list by this gsmgw; the keys have no effect"
    ),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a place in the file."""

    place: Place
    words: str


def find_conflicts(document: Document) -> list[Remark]:
    """Return the mistakes that no single value shows."""
    remarks: list[Remark] = []
    for place, modem in _modems(document):
        remarks.extend(_device_conflicts(place, modem))
    for key, what in ((("name",), "name"), (("port",), "port"), (("match", "imei"), "IMEI")):
        remarks.extend(_doubles(document, key, what))
    remarks.extend(_alike(document))
    remarks.extend(_retry_conflict(document))
    remarks.extend(_alarm_conflict(document))
    remarks.extend(_number_conflict(document))
    return remarks


def find_unwise(document: Document) -> list[Remark]:
    """Return what is allowed but most likely not meant; only for a file without mistakes."""
    remarks: list[Remark] = []
    for place, modem in _modems(document):
        remarks.extend(
            Remark((*place, *key), words) for key, judge in _UNWISE for words in judge(modem)
        )
    if not any(True for _ in _modems(document)):
        remarks.append(Remark((), "there is no modem, so nothing can be sent or received"))
    if _is_switched(_at(document.value, "logs", "private"), on=True):
        words = "patients' numbers and texts appear in the log; keep it off outside a bench"
        remarks.append(Remark(("logs", "private"), words))
    remarks.extend(_judge_alarms(document))
    remarks.extend(
        Remark(place, words)
        for place, words in _WITHOUT_EFFECT.items()
        if _at(document.value, *place) is not None
    )
    remarks.extend(_judge_retention(document))
    return remarks


def _judge_retention(document: Document) -> Iterator[Remark]:
    text, person = (_seconds(document, "retention", key) for key in ("text", "person"))
    if text is not None and person is not None and text > person:
        words = "texts are to be kept longer than the person they belong to"
        yield Remark(("retention", "text"), words)
    if person is None and _at(document.value, "clinic") is not None:
        yield Remark(
            ("retention",) if text is not None else (),
            "there is no retention.person, so what is known of patients is kept for ever",
        )


def _device_conflicts(place: Place, modem: dict[str, Value]) -> Iterator[Remark]:
    has_port, has_match = bool(modem.get("port")), bool(modem.get("match"))
    if has_port and has_match:
        yield Remark((*place, "match"), "found port and match; allowed is one of them")
    if not has_port and not has_match:
        yield Remark(
            place,
            "it must be said which device this is: port: /dev/serial/by-id/..., or"
            ' match: {imei: "..."} or match: {usb: "12d1:1506"}',
        )


def _retry_conflict(document: Document) -> Iterator[Remark]:
    defaults = Retry()
    first = _seconds(document, "sending", "retry", "first") or defaults.first
    longest = _seconds(document, "sending", "retry", "longest") or defaults.longest
    if first > longest:
        shown = values.format_duration(longest)
        words = f"the first pause is longer than the longest one, which is {shown}"
        yield Remark(("sending", "retry", "first"), words)


def _alarm_conflict(document: Document) -> Iterator[Remark]:
    wished = _at(document.value, "alarms", "sms", "modem")
    names = [modem.get("name") for _, modem in _modems(document)]
    if isinstance(wished, str) and wished not in names:
        words = f"found {wished!r}; allowed is the name of a modem in modems"
        yield Remark(("alarms", "sms", "modem"), words)
    to = _at(document.value, "alarms", "sms", "to")
    country = _at(document.value, "country") or "PL"
    for number in to if isinstance(to, list) else [to]:
        yield from _judge_number(("alarms", "sms", "to"), number, country)


def _number_conflict(document: Document) -> Iterator[Remark]:
    country = _at(document.value, "country") or "PL"
    for place, modem in _modems(document):
        yield from _judge_number((*place, "number"), modem.get("number"), country)
    if _at(document.value, "selftest", "at") and not any(
        modem.get("number") for _, modem in _modems(document)
    ):
        words = "no modem has its own number (modems.number), so none can write to itself"
        yield Remark(("selftest", "at"), words)


def _judge_number(place: Place, number: Value | None, country: Value) -> Iterator[Remark]:
    if isinstance(number, str) and number and isinstance(country, str):
        try:
            phone.parse_recipient(number, country=country.strip().upper())
        except BadNumberError as error:
            yield Remark(place, str(error))


def _judge_alarms(document: Document) -> Iterator[Remark]:
    by_sms = _at(document.value, "alarms", "sms", "to")
    count = sum(1 for _ in _modems(document))
    if by_sms and not _at(document.value, "alarms", "hook") and count == 1:
        words = "nobody hears by SMS of the only modem's own trouble; a second one, or alarms.hook"
        yield Remark(("alarms", "sms"), words)


def _doubles(document: Document, key: tuple[str, ...], what: str) -> Iterator[Remark]:
    places = defaultdict[str, list[Place]](list)
    for place, modem in _modems(document):
        found = _at(modem, *key)
        if isinstance(found, str) and found:
            places[found].append((*place, *key))
    for found, doubles in places.items():
        for place in doubles[1:]:
            first = document.line(*doubles[0])
            yield Remark(place, f"{what} {found!r} belongs to the modem on line {first} already")


def _alike(document: Document) -> Iterator[Remark]:
    """Yield modems that only their make tells apart, which it does not."""
    makes = defaultdict[str, list[tuple[Place, bool]]](list)
    for place, modem in _modems(document):
        usb = _at(modem, "match", "usb")
        if isinstance(usb, str) and usb:
            makes[usb.lower()].append((place, bool(_at(modem, "match", "imei"))))
    for usb, alike in makes.items():
        for place, has_imei in alike if len(alike) > 1 else ():
            if not has_imei:
                words = f"several modems are {usb}; say which this is: match: {{imei: ...}}"
                yield Remark((*place, "match", "usb"), words)


def _judge_baudrate(modem: dict[str, Value]) -> Iterator[str]:
    found = modem.get("baudrate")
    if found and found not in USUAL_BAUDRATES:
        yield f"{found!r} is an odd speed; usual are {', '.join(USUAL_BAUDRATES)}"


def _judge_port(modem: dict[str, Value]) -> Iterator[str]:
    port = modem.get("port")
    if isinstance(port, str) and _BY_NUMBER.fullmatch(port):
        yield f"{port} may be another device tomorrow; take /dev/serial/by-id/... or match"


def _judge_reports(modem: dict[str, Value]) -> Iterator[str]:
    if _is_switched(modem.get("reports"), on=False):
        yield "without status reports a part in doubt has less evidence, and nothing is delivered"


def _judge_timeout(modem: dict[str, Value]) -> Iterator[str]:
    found = modem.get("result_timeout")
    seconds = _duration(found)
    if seconds is not None and seconds < _SHORTEST_RESULT_S:
        yield f"{found} is short; networks take up to a minute, and what is cut off is in doubt"


_UNWISE: tuple[tuple[tuple[str, ...], Callable[[dict[str, Value]], Iterator[str]]], ...] = (
    (("baudrate",), _judge_baudrate),
    (("port",), _judge_port),
    (("reports",), _judge_reports),
    (("result_timeout",), _judge_timeout),
)


def _modems(document: Document) -> Iterator[tuple[Place, dict[str, Value]]]:
    modems = _at(document.value, "modems")
    if isinstance(modems, list):
        for position, modem in enumerate(modems):
            if isinstance(modem, dict):
                yield ("modems", position), modem


def _at(value: Value | None, *keys: str) -> Value | None:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _seconds(document: Document, *keys: str) -> float | None:
    return _duration(_at(document.value, *keys))


def _duration(found: Value | None) -> float | None:
    try:
        return values.parse_duration(found) if isinstance(found, str) else None
    except ValueError:
        return None


def _is_switched(found: Value | None, *, on: bool) -> bool:
    return found is not None and values.switch(found) is on
