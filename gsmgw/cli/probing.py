# SPDX-License-Identifier: Apache-2.0
"""Asks a port who is there, without the daemon: maker, model, IMEI, SIM, operator, signal.

Nothing is changed but echo and the form of errors; no PIN is tried.
"""

from __future__ import annotations

import glob
import os
import re
from dataclasses import asdict, dataclass, field

from gsmgw.clock import Clock
from gsmgw.errors import ModemError
from gsmgw.modem import dialogue, initialise, pin, port, profiles, settings

#: A port that says nothing for so long is no modem's, or another one of a stick's ports.
SILENT_S = 2.5
_OPERATOR_TIMEOUT_S = 15.0

_QUOTED = re.compile(r'"([^"]*)"')
_SIGNAL = re.compile(r"\+CSQ:\s*(\d+)")
#: One memory of +CPMS? (3GPP TS 27.005 3.2.2): name, used, total.
_MEMORY = re.compile(r'"(\w+)"\s*,\s*(\d+)\s*,\s*(\d+)')
#: Of what a start asks and sets, that which only asks: registration and service centre.
_ONLY_ASKS = tuple(
    step for step in initialise.MESSAGES if step.commands[0] in ("AT+CREG?", "AT+CSCA?")
)


@dataclass(slots=True)
class Finding:
    """What one port told; None is what it did not tell."""

    port: str
    modem: str | None = None  #: name in the configuration
    error: str | None = None  #: why nothing, or not everything, could be asked
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    imei: str | None = None
    profile: str | None = None
    sim: str | None = None  #: as +CPIN says: READY, SIM PIN, SIM PUK …
    pin_tries: int | None = None  #: left; asked only while the SIM wants its PIN
    iccid: str | None = None
    operator: str | None = None
    signal_dbm: int | None = None
    registration: int | None = None  #: <stat> of +CREG, 3GPP TS 27.007 7.2
    service_centre: str | None = None
    storages: dict[str, tuple[int, int]] = field(default_factory=dict)  #: memory: (used, total)

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return asdict(self)


def candidate_ports() -> list[str]:
    """Return the device files that modems usually have, each device once."""
    found: dict[str, str] = {}
    for pattern in settings.CANDIDATES:
        for path in sorted(glob.glob(pattern)):  # noqa: PTH207 - Path.glob takes no absolute ones
            found[os.path.realpath(path)] = path  # names by id stand last and last longest
    return list(found.values())


def ask_port(path: str, clock: Clock, *, baudrate: int) -> Finding:
    """Ask one port; blocks up to some seconds. Never raises for what the port does."""
    found = Finding(path)
    line = port.Port(path, baudrate=baudrate, now=clock)
    try:
        line.open()
        talk = dialogue.Dialogue(line, name=path, now=clock)
        talk.resynchronise(SILENT_S)
        _ask(talk, found, clock)
    except ModemError as error:
        found.error = str(error)
    finally:
        line.close()
    return found


def dbm(rssi: str) -> int | None:
    """Return the <rssi> of +CSQ in dBm; None for 99, unknown (3GPP TS 27.007 8.5)."""
    return 2 * int(rssi) - 113 if rssi.isdecimal() and int(rssi) <= 31 else None


def _ask(talk: dialogue.Dialogue, found: Finding, clock: Clock) -> None:
    run, facts = initialise.Initialiser(talk, clock), initialise.Facts()
    run.run(initialise.WHO, facts)
    facts.profile = profiles.choose(facts.manufacturer, facts.model, None)
    found.manufacturer, found.model = facts.manufacturer, facts.model
    found.firmware, found.imei = facts.firmware, facts.imei
    found.profile = facts.profile.name
    sim = talk.command("AT+CPIN?", prefixes=("+CPIN:",))
    found.sim = (sim.first or "").partition(":")[2].strip() if sim.ok else sim.final.text
    initialise.read_iccid(run, facts)
    found.iccid = facts.iccid
    signal = _SIGNAL.match(talk.command("AT+CSQ", prefixes=("+CSQ:",)).first or "")
    found.signal_dbm = dbm(signal.group(1)) if signal is not None else None
    operator = talk.command("AT+COPS?", prefixes=("+COPS:",), timeout_s=_OPERATOR_TIMEOUT_S)
    name = _QUOTED.search(operator.first or "")
    found.operator = name.group(1) if name is not None else None
    if found.sim != "READY":
        found.pin_tries = pin.ask_tries(run, facts)
    run.run(_ONLY_ASKS, facts)
    found.registration, found.service_centre = facts.registration, facts.service_centre
    memories = talk.command("AT+CPMS?", prefixes=("+CPMS:",)).first or ""
    found.storages = {
        memory: (int(used), int(total)) for memory, used, total in _MEMORY.findall(memories)
    }
