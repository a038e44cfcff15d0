# SPDX-License-Identifier: Apache-2.0
"""From a file to a checked configuration, or to all of its mistakes at once."""

from __future__ import annotations

import difflib
import os
import typing
from dataclasses import dataclass
from pathlib import Path

import pydantic
import pydantic_core

from gsmgw import logs
from gsmgw.config import checks
from gsmgw.config.group import Group
from gsmgw.config.model import Config
from gsmgw.config.reading import Document, Place, Value, describe, read_yaml
from gsmgw.errors import ConfigError

log = logs.get("config")

DEFAULT_PATH = Path("/etc/gsmgw/gsmgw.yaml")
#: Groups that only a restart can change: files are open there.
NEEDS_RESTART = ("database", "spool")

#: So many mistakes are named at once; a file with more is no configuration.
MOST_REMARKS = 100
_LONGEST_SHOWN = 60

#: The known keys: a group by its keys, a single value as None. Lists have the keys of an element.
Keys: typing.TypeAlias = "dict[str, Keys | None]"
#: In place of a key: any name.
ANY_NAME = "*"


@dataclass(frozen=True, slots=True)
class Checked:
    """A valid configuration, and what is unwise in it."""

    config: Config
    warnings: tuple[str, ...]  #: complete lines: place, and what to do


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of reading the configuration again."""

    config: Config  #: the new one; groups that need a restart are still the old ones
    changed: tuple[str, ...]  #: top-level keys that took effect
    needs_restart: tuple[str, ...]  #: top-level keys that changed but wait for a restart


def find(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the file to read: the one given, else $GSMGW_CONFIG, else /etc/gsmgw/gsmgw.yaml."""
    return Path(given or os.environ.get("GSMGW_CONFIG") or DEFAULT_PATH)


def load(path: str | os.PathLike[str]) -> Config:
    """Read and check a configuration file; log what is unwise. Blocks for the reading.

    Raises:
        ConfigError: it is missing, unreadable or wrong; `problems` names every mistake.
    """
    checked = check(path)
    for words in checked.warnings:
        log.warning("config.unwise", words=words)
    return checked.config


def check(path: str | os.PathLike[str]) -> Checked:
    """Read and check a configuration file. Blocks for the reading.

    Raises:
        ConfigError: as for `load`.
    """
    file = Path(path)
    if not file.exists():
        raise ConfigError(
            f"the configuration {file} is not there; name another file with --config FILE or in"
            f" GSMGW_CONFIG, or copy the commented default to {DEFAULT_PATH}"
        )
    return check_document(read_yaml(file), folder=file.absolute().parent)


def check_document(document: Document, *, folder: Path | None = None) -> Checked:
    """Check what a file says; paths in it that do not begin with / are meant from `folder`.

    Raises:
        ConfigError: as for `load`.
    """
    content = _without_empty(document.mapping())
    assert isinstance(content, dict)
    document = Document(content, document.source, document.lines)
    remarks = checks.find_conflicts(document)
    config: Config | None = None
    try:
        config = Config.model_validate(content, context={"folder": folder})
    except pydantic.ValidationError as error:
        details = error.errors(include_url=False)
        remarks.extend(_remark(detail) for detail in details[: MOST_REMARKS + 1])
    if config is None or remarks:
        remarks.sort(key=lambda remark: document.line(*remark.place))
        problems = tuple(_format(document, remark) for remark in remarks[:MOST_REMARKS])
        if len(remarks) > MOST_REMARKS:
            problems += ("and more; mend these first",)
        raise ConfigError("the configuration is wrong:\n" + "\n".join(problems), problems)
    unwise = checks.find_unwise(document)
    return Checked(config, tuple(_format(document, remark) for remark in unwise))


def reload(path: str | os.PathLike[str], old: Config) -> Reload:
    """Read the configuration again while the daemon runs; blocks for the reading.

    Raises:
        ConfigError: as for `load`; the old configuration stays in force.
    """
    new = load(path)
    differing = tuple(key for key in Config.model_fields if getattr(new, key) != getattr(old, key))
    waiting = tuple(key for key in differing if key in NEEDS_RESTART)
    config = new.model_copy(update={key: getattr(old, key) for key in waiting})
    return Reload(config, tuple(key for key in differing if key not in waiting), waiting)


def known_keys(group: type[Group] = Config) -> Keys:
    """Return all keys that the configuration knows, nested as in the file.

    Where a clinic gives names of its own (`staff`), `ANY_NAME` stands for them.
    """
    keys: Keys = {}
    for name, field in group.model_fields.items():
        below = _group_in(field.annotation)
        keys[field.alias or name] = _below(field.annotation, below)
    return keys


def _below(annotation: object, group: type[Group] | None) -> Keys | None:
    if group is None:
        return None
    keys = known_keys(group)
    return {ANY_NAME: keys} if typing.get_origin(annotation) is dict else keys


def _group_in(annotation: object) -> type[Group] | None:
    """Return the group of keys in an annotation such as `tuple[Modem, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Group):
        return annotation
    found = (_group_in(argument) for argument in typing.get_args(annotation))
    return next((group for group in found if group is not None), None)


def _without_empty(value: Value) -> Value:
    """Drop keys without a value: a group whose keys are all commented out is as good as absent."""
    if isinstance(value, dict):
        cleaned = {key: _without_empty(below) for key, below in value.items()}
        return {key: below for key, below in cleaned.items() if below not in ("", {})}
    if isinstance(value, list):
        return [_without_empty(element) for element in value]
    return value


def _remark(detail: pydantic_core.ErrorDetails) -> checks.Remark:
    """Put one of pydantic's findings into words."""
    place: Place = tuple(detail["loc"])
    kind, found = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return checks.Remark(place, _unknown_key(place))
    if kind == "missing":
        return checks.Remark(place[:-1], f"'{place[-1]}' is missing here")
    if kind == "value_error":
        words = str(detail["ctx"]["error"])
        # What is wrong within a group is said by the words themselves.
        return checks.Remark(place, words if isinstance(found, dict) else _found(found, words))
    wanted = "a list" if kind in ("tuple_type", "list_type") else "a group of keys"
    return checks.Remark(place, _found(found, f"{wanted} is wanted here"))


def _unknown_key(place: Place) -> str:
    """Name the known key that is nearest, or the group where this key belongs."""
    key = str(place[-1])
    here: Keys = known_keys()
    for step in place[:-1]:
        if isinstance(step, str):
            here = here.get(step, here.get(ANY_NAME)) or {}
    words = f"'{key}' is no key here"
    near = difflib.get_close_matches(key.lower(), here, n=1, cutoff=0.6)
    near = near or [known for known in here if known.startswith(f"{key.lower()}_")][:1]
    if near:
        return f"{words}; did you mean '{near[0]}'?"
    elsewhere = _find_key(known_keys(), key)
    if elsewhere:
        return f"{words}; it belongs to '{elsewhere}'"
    return f"{words}; allowed are {', '.join(here)}"


def _find_key(keys: Keys, wanted: str, above: str = "") -> str:
    for key, below in keys.items():
        if key == wanted:
            return above or "the top"
        found = _find_key(below, wanted, f"{above}.{key}".lstrip(".")) if below else ""
        if found:
            return found
    return ""


def _found(found: object, words: str) -> str:
    shown = describe(typing.cast(Value, found))
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}…{shown[-1] if isinstance(found, str) else ''}"
    return f"found {shown}; {words}"


def _format(document: Document, remark: checks.Remark) -> str:
    dotted = ""
    for step in remark.place:
        dotted += f"[{step}]" if isinstance(step, int) else f".{step}"
    place = f": {dotted.lstrip('.')}" if dotted else ""
    return f"{document.where(*remark.place)}{place}: {remark.words}"
