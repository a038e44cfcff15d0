# SPDX-License-Identifier: Apache-2.0
"""Checks for programs that take modems or files from the daemon: other gateways, ModemManager."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gsmgw.cli.doctor import machine
from gsmgw.cli.doctor.installation import Installation
from gsmgw.gateway.health.trouble import Trouble

#: Process of another gateway: its service.
_GATEWAYS = {"smsd": "smstools", "gammu-smsd": "gammu-smsd", "gnokii-smsd": "gnokii-smsd"}
_SMSD_SPOOL = Path("/var/spool/sms")
_MODEM_MANAGER = "ModemManager"
_RULES = ("etc/udev/rules.d", "run/udev/rules.d", "lib/udev/rules.d", "usr/lib/udev/rules.d")
_OUR_RULES = (
    "sudo cp systemd/60-gsmgw.rules /etc/udev/rules.d/; sudo udevadm control --reload;"
    " sudo udevadm trigger --subsystem-match=tty"
)

#: It keeps what it had before the rules were there.
_LET_GO = (
    "sudo udevadm trigger --subsystem-match=usb --subsystem-match=tty;"
    " sudo systemctl restart ModemManager"
)


def check(seen: Installation, told: Sequence[Trouble]) -> Iterator[Trouble]:
    """Yield programs that run and would be in the daemon's way.

    Args:
        seen: the installation.
        told: what was found before; who holds a port was told then.
    """
    named = [trouble.what for trouble in told if trouble.name == "port.held"]
    seen_names: set[str] = set()
    for process in machine.processes():
        if process.name in seen_names:
            continue
        if process.name in _GATEWAYS:
            seen_names.add(process.name)
            if not any(str(process) in words for words in named):
                yield _gateway(seen, process)
        elif process.name == _MODEM_MANAGER and not _is_kept_away():
            seen_names.add(process.name)
            what = f"{process} runs and takes every modem it sees; no udev rule keeps it away"
            yield Trouble("warning", "modem_manager.running", "udev", what, _OUR_RULES)


def way_out(process: machine.Process) -> str | None:
    """Return how a process lets go of a port; None if it is none that is known."""
    if process.name == _MODEM_MANAGER:
        way = _LET_GO if _is_kept_away() else _OUR_RULES
        return f"{way}; or, if nobody needs it, sudo apt purge modemmanager"
    service = _GATEWAYS.get(process.name)
    return None if service is None else f"sudo systemctl disable --now {service}"


def _gateway(seen: Installation, process: machine.Process) -> Trouble:
    do = f"{way_out(process)}; what it had: docs/migrate.md"
    takes_files = (
        process.name == "smsd" and seen.config is not None and seen.config.spool.path == _SMSD_SPOOL
    )
    if takes_files:
        what = f"{process}, another gateway, runs and takes files from {_SMSD_SPOOL}, as we do"
        return Trouble("error", "gateway.other", process.name, what, do)
    what = f"{process}, another gateway, runs; only one of two can have a modem"
    return Trouble("warning", "gateway.other", process.name, what, do)


def _is_kept_away() -> bool:
    for folder in _RULES:
        for path in (machine.ROOT / folder).glob("*.rules"):
            ignores = ("id_mm_device_ignore", "id_mm_port_ignore")
            # ModemManager's own rules (77-mm-*) spare what is no modem anyway.
            if "-mm-" not in path.name and any(word in _read(path) for word in ignores):
                return True
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").lower()
    except OSError:
        return ""
