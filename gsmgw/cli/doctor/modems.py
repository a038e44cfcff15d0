# SPDX-License-Identifier: Apache-2.0
"""Checks of the modems themselves: each is asked now, by the daemon or, where it is not, by us.

With a daemon a modem that should be ready is asked to answer a bare AT between two parts. Without
one its port is asked what a technician would ask; no PIN is tried and nothing is set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gsmgw import errors
from gsmgw.cli import exits, modems, probing
from gsmgw.cli.doctor import ports
from gsmgw.cli.doctor.installation import Installation
from gsmgw.config import Modem
from gsmgw.gateway.health import judgement, record
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.model import ModemState

#: A modem that sends just now comes to it within this time, as a rule, in seconds.
_ANSWER_WITHIN_S = 15.0
_FEWEST_TRIES = 2
#: What keeps us from asking a port; it was told already.
_TOLD = frozenset({"port.held", "port.forbidden", "port.missing", "port.wrong"})


def check(
    seen: Installation, health: record.Health | None, told: Sequence[Trouble]
) -> Iterator[Trouble]:
    """Yield what is wrong with the modems; blocks up to some seconds for each.

    Args:
        seen: the installation.
        health: the record; None if there is none.
        told: what was found before.
    """
    if seen.config is None or not seen.is_whole or not seen.is_daemon_known:
        return
    hangs = any(one.name == "daemon.hangs" for one in told)
    for modem in seen.config.modems:
        if seen.daemon_pid is not None:
            if not hangs:  # it would answer for no modem
                yield from _through_daemon(seen, modem, health)
        elif not any(one.name in _TOLD and one.where == modem.name for one in told):
            yield from _directly(seen, modem)


def _through_daemon(
    seen: Installation, modem: Modem, health: record.Health | None
) -> Iterator[Trouble]:
    """Have the daemon ask; only of a modem that works as far as it knows."""
    known = [] if health is None else health.modems
    states = {document["name"]: document["state"] for document in known}
    if states.get(modem.name) != ModemState.READY:
        return
    try:
        modems.ask(seen.current, modem.name, "at", "AT", _ANSWER_WITHIN_S)
    except (exits.CommandError, errors.StoreError) as error:
        words = error.format_message() if isinstance(error, exits.CommandError) else str(error)
        yield Trouble(
            "warning",
            "modem.silent",
            modem.name,
            f"it was asked just now: {words}",
            "wait a minute, gsmgw doctor again; then pull it out, wait ten seconds, plug it in",
        )


def _directly(seen: Installation, modem: Modem) -> Iterator[Trouble]:
    found: probing.Finding | None = None
    for path in ports.find(modem):
        found = probing.ask_port(path, seen.current.clock, baudrate=modem.baudrate)
        if found.error is None and _is_wanted(modem, found):
            yield from _answers(modem, found)
            return
    if found is None:
        return
    if found.error is not None and "held by another program" in found.error:
        yield ports.held(modem.name, found.port, [])
    elif found.error is not None:
        what = f"it does not answer: {found.error}"
        do = "pull it out, wait ten seconds, plug it in; gsmgw modem probe shows the port that"
        yield Trouble("error", "modem.silent", modem.name, what, f"{do} answers")
    else:
        what = f"the modem there has IMEI {found.imei}, another than the configuration says"
        do = "gsmgw modem probe; correct modems.match"
        yield Trouble("error", "port.missing", modem.name, what, do)


def _is_wanted(modem: Modem, found: probing.Finding) -> bool:
    wanted = None if modem.match is None else modem.match.imei
    return wanted is None or (found.imei or "")[:14] == wanted[:14]


def _answers(modem: Modem, found: probing.Finding) -> Iterator[Trouble]:
    if found.sim == "READY":
        yield from judgement.judge_answers(
            modem.name,
            registration=found.registration,
            service_centre=found.service_centre or modem.service_centre,
            storages=found.storages,
            signal_dbm=found.signal_dbm,
        )
        return
    yield from _locked(modem, found)


def _locked(modem: Modem, found: probing.Finding) -> Iterator[Trouble]:
    left = "" if found.pin_tries is None else f" ({found.pin_tries} tries left)"
    if found.sim == "SIM PIN" and modem.pin_file is None:
        what = f"its SIM wants a PIN{left}, and none is configured"
        do = "write it into a file and name that as modems.pin_file; or switch the PIN off in a"
        yield Trouble("error", "sim.unusable", modem.name, what, f"{do} phone")
    elif found.sim == "SIM PIN" and found.pin_tries is not None and found.pin_tries < _FEWEST_TRIES:
        what = f"its SIM leaves {found.pin_tries} try for the PIN: it is not used up by us"
        do = "enter the right PIN in a phone, which gives the tries back"
        yield Trouble("error", "sim.unusable", modem.name, what, do)
    elif found.sim != "SIM PIN":
        what = f"its SIM cannot be used: {found.sim}{left}"
        do = "a PUK: unlock it in a phone, with the operator's letter; no SIM: seat it again"
        yield Trouble("error", "sim.unusable", modem.name, what, do)
