# SPDX-License-Identifier: Apache-2.0
"""Looks at ports and says in plain words which are modems, which are of one stick, which are none.

Ports that the daemon holds are asked through it, the others directly; no PIN is tried.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmgw.cli import probing
from gsmgw.cli.doctor import machine, ports, sticks
from gsmgw.modem import discovery, profiles

#: Other gateways that hold a modem, and how their configuration comes over.
_GATEWAYS = {
    "smsd": "sudo systemctl stop smstools; then: gsmgw migrate smstools /etc/smsd.conf",
    "gsmgw": "that is another gsmgw daemon: sudo systemctl stop gsmgw, or set up its --config FILE",
    "gammu-smsd": "sudo systemctl stop gammu-smsd; then: gsmgw migrate gammu /etc/gammu-smsdrc",
}
#: <stat> of +CREG, 3GPP TS 27.007 7.2.
_REGISTRATION = {
    0: "no network, and not searching: antenna? is the SIM active?",
    1: "registered",
    2: "searching for its network",
    3: "the network refuses this SIM: is it active and paid for?",
    4: "registration unknown",
    5: "registered, roaming",
}
#: Signals from which on messages go well, and badly, in dBm.
_GOOD_DBM, _WEAK_DBM = -93, -107


@dataclass(frozen=True, slots=True)
class Found:
    """One modem that answered."""

    told: probing.Finding
    usb: discovery.UsbDevice | None
    others: tuple[str, ...] = ()  #: further ports of the same stick, not used

    @property
    def port(self) -> str:
        """The device file by which it was asked."""
        return self.told.port

    @property
    def title(self) -> str:
        """Make and model, as the modem calls itself."""
        told = self.told
        name = " ".join(filter(None, (told.manufacturer, told.model)))
        return name or "a modem that does not say its make"


@dataclass(frozen=True, slots=True)
class Useless:
    """A port at which no modem can be used, and what to do."""

    port: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of looking."""

    modems: list[Found]
    useless: list[Useless]


def survey(paths: Iterable[str], ask: Callable[[str], probing.Finding]) -> Survey:
    """Ask all ports; blocks for some seconds at each that says nothing.

    Args:
        paths: device files; those of one device are asked once.
        ask: asks one port.
    """
    answered: list[Found] = []
    useless: list[Useless] = []
    for path in {os.path.realpath(path): path for path in paths}.values():
        fault = _fault_of_file(path)
        told = probing.Finding(path) if fault is not None else ask(path)
        if fault is None and not told.error:
            answered.append(Found(told, discovery.usb_device(path)))
        else:
            useless.append(fault or explain(path, told.error or ""))
    modems = [_join(group) for group in _by_stick(answered)]
    sticks = {found.usb.bus_path for found in modems if found.usb is not None}
    return Survey(modems, [one for one in useless if not _is_of(one.port, sticks)])


def _fault_of_file(path: str) -> Useless | None:
    """Say what is wrong with a device file before it is opened."""
    try:
        status = Path(path).stat()
    except OSError as error:
        what = f"cannot be looked at: {error.strerror}"
        if isinstance(error, FileNotFoundError):
            what = "there is no such device file"
        return Useless(path, what, "ls -l /dev/serial/by-id/ shows what is plugged in")
    if not stat.S_ISCHR(status.st_mode):
        return _no_serial_port(path)
    if not os.access(path, os.R_OK | os.W_OK):
        group = machine.group_name(status.st_gid)
        do = f"run sudo gsmgw setup; or: sudo adduser $USER {group}, and log in anew"
        shown = machine.shown_mode(Path(path), status)
        return Useless(path, f"you may not use it ({shown})", do)
    return None


def _no_serial_port(path: str) -> Useless:
    return Useless(path, "is no serial port", "name the modem's device file, /dev/ttyUSB0 or such")


def explain(path: str, error: str) -> Useless:
    """Say in plain words why a port could not be asked, and what to do."""
    if "Inappropriate ioctl" in error:
        return _no_serial_port(path)
    if "held by another program" not in error:
        what = f"no modem answers here ({error.removeprefix(f'{path}: ').removeprefix(path)})"
        do = "if it is a modem: pull it out, plug it in, try again; another speed: --baudrate"
        return Useless(path, what.replace("( ", "("), do)
    real = os.path.realpath(path)
    others = [process for process in machine.holders(real) if process.pid != os.getpid()]
    if "/pts/" in real:  # the modem at its other end is a program itself
        others = [process for process in others if not machine.has_terminals(process.pid)]
    trouble = ports.held("", path, others)
    commands = (_GATEWAYS[process.name] for process in others if process.name in _GATEWAYS)
    return Useless(path, trouble.what.removeprefix(f"{path} "), next(commands, trouble.do))


def _by_stick(answered: Sequence[Found]) -> list[list[Found]]:
    """Group ports of one device: by its place on the bus, else by the IMEI it tells."""
    groups: dict[str, list[Found]] = {}
    for found in answered:
        key = found.usb.bus_path if found.usb is not None else found.told.imei or found.port
        groups.setdefault(key, []).append(found)
    return list(groups.values())


def _join(group: list[Found]) -> Found:
    best = min(group, key=_preference)
    others = tuple(found.port for found in group if found is not best)
    return Found(best.told, best.usb, others)


def _preference(found: Found) -> tuple[bool, int]:
    """Prefer a port that the daemon uses already, then the one the make's profile likes."""
    profile = profiles.by_name(found.told.profile or "")
    interface = found.usb.interface if found.usb is not None else 0
    last_first = profile is not None and profile.last_port_first
    return found.told.modem is None, -interface if last_first else interface


def _is_of(path: str, sticks: set[str]) -> bool:
    """Tell whether a silent port is just another one of a stick that answered elsewhere."""
    device = discovery.usb_device(path)
    return device is not None and device.bus_path in sticks


# -- words ----------------------------------------------------------------------------------------


def describe(found: Found) -> Iterator[str]:
    """Yield what a person is to know of a modem, line by line."""
    told = found.told
    imei = f", IMEI {told.imei}" if told.imei else ""
    yield f"{found.title}{imei}"
    yield f"port {told.port}"
    if found.others:
        yield f"the same stick also answers at {', '.join(found.others)}; one port is enough"
    if told.sim is not None:
        yield f"SIM: {_sim(told)}"
    if told.sim not in (None, "READY"):
        return  # it has no network before
    network = [told.operator or "", _signal(told.signal_dbm)]
    if told.registration is not None:
        network.append(_REGISTRATION.get(told.registration, f"state {told.registration}"))
    yield f"network: {', '.join(filter(None, network))}"
    if told.sim == "READY" and told.modem is None and not told.service_centre:
        yield "the SIM has no service centre number: set service_centre, the operator tells it"


def _sim(told: probing.Finding) -> str:
    card = f", ICCID {told.iccid}" if told.iccid else ""
    tries = f", {told.pin_tries} tries left" if told.pin_tries is not None else ""
    if told.sim == "READY":
        return f"ready{card}"
    if told.sim == "SIM PIN":
        return f"wants its PIN{tries}{card}"
    if told.sim == "SIM PUK":
        return f"is blocked and wants its PUK: put it into a phone, and enter the PUK there{card}"
    return f"cannot be used ({told.sim}): is it there, and the right way round?"


def _signal(dbm: int | None) -> str:
    if dbm is None:
        return "signal unknown"
    word = "good" if dbm >= _GOOD_DBM else "usable" if dbm > _WEAK_DBM else "weak: move the antenna"
    return f"signal {dbm} dBm ({word})"


def no_modem() -> Iterator[str]:
    """Yield what to do where no port answers."""
    found = list(sticks.check())
    for trouble in found:
        yield f"{trouble.what}: {trouble.do}"
    if not found:
        yield "plug the modem in and wait half a minute; lsusb and sudo dmesg | tail show it"
        yield "a stick that shows itself as a disk needs usb-modeswitch: docs/modems.md"
        yield "to try gsmgw without a modem: gsmgw demo"
