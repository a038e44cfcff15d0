# SPDX-License-Identifier: Apache-2.0
"""The support bundle: what a maintainer needs to understand an installation, and no patient in it.

Nothing is taken as it stands. Of the configuration go the known keys, their values masked; comments
do not. Of log lines go the event and the fields that are known to be harmless. All that is left is
masked once more: quoted words, and every run of digits that could be a number.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import sys
import tarfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from gsmgw import __version__, config, logs
from gsmgw.cli.doctor import machine
from gsmgw.cli.doctor.installation import Installation
from gsmgw.errors import ConfigError

#: The known keys, nested as in the file; None below a single value.
Keys = Mapping[str, Any]

_MODE = 0o600
_LOG_LINES = 500
_LIBRARIES = ("pyserial", "python-gsmmodem-new", "watchdog", "sqlite-utils", "pydantic", "PyYAML")

#: Keys whose value may be a secret or a number whatever it looks like: its kind is told.
_SECRET_KEYS = frozenset({"service_centre", "imei", "event", "pin_file", "hook", "to", "number"})
#: Keys whose value is a plain number. Anywhere else digits alone may be a PIN at a wrong place.
_COUNTS = frozenset(
    {"baudrate", "per_minute", "per_hour", "per_day", "per_month", "max_parts", "attempts"}
)
_PIN = re.compile(r"\d{4,8}")
#: Columns of modems and SIMs that name a card.
_SECRET_FIELDS = frozenset({"iccid", "imsi", "imei", "service_centre"})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DIGITS = re.compile(r"(?<![\w.:-])\+?\d{5,}(?![\w:])")

_LINE = re.compile(r"\b(error|warning|info|debug) ([a-z_]+\.[a-z_]+)((?: [a-z_]+=.*)?)$")
_FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)')
#: Fields of the log that hold neither numbers, texts, names of files nor words of others.
_HARMLESS = frozenset(
    {
        "again_at",
        "attempt",
        "code",
        "doing",
        "exit_code",
        "id",
        "inbox",
        "level",
        "megabytes",
        "memory",
        "modem",
        "next",
        "part",
        "parts",
        "pause_s",
        "proof",
        "reason",
        "repeated",
        "restart_in_s",
        "run_event",
        "service",
        "since_s",
        "state",
        "status",
        "total",
        "until",
        "used",
        "version",
        "waited_s",
        "watched",
        "whose",
    }
)


def write(target: Path, seen: Installation, examined: Mapping[str, Any]) -> None:
    """Write the bundle into a new file, for its owner alone.

    Args:
        target: the file; a tar archive, compressed with gzip.
        seen: the installation.
        examined: findings and health record, as JSON has them.

    Raises:
        FileExistsError: there is such a file.
        OSError: it cannot be written.
    """
    members = {
        "doctor.json": _as_text(masked(examined)),
        "configuration.json": _as_text(_configuration(seen)),
        "machine.json": _as_text(_machine(seen)),
        "log.txt": "".join(f"{line}\n" for line in _log()),
    }
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in members.items():
            octets = text.encode("utf-8", "backslashreplace")
            member = tarfile.TarInfo(f"gsmgw-doctor/{name}")
            member.size, member.mode = len(octets), _MODE
            member.mtime = int(seen.current.clock.now().timestamp())
            archive.addfile(member, io.BytesIO(octets))


def masked(found: Any) -> Any:
    """Return JSON values with everything hidden that could be a patient's or a secret."""
    if isinstance(found, Mapping):
        return {
            str(key): _hidden(value) if key in _SECRET_FIELDS else masked(value)
            for key, value in found.items()
        }
    if isinstance(found, list | tuple):
        return [masked(value) for value in found]
    return hide(found) if isinstance(found, str) else found


def hide(words: str) -> str:
    """Return words without what stands in quotes, and without numbers."""
    shown = _QUOTED.sub(lambda match: f"<{len(match.group()) - 2} chars>", words)
    return _DIGITS.sub("<number>", logs.masked(shown))


def _hidden(value: object) -> str | None:
    return None if value in (None, "") else f"<{len(str(value))} chars>"


def _as_text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n"


# -- configuration --------------------------------------------------------------------------------


def _configuration(seen: Installation) -> dict[str, Any]:
    try:
        content = config.read_yaml(seen.config_path).mapping()
    except (ConfigError, OSError) as error:
        return {"unreadable": hide(str(error))}
    return _known(content, config.known_keys())


def _known(content: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """Return the known keys with their values masked; of others not even the name."""
    shown: dict[str, Any] = {}
    for number, (key, value) in enumerate(content.items(), 1):
        if config.ANY_NAME in keys:  # the clinic's own names may be those of people
            shown[f"<name {number}>"] = _value(value, keys[config.ANY_NAME])
        elif key not in keys:
            shown["<unknown key>"] = "<hidden>"
        elif key in _SECRET_KEYS or (key not in _COUNTS and _PIN.fullmatch(str(value))):
            shown[key] = "<hidden>"
        else:
            shown[key] = _value(value, keys[key])
    return shown


def _value(value: Any, keys: Keys | None) -> Any:
    if isinstance(value, Mapping):
        return masked(value) if keys is None else _known(value, keys)
    if isinstance(value, list):
        return [_value(element, keys) for element in value]
    return hide(value) if keys is None else "<hidden>"


# -- machine and log ------------------------------------------------------------------------------


def _machine(seen: Installation) -> dict[str, Any]:
    libraries = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            libraries[name] = "unknown"
    return {
        "gsmgw": __version__,
        "python": sys.version.split()[0],
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "unit": None if seen.unit is None else str(seen.unit.path),
        "libraries": libraries,
    }


def _log() -> list[str]:
    found = (_harmless(line) for line in machine.log_lines(_LOG_LINES))
    return [line for line in found if line is not None]


def _harmless(line: str) -> str | None:
    """Return time, event and harmless fields of a line; None of one that is not ours."""
    match = _LINE.search(line)
    if match is None:
        return None
    level, event, rest = match.groups()
    fields = [f"{name}={value}" for name, value in _FIELD.findall(rest) if name in _HARMLESS]
    return " ".join([line.split()[0], level, event, *fields])
