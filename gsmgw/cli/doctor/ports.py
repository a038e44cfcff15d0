# SPDX-License-Identifier: Apache-2.0
"""Checks of the modems' device files: are they there, may the daemon use them, who holds them."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gsmgw.cli import probing
from gsmgw.cli.doctor import machine, places, rivals, sandbox, sticks
from gsmgw.cli.doctor.installation import Installation
from gsmgw.config import Modem
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.modem import discovery, settings


def check(seen: Installation) -> Iterator[Trouble]:
    """Yield what keeps the daemon from its modems' ports; opens none of them."""
    if seen.config is None or not seen.is_whole:
        return
    if not seen.config.modems and seen.daemon_pid is None:  # else the record says so
        what = "no modem is configured, so nothing can be sent"
        do = "sudo gsmgw setup finds modems and writes them into the configuration"
        yield Trouble("error", "modem.none", "", what, do)
    missing = False
    for modem in seen.config.modems:
        found = [*_port(seen, modem)]
        missing = missing or any(trouble.name == "port.missing" for trouble in found)
        yield from found
        yield from _pin_file(seen, modem)
    if missing:
        yield from sticks.check()


def find(modem: Modem) -> list[str]:
    """Return the device files that may be a modem's, best first; opens none of them."""
    wanted = settings.Settings(
        modem.name,
        port=modem.port,
        match_imei=None if modem.match is None else modem.match.imei,
        match_usb=None if modem.match is None else modem.match.usb,
    )
    return discovery.candidates(wanted, machine.ROOT / "sys")


def _port(seen: Installation, modem: Modem) -> Iterator[Trouble]:
    found = find(modem)
    if not found:
        yield _missing(modem)
        return
    for path in found if modem.port is None else [modem.port]:
        real = Path(os.path.realpath(path))
        try:
            status = real.stat()
        except OSError as error:
            yield places.blind(path, error)
            continue
        if not stat.S_ISCHR(status.st_mode):
            do = "gsmgw modem probe shows the ports that answer; correct modems.port"
            yield Trouble("error", "port.wrong", modem.name, f"{path} is no serial port", do)
            continue
        yield from _rights(seen, modem, real, status)
        yield from _holders(seen, modem, real)


def _missing(modem: Modem) -> Trouble:
    if modem.port is not None:
        what = f"{modem.port} does not exist"
    else:
        match = modem.match
        wanted = [] if match is None else list(filter(None, (match.usb, match.imei)))
        what = f"no device fits {' and '.join(wanted)}"
    others = probing.candidate_ports()
    if others:
        do = f"there are {', '.join(others)}: gsmgw modem probe; then correct the configuration"
    else:
        do = "lsusb; sudo dmesg | tail -n 30; plug the modem in, in another socket or powered hub"
    return Trouble("error", "port.missing", modem.name, what, do)


def _rights(
    seen: Installation, modem: Modem, real: Path, status: os.stat_result
) -> Iterator[Trouble]:
    if not seen.account.may(status, places.READ | places.WRITE):
        group = machine.group_name(status.st_gid)
        shown = machine.shown_mode(real, status)
        what = f"the daemon (user {seen.user}) may not use {shown}"
        do = f"sudo adduser {seen.user} {group}; sudo systemctl restart gsmgw"
        if status.st_gid == 0:  # nobody is to be a member of that group
            do = f"sudo adduser {seen.user} dialout; pull the modem out and plug it in: its port"
            do += " must belong to group dialout, not root"
        yield Trouble("error", "port.forbidden", modem.name, what, do)
    kind = None if seen.unit is None else seen.unit.lacks_device(modem.port or str(real))
    if seen.unit is not None and kind is not None:
        what = f"the unit {seen.unit.path} does not let the daemon use {real}"
        do = sandbox.drop_in(f"DeviceAllow={kind} rw")
        yield Trouble("error", "unit.devices", modem.name, what, do)


def _holders(seen: Installation, modem: Modem, real: Path) -> Iterator[Trouble]:
    ours = {seen.daemon_pid, os.getpid()}
    found = machine.holders(real)
    others = [process for process in found if process.pid not in ours]
    if real.parent.name == "pts":  # the modem at its other end is a program itself
        others = [process for process in others if not machine.has_terminals(process.pid)]
    if not others:
        return
    trouble = held(modem.name, str(real), others)
    if any(process.pid == seen.daemon_pid for process in found):  # it has the port, too
        trouble = dataclasses.replace(trouble, level="warning")
    yield trouble


def held(modem: str, path: str, others: list[machine.Process]) -> Trouble:
    """Say that another program has a port; `others` is empty where it cannot be seen which."""
    who = ", ".join(map(str, others)) or "which one, only root may see"
    do = "end that program, and keep it from starting again"
    if not others:
        do = f"sudo fuser -v {path}; {do}"
    else:
        do = next(filter(None, (rivals.way_out(process) for process in others)), do)
    return Trouble("error", "port.held", modem, f"{path} is held by another program: {who}", do)


# -- PIN files ------------------------------------------------------------------------------------


def _pin_file(seen: Installation, modem: Modem) -> Iterator[Trouble]:
    path = modem.pin_file
    if path is None or (seen.unit is not None and path.name in seen.unit.credentials):
        return
    try:
        status = path.stat()
    except FileNotFoundError:
        do = f"write the PIN of the SIM into it, then: sudo chown {seen.user} {path};"
        do += f" sudo chmod 0600 {path}"
        what = f"the PIN file {path} is not there"
        yield Trouble("error", "pin.unusable", modem.name, what, do)
        return
    except OSError as error:
        yield places.blind(str(path), error)
        return
    if not stat.S_ISREG(status.st_mode):
        what = f"the PIN file {path} is no file"
        do = f"name a file that holds the PIN as modems.pin_file, or: sudo mv {path} {path}.aside"
        yield Trouble("error", "pin.unusable", modem.name, what, do)
        return
    do = f"sudo chown {seen.user} {path} && sudo chmod 0600 {path}"
    for trouble in places.forbidden(seen, path, places.READ, do):
        if trouble.name == "path.forbidden":
            yield Trouble("error", "pin.unusable", modem.name, trouble.what, trouble.do)
    if status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        what = f"everybody on this machine may read the PIN of modem {modem.name}"
        yield Trouble("warning", "rights.open", str(path), what, do)
    try:
        pin = path.read_bytes()[:100].strip()
    except OSError:
        return
    # A PIN has 4 to 8 digits (3GPP TS 51.011 9.3).
    if not (pin.isdigit() and 4 <= len(pin) <= 8):
        what = f"the PIN file {path} does not hold 4 to 8 digits and nothing else"
        yield Trouble("error", "pin.unusable", modem.name, what, f"write the PIN into {path}")
