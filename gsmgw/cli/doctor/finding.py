# SPDX-License-Identifier: Apache-2.0
"""What the doctor can find, in the order of what hurts most, and which finding explains another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gsmgw.gateway.health.trouble import Trouble

#: Every finding there is; of equal level the first here is told first, because it causes others.
ORDER = (
    "config.missing",
    "config.unreadable",
    "config.wrong",
    "account.missing",
    "unit.masked",
    "store.directory_missing",
    "path.read_only",
    "path.unfit",
    "disk.full",
    "store.remains",
    "store.damaged",
    "store.too_new",
    "store.foreign",
    "path.forbidden",
    "unit.paths",
    "folder.missing",
    "folder.split",
    "store.remote",
    "store.locked",
    "store.unreadable",
    "gateway.other",
    "modem.none",
    "daemon.stopped",
    "daemon.hangs",
    "config.pending",
    "clock.suspect",
    "usb.mode",
    "usb.driver",
    "port.held",
    "port.forbidden",
    "unit.devices",
    "port.missing",
    "port.wrong",
    "pin.unusable",
    "modem.stuck",
    "sim.unusable",
    "modem.absent",
    "modem.silent",
    "modem.unregistered",
    "sim.resting",
    "selftest.failed",
    "service_centre.missing",
    "memory.full",
    "balance.low",
    "limit.reached",
    "account.not_member",
    "hook.unusable",
    "rows.stuck",
    "files.stuck",
    "queue.long",
    "queue.stuck",
    "messages.uncertain",
    "messages.failed",
    "files.owed",
    "alarm.untold",
    "hook.failing",
    "metrics.unwritable",
    "disk.low",
    "store.wal_large",
    "signal.weak",
    "balance.unread",
    "modem_manager.running",
    "rights.open",
    "rights.setgid",
    "unit.disabled",
    "config.unwise",
    "doctor.blind",
)

#: What a configuration may name in `alarms`.
NAMES = frozenset(ORDER)

#: What follows from what, at the same place: it is left out where the cause is told.
_EXPLAINED_BY: dict[str, tuple[str, ...]] = {
    "modem.absent": ("port.held", "port.forbidden", "port.missing", "port.wrong", "unit.devices"),
    "modem.silent": ("port.held", "port.forbidden", "port.missing", "port.wrong", "unit.devices"),
    "sim.unusable": ("pin.unusable",),
    "port.missing": ("usb.mode", "usb.driver"),
    "modem.unregistered": ("sim.unusable", "pin.unusable"),
    "daemon.stopped": ("unit.masked", "config.pending"),
}
#: What explains something wherever it is.
_EVERYWHERE = frozenset({"usb.mode", "usb.driver"})
#: Said once of a place, however many rights are missing there.
_ONCE_A_PLACE = frozenset({"path.forbidden"})


#: What hurts less where another modem can send.
_OF_ONE_MODEM = ("modem.", "sim.", "port.", "pin.", "usb.", "unit.devices")


def soften(found: Iterable[Trouble], usable: Sequence[str]) -> list[Trouble]:
    """Return findings; what is wrong with one modem is a warning while another can send."""
    return [
        replace(trouble, level="warning")
        if trouble.name.startswith(_OF_ONE_MODEM) and set(usable) - {trouble.where}
        else trouble
        for trouble in found
    ]


def sort(found: Iterable[Trouble]) -> list[Trouble]:
    """Return findings, each once, the worst first, without what others explain."""
    once = list(dict.fromkeys(found))
    for name in ("doctor.blind", "clock.suspect"):  # the first tells all
        more = [trouble for trouble in once if trouble.name == name][1:]
        once = [trouble for trouble in once if trouble not in more]
    places = [(one.name, one.where) for one in once]
    once = [
        one
        for number, one in enumerate(once)
        if one.name not in _ONCE_A_PLACE or places.index((one.name, one.where)) == number
    ]
    kept = [trouble for trouble in once if not _is_explained(trouble, once)]
    return sorted(kept, key=lambda one: (one.level != "error", ORDER.index(one.name), one.where))


def _is_explained(trouble: Trouble, others: list[Trouble]) -> bool:
    causes = _EXPLAINED_BY.get(trouble.name, ())
    return any(
        other.name in causes and (other.where == trouble.where or other.name in _EVERYWHERE)
        for other in others
    )
