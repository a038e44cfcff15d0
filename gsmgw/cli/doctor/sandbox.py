# SPDX-License-Identifier: Apache-2.0
"""What the service's unit lets the daemon see and write, compared with the configuration.

The rules are those of systemd.exec(5), "Sandboxing": a unit hides some directories and makes others
read-only; of the lists of paths the longest one that fits decides. What is hidden cannot be opened
again by a longer path, except below a `tmpfs` that something is bound into.

Known limits: links are not followed, and specifiers (%i) are not filled in.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gsmgw.config import Config
from gsmgw.gateway.health.trouble import Trouble

_YES = ("yes", "true", "on", "1")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_PRIVATE = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - the very directories that units have apart
_SYSTEM = (Path("/usr"), Path("/boot"), Path("/efi"))
#: Never made read-only: PrivateDevices and ProtectKernelTunables are for these.
_KERNEL = (Path("/dev"), Path("/proc"), Path("/sys"))
#: Setting: where its directories are; all are the service's own, and writable.
_OWN = {
    "StateDirectory": Path("/var/lib"),
    "CacheDirectory": Path("/var/cache"),
    "LogsDirectory": Path("/var/log"),
    "RuntimeDirectory": Path("/run"),
}


@dataclass(slots=True)
class Sandbox:
    """What one unit allows."""

    system: str = ""  #: ProtectSystem
    home: str = ""  #: ProtectHome
    has_private_tmp: bool = False
    own: list[Path] = field(default_factory=list)  #: StateDirectory and its kin
    #: setting: its paths, as they are after all drop-ins
    lists: dict[str, list[Path]] = field(default_factory=dict)

    def is_hidden(self, path: Path) -> bool:
        """Tell whether the daemon cannot see what is there."""
        if _covers(self._bound(), path):
            return False
        hidden = [*self._of("InaccessiblePaths"), *self._of("TemporaryFileSystem")]
        if self.home in (*_YES, "tmpfs"):
            hidden += _HOMES
        return _covers(hidden, path)

    def is_apart(self, path: Path) -> bool:
        """Tell whether the daemon sees another directory there than all others do."""
        return self.has_private_tmp and _covers(_PRIVATE, path) and not _covers(self._bound(), path)

    def is_writable(self, path: Path) -> bool:
        """Tell whether the daemon may write there, as far as the unit is concerned."""
        opened = [*self.own, *self._of("ReadWritePaths"), *self._of("BindPaths"), *_KERNEL]
        closed = [*self._of("ReadOnlyPaths"), *self._of("BindReadOnlyPaths")]
        if self.has_private_tmp:
            opened += _PRIVATE
        if self.home == "read-only":
            closed += _HOMES
        if self.system == "strict":
            closed.append(Path("/"))
        elif self.system == "full" or self.system in _YES:
            closed += [*_SYSTEM, *([Path("/etc")] if self.system == "full" else [])]
        return _depth(opened, path) >= _depth(closed, path)

    def _of(self, setting: str) -> list[Path]:
        return self.lists.get(setting, [])

    def _bound(self) -> list[Path]:
        return [*self._of("BindPaths"), *self._of("BindReadOnlyPaths")]


_LISTS = (
    *("ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths"),
    *("BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem"),
)


def read(settings: Iterable[tuple[str, str]]) -> Sandbox:
    """Return what the settings of a unit and its drop-ins, in their order, make of it."""
    found = Sandbox()
    for key, value in settings:
        if key == "ProtectSystem":
            found.system = value
        elif key == "ProtectHome":
            found.home = value
        elif key == "PrivateTmp":
            found.has_private_tmp = value in _YES
        elif key in _OWN:
            found.own += [_OWN[key] / word.partition(":")[0] for word in value.split()]
        elif key in _LISTS:
            paths = [_target(key, word) for word in _words(value)]
            found.lists[key] = [*found.lists.get(key, []), *paths] if value else []
    return found


def _words(value: str) -> list[str]:
    """Return the words of a list; one with blanks stands in quotes."""
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _target(key: str, word: str) -> Path:
    """Return the path that a word of a list speaks of, as the daemon sees it."""
    source, _, rest = word.lstrip("-+").partition(":")
    target = rest.partition(":")[0]
    return Path(target if target and key != "TemporaryFileSystem" else source)


def _covers(places: Iterable[Path], path: Path) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _depth(places: Iterable[Path], path: Path) -> int:
    """Return how close a path comes to one of some directories; 0 if it is below none."""
    return max((len(place.parts) for place in places if path.is_relative_to(place)), default=0)


# -- comparing ------------------------------------------------------------------------------------


def compare(unit: Path, sandbox: Sandbox, config: Config) -> Iterator[Trouble]:
    """Yield what the configuration wants and a unit does not give."""
    for key, path in _written(config):
        elsewhere = f"choose a place outside {_above(path)}, such as /srv/gsmgw, for {key}"
        if sandbox.is_hidden(path):
            yield _wrong(path, f"{key}: the unit {unit} hides it from the daemon", elsewhere)
        elif sandbox.is_apart(path):
            what = f"{key}: the unit {unit} gives the daemon a {_above(path)} of its own, so that"
            yield _wrong(path, f"{what} no other program sees what is there", elsewhere)
        elif not sandbox.is_writable(path):
            what = f"{key}: the unit {unit} does not let the daemon write there"
            word = f'"{path}"' if " " in str(path) else str(path)
            yield _wrong(path, what, drop_in(f"ReadWritePaths={word}"))
    for key, path in _looked_at(config):
        if sandbox.is_hidden(path) or sandbox.is_apart(path):
            what = f"{key}: the unit {unit} hides it from the daemon"
            do = f"move it, to /usr/local/bin or /etc/gsmgw say, and correct {key}"
            yield _wrong(path, what, do)


def _written(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield each directory that the daemon writes to, with its key."""
    yield "database.path", config.database.path.parent
    yield "spool.path", config.spool.path
    if config.watching.metrics is not None:
        yield "watching.metrics", config.watching.metrics.parent


def _looked_at(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield each file that the daemon reads or runs, with its key."""
    if config.hooks.event:
        yield "hooks.event", Path(config.hooks.event[0])
    if config.alarms.hook:
        yield "alarms.hook", Path(config.alarms.hook[0])
    if config.replies.words is not None:
        yield "replies.words", config.replies.words
    if config.clinic is not None and config.clinic.templates is not None:
        yield "clinic.templates", config.clinic.templates
    for modem in config.modems:
        if modem.pin_file is not None:
            yield "modems.pin_file", modem.pin_file


def _above(path: Path) -> Path:
    """Return the directory that is hidden or apart, for people."""
    return next((place for place in (*_HOMES, *_PRIVATE) if path.is_relative_to(place)), path)


def drop_in(setting: str) -> str:
    """Return how a setting is added to the service's unit."""
    return (
        f"sudo systemctl edit gsmgw, with the two lines [Service] and {setting};"
        " then: sudo systemctl restart gsmgw"
    )


def _wrong(path: Path, what: str, do: str) -> Trouble:
    return Trouble("error", "unit.paths", str(path), what, do)
