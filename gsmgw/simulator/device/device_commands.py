# SPDX-License-Identifier: Apache-2.0
"""The AT commands about the modem itself: V.250 and 3GPP 27.007, identity, radio, clock, USSD."""

from __future__ import annotations

from gsmgw import errors
from gsmgw.pdu import alphabet as alphabets
from gsmgw.simulator.device import modem, submission
from gsmgw.simulator.device.dialogue import ERROR, OK, Answer
from gsmgw.simulator.device.modem import Modem, Settings
from gsmgw.simulator.device.syntax import Command

#: Seconds that the network takes for a USSD answer.
_USSD_S = 0.1


def _understood(_by: Modem, _command: Command) -> Answer:
    return OK


def _echo(by: Modem, command: Command) -> Answer:
    by.dialogue.echo = command.value == "1"
    return OK


def _verbose(_by: Modem, command: Command) -> Answer:
    return OK if command.value in ("", "1") else ERROR


def _default(by: Modem, _command: Command) -> Answer:
    """ATZ and AT&F: the settings of the power-up, but what the card knows stays."""
    entered = by.settings.pin_entered
    by.settings = Settings(pin_entered=entered, functionality=by.settings.functionality)
    by.dialogue.echo = True
    return OK


def _identity(by: Modem, text: str, name: str, command: Command) -> Answer:
    if command.kind == "=?":
        return OK
    return Answer((f"{name}: {text}" if by.habits.identity_prefix else text,))


def _manufacturer(by: Modem, command: Command) -> Answer:
    return _identity(by, by.habits.manufacturer, "+CGMI", command)


def _model(by: Modem, command: Command) -> Answer:
    return _identity(by, by.habits.model, "+CGMM", command)


def _revision(by: Modem, command: Command) -> Answer:
    return _identity(by, by.habits.revision, "+CGMR", command)


def _imei(by: Modem, command: Command) -> Answer:
    return _identity(by, by.layout.imei, "+CGSN", command)


def _all_identity(by: Modem, _command: Command) -> Answer:
    own = by.habits
    return Answer(
        (
            f"Manufacturer: {own.manufacturer}",
            f"Model: {own.model}",
            f"Revision: {own.revision}",
            f"IMEI: {by.layout.imei}",
        )
    )


def _error_mode(by: Modem, command: Command) -> Answer:
    if not by.habits.cmee:
        return ERROR
    if command.kind == "?":
        return Answer((f"+CMEE: {by.settings.cmee}",))
    if command.kind == "=?":
        return Answer(("+CMEE: (0-2)",))
    if command.value not in ("0", "1", "2"):
        return ERROR
    by.settings.cmee = int(command.value)
    return OK


def _registration(by: Modem, command: Command) -> Answer:
    mode = by.settings.registration[command.name]
    if command.kind == "?":
        return Answer((f"{command.name}: {mode},{by.stat}{by.cell(mode)}",))
    if command.kind == "=?":
        return Answer((f"{command.name}: (0-2)",))
    if command.value not in ("0", "1", "2"):
        return by.cme(50)
    by.settings.registration[command.name] = int(command.value)
    return OK


def _operator(by: Modem, command: Command) -> Answer:
    name, plmn = by.network.layout.operator, by.network.layout.plmn
    if command.kind == "=?":
        return Answer((f'+COPS: (2,"{name}","{name[:8]}","{plmn}"),,(0-4),(0-2)',))
    if command.kind == "?":
        if not by.is_registered:
            return Answer(("+COPS: 0",))
        form = by.settings.operator_format
        shown = {0: name, 1: name[:8], 2: plmn}[form]
        return Answer((f'+COPS: 0,{form},"{shown}"',))
    fields = command.fields
    if command.kind == "=" and len(fields) > 1 and fields[1] in ("0", "1", "2"):
        by.settings.operator_format = int(fields[1])
    return OK if command.kind == "=" else ERROR


def _signal(by: Modem, command: Command) -> Answer:
    if command.kind == "=?":
        return Answer(("+CSQ: (0-31,99),(0-7,99)",))
    return Answer((f"+CSQ: {by.layout.signal if by.is_registered else 99},99",))


def _functionality(by: Modem, command: Command) -> Answer:
    if command.kind == "?":
        return Answer((f"+CFUN: {by.settings.functionality}",))
    if command.kind == "=?":
        return Answer(("+CFUN: (0,1,4),(0,1)",))
    fields = command.fields
    if not fields or fields[0] not in ("0", "1", "4", "6"):
        return by.cme(50)
    if fields[0] == "6" or fields[1:] == ["1"]:
        return Answer(then=by.restart)
    by.settings.functionality = int(fields[0])
    return Answer(then=by.search if fields[0] == "1" else by.check_registration)


def _clock(by: Modem, command: Command) -> Answer:
    if command.kind != "?":
        return OK
    # A modem that never heard the network's time counts from its firmware's birthday.
    shown = submission.service_time(by) if by.network.layout.nitz else "80/01/06,00:00:00+00"
    return Answer((f'+CCLK: "{shown}"',))


def _charset(by: Modem, command: Command) -> Answer:
    if not by.habits.cscs:
        return ERROR
    if command.kind == "=?":
        return Answer((f"+CSCS: {by.habits.cscs}",))
    if command.kind == "?":
        return Answer((f'+CSCS: "{by.settings.charset}"',))
    wanted = command.fields[0] if command.fields else ""
    if f'"{wanted}"' not in by.habits.cscs:
        return ERROR
    by.settings.charset = wanted
    return OK


def _show_numbers(by: Modem, command: Command) -> Answer:
    if command.kind == "?":
        return Answer((f"+CLIP: {int(by.settings.clip)},1",))
    by.settings.clip = command.value.startswith("1") if command.kind == "=" else by.settings.clip
    return OK


def _extended_ring(by: Modem, command: Command) -> Answer:
    if command.kind == "?":
        return Answer((f"+CRC: {int(by.settings.crc)}",))
    by.settings.crc = command.value == "1" if command.kind == "=" else by.settings.crc
    return OK


def _hang_up(by: Modem, command: Command) -> Answer:
    if command.name not in by.habits.hang_up and command.name != "H":
        return Answer(final=by.habits.unknown)
    if command.kind == "=?":
        return OK
    if by.call is not None and command.name in by.habits.hang_up:
        by.call.end("modem")
    return OK


def _answer_call(by: Modem, _command: Command) -> Answer:
    if by.call is None:
        return Answer(final="NO CARRIER")
    by.call.answered = True
    return OK


def _list_calls(by: Modem, _command: Command) -> Answer:
    if by.call is None:
        return OK
    status = 0 if by.call.answered else 4
    return Answer((f'+CLCC: 1,1,{status},0,0,"{by.call.record.number or ""}",145',))


def _dial(by: Modem, command: Command) -> Answer:
    if not by.is_registered:
        return Answer(final="NO CARRIER")
    by.books.tell("dialled", modem=by.name, number=command.value.rstrip(";"))
    return OK


def _ussd(by: Modem, command: Command) -> Answer:
    if command.kind == "?":
        return Answer(("+CUSD: 1",))
    fields = command.fields
    if command.kind != "=" or len(fields) < 2:
        return OK
    if not by.is_registered:
        return by.cme(30)
    asked = _read_ussd(fields[1]) if by.habits.ussd_packed else fields[1]
    text = by.network.layout.ussd.get(asked or "")
    by.books.tell("ussd", modem=by.name, asked=asked)
    if text is None:
        by.after(_USSD_S, lambda: by.say("+CUSD: 4"))
    else:
        shown = _pack_ussd(text) if by.habits.ussd_packed else text
        by.after(_USSD_S, lambda: by.say(f'+CUSD: 0,"{shown}",15'))
    return OK


def _read_ussd(packed: str) -> str | None:
    """Read packed 7-bit octets in hex, as a Huawei E173 wants USSD; None if it is none."""
    try:
        octets = bytes.fromhex(packed)
    except ValueError:
        return None
    text = alphabets.decode_septets(alphabets.unpack(octets, len(octets) * 8 // 7))
    return text.rstrip("@\r")


def _pack_ussd(text: str) -> str:
    try:
        septets = alphabets.encode_septets(text)
    except errors.BadTextError:
        return text
    if len(septets) % 8 == 7:
        septets += b"\r"  # 3GPP 23.038 6.1.2.3.1: else the spare bits would be an @
    return alphabets.pack(septets).hex().upper()


def _quiet(by: Modem, command: Command) -> Answer:
    if command.name != by.habits.quiet_command:
        return Answer(final=by.habits.unknown)
    if command.kind == "=":
        by.settings.noise = command.value != "0"
    return OK


def _list_commands(by: Modem, _command: Command) -> Answer:
    if not by.habits.lists_commands:
        return ERROR
    return Answer(tuple(f"AT{name}" for name in sorted(by.commands) if name[0] == "+"))


def _battery(_by: Modem, _command: Command) -> Answer:
    return Answer(("+CBC: 0,100",))


COMMANDS: dict[str, modem.Handler] = {
    "E": _echo,
    "V": _verbose,
    "Z": _default,
    "&F": _default,
    "I": _all_identity,
    "H": _hang_up,
    "A": _answer_call,
    "D": _dial,
    "Q": _understood,
    "X": _understood,
    "&C": _understood,
    "&D": _understood,
    "&W": _understood,
    "S0": _understood,
    "S3": _understood,
    "S4": _understood,
    "S7": _understood,
    "+CGMI": _manufacturer,
    "+GMI": _manufacturer,
    "+CGMM": _model,
    "+GMM": _model,
    "+CGMR": _revision,
    "+GMR": _revision,
    "+CGSN": _imei,
    "+GSN": _imei,
    "+CMEE": _error_mode,
    "+CREG": _registration,
    "+CGREG": _registration,
    "+CEREG": _registration,
    "+COPS": _operator,
    "+CSQ": _signal,
    "+CFUN": _functionality,
    "+CCLK": _clock,
    "+CTZU": _understood,
    "+CSCS": _charset,
    "+CLIP": _show_numbers,
    "+CRC": _extended_ring,
    "+CHUP": _hang_up,
    "+CVHU": _understood,
    "+CLCC": _list_calls,
    "+CUSD": _ussd,
    "^CURC": _quiet,
    "+ZOPRT": _quiet,
    "+CLAC": _list_commands,
    "+CBC": _battery,
    "+CGATT": _understood,
}
