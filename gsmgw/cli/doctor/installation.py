# SPDX-License-Identifier: Apache-2.0
"""One installation under examination: its configuration, its unit, and who its daemon is."""

from __future__ import annotations

import datetime as dt
import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmgw import config as configs
from gsmgw import locks
from gsmgw.cli import exits, session
from gsmgw.cli.doctor import finding, machine
from gsmgw.config import Config
from gsmgw.errors import ConfigError
from gsmgw.gateway.health.trouble import Level, Trouble

#: A daemon reads the configuration some moments before it marks that it has.
_READING_S = 10.0
_ADVICE = "change that line, unless it is meant so; then sudo systemctl reload gsmgw"


@dataclass(frozen=True, slots=True)
class Installation:
    """What the checks look at."""

    current: session.Session
    config_path: Path
    config: Config | None  #: None: nothing of it can be read
    is_whole: bool  #: False: of a wrong file only the places of database and spool
    unit: machine.Unit | None  #: the service's unit, if it runs with this configuration
    daemon_pid: int | None
    is_daemon_known: bool  #: False: we may not look whether it runs
    account: machine.Account  #: who the daemon is, or would be
    config_troubles: tuple[Trouble, ...]

    def __post_init__(self) -> None:
        """Make sure that a whole configuration is there."""
        assert self.config is not None or not self.is_whole

    @property
    def user(self) -> str:
        """The daemon's user, for commands to be typed."""
        return self.account.name

    @property
    def group(self) -> str:
        """The group that the daemon's files belong to, for commands to be typed."""
        if self.config is not None and self.config.spool.group:
            return self.config.spool.group
        if self.unit is not None and self.unit.group:
            return self.unit.group
        return self.user


def look(current: session.Session) -> Installation:
    """Find out what is installed; never raises for what is wrong with it."""
    path = current.config_path
    unit = machine.unit()
    if unit is not None and os.path.realpath(unit.config) != os.path.realpath(path):
        unit = None
    config, troubles, is_whole = _read(path)
    pid = None
    if config is not None:
        pid = locks.holder(locks.database_lock(config.database.path))
    account = _account(pid, unit, config)
    troubles += (*_accounts(unit), *_spool_group(config, account))
    return Installation(
        current,
        path,
        config,
        is_whole,
        unit,
        pid,
        pid is not None or config is None or _may_look(config),
        account,
        troubles,
    )


def pending(seen: Installation, usable: Sequence[str]) -> Iterator[Trouble]:
    """Yield that the daemon has not read the configuration as it is now.

    Args:
        seen: the installation.
        usable: the modems that can send; where there are none, this may well be why.
    """
    if seen.config is None or not seen.is_whole or seen.daemon_pid is None:
        return
    try:
        read_at = locks.database_lock(seen.config.database.path).stat().st_mtime
        changed_at = seen.config_path.stat().st_mtime
    except OSError:
        return
    if changed_at > read_at + _READING_S:
        at = dt.datetime.fromtimestamp(changed_at, seen.current.zone)
        what = (
            f"it was changed at {at:%H:%M} on {at:%Y-%m-%d}, and the daemon has not read it since"
        )
        do = f"gsmgw --config {seen.config_path} check; then sudo systemctl reload gsmgw"
        level: Level = "warning" if usable else "error"
        yield Trouble(level, "config.pending", str(seen.config_path), what, do)


def _account(pid: int | None, unit: machine.Unit | None, config: Config | None) -> machine.Account:
    """Return who the daemon is, or would be: its process, its unit, or who owns the database."""
    found = machine.account_of_process(pid) if pid is not None else None
    if found is None and unit is not None:
        found = machine.account_of_unit(unit)
    if found is None and config is not None:
        found = machine.owner_of(config.database.path.parent)
    return found or machine.own_account()


def _may_look(config: Config) -> bool:
    """Tell whether the daemon's lock can be seen, if it is there."""
    lock = locks.database_lock(config.database.path)
    try:
        return not lock.exists() or os.access(lock, os.R_OK)
    except OSError:
        return False


def _read(path: Path) -> tuple[Config | None, tuple[Trouble, ...], bool]:
    where = str(path)
    try:
        is_there = path.exists()
    except OSError:
        is_there = True  # it cannot be looked at, and reading it says so
    if not is_there:
        do = "sudo gsmgw setup writes one, with the modems that it finds;"
        do += " or name yours: gsmgw --config FILE doctor"
        what = "the configuration is not there, so the daemon cannot start"
        return None, (Trouble("error", "config.missing", where, what, do),), False
    try:
        checked = configs.check(path)
    except ConfigError as error:
        return _salvage(path), tuple(_wrong(path, error)), False
    except OSError as error:
        return None, (_unreadable(path, error.strerror or str(error)),), False
    unwise = tuple(
        Trouble("warning", "config.unwise", where, words.removeprefix(f"{path}, "), _ADVICE)
        for words in checked.warnings
        if "there is no modem" not in words  # that is an error of its own
    )
    more = (*_unknown_findings(path, checked.config), *_clinic_troubles(path, checked.config))
    return checked.config, (*unwise, *more), True


def _unknown_findings(path: Path, config: Config) -> Iterator[Trouble]:
    """Yield names of findings in `alarms` that there are none of: nothing would come of them."""
    for name in sorted({*config.alarms.also, *config.alarms.never} - finding.NAMES):
        near = difflib.get_close_matches(name, finding.NAMES, n=1)
        what = f"alarms: {name} is no finding{f'; {near[0]} is meant?' if near else ''}"
        do = "correct it by the list in docs/operate.md; then sudo systemctl reload gsmgw"
        yield Trouble("warning", "config.unwise", str(path), what, do)


def _clinic_troubles(path: Path, config: Config) -> Iterator[Trouble]:
    """Yield what only the clinic layer knows of a configuration: its texts, its words."""
    if config.clinic is None:
        return
    from gsmgw.clinic import service  # most installations have none

    try:
        remarks = service.check(config)
    except ConfigError as error:
        do = f"mend that, then: gsmgw --config {path} check; sudo systemctl restart gsmgw"
        for problem in error.problems:
            yield Trouble("error", "config.wrong", str(path), problem, do)
        return
    for words in remarks:
        yield Trouble("warning", "config.unwise", str(path), words, _ADVICE)


def _wrong(path: Path, error: ConfigError) -> Iterator[Trouble]:
    if not os.access(path, os.R_OK):
        yield _unreadable(path, "Permission denied")
        return
    if path.is_dir():
        do = f"sudo mv {path} {path}.aside; sudo gsmgw setup writes a configuration"
        what = "a directory stands in the place of the configuration"
        yield Trouble("error", "config.unreadable", str(path), what, do)
        return
    do = f"mend that line, then: gsmgw --config {path} check; sudo systemctl restart gsmgw"
    for problem in error.problems:
        what = problem.removeprefix(str(path)).lstrip(",: ")
        yield Trouble("error", "config.wrong", str(path), what, do)


def _unreadable(path: Path, why: str) -> Trouble:
    do = f"ls -l {path}; run sudo gsmgw doctor, or: sudo chgrp gsmgw {path}; sudo chmod g+r {path}"
    way = exits.way_in(path, os.R_OK)
    if way is not None and "group" in way:  # the rights are right, and we are a stranger
        do = f"sudo gsmgw doctor sees all; for the other commands: {way}"
    what = f"the configuration cannot be read: {why}"
    return Trouble("error", "config.unreadable", str(path), what, do)


def _salvage(path: Path) -> Config | None:
    """Return a configuration with no more than the places of database and spool."""
    try:
        content = configs.read_yaml(path).mapping()
        groups: dict[str, object] = {}
        for name in ("database", "spool"):
            group = content.get(name)
            place = group.get("path") if isinstance(group, dict) else None
            if isinstance(place, str) and place:
                groups[name] = {"path": place}
        context = {"folder": path.absolute().parent}
        return Config.model_validate(groups, context=context)
    except (ConfigError, ValueError):
        return None


def _accounts(unit: machine.Unit | None) -> Iterator[Trouble]:
    if unit is None:
        return
    if not machine.has_user(unit.user):
        what = f"the unit runs as user {unit.user}, which does not exist"
        do = f"sudo adduser --system --group --home /var/lib/gsmgw {unit.user}"
        yield Trouble("error", "account.missing", unit.user, what, do)
    for group in filter(None, (unit.group, *unit.groups)):
        if not machine.has_group(group):
            what = f"the unit wants group {group}, which does not exist"
            yield Trouble(
                "error", "account.missing", group, what, f"sudo addgroup --system {group}"
            )
    if unit.masked_by is not None:
        what = f"systemd is forbidden to start the service: {unit.masked_by} leads to /dev/null"
        do = "sudo systemctl unmask gsmgw; sudo systemctl enable --now gsmgw"
        yield Trouble("error", "unit.masked", "gsmgw", what, do)
    elif not unit.is_enabled:
        what = "the service does not start with the machine"
        yield Trouble("warning", "unit.disabled", "gsmgw", what, "sudo systemctl enable gsmgw")


def _spool_group(config: Config | None, account: machine.Account) -> Iterator[Trouble]:
    """Yield why the daemon can give no folder to the group of the spool."""
    group = None if config is None else config.spool.group
    if not group:
        return
    if not machine.has_group(group):
        what = f"spool.group names group {group}, which does not exist"
        do = f"sudo addgroup --system {group}, or correct spool.group in the configuration"
        yield Trouble("error", "account.missing", group, what, do)
    elif not account.is_member(group):
        what = f"user {account.name} is no member of group {group} (spool.group), so the daemon can"
        what += " give no folder to it"
        do = f"sudo adduser {account.name} {group}; sudo systemctl restart gsmgw"
        yield Trouble("warning", "account.not_member", account.name, what, do)
