# SPDX-License-Identifier: Apache-2.0
"""The AT commands about the SIM card: PIN and PUK, identity, elementary files."""

from __future__ import annotations

from gsmgw.simulator.device import modem
from gsmgw.simulator.device.dialogue import ERROR, OK, Answer
from gsmgw.simulator.device.modem import Modem
from gsmgw.simulator.device.syntax import Command

#: EF_SMSS, 3GPP 31.102 4.2.9, read as AT+CRSM wants it.
_EF_SMSS = "28483"


def _card_answer(by: Modem) -> Answer | None:
    """Return the refusal of a command that needs an open card, None if it is open."""
    code = {"": 10, "SIM PIN": 11, "SIM PUK": 12}.get(by.pin_state)
    return None if code is None else by.cme(code)


def _imsi(by: Modem, command: Command) -> Answer:
    if command.kind == "=?":
        return OK
    return _card_answer(by) or Answer((by.card.imsi,))


def _own_number(by: Modem, _command: Command) -> Answer:
    return _card_answer(by) or Answer((f'+CNUM: "","{by.card.number}",145',))


def _iccid(by: Modem, command: Command) -> Answer:
    if command.name not in by.habits.iccid:
        return Answer(final=by.habits.unknown)
    if not by.card.is_present:
        return by.cme(10)
    # A card of 19 digits fills the last nibble; some firmware shows it.
    filler = by.habits.iccid_filler if len(by.card.iccid) % 2 else ""
    return Answer((f"{by.habits.iccid_prefix}{by.card.iccid}{filler}",))


def _pin(by: Modem, command: Command) -> Answer:
    if command.kind == "=?":
        return OK
    if not by.card.is_present:
        return by.cme(10)
    if command.kind == "?":
        blank = " " if by.habits.cpin_blank else ""
        final = "OK" if by.habits.cpin_ok else ""
        return Answer((f"+CPIN:{blank}{by.pin_state}",), final=final)
    if command.kind != "=" or not command.fields:
        return ERROR
    if by.pin_state == "SIM PUK":
        return _enter_puk(by, command.fields)
    return _enter_pin(by, command.fields[0])


def _enter_pin(by: Modem, entered: str) -> Answer:
    if by.pin_state == "READY":
        return by.cme(3)
    if entered != by.card.pin:
        by.card.pin_tries -= 1
        by.books.tell("pin-wrong", modem=by.name, tries_left=by.card.pin_tries)
        return by.cme(12 if by.card.pin_tries == 0 else 16)
    by.card.pin_tries = 3
    by.settings.pin_entered = True
    return Answer(then=by.search)


def _enter_puk(by: Modem, entered: list[str]) -> Answer:
    if len(entered) != 2 or by.card.puk_tries == 0:
        return by.cme(12)
    if entered[0] != by.card.puk:
        by.card.puk_tries -= 1
        return by.cme(16)
    by.card.pin_tries, by.card.puk_tries = 3, 10
    by.card.pin = entered[1]
    by.settings.pin_entered = True
    return Answer(then=by.search)


def _pin_tries(by: Modem, command: Command) -> Answer:
    if command.name != by.habits.tries:
        return Answer(final=by.habits.unknown)
    pin, puk = by.card.pin_tries, by.card.puk_tries
    left = puk if by.pin_state == "SIM PUK" else pin
    forms = {
        "^CPIN": f"^CPIN: {by.pin_state},{left},{puk},{pin},10,3",
        "+CPINR": f"+CPINR: SIM PIN,{pin},3\n+CPINR: SIM PUK,{puk},10",
        "+QPINC": f'+QPINC: "SC",{pin},{puk}',
        "+SPIC": f"+SPIC: {pin},{puk},3,10",
        "+ZPINPUK": f"+ZPINPUK: {pin},{puk}",
    }
    return Answer((forms[command.name],))


def _read_card(by: Modem, command: Command) -> Answer:
    locked = _card_answer(by)
    if locked is not None:
        return locked
    fields = command.fields
    if fields[:2] == ["176", _EF_SMSS] and by.layout.references == "counting":
        flag = "00" if by.card.sms.is_full else "FF"
        return Answer((f'+CRSM: 144,0,"{by.card.last_mr:02X}{flag}"',))
    return Answer(("+CRSM: 148,4",))  # no such file, 3GPP 51.011 9.4.4


COMMANDS: dict[str, modem.Handler] = {
    "+CIMI": _imsi,
    "+CNUM": _own_number,
    "+CCID": _iccid,
    "^ICCID": _iccid,
    "+QCCID": _iccid,
    "+ZGETICCID": _iccid,
    "+CPIN": _pin,
    "^CPIN": _pin_tries,
    "+CPINR": _pin_tries,
    "+QPINC": _pin_tries,
    "+SPIC": _pin_tries,
    "+ZPINPUK": _pin_tries,
    "+CRSM": _read_card,
}
