# SPDX-License-Identifier: Apache-2.0
"""The health record as Nagios, Icinga and their kin read it: one line, figures, and a code.

Codes and form as in the Monitoring Plugins' development guidelines: 0 OK, 1 WARNING, 2 CRITICAL,
3 UNKNOWN; after `|` stand figures as `label=value;warning;critical;lowest`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gsmgw.gateway.health.record import Health
from gsmgw.gateway.health.trouble import Trouble

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def code(troubles: Sequence[Trouble]) -> int:
    """Return the code of the worst trouble."""
    if any(trouble.level == "error" for trouble in troubles):
        return CRITICAL
    return WARNING if troubles else OK


def format_line(health: Health, troubles: Sequence[Trouble]) -> str:
    """Return the line: how it is, the worst first, then the figures."""
    words = "; ".join(map(_told, troubles)) or _all_well(health)
    return f"GSMGW {_WORDS[code(troubles)]} - {_plain(words)} | {' '.join(_figures(health))}"


def format_failure(why: str) -> str:
    """Return the line where there is no record because of what is wrong."""
    return f"GSMGW {_WORDS[CRITICAL]} - {_plain(why)}"


def format_unknown(why: str) -> str:
    """Return the line where the record cannot be had."""
    return f"GSMGW {_WORDS[UNKNOWN]} - {_plain(why)}"


def _told(trouble: Trouble) -> str:
    return f"{trouble.where}: {trouble.what}" if trouble.where else trouble.what


def _all_well(health: Health) -> str:
    ready = sum(modem["state"] == "ready" for modem in health.modems)
    due = sum(line.now for line in health.queue)
    return f"{ready} of {len(health.modems)} modems ready, {due} messages wait"


def _figures(health: Health) -> list[str]:
    ready = sum(modem["state"] == "ready" for modem in health.modems)
    today = health.messages_today
    return [
        f"modems_ready={ready};;;0;{len(health.modems)}",
        f"due={sum(line.now for line in health.queue)};;;0",
        f"later={sum(line.later for line in health.queue)};;;0",
        f"uncertain={health.uncertain_count};;;0",
        f"accepted={sum(today.values())};;;0",
        f"failed={today.get('failed', 0)};;;0",
        f"received={health.received_today};;;0",
        *(f"free_{disk.what}={disk.free_octets}B;;;0;{disk.total_octets}" for disk in health.disks),
    ]


def _plain(words: str) -> str:
    """Return words on one line, without the mark that begins the figures."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).replace("|", "/").split())
