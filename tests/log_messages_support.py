# SPDX-License-Identifier: Apache-2.0
"""Reads what gsmgw logs, from its source, and what docs/log-messages.md says of it."""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gsmgw"
PAGE = ROOT / "docs" / "log-messages.md"

LEVELS = ("debug", "info", "warning", "error")
NOUN_VERB = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
#: Keyword arguments of `logs.Logger` that are no fields.
OPTIONS = {"key", "first", "limit", "routine"}

#: What the log says at which level with which fields: event, level, names of fields.
Catalogue = dict[str, dict[str, set[str]]]

_SAMPLE = re.compile(r"^`(error|warning) ([a-z_.]+)((?: [a-z_]+=(?:\S+|\"[^\"]*\"))*)`$", re.M)
_FIELD = re.compile(r" ([a-z_]+)=(?:\"[^\"]*\"|\S+)")
_ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)`(?: \*)? \|[^|]+\|([^|]*)\|$", re.M)
#: Above it stands the table of infos, below it that of debug.
_DEBUG = "\n# Finding a fault\n"


class UnreadableCallError(Exception):
    """A log call whose event, level or fields cannot be read from the source."""


@dataclass(frozen=True)
class Call:
    """One log call in the source."""

    where: str  #: file and line
    level: str
    event: str
    fields: frozenset[str]
    is_routine: bool  #: everyday traffic, of which not all is written


def calls_in(path: Path) -> list[Call]:
    """Return the log calls of a module.

    Raises:
        UnreadableCallError: one that this reader, and so a person, cannot follow.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    place = path.name if path.parent == PACKAGE else f"{path.parent.name}/{path.name}"
    loggers = _loggers(tree, place)
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        if _is_log_method(node, loggers) and node not in called:
            raise UnreadableCallError(f"{place}: a log method is handed on, not called")
    return [_read(node, scope, place) for node, scope in _log_calls(tree, loggers)]


@functools.cache
def calls() -> tuple[Call, ...]:
    """Return all log calls of gsmgw; they are looked for once."""
    return tuple(call for path in sorted(PACKAGE.rglob("*.py")) for call in calls_in(path))


def written() -> Catalogue:
    """Return all that gsmgw logs."""
    catalogue: Catalogue = defaultdict(lambda: defaultdict(set))
    for call in calls():
        catalogue[call.event][call.level] |= call.fields
    return {event: dict(levels) for event, levels in catalogue.items()}


def documented() -> Catalogue:
    """Return what the page says of all levels."""
    catalogue: Catalogue = defaultdict(lambda: defaultdict(set))
    page = PAGE.read_text(encoding="utf-8")
    for level, event, fields in _SAMPLE.findall(page):
        catalogue[event][level] |= set(_FIELD.findall(fields))
    above, _, below = page.partition(_DEBUG)
    for level, table in (("info", above), ("debug", below)):
        for event, fields in _ROW.findall(table):
            catalogue[event][level] |= set(re.findall(r"[a-z_]+", fields))
    return {event: dict(levels) for event, levels in catalogue.items()}


def common_fields() -> set[str]:
    """Return the fields that the page explains once for all events."""
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", PAGE.read_text(encoding="utf-8"), re.M)
    return {field for row in rows for field in re.findall(r"[a-z_]+", row)}


def sections() -> dict[str, str]:
    """Return the page's section of each event, by name, in the order of the page."""
    page = PAGE.read_text(encoding="utf-8")
    pieces = re.split(r"^###? (.+)$", page, flags=re.M)
    return {
        heading: body
        for heading, body in zip(pieces[1::2], pieces[2::2], strict=True)
        if NOUN_VERB.fullmatch(heading)
    }


# -- the source -----------------------------------------------------------------------------------


def _loggers(tree: ast.Module, place: str) -> set[str]:
    """Return the names of a module's loggers: `log = logs.get("area")` at its top."""
    known = [
        (node.targets[0].id, node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and _makes_logger(node.value, place)
    ]
    elsewhere = [
        node
        for node in ast.walk(tree)
        if _makes_logger(node, place) and not any(node is made for _, made in known)
    ]
    if elsewhere:
        raise UnreadableCallError(f"{place}: a logger is made elsewhere than at the top")
    return {name for name, _ in known}


def _makes_logger(node: ast.AST, place: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):  # within logs.py itself
        return place == "logs.py" and node.func.id in ("get", "Logger") and _is_literal(node)
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "logs"
    )


def _is_literal(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant)


def _is_log_method(node: ast.AST, loggers: set[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in LEVELS
        and isinstance(node.value, ast.Name)
        and node.value.id in loggers
    )


def _log_calls(tree: ast.Module, loggers: set[str]) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Yield log calls, each with the innermost function around it that is no lambda."""
    pending: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while pending:
        node, scope = pending.pop()
        if isinstance(node, ast.Call) and _is_log_method(node.func, loggers):
            yield node, scope
        inner = node if isinstance(node, ast.FunctionDef) else scope
        pending += [(child, inner) for child in ast.iter_child_nodes(node)]


def _read(call: ast.Call, scope: ast.AST, place: str) -> Call:
    where = f"{place}:{call.lineno}"
    event = call.args[0] if len(call.args) == 1 else None
    if not isinstance(event, ast.Constant) or not isinstance(event.value, str):
        raise UnreadableCallError(f"{where}: the event is not one literal name")
    fields: set[str] = set()
    for keyword in call.keywords:
        if keyword.arg is None:
            fields |= _spread(keyword.value, scope, where)
        elif keyword.arg not in OPTIONS:
            fields.add(keyword.arg)
    assert isinstance(call.func, ast.Attribute)
    routine = any(keyword.arg == "routine" for keyword in call.keywords)
    return Call(where, call.func.attr, event.value, frozenset(fields), routine)


def _spread(value: ast.expr, scope: ast.AST, where: str) -> set[str]:
    """Return the keys of `**fields`, where `fields = {...}` stands in the same function."""
    if isinstance(value, ast.Name):
        value = next((found for name, found in _assigned(scope) if name == value.id), value)
    keys = value.keys if isinstance(value, ast.Dict) else [None]
    if not all(isinstance(key, ast.Constant) and isinstance(key.value, str) for key in keys):
        raise UnreadableCallError(f"{where}: the fields cannot be read from the source")
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def _assigned(scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that get a dictionary written out in full, with that dictionary."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
