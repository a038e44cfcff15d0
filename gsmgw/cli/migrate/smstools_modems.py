# SPDX-License-Identifier: Apache-2.0
"""From the modem sections of smsd.conf to our modems: port, SIM, limits, manners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gsmgw import errors, phone
from gsmgw.cli.migrate import foreign
from gsmgw.cli.migrate.account import Account
from gsmgw.cli.migrate.foreign import Setting
from gsmgw.config import Value

_SERIES = re.compile(r"(\S+?)\*\s+(\d+)\s*-\s*(\d+)")
#: Stands for the modem's name in what several of them share: /dev/ttymodemname.
NAME_MACRO = "modemname"
#: Settings of a modem that are carried over, or told of, where it is.
CARRIED = frozenset(
    {
        *("device", "baudrate", "rtscts", "pin", "smsc", "report", "incoming", "outgoing", "mode"),
        *("sending_disabled", "message_limit", "message_count_clear", "eventhandler", "queues"),
        "decode_unicode_text",
    }
)
_MOST_MODEMS = 64
_USB = re.compile(r"ttyUSB|ttyACM|/usb-")
_LIMITS = ((1, "per_minute"), (60, "per_hour"), (1440, "per_day"), (43200, "per_month"))


def names(account: Account, general: dict[str, Setting]) -> Iterator[str]:
    """Yield the names of `devices`, series such as `GSM* 1-4` written out."""
    setting = general.get("devices")
    if setting is None:
        account.advice.append("smsd.conf names no devices: gsmgw setup finds modems")
        return
    count = 0
    for word in setting.value.split(","):
        series = _SERIES.fullmatch(word.strip())
        found = [word.strip()]
        if series is not None:
            prefix, first, last = series[1], int(series[2]), int(series[3])
            found = [f"{prefix}{n}" for n in range(first, min(last, first + _MOST_MODEMS) + 1)]
        for name in found:
            count += 1
            if name and count <= _MOST_MODEMS:
                yield name
    account.tell(setting, "carried", "modems")


def name_here(name: str) -> str:
    """Return what a modem is called in our configuration."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:32]


def international(value: str) -> str | None:
    """Return a number as smsd reads it: with its country, + or not; None if it is none."""
    digits = "+" + re.sub(r"\A(\+|00)", "", value.replace(" ", ""))
    return digits if re.fullmatch(r"\+\d{5,15}", digits, re.ASCII) else None


def subscriber(setting: Setting) -> str | None:
    """Return the number of a phone in a setting; None if there can be no such number."""
    number = international(setting.value)
    try:
        return None if number is None else phone.parse_recipient(number, country="PL")
    except errors.RejectedError:
        return None


def translate(account: Account, names: list[str], pin_folder: Path) -> list[dict[str, Setting]]:
    """Carry the modems over; return the settings of each that is carried, in our order.

    Args:
        account: of the move.
        names: of the modems.
        pin_folder: where the files with PINs are to be.
    """
    carried = []
    modems: list[Value] = []
    account.wanted["modems"] = modems
    devices = account.foreign.of("").get("devices")
    for name in names:
        group = re.sub(r"\d.*", "", name)  # [ELISA*] holds what ELISA11 and ELISA12 share
        settings = account.foreign.of("default") | account.foreign.of(f"{group}*")
        settings |= account.foreign.of(name)
        device = settings.get("device")
        port = "" if device is None else device.value.replace(NAME_MACRO, name)
        if device is None or not port.startswith("/"):
            _without_port(account, name, device)
            continue
        own = name_here(name)
        if own != name:
            account.advice.append(f"modem {name} is named {own} here")
        place = ("modems", len(modems))
        modems.append({"name": own})
        if devices is not None:
            account.notes[place] = account.foreign.where(devices)
        account.carry(device, (*place, "port"), port)
        if re.fullmatch(r"/dev/tty(USB|ACM)\d+", port):
            account.advice.append(
                f"{port} may be another modem after a replug: let port of {own} be its name"
                " in ls -l /dev/serial/by-id/"
            )
        board = re.fullmatch(r"/dev/(tty[A-Z]+)\d+", port)
        if board is not None and not _USB.search(port):
            account.advice.append(
                f"let its service use {port}: sudo systemctl edit gsmgw, with the two lines"
                f" [Service] and DeviceAllow=char-{board[1]} rw; then: sudo systemctl restart gsmgw"
            )
        _speed(account, (*place,), settings, is_usb=_USB.search(port) is not None)
        _sim(account, (*place,), settings, own, pin_folder)
        _manners(account, (*place,), settings)
        carried.append(settings)
    return carried


def _without_port(account: Account, name: str, device: Setting | None) -> None:
    if device is None:
        account.advice.append(f"modem {name} has no device in smsd.conf, so it was left out")
        return
    account.tell(device, "nothing", "modems are local devices; nothing here uses a network")
    account.advice.append(f"modem {name} is not at a local port, so it was left out")


def _speed(
    account: Account, place: tuple[str, int], settings: dict[str, Setting], *, is_usb: bool
) -> None:
    baudrate, rtscts = settings.get("baudrate"), settings.get("rtscts")
    if baudrate is not None:
        if baudrate.value.isdigit() and 300 <= int(baudrate.value) <= 4_000_000:
            account.carry(baudrate, (*place, "baudrate"), baudrate.value)
        else:
            account.tell(baudrate, "otherwise", "modems.baudrate; this value cannot be read")
    if is_usb:
        if rtscts is not None:
            account.tell(rtscts, "otherwise", "modems.rtscts; USB modems do not need it, so off")
    elif rtscts is not None:
        account.carry(rtscts, (*place, "rtscts"), "on" if foreign.is_on(rtscts.value) else "off")
    else:
        account.carry(None, (*place, "rtscts"), "on")
        account.notes[*place, "rtscts"] = "as smsd does at a serial port unless told otherwise"


def _sim(
    account: Account,
    place: tuple[str, int],
    settings: dict[str, Setting],
    name: str,
    pin_folder: Path,
) -> None:
    pin, centre = settings.get("pin"), settings.get("smsc")
    if pin is not None and re.fullmatch(r"\d{4,8}", pin.value, re.ASCII):
        path = pin_folder / f"{name}.pin"
        account.carry(pin, (*place, "pin_file"), str(path))
        account.notes[*place, "pin_file"] = f"{account.foreign.path.name}, line {pin.line}: pin"
        account.pins[name] = pin.value
    elif pin is not None:
        account.tell(pin, "otherwise", "without modems.pin_file no PIN is ever given to a SIM")
    if centre is not None:
        digits = international(centre.value)
        if digits is not None:
            account.carry(centre, (*place, "service_centre"), digits)
        else:
            account.tell(centre, "otherwise", "modems.service_centre; this is no number")
    own = subscriber(settings["number"]) if "number" in settings else None
    if own is not None:
        account.carry(settings["number"], (*place, "number"), own)


def _manners(account: Account, place: tuple[str, int], settings: dict[str, Setting]) -> None:
    """Carry over what a modem sends and receives, and how much."""
    report = settings.get("report")
    if report is not None and report.value.lower() == "disabled":
        account.carry(report, (*place, "reports"), "off")
    elif report is not None:
        words = "a report is asked for every message, as evidence; Report: yes gives you its file"
        account.tell(report, "otherwise", words)
    incoming, outgoing = settings.get("incoming"), settings.get("outgoing")
    if incoming is not None:
        receives = foreign.is_on(incoming.value) or incoming.value.lower() in ("high", "2")
        words = "every modem receives" if receives else "every modem receives; this one will too"
        account.tell(incoming, "otherwise" if receives else "nothing", words)
    if outgoing is not None:
        sends = foreign.is_on(outgoing.value)
        words = "every modem sends" if sends else "every modem sends; see modems.routes"
        account.tell(outgoing, "otherwise" if sends else "nothing", words)
    mode = settings.get("mode")
    if mode is not None:
        is_new = mode.value.lower() == "new"
        words = "PDU mode always" if is_new else "modems of GSM phase 1 are not supported"
        account.tell(mode, "otherwise" if is_new else "nothing", words)
    if "sending_disabled" in settings:
        words = "for tests there are simulated modems: gsmgw simulate"
        if foreign.is_on(settings["sending_disabled"].value):
            words += ". THIS MODEM WILL SEND; leave it out if it must not"
        account.tell(settings["sending_disabled"], "nothing", words)
    _limit(account, place, settings)


def _limit(account: Account, place: tuple[str, int], settings: dict[str, Setting]) -> None:
    limit, clear = settings.get("message_limit"), settings.get("message_count_clear")
    if limit is None or not limit.value.isdigit() or int(limit.value) < 1:
        for setting in filter(None, (limit, clear)):
            account.tell(setting, "otherwise", "modems.limits; without it nothing is limited")
        return
    minutes = int(clear.value) if clear is not None and clear.value.isdigit() else 0
    if clear is None or minutes < 1:
        words = "modems.limits count per minute, hour, day or month, not until a restart"
        account.tell(limit, "nothing", words)
        return
    size, key = next((one for one in _LIMITS if one[0] >= minutes), _LIMITS[-1])
    quota = min(1_000_000, max(1, int(limit.value) * size // minutes))
    account.carry(limit, (*place, "limits"), {key: str(quota)})
    exact = "" if size == minutes else ", the same on average"
    account.tell(clear, "carried", f"modems.limits.{key}{exact}; surveys stop at 80 % of it")
