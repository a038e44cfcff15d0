# SPDX-License-Identifier: Apache-2.0
"""From gammu-smsd's gammu-smsdrc to our configuration: the modem and its SIM; the rest is told."""

from __future__ import annotations

import re
from pathlib import Path

from gsmgw.cli.migrate import foreign
from gsmgw.cli.migrate.account import Account, Fate
from gsmgw.cli.migrate.foreign import Foreign, Setting
from gsmgw.config import Value

DEFAULT_PATH = Path("/etc/gammu-smsdrc")

_AT_ONCE = "rows and files are seen when they come; nothing is polled"
_RECOVERY = "a silent modem is brought back in stages by itself; every step is in the log"
_LOG = "one line an event in the journal: journalctl -u gsmgw; logs.level sets how much"
_TABLES = (
    "messages stand in the database of gsmgw: docs/sqlite.md; how to move them: docs/migrate.md"
)
_FILES = "files have headers and a text: docs/spool.md; how to move them: docs/migrate.md"
_HOOK = (
    "hooks.event is called with EVENT FILE ID instead: docs/spool.md section 8; rewrite the script"
)
_FILTER = "everything that arrives is kept and handed over; leave out what you do not want"
_GAMMU = "gsmgw speaks AT by itself, by profiles: docs/modems.md"

#: Settings of both sections that are not carried, each with what is here instead (gammu 1.44).
_WORDS: dict[str, tuple[Fate, str]] = {
    "atgencharset": ("otherwise", "texts always become the right alphabet"),
    "backendretries": ("otherwise", "one local database; a busy one is waited for"),
    "checkbattery": ("nothing", "modems have no battery"),
    "checksecurity": ("otherwise", "the SIM is watched always"),
    "checksignal": ("otherwise", "signal and network are watched always"),
    "checknetwork": ("otherwise", "signal and network are watched always"),
    "commtimeout": ("otherwise", _AT_ONCE),
    "database": ("otherwise", _TABLES),
    "datapath": ("nothing", _GAMMU),
    "dbdir": ("otherwise", _TABLES),
    "debuglevel": ("otherwise", _LOG),
    "deliveryreport": ("otherwise", "a report is asked for every message; report_requested"),
    "deliveryreportdelay": ("otherwise", "reports are matched however late they come"),
    "driver": ("otherwise", _TABLES),
    "driverspath": ("otherwise", _TABLES),
    "errorsmspath": ("otherwise", _FILES),
    "excludenumbersfile": ("nothing", _FILTER),
    "excludesmscfile": ("nothing", _FILTER),
    "features": ("nothing", _GAMMU),
    "gammucoding": ("nothing", _GAMMU),
    "gammuloc": ("nothing", _GAMMU),
    "hangupcalls": ("otherwise", "missed_calls.rings, then hung up"),
    "hardresetfrequency": ("otherwise", _RECOVERY),
    "host": ("otherwise", _TABLES),
    "inboxformat": ("otherwise", _FILES),
    "inboxpath": ("otherwise", _FILES),
    "includenumbersfile": ("nothing", _FILTER),
    "includesmscfile": ("nothing", _FILTER),
    "logfacility": ("otherwise", _LOG),
    "logfile": ("otherwise", _LOG),
    "logformat": ("otherwise", _LOG),
    "loopsleep": ("otherwise", _AT_ONCE),
    "maxretries": ("otherwise", "sending.retry; a modem's trouble costs no try"),
    "model": ("otherwise", _GAMMU),
    "multiparttimeout": ("otherwise", "parts are waited for a day, in the database"),
    "networkcode": ("nothing", "a SIM lock of the operator is opened by hand"),
    "outboxformat": ("otherwise", _FILES),
    "outboxpath": ("otherwise", _FILES),
    "password": ("otherwise", _TABLES),
    "pc": ("otherwise", _TABLES),
    "phonecode": ("nothing", "modems have no phone lock"),
    "receive": ("otherwise", "every modem receives"),
    "receivefrequency": ("otherwise", _AT_ONCE),
    "resetfrequency": ("otherwise", _RECOVERY),
    "retrytimeout": ("otherwise", "sending.retry: 30s, 1m, 2m …"),
    "runonfailure": ("otherwise", _HOOK),
    "runonincomingcall": ("otherwise", _HOOK),
    "runonreceive": ("otherwise", _HOOK),
    "runonsent": ("otherwise", _HOOK),
    "send": ("otherwise", "every modem sends"),
    "sendtimeout": ("otherwise", "modems.result_timeout; nothing is sent again blindly after it"),
    "sentsmspath": ("otherwise", _FILES),
    "service": ("otherwise", _TABLES),
    "skipsmscnumber": ("otherwise", "the service centre is never compared"),
    "smsdebug": ("otherwise", _LOG),
    "sql": ("otherwise", _TABLES),
    "startinfo": ("nothing", _GAMMU),
    "statusfrequency": ("otherwise", "signal and network are watched always"),
    "synchronizetime": ("nothing", "the machine's clock is the operating system's"),
    "transmitformat": ("otherwise", "GSM alphabet where it fits, else UCS-2; sending.charset"),
    "usbdevice": ("otherwise", "modems.match: {usb: …}"),
    "use_locking": ("otherwise", "the port is opened for gsmgw alone"),
    "user": ("otherwise", _TABLES),
}


def read(path: Path) -> Foreign:
    """Read the file.

    Raises:
        BadFileError: it is no text.
        OSError: it cannot be read.
    """
    return foreign.read(path, comments="#;")


def translate(found: Foreign, wanted: dict[str, Value], pin_folder: Path) -> Account:
    """Put all that can be carried into a configuration, and say of every setting what became of it.

    Args:
        found: gammu-smsdrc.
        wanted: our configuration so far.
        pin_folder: where the file with the PIN is to be.
    """
    account = Account(found, wanted)
    device, daemon = found.of("gammu"), found.of("smsd")
    _modem(account, device, daemon, pin_folder)
    told = {id(entry.setting) for entry in account.entries}
    for setting in found.settings:
        counts = found.of(setting.section)[setting.name]
        if id(setting) in told:
            continue
        if id(counts) in told:
            account.tell(setting, "otherwise", f"line {counts.line} says it again, and counts")
        else:
            account.tell(setting, *_words_for(setting))
    account.advice += [
        "before gsmgw starts: sudo systemctl disable --now gammu-smsd",
        "messages that wait, and what was received: docs/migrate.md has the commands",
        "another phone ([gammu1], another PhoneID): run this for its file too, or gsmgw setup",
    ]
    return account


def _words_for(setting: Setting) -> tuple[Fate, str]:
    section = setting.section.lower()
    if section in ("include_numbers", "exclude_numbers", "include_smsc", "exclude_smsc"):
        return "nothing", _FILTER
    if section in ("sql", "tables"):
        return "otherwise", _TABLES
    if section not in ("gammu", "smsd"):
        return "unknown", "gammu-smsd reads [gammu] and [smsd]; one file is one phone"
    return _WORDS.get(setting.name, ("unknown", "gammu-smsd 1.44 has no such setting"))


def _modem(
    account: Account, device: dict[str, Setting], daemon: dict[str, Setting], pin_folder: Path
) -> None:
    port = device.get("device") or device.get("port")
    if port is None or not port.value.startswith("/dev/"):
        if port is not None:
            account.tell(port, "nothing", "modems are local devices, such as /dev/ttyUSB0")
        account.advice.append("no modem could be carried over: gsmgw setup finds it")
        return
    identity = daemon.get("phoneid")
    name = re.sub(r"[^A-Za-z0-9_-]", "_", identity.value)[:32] if identity else ""
    account.wanted["modems"] = [{}]
    account.carry(identity, ("modems", 0, "name"), name or "modem1")
    account.carry(port, ("modems", 0, "port"), port.value)
    _connection(account, device.get("connection"))
    pin, centre = daemon.get("pin"), daemon.get("smsc")
    if pin is not None and re.fullmatch(r"\d{4,8}", pin.value, re.ASCII):
        path = pin_folder / f"{name or 'modem1'}.pin"
        account.carry(pin, ("modems", 0, "pin_file"), str(path))
        account.notes["modems", 0, "pin_file"] = (
            f"{account.foreign.path.name}, line {pin.line}: PIN"
        )
        account.pins[name or "modem1"] = pin.value
    if centre is not None and re.fullmatch(r"\+\d{5,15}", centre.value, re.ASCII):
        account.carry(centre, ("modems", 0, "service_centre"), centre.value)
    elif centre is not None:
        account.tell(centre, "otherwise", "modems.service_centre; this is no number with +")


def _connection(account: Account, setting: Setting | None) -> None:
    if setting is None:
        return
    match = re.fullmatch(r"at(\d*)", setting.value.lower())
    if match is None:
        account.tell(setting, "nothing", "only modems that speak AT: is it one?")
    elif match[1]:
        account.carry(setting, ("modems", 0, "baudrate"), match[1])
    else:
        account.tell(setting, "carried", "AT, at 115200 bit/s")
