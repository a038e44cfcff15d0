# SPDX-License-Identifier: Apache-2.0
"""From smstools3's smsd.conf to our configuration: one function for each thing that is carried."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from gsmgw.cli.migrate import foreign, routes, smstools_keys, smstools_modems
from gsmgw.cli.migrate.account import Account
from gsmgw.cli.migrate.foreign import Foreign, Setting
from gsmgw.config import Value, format_duration

DEFAULT_PATH = Path("/etc/smsd.conf")
FOLDERS = ("outgoing", "checked", "sent", "failed", "incoming", "report")
#: Sections that are no modems.
_SPECIAL = ("", "queues", "provider", "providers", "default", "communicate")

_DEFAULT_SPOOL = Path("/var/spool/sms")
_OUR_SPOOL = Path("/var/spool/gsmgw")
#: Parts of /srv/outgoing: its directory is no spool's own.
_SHALLOWEST = 3
#: What a shell would make something of; none reads our handler.
_FOR_A_SHELL = re.compile(r"[|&;<>()$`*?~{}\n]")
_UNITS = {"min": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31536000}
#: The longest validity that there is: 63 weeks (3GPP TS 23.040 9.2.3.12.1).
_LONGEST_S = 63 * 604800


def read(path: Path) -> Foreign:
    """Read the file; of a value with several choices the first counts, as without `smsd -a`.

    Raises:
        BadFileError: it is no text.
        OSError: it cannot be read.
    """
    found = foreign.read(path)
    settings = [
        Setting(one.section, one.name, _first_choice(one.value), one.line) for one in found.settings
    ]
    return Foreign(found.path, settings, found.sections, found.faults)


def translate(found: Foreign, wanted: dict[str, Value], pin_folder: Path) -> Account:
    """Put all that can be carried into a configuration, and say of every setting what became of it.

    Args:
        found: smsd.conf.
        wanted: our configuration so far.
        pin_folder: where the files with PINs are to be.
    """
    account = Account(found, wanted)
    general = found.of("")
    root = _spool(account, general)
    _alphabet(account, general)
    if "validity" in general:
        _validity(account, general["validity"])
    names = list(smstools_modems.names(account, general))
    modems = smstools_modems.translate(account, names, pin_folder)
    _handler(account, general, modems)
    _alarms(account, general, modems)
    routes.translate(account, modems)
    told = {id(entry.setting) for entry in account.entries}
    for setting in found.settings:
        if id(setting) not in told:
            _explain(account, setting, names)
    _advise(account, general, root)
    return account


def _first_choice(value: str) -> str:
    return value[1:].split("|")[0].strip() if value.startswith("?") else value


def _explain(account: Account, setting: Setting, names: list[str]) -> None:
    """Say what becomes of a setting that nothing was carried from."""
    section = setting.section
    counts = account.foreign.of(section)[setting.name]
    if section == "communicate":
        account.tell(setting, "otherwise", "gsmgw modem at NAME LINE")
    elif section not in _SPECIAL and section not in names and not section.endswith("*"):
        account.tell(setting, "unknown", f"no modem {section} is named in devices")
    elif words := smstools_keys.words_for(setting.name, is_modem=section != ""):
        account.tell(setting, *words)
    elif counts is not setting:
        account.tell(setting, "otherwise", f"line {counts.line} says it again, and counts")
    elif section in names and setting.name in smstools_modems.CARRIED:
        account.tell(setting, "nothing", f"modem {section} was left out")
    elif section != "" and setting.name in smstools_modems.CARRIED:
        account.tell(setting, "otherwise", "every modem that is carried over has its own")
    else:
        account.tell(setting, "unknown", "smsd 3.1.21 has no such setting there")


# -- the whole ------------------------------------------------------------------------------------


def _spool(account: Account, general: dict[str, Setting]) -> Path:
    """Keep the folders where programs look for them; return the spool's path."""
    outgoing = general.get("outgoing") or general.get("spool")  # its name of old
    place = _DEFAULT_SPOOL / "outgoing" if outgoing is None else Path(outgoing.value)
    # Our folders have fixed names, in a directory of their own.
    kept = place.name == "outgoing" and place.is_absolute() and len(place.parts) > _SHALLOWEST
    root = place.parent if kept else _OUR_SPOOL
    account.wanted["spool"] = {"path": str(root)}
    source = "as smsd has it unless told otherwise"
    if outgoing is not None:
        source = account.foreign.where(outgoing)
    account.notes["spool", "path"] = source
    if outgoing is not None and outgoing.name == "spool":
        general = {**general, "outgoing": outgoing}
    for name in FOLDERS:
        setting = general.get(name)
        if setting is None:
            continue
        known = Path(setting.value)
        if known == root / name:
            account.tell(setting, "carried", f"spool.path, its folder {name}")
            continue
        account.tell(setting, "otherwise", f"it is {root / name}, always")
        if known.is_absolute():
            account.advice.append(
                f"programs that know {known}: mv {known} {known}.old && ln -s {root / name} {known}"
            )
    return root


def _alphabet(account: Account, general: dict[str, Setting]) -> None:
    utf8, decoded = general.get("incoming_utf8"), general.get("decode_unicode_text")
    if utf8 is not None and foreign.is_on(utf8.value):
        account.carry(utf8, ("spool", "alphabet"), "utf-8")
    else:
        account.carry(None, ("spool", "alphabet"), "smsd")
        account.notes["spool", "alphabet"] = "as smsd does without incoming_utf8; utf-8 is better"
        if utf8 is not None:
            account.tell(utf8, "carried", "spool.alphabet: smsd")
    words = "spool.alphabet: with smsd, what does not fit ISO comes as UCS2, with utf-8 as UTF-8"
    if decoded is not None:
        account.tell(decoded, "otherwise", words)
    for setting in account.foreign.settings:
        if setting.name == "decode_unicode_text" and setting is not decoded:
            account.tell(setting, "otherwise", f"one for all modems: {words}")
    alphabet = general.get("alphabet")
    if alphabet is not None:
        words = "text that is valid UTF-8 is read so, else as ISO-8859-15; Alphabet: in a file wins"
        account.tell(alphabet, "otherwise", words)


def _validity(account: Account, setting: Setting) -> None:
    seconds = _validity_s(setting.value)
    if seconds is None:
        account.tell(setting, "otherwise", "sending.validity; this value cannot be read")
        return
    account.carry(setting, ("sending", "validity"), format_duration(min(seconds, _LONGEST_S)))


def _validity_s(value: str) -> int | None:
    """Return a validity in seconds: a TP-VP octet (3GPP TS 23.040 9.2.3.12.1), or `n unit`."""
    if value.isascii() and value.isdigit() and int(value) <= 255:
        octet = int(value)
        if octet <= 143:
            return (octet + 1) * 300
        if octet <= 167:
            return 43200 + (octet - 143) * 1800
        return (octet - 166) * 86400 if octet <= 196 else (octet - 192) * 604800
    match = re.fullmatch(r"(\d{1,4}\s+)?(min|hour|day|week|month|year)s?", value.lower())
    return None if match is None else max(300, int(match[1] or 1) * _UNITS[match[2]])


# -- the handler ----------------------------------------------------------------------------------


def _handler(
    account: Account, general: dict[str, Setting], modems: list[dict[str, Setting]]
) -> None:
    """Carry the event handler over: arguments are the same, but no shell reads them."""
    own = [modem["eventhandler"] for modem in modems if "eventhandler" in modem]
    chosen = general.get("eventhandler") or next(iter(own), None)
    if chosen is None:
        return
    words = _arguments(chosen.value)
    if words is None:
        account.tell(
            chosen,
            "otherwise",
            "hooks.event takes a program with a full path and its arguments, and no shell reads"
            " them: put this line into a script",
        )
    else:
        account.carry(chosen, ("hooks", "event"), list[Value](words))
    for setting in own:
        if setting is chosen:
            continue
        same = setting.value == chosen.value
        words_ = "hooks.event, for all modems" if same else "one handler for all modems; Modem: in"
        account.tell(
            setting,
            "carried" if same and words is not None else "otherwise",
            words_ if same else f"{words_} the file says which it was",
        )


def _arguments(command: str) -> list[str] | None:
    if _FOR_A_SHELL.search(command) or smstools_modems.NAME_MACRO in command:
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    return words if words and words[0].startswith("/") else None


# -- alarms ---------------------------------------------------------------------------------------


def _alarms(
    account: Account, general: dict[str, Setting], modems: list[dict[str, Setting]]
) -> None:
    """Carry over who is told of trouble by SMS, and over which modem."""
    asked = [one["admin_to"] for one in (general, *modems) if "admin_to" in one]
    numbers: list[Value] = []
    for setting in asked:
        number = smstools_modems.subscriber(setting)
        if number is not None:
            numbers += [number] if number not in numbers else []
            account.carry(setting, ("alarms", "sms", "to"), numbers)
    device = general.get("adminmessage_device")
    name = "" if device is None else smstools_modems.name_here(device.value)
    here = account.wanted["modems"]
    assert isinstance(here, list)
    if numbers and name in [one["name"] for one in here if isinstance(one, dict)]:
        account.carry(device, ("alarms", "sms", "modem"), name)


# -- advice ---------------------------------------------------------------------------------------


def _advise(account: Account, general: dict[str, Setting], root: Path) -> None:
    folders = " ".join(str(root / name) for name in FOLDERS)
    old = {name: Path(general[name].value) for name in ("outgoing", "checked") if name in general}
    waiting = {name: old.get(name, _DEFAULT_SPOOL / name) for name in ("outgoing", "checked")}
    account.advice += [
        "before gsmgw starts: sudo systemctl disable --now smstools, once it has nothing in work",
        f"give gsmgw the folders: sudo install -d -m 2770 -o gsmgw -g gsmgw {root} {folders};"
        f" sudo chown -R gsmgw:gsmgw {folders}; sudo chmod -R ug+rw {folders}",
        "the user of each program that drops or reads files joins the group: sudo adduser USER"
        " gsmgw; or set spool.group",
    ]
    if root != _OUR_SPOOL:
        account.advice.append(
            "let its service write there: sudo systemctl edit gsmgw, with the two lines [Service]"
            f" and ReadWritePaths={root}; then: sudo systemctl restart gsmgw"
        )
    for name, place in waiting.items():
        if place == root / name:
            words = f"files in {place}{_count(place)} need not be moved: gsmgw sends them"
        else:
            words = f"files in {place}{_count(place)}: mv {place}/* {root}/outgoing/"
        account.advice.append(words)
    account.advice.append(
        "a file with a .LOCK beside it was perhaps being sent: see whether it arrived; then move"
        f" it away, or rm its .LOCK: ls {waiting['checked'].parent}/*/*.LOCK"
    )
    queues = {Path(setting.value) for setting in account.foreign.of("queues").values()}
    account.advice += [
        f"files in the queue {queue}{_count(queue)}: mv {queue}/* {root}/outgoing/"
        for queue in sorted(queues - set(waiting.values()))
    ]
    account.advice += [
        f"smsd removed files that were {name}; here they stay in {root / name} until you remove"
        f" them: find {root / name} -type f -mtime +30 -delete"
        for name in ("sent", "failed")
        if name not in general
    ]
    if "report" not in general:
        account.advice.append(
            f"status reports came into {root / 'incoming'}; now they come into {root / 'report'}"
        )
    account.advice.append("what behaves differently: docs/migrate.md, docs/spool.md section 9")


def _count(folder: Path) -> str:
    try:
        return f" (now {sum(1 for path in folder.iterdir() if path.is_file())})"
    except OSError:
        return ""
