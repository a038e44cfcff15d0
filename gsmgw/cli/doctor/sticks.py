# SPDX-License-Identifier: Apache-2.0
"""Checks of USB sticks that are plugged in and give no serial port: as a disk, or without driver.

Looked for only where a port is missing; a stick that nobody wants here does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gsmgw.cli.doctor import machine
from gsmgw.gateway.health.trouble import Trouble

#: Makers of modems, by USB vendor: Huawei, ZTE, SIMCom, Quectel.
_MAKERS = {"12d1": "Huawei", "19d2": "ZTE", "1e0e": "SIMCom", "2c7c": "Quectel"}
#: USB classes, <https://www.usb.org/defined-class-codes>: disks, and networks (CDC, RNDIS).
_STORAGE = "08"
_NETWORK = frozenset({"02", "0a", "e0", "0e"})


def check() -> Iterator[Trouble]:
    """Yield sticks of makers of modems that are there and are no serial port."""
    for place in sorted((machine.ROOT / "sys/bus/usb/devices").glob("*")):
        maker = _MAKERS.get(_read(place / "idVendor"))
        if maker is None or _has_serial_port(place):
            continue
        name = f"{_read(place / 'idVendor')}:{_read(place / 'idProduct')}"
        classes = {_read(below) for below in place.glob("*:*/bInterfaceClass")} - {""}
        if classes == {_STORAGE}:
            what = f"a {maker} stick ({name}) shows itself as a disk, not as a modem"
            do = "sudo apt install usb-modeswitch; pull the stick out and plug it in; lsusb"
            yield Trouble("error", "usb.mode", name, what, do)
        elif classes and classes <= {*_NETWORK, _STORAGE}:
            what = f"a {maker} stick ({name}) shows itself as a network card, not as a modem"
            do = "docs/modems.md says which sticks are modems; this one is a router of its own"
            yield Trouble("error", "usb.mode", name, what, do)
        else:
            what = f"a {maker} stick ({name}) is there, and the kernel makes no serial port of it"
            do = "sudo modprobe option; sudo modprobe cdc_acm. If those are not found, the kernel"
            do += " was upgraded: sudo reboot. Else: sudo dmesg | tail -n 30"
            yield Trouble("error", "usb.driver", name, what, do)


def _has_serial_port(place: Path) -> bool:
    """Tell whether a driver has made ports of it: ttyUSB0 below the interface, or tty/ttyACM0."""
    return any(True for _ in (*place.glob("*:*/ttyUSB*"), *place.glob("*:*/tty/tty*")))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip().lower()
    except OSError:
        return ""
