# SPDX-License-Identifier: Apache-2.0
"""The AT commands about messages: 3GPP 27.005 in PDU mode."""

from __future__ import annotations

import re

from gsmgw.simulator.device import arrivals, memory, modem, submission
from gsmgw.simulator.device.dialogue import ERROR, OK, Answer, Prompt
from gsmgw.simulator.device.modem import Modem
from gsmgw.simulator.device.syntax import Command

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
#: 27.005 3.2.5: what AT+CMGD and its like answer.
_OPERATION_NOT_ALLOWED = 302
_INVALID_PDU = 304
#: Longest TPDU: a delivery with the longest sender, all times and 140 octets of text, and room.
_OCTETS_MAX = 176
_INVALID_INDEX = 321
_MEMORY_FULL = 322
#: What a locked card answers: no card, SIM PIN, SIM PUK.
_LOCKED = {"": 310, "SIM PIN": 311, "SIM PUK": 316}


def _locked(by: Modem) -> Answer | None:
    code = _LOCKED.get(by.pin_state)
    return None if code is None else by.cms(code)


def _format(by: Modem, command: Command) -> Answer:
    """AT+CMGF: the simulator knows PDU mode alone, as some data sticks do."""
    match command.kind, command.value:
        case "?", _:
            return Answer(("+CMGF: 0",))
        case "=?", _:
            return Answer(("+CMGF: (0)",))
        case "=", "0":
            return OK
    return by.cms(303)


def _memories(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    if command.kind == "=?":
        return _memories_known(by)
    if command.kind == "?":
        names = by.settings.memories
        return Answer((f"+CPMS: {','.join(_filling(by, name, named=True) for name in names)}",))
    wanted = command.fields
    allowed = [*by.memory_names, "SR"] if by.memory("SR") else by.memory_names
    fits = 1 <= len(wanted) <= 3 and wanted[0] in allowed
    if command.kind != "=" or not fits or any(name not in by.memory_names for name in wanted[1:]):
        return by.cms(_OPERATION_NOT_ALLOWED)
    by.settings.memories[: len(wanted)] = wanted
    names = by.settings.memories
    return Answer((f"+CPMS: {','.join(_filling(by, name, named=False) for name in names)}",))


def _memories_known(by: Modem) -> Answer:
    own = [f'"{name}"' for name in by.memory_names]
    first = [*own, '"SR"'] if by.memory("SR") else own
    forms = {
        "nested": f"+CPMS: ({','.join(first)}),({','.join(own)}),({','.join(own)})",
        "flat": f"+CPMS: {','.join(first)},{','.join(own)},{','.join(own)}",
        "plain": f"+CPMS:({','.join(first)}),({','.join(own)}),({','.join(own)})",
        "empty": "+CPMS: (),(),()",
    }
    return Answer((forms[by.habits.cpms],))


def _filling(by: Modem, name: str, *, named: bool) -> str:
    kept_in = by.memory(name)
    filling = f"{kept_in.used},{kept_in.capacity}" if kept_in is not None else "0,0"
    return f'"{name}",{filling}' if named else filling


def _indications(by: Modem, command: Command) -> Answer:
    if command.kind == "?":
        return Answer((f"+CNMI: {','.join(map(str, by.settings.cnmi))}",))
    reports = "(0,1,2)" if by.habits.reports_stored else "(0,1)"
    if command.kind == "=?":
        return Answer((f"+CNMI: (0,1,2),(0,1,2,3),(0,2),{reports},(0,1)",))
    most = (2, 3, 3, 2 if by.habits.reports_stored else 1, 1)
    fields = command.fields
    if command.kind != "=" or not 1 <= len(fields) <= 5:
        return ERROR
    for field, highest in zip(fields, most, strict=False):
        if not field.isdecimal() or int(field) > highest:
            return by.cms(_OPERATION_NOT_ALLOWED)
    by.settings.cnmi[: len(fields)] = [int(field) for field in fields]
    return OK


def _service(by: Modem, command: Command) -> Answer:
    if command.kind == "?":
        return Answer((f"+CSMS: {by.settings.phase},1,1,1",))
    if command.kind == "=?":
        return Answer(("+CSMS: (0,1)",))
    if command.kind != "=" or command.value not in ("0", "1"):
        return by.cms(_OPERATION_NOT_ALLOWED)
    by.settings.phase = int(command.value)
    return Answer(("+CSMS: 1,1,1",))


def _acknowledge(by: Modem, command: Command) -> Answer:
    if command.kind == "=?":
        return Answer(("+CNMA: (0-2)",))
    value = command.fields[0] if command.kind == "=" and command.fields else "0"
    if value not in ("0", "1", "2"):
        return by.cms(_OPERATION_NOT_ALLOWED)
    return arrivals.acknowledge(by, positive=value != "2")


def _selected(by: Modem) -> memory.Memory:
    return by.memory(by.settings.memories[0]) or by.card.sms


def _entry(by: Modem, head: str, stored: memory.Stored) -> str:
    octets = len(stored.pdu) // 2 - 1 - int(stored.pdu[:2], 16)
    name = "," if by.habits.list_alpha else ""
    return f"{head}{int(stored.stat)},{name}{octets}\n{stored.pdu}"


def _list(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    if command.kind == "=?":
        return Answer(("+CMGL: (0-4)",))
    wanted = command.value.strip() or "0"
    if wanted not in ("0", "1", "2", "3", "4"):
        return by.cms(_INVALID_PDU)
    lines = []
    for index, stored in sorted(_selected(by).slots.items()):
        if wanted == "4" or int(wanted) == stored.stat:
            lines.append(_entry(by, f"+CMGL: {index},", stored))
            _mark_read(stored)
    return Answer(tuple(lines))


def _mark_read(stored: memory.Stored) -> None:
    if stored.stat is memory.Stat.REC_UNREAD:
        stored.stat = memory.Stat.REC_READ


def _read(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    if command.kind == "=?":
        return OK
    stored = _selected(by).slots.get(_number(command.value))
    if command.kind != "=" or stored is None:
        return by.cms(_INVALID_INDEX)
    line = _entry(by, "+CMGR: ", stored)
    _mark_read(stored)
    return Answer((line,))


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() else -1


def _delete(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    selected = _selected(by)
    last = selected.first + selected.capacity - 1
    if command.kind == "=?":
        flags = ",(0-4)" if by.habits.delete_flags else ""
        return Answer((f"+CMGD: ({selected.first}-{last}){flags}",))
    refused = by.uses_up("deletion-refused")
    if refused is not None:
        return by.cms(int(refused.get("code", "500")))
    fields = command.fields
    if command.kind != "=" or not fields or (len(fields) > 1 and not by.habits.delete_flags):
        return ERROR
    flag = _number(fields[1]) if len(fields) > 1 else 0
    if not 0 <= flag <= 4 or (flag == 0 and not selected.has(_number(fields[0]))):
        return by.cms(_INVALID_INDEX)
    _remove(selected, _number(fields[0]), flag)
    return Answer(then=lambda: by.network.ready(by.name))


#: 27.005 3.5.4: which messages a <delflag> of AT+CMGD takes besides unread ones.
_DELETED_BY_FLAG = {
    1: {memory.Stat.REC_READ},
    2: {memory.Stat.REC_READ, memory.Stat.STO_SENT},
    3: {memory.Stat.REC_READ, memory.Stat.STO_SENT, memory.Stat.STO_UNSENT},
    4: set(memory.Stat),
}


def _remove(selected: memory.Memory, index: int, flag: int) -> None:
    if flag == 0:
        selected.slots.pop(index, None)
        return
    for place in [p for p, s in selected.slots.items() if s.stat in _DELETED_BY_FLAG[flag]]:
        del selected.slots[place]


def _send(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    if command.kind == "=?":
        return OK
    length = _number(command.value)
    if command.kind != "=" or not 1 <= length <= _OCTETS_MAX:
        return by.cms(_INVALID_PDU)
    return Answer(prompt=Prompt(lambda body: submission.submit(by, body, length)))


def _write(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    if command.kind == "=?":
        return OK
    fields = command.fields
    stat = _number(fields[1]) if len(fields) > 1 else int(memory.Stat.STO_UNSENT)
    length = _number(fields[0]) if fields else -1
    if command.kind != "=" or not 1 <= length <= _OCTETS_MAX or not 0 <= stat <= 3:
        return by.cms(_INVALID_PDU)

    def keep(body: bytes) -> None:
        by.dialogue.answer(_keep(by, body, length, memory.Stat(stat)))

    return Answer(prompt=Prompt(keep))


def _keep(by: Modem, body: bytes, length: int, stat: memory.Stat) -> Answer:
    text = body.decode("latin-1").strip().upper()
    if not _HEX.fullmatch(text) or len(text) // 2 - 1 - int(text[:2], 16) != length:
        return by.cms(_INVALID_PDU)
    kept_in = by.memory(by.settings.memories[1]) or by.card.sms
    index = kept_in.add(text, stat)
    return by.cms(_MEMORY_FULL) if index is None else Answer((f"+CMGW: {index}",))


def _send_stored(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    stored = _selected(by).slots.get(_number(command.value))
    if command.kind != "=" or stored is None or stored.stat < memory.Stat.STO_UNSENT:
        return by.cms(_INVALID_INDEX)
    return Answer(detached=lambda: submission.send_stored(by, stored))


def _keep_link(by: Modem, command: Command) -> Answer:
    if not by.habits.keeps_link:
        return ERROR
    if command.kind == "?":
        return Answer((f"+CMMS: {by.settings.keep_link}",))
    if command.kind == "=?":
        return Answer(("+CMMS: (0-2)",))
    if command.value not in ("0", "1", "2"):
        return by.cms(_OPERATION_NOT_ALLOWED)
    by.settings.keep_link = int(command.value)
    return OK


def _service_centre(by: Modem, command: Command) -> Answer:
    locked = _locked(by)
    if locked is not None:
        return locked
    number = by.card.service_centre
    if command.kind == "?":
        return Answer(
            (f'+CSCA: "{number}",{145 if number.startswith("+") or not number else 129}',)
        )
    if command.kind == "=?":
        return OK
    fields = command.fields
    if command.kind != "=" or not fields:
        return ERROR
    is_international = len(fields) > 1 and fields[1] == "145" and not fields[0].startswith("+")
    by.card.service_centre = f"+{fields[0]}" if is_international and fields[0] else fields[0]
    return OK


def _ignored(_by: Modem, _command: Command) -> Answer:
    return OK


COMMANDS: dict[str, modem.Handler] = {
    "+CMGF": _format,
    "+CPMS": _memories,
    "+CNMI": _indications,
    "+CSMS": _service,
    "+CNMA": _acknowledge,
    "+CMGL": _list,
    "+CMGR": _read,
    "+CMGD": _delete,
    "+CMGS": _send,
    "+CMGW": _write,
    "+CMSS": _send_stored,
    "+CMMS": _keep_link,
    "+CSCA": _service_centre,
    "+CSMP": _ignored,
    "+CSDH": _ignored,
    "+CSAS": _ignored,
    "+CGSMS": _ignored,
}
