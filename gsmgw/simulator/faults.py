# SPDX-License-Identifier: Apache-2.0
"""Faults by name: what can go wrong with a modem, switched on and off while it runs.

A fault that shows in the dialogue (`answer-lost`, `refuse` …) is a note in `Modem.faults`, which
the place that it concerns looks at; the others do something when they are switched on or off.
Every fault may carry `for` (seconds until it ends by itself).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gsmgw import pdu
from gsmgw.simulator import fields
from gsmgw.simulator.device import memory, modem

Arguments = dict[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    what: str  #: one sentence for people
    arguments: Mapping[str, str]  #: name: what it means
    begin: Callable[[modem.Modem, Arguments], None] | None = None
    end: Callable[[modem.Modem], None] | None = None
    #: it is an event, not a state: nothing is left to be cleared
    is_event: bool = False


_TIMES = {"times": "how often; without it until it is cleared"}


def _wake(on: modem.Modem) -> None:
    on.dialogue.reset()
    on.network.ready(on.name)


def _garbage_begins(on: modem.Modem, arguments: Arguments) -> None:
    every_s = float(arguments.get("every", "0.5"))

    def burst() -> None:
        if "garbage" in on.faults:
            on.dialogue.write_garbage()
            on.after(every_s, burst)

    burst()


def _fill(on: modem.Modem, arguments: Arguments) -> None:
    """Fill the card with sent messages, which no gateway may delete: they are somebody's."""
    filled = on.memory(arguments.get("memory", "SM"))
    submit = pdu.Submit(on.number, pdu.segment("An old message of the card's owner")[0])
    octets = b"\x00" + pdu.encode_submit(submit)
    while filled is not None and not filled.is_full:
        filled.add(octets.hex().upper(), memory.Stat.STO_SENT, filler=True)


def _empty(on: modem.Modem) -> None:
    for name in ("SM", "ME"):
        kept_in = on.memory(name)
        if kept_in is not None:
            for index in [place for place, stored in kept_in.slots.items() if stored.filler]:
                del kept_in.slots[index]
    on.network.ready(on.name)


def _ask_for_pin(on: modem.Modem, arguments: Arguments) -> None:
    on.card.pin = arguments.get("pin", on.card.pin or "1234")
    on.card.pin_tries = int(arguments.get("tries", "3"))
    on.settings.pin_entered = False
    on.check_registration()


def _ask_for_no_pin(on: modem.Modem) -> None:
    on.card.pin, on.card.pin_tries = on.layout.pin, 3
    on.settings.pin_entered = True
    on.check_registration()


def _block(on: modem.Modem, arguments: Arguments) -> None:
    on.card.puk_tries = int(arguments.get("tries", "10"))
    on.card.pin_tries = 0
    on.settings.pin_entered = False
    on.check_registration()


def _take_card_out(on: modem.Modem, _arguments: Arguments) -> None:
    on.card.is_present = False
    on.check_registration()


def _put_card_in(on: modem.Modem) -> None:
    on.card.is_present = True
    on.check_registration()


def _look_at_network(on: modem.Modem, _arguments: Arguments | None = None) -> None:
    on.check_registration()


def _forget_service_centre(on: modem.Modem, _arguments: Arguments) -> None:
    on.card.service_centre = ""


def _know_service_centre(on: modem.Modem) -> None:
    on.card.service_centre = on.network.layout.service_centre


def _cut_power(on: modem.Modem, arguments: Arguments) -> None:
    on.lose_power(float(arguments.get("off", "2")))


def _unplug(on: modem.Modem, _arguments: Arguments) -> None:
    on.unplug()
    on.books.tell("unplugged", modem=on.name)


FAULTS: dict[str, Fault] = {
    "hang": Fault(
        "Reads everything and says nothing, until it is cleared or loses its power.",
        {},
        end=_wake,
    ),
    "unplug": Fault(
        "Pulled out; cleared, or `plug`, it is back.",
        {},
        begin=_unplug,
        end=modem.Modem.come_back,
    ),
    "power-cut": Fault(
        "Loses power at once and comes back.",
        {"off": "seconds without power (2)"},
        begin=_cut_power,
        is_event=True,
    ),
    "brown-out": Fault(
        "Loses power in the middle of the next submit and comes back.",
        {"taken": "yes: the network has the part (default); no: it has not", "off": "seconds (2)"}
        | {"times": "how often (1)"},
    ),
    "garbage": Fault(
        "Writes octets that mean nothing, by itself and before every answer.",
        {"every": "seconds between two bursts (0.5)"},
        begin=_garbage_begins,
    ),
    "refuse": Fault(
        "Submits are refused.",
        {"code": "CMS code (21), or ERROR or NO-CARRIER", "to": "only to this number"}
        | {"taken": "yes: the network takes the part all the same (no)"}
        | _TIMES,
    ),
    "answer-lost": Fault("The network takes the part, the answer never comes.", _TIMES),
    "late-answer": Fault(
        "The answer to a submit comes late.",
        {"after": "seconds beyond the submit time (5)"}
        | {"busy": "no: other commands are answered meanwhile (yes)"}
        | _TIMES,
    ),
    "prompt-lost": Fault(
        "The prompt for the PDU never comes, although the modem waits for it.",
        {"after": "seconds: it comes that late instead"} | _TIMES,
    ),
    "sim-full": Fault(
        "The card is full of sent messages; what comes in waits in the network.",
        {"memory": "SM or ME (SM)"},
        begin=_fill,
        end=_empty,
    ),
    "pin": Fault(
        "The card asks for its PIN again.",
        {"pin": "the PIN (the card's, else 1234)", "tries": "tries left (3)"},
        begin=_ask_for_pin,
        end=_ask_for_no_pin,
    ),
    "puk": Fault(
        "The card is blocked.",
        {"tries": "PUK tries left (10)"},
        begin=_block,
        end=_ask_for_no_pin,
    ),
    "no-sim": Fault("The card is not there.", {}, begin=_take_card_out, end=_put_card_in),
    "no-network": Fault(
        "Not registered.",
        {"stat": "<stat> of +CREG: 0, 2 (default), 3, 4"},
        begin=_look_at_network,
        end=_look_at_network,
    ),
    "deletion-refused": Fault("AT+CMGD fails.", {"code": "CMS code (500)"} | _TIMES),
    "echo": Fault("Echoes everything, whatever ATE0 was told.", {}),
    "smsc-gone": Fault(
        "The card has lost the service centre's number.",
        {},
        begin=_forget_service_centre,
        end=_know_service_centre,
    ),
}

#: Faults that hold once unless told otherwise.
_ONCE = {"brown-out"}


_CODE = fields.whole(0, 65535)  # 3GPP TS 27.005 3.2.5: from 512 up they are the maker's own


def _refusal(value: object) -> str:
    """Read how a submit is refused."""
    found = str(value)
    if found.upper() not in ("ERROR", "NO-CARRIER") and not re.fullmatch("[0-9]{1,5}", found):
        raise ValueError(
            f"found {fields.shown(value)}; allowed: a CMS code from 0 to 65535, ERROR, NO-CARRIER"
        )
    return found


#: What the values of arguments must be; all others are texts.
_VALUES: dict[str, fields.Parser] = {
    "for": fields.seconds,
    "off": fields.seconds,
    "every": fields.pause,
    "after": fields.seconds,
    "times": fields.whole(1, 1_000_000),
    "tries": fields.whole(0, 10),
    "stat": fields.whole(0, 10),
    "taken": fields.switch,
    "busy": fields.switch,
    "to": fields.phone_number,
    "memory": fields.word("SM", "ME"),
    "pin": fields.digits(4, 8),
}


def _parser(name: str, key: str) -> fields.Parser:
    if key == "code":
        return _refusal if name == "refuse" else _CODE
    return _VALUES.get(key, fields.text)


def check(name: str, arguments: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a fault as somebody asks for it, one line for each mistake."""
    if not name:
        return [f"name is missing; allowed: {', '.join(FAULTS)}"]
    fault = FAULTS.get(name)
    if fault is None:
        return [f"there is no fault {name!r}; {fields.suggest(name, FAULTS)}"]
    allowed = ["for", *fault.arguments]
    problems = []
    for key, value in arguments.items():
        if key not in allowed:
            problems.append(f"{key} is nothing that {name} knows; {fields.suggest(key, allowed)}")
            continue
        try:
            _parser(name, key)(value)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    return problems


def _plain(arguments: Mapping[str, str]) -> Arguments:
    """Write durations as bare seconds and switches as yes and no."""
    plain = dict(arguments)
    for key, value in arguments.items():
        parser = _VALUES.get(key)
        if parser in (fields.seconds, fields.pause):
            plain[key] = str(fields.seconds(value))
        elif parser is fields.switch:
            plain[key] = "yes" if fields.switch(value) else "no"
    return plain


def begin(on: modem.Modem, name: str, arguments: Arguments) -> None:
    """Switch a fault on; on already, it gets the new arguments. Loop thread only."""
    fault = FAULTS[name]
    arguments = _plain(arguments)
    lasts_s = arguments.pop("for", None)
    if name in _ONCE:
        arguments.setdefault("times", "1")
    if not fault.is_event:
        on.faults[name] = arguments
        on.fault_terms.pop(name, None)
    on.books.tell("fault", modem=on.name, name=name, **arguments)
    if fault.begin is not None:
        fault.begin(on, arguments)
    if lasts_s is not None and not fault.is_event:
        term = on.fault_terms[name] = object()
        on.loop.after(float(lasts_s), lambda: _end_term(on, name, term))


def end(on: modem.Modem, name: str) -> None:
    """Switch a fault off; harmless if it is not on. Loop thread only."""
    if on.faults.pop(name, None) is None:
        return
    on.books.tell("cleared", modem=on.name, name=name)
    fault = FAULTS[name]
    if fault.end is not None:
        fault.end(on)


def _end_term(on: modem.Modem, name: str, term: object) -> None:
    """End a fault whose time is over, unless it was begun anew since."""
    if on.fault_terms.get(name) is term:
        end(on, name)


def end_all(on: modem.Modem) -> None:
    """Switch all faults off. Loop thread only."""
    for name in list(on.faults):
        end(on, name)
