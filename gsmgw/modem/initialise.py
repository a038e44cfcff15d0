# SPDX-License-Identifier: Apache-2.0
"""Brings a modem from an open port to a known state, by a table of steps.

Theory of operation. Each step is a command, or alternatives of it, and is required or optional:
modems refuse nearly every one of them somewhere, and only those without which no message can pass
may stop us. Order: silence and numeric errors, who it is (the profile depends on it), the SIM
(`pin`), messages as PDUs, notices, service centre. A bare AT needs no step: the dialogue begins
with it and takes ERROR for an answer too.

A busy SIM or modem (CME 14, CMS 314, 315 and 515 of several vendors, soon after power-up) is
waited for, up to `BUSY_FOR_S` for all steps together.

On failure. `CommandFailedError` of a required step, `SimError` where a person must act,
`ModemSilentError` and `PortLostError` from below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gsmgw import clock
from gsmgw.at import network, sim, storage
from gsmgw.modem import dialogue, profiles

#: How long a modem may say that it is busy before the step counts as refused, seconds.
BUSY_FOR_S = 15.0
_BUSY_PAUSE_S = 0.5
#: CME 14 SIM busy, CMS 314 SIM busy, 515 "please wait, init or command processing in progress".
_BUSY_CODES = frozenset({14, 314, 515})
#: Memories that can hold what the network sent, in the order of sweeping (27.005 3.2.2). MT is SM
#: and ME together, so it is taken only where they are not offered.
_SWEPT = ("SM", "ME", "SR")


@dataclass(slots=True)
class Facts:
    """What initialisation learns about a modem and its SIM."""

    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    imei: str | None = None
    profile: profiles.Profile = profiles.GENERIC
    iccid: str | None = None
    imsi: str | None = None
    service_centre: str | None = None
    registration: int | None = None
    memories: tuple[str, ...] = ()  #: to sweep; empty: the modem does not say
    notices: str | None = None  #: the parameters of AT+CNMI that it took
    acknowledges: bool = False  #: +CMT and +CDS want AT+CNMA
    echoes: bool = False  #: it goes on echoing after ATE0

    @property
    def sim_key(self) -> str | None:
        """Return by what PIN tries are counted: the ICCID, else the IMEI."""
        return self.iccid or self.imei


@dataclass(frozen=True, slots=True)
class Step:
    """One step: alternatives of a command, tried until one succeeds."""

    commands: tuple[str, ...]
    required: bool = False
    prefixes: tuple[str, ...] | None = ()
    take: Callable[[Facts, tuple[str, ...]], None] = field(default=lambda _facts, _lines: None)


def _take_manufacturer(facts: Facts, lines: tuple[str, ...]) -> None:
    facts.manufacturer = sim.parse_name(lines, "+CGMI")


def _take_model(facts: Facts, lines: tuple[str, ...]) -> None:
    facts.model = sim.parse_name(lines, "+CGMM")


def _take_firmware(facts: Facts, lines: tuple[str, ...]) -> None:
    facts.firmware = sim.parse_name(lines, "+CGMR")


def _take_imei(facts: Facts, lines: tuple[str, ...]) -> None:
    facts.imei = sim.parse_imei(lines)


def _take_imsi(facts: Facts, lines: tuple[str, ...]) -> None:
    facts.imsi = sim.parse_imsi(lines)


def _take_registration(facts: Facts, lines: tuple[str, ...]) -> None:
    for line in lines:
        found = network.parse_registration(line)
        if found is not None:
            facts.registration = found.status


def take_service_centre(facts: Facts, lines: tuple[str, ...]) -> None:
    """Learn the service centre number from the lines of AT+CSCA?."""
    facts.service_centre = next(filter(None, map(storage.parse_service_centre, lines)), None)


def _take_memories(facts: Facts, lines: tuple[str, ...]) -> None:
    offered = storage.parse_memory_choices(lines[0]) if lines else ()
    facts.memories = tuple(name for name in _SWEPT if name in offered)
    if "MT" in offered and not {"SM", "ME"} & set(facts.memories):
        facts.memories = ("MT", *facts.memories)


WHO = (
    Step(("ATE0",)),
    Step(("AT+CMEE=1",)),
    Step(("AT+CGMI",), prefixes=None, take=_take_manufacturer),
    Step(("AT+CGMM",), prefixes=None, take=_take_model),
    Step(("AT+CGMR",), prefixes=None, take=_take_firmware),
    Step(("AT+CGSN",), prefixes=None, take=_take_imei),
)

MESSAGES = (
    Step(("AT+CIMI",), prefixes=None, take=_take_imsi),
    Step(("AT+CMGF=0",), required=True),
    Step(("AT+CLIP=1",)),
    Step(("AT+CREG=1",)),
    Step(("AT+CREG?",), prefixes=("+CREG:",), take=_take_registration),
    Step(("AT+CSCA?",), prefixes=("+CSCA:",), take=take_service_centre),
    Step(("AT+CPMS=?",), prefixes=("+CPMS:",), take=_take_memories),
)


class Initialiser:
    """Runs the steps over a dialogue; made anew for each initialisation."""

    def __init__(self, talk: dialogue.Dialogue, now: clock.Clock) -> None:
        self._talk = talk
        self._clock = now
        self._busy_until = now.monotonic() + BUSY_FOR_S

    def run(self, steps: tuple[Step, ...], facts: Facts) -> None:
        """Run steps in order; blocks for as long as the modem takes.

        Raises:
            CommandFailedError: a required step was refused.
            ModemSilentError: no answer.
            PortLostError: the port is gone.
        """
        for step in steps:
            reply = self.ask(step)
            if reply.ok:
                step.take(facts, reply.lines)
            elif step.required:
                reply.raise_for_error()

    def ask(self, step: Step) -> dialogue.Reply:
        """Return the first good reply of a step's alternatives, else the last one."""
        for command in step.commands[:-1]:
            reply = self._ask_patiently(command, step.prefixes)
            if reply.ok:
                return reply
        return self._ask_patiently(step.commands[-1], step.prefixes)

    def _ask_patiently(self, command: str, prefixes: tuple[str, ...] | None) -> dialogue.Reply:
        while True:
            reply = self._talk.command(command, prefixes=prefixes)
            if reply.final.code not in _BUSY_CODES or self._clock.monotonic() > self._busy_until:
                return reply
            self._talk.wait(_BUSY_PAUSE_S)


def read_iccid(run: Initialiser, facts: Facts) -> None:
    """Learn the ICCID by the profile's commands; without one it stays None."""
    for command in facts.profile.iccid:
        reply = run.ask(Step((command,), prefixes=None))
        for line in reply.lines if reply.ok else ():
            facts.iccid = _iccid_of(line)
            if facts.iccid is not None:
                return


def _iccid_of(line: str) -> str | None:
    if line.upper().startswith("+CRSM:"):
        file = sim.parse_sim_file(line)
        return sim.parse_iccid(file.content.hex()) if file is not None and file.ok else None
    return sim.parse_iccid(line)


def choose_notices(run: Initialiser, facts: Facts, delivery: str) -> None:
    """Tell the modem how to announce what arrives, stored mode first where it may be either.

    Status reports are taken whether or not parts ask for them: older ones may still come.
    """
    facts.notices, facts.acknowledges = None, False
    if delivery != "direct" and _set_notices(run, facts, facts.profile.stored_notices):
        return
    if delivery != "stored" and run.ask(Step(("AT+CSMS=1",), prefixes=("+CSMS:",))).ok:
        facts.acknowledges = _set_notices(run, facts, facts.profile.direct_notices)


def _set_notices(run: Initialiser, facts: Facts, choices: tuple[str, ...]) -> bool:
    for choice in choices:
        if run.ask(Step((f"AT+CNMI={choice}",))).ok:
            facts.notices = choice
            return True
    return False
