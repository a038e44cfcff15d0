# SPDX-License-Identifier: Apache-2.0
"""Finds the device file of a configured modem: by path, by USB identity, or by asking for the IMEI.

Theory of operation. `ttyUSB` numbers change with the order of plugging in, so they identify
nothing. A path is taken as it stands (it should be one under /dev/serial/by-id). A USB identity is
looked up in sysfs: the tty's device directory has, some levels up, the directory of the USB device
with idVendor, idProduct and serial. For an IMEI every candidate is opened and asked.

A stick has several ports, and some never answer. Of one device's ports those are asked first that
the vendor's profile likes best; the first that answers is taken. A port that another program (or
another modem's thread) holds is passed over.

On failure. What cannot be read or opened is no candidate; nothing here raises.

Known limits. Asking for an IMEI writes AT to ports that may belong to other modems; a late answer
waiting in one of them is then not heard. Configure a path or a USB identity where there are several
modems.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from gsmgw import clock, logs
from gsmgw.at import sim
from gsmgw.errors import ModemError
from gsmgw.modem import dialogue, exchange, port, profiles, settings

_log = logs.get("modem")

SYSFS = Path("/sys")
_PROBE_TIMEOUT_S = 2.5


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A USB device as sysfs shows it."""

    vendor: str  #: four hexadecimal digits
    product: str
    serial: str
    bus_path: str  #: "1-1.4": bus and the ports on the way
    node: Path  #: the file for a USB reset
    interface: int  #: of the tty that led here


def usb_device(path: str, sysfs: Path = SYSFS) -> UsbDevice | None:
    """Return the USB device behind a device file, None if there is none."""
    name = Path(os.path.realpath(path)).name
    here = Path(os.path.realpath(sysfs / "class" / "tty" / name / "device"))
    interface = 0
    for place in (here, *here.parents):
        number = _read(place / "bInterfaceNumber")
        if number:
            interface = int(number, 16)
        vendor = _read(place / "idVendor")
        if vendor:
            bus, device = _read(place / "busnum"), _read(place / "devnum")
            return UsbDevice(
                vendor.lower(),
                _read(place / "idProduct").lower(),
                _read(place / "serial"),
                place.name,
                Path(f"/dev/bus/usb/{int(bus or 0):03d}/{int(device or 0):03d}"),
                interface,
            )
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def candidates(wanted: settings.Settings, sysfs: Path = SYSFS) -> list[str]:
    """Return the device files that may be this modem's, best first; opens none of them."""
    if wanted.port is not None:
        return [wanted.port] if Path(wanted.port).exists() else []
    found: dict[str, str] = {}
    for pattern in wanted.candidates:
        for path in sorted(glob.glob(pattern)):  # noqa: PTH207 - Path.glob takes no absolute ones
            found.setdefault(os.path.realpath(path), path)
    if wanted.match_usb is None:
        return list(found.values())
    devices = [(path, usb_device(path, sysfs)) for path in found.values()]
    matching = [
        (path, device)
        for path, device in devices
        if device is not None and _fits(device, wanted.match_usb)
    ]
    return [path for path, _ in sorted(matching, key=lambda pair: _preference(pair[1]))]


def _fits(device: UsbDevice, wanted: str) -> bool:
    if wanted == device.bus_path:
        return True
    vendor, _, rest = wanted.lower().partition(":")
    product, _, serial = rest.partition(":")
    return (device.vendor, device.product) == (vendor, product) and serial in (
        "",
        device.serial.lower(),
    )


def _preference(device: UsbDevice) -> tuple[str, int]:
    liked = any(
        device.vendor in profile.usb_vendors and profile.last_port_first
        for profile in profiles.PROFILES
    )
    return device.bus_path, -device.interface if liked else device.interface


@dataclass(frozen=True, slots=True)
class Found:
    """Where a modem is."""

    path: str
    late: tuple[exchange.Answer, ...] = ()  #: results of an older submit heard while asking


def find(
    wanted: settings.Settings,
    now: clock.Clock,
    *,
    sysfs: Path = SYSFS,
    last: str | None = None,
    listen_s: float = 0.0,
) -> Found | None:
    """Return where a modem is, None if it is not there now.

    Blocks up to some seconds for each port that must be asked and does not answer.

    Args:
        wanted: what the configuration says.
        now: the clock for time-outs.
        sysfs: where to look up USB devices.
        last: where this modem was found last; asked first.
        listen_s: listen so long to each port before the first byte is written to it.
    """
    paths = candidates(wanted, sysfs)
    if wanted.port is not None or (wanted.match_imei is None and len(paths) == 1):
        return Found(paths[0]) if paths else None
    paths.sort(key=lambda path: path != last)  # stable: the others keep their order
    for path in paths:
        imei, late = ask_imei(path, wanted, now, listen_s=listen_s)
        if imei is not None and (wanted.match_imei is None or same_imei(imei, wanted.match_imei)):
            return Found(path, late)
    return None


def same_imei(one: str, other: str) -> bool:
    """Compare two IMEIs by their first 14 digits; check digit and software version may differ."""
    return one[:14] == other[:14]


def ask_imei(
    path: str, wanted: settings.Settings, now: clock.Clock, *, listen_s: float = 0.0
) -> tuple[str | None, tuple[exchange.Answer, ...]]:
    """Open a port, ask for the IMEI and close it.

    Returns:
        The IMEI, "" if the modem answers and gives none, None if the port cannot be opened, is
        held by another program, or does not answer; and the late results heard before.
    """
    line = port.Port(
        path, baudrate=wanted.baudrate, rtscts=wanted.rtscts, write_timeout_s=1.0, now=now
    )
    try:
        line.open()
        talk = dialogue.Dialogue(line, name=wanted.name, now=now)
        if listen_s > 0:
            talk.listen(listen_s)
        talk.resynchronise(_PROBE_TIMEOUT_S)
        reply = talk.command("AT+CGSN", prefixes=None, timeout_s=_PROBE_TIMEOUT_S)
    except ModemError as error:
        _log.debug("port.passed_over", modem=wanted.name, port=path, why=logs.masked(error))
        return None, ()
    finally:
        line.close()
    return sim.parse_imei(reply.lines) or "", tuple(talk.late)
