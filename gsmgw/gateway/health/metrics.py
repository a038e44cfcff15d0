# SPDX-License-Identifier: Apache-2.0
"""The health record as a text file for Prometheus' node_exporter (its textfile collector).

The format is Prometheus' text exposition format, version 0.0.4. Labels are names of modems, states
and categories; nothing of a patient or of a SIM is among them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from gsmgw import __version__
from gsmgw.gateway.health.record import Health
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.model import MessageState, ModemState, SimState

Sample = tuple[dict[str, str], float]


def format_metrics(health: Health, troubles: Iterable[Trouble]) -> str:
    """Return all metrics, each with its help and type; pure."""
    lines: list[str] = []
    for name, text, samples in _families(health, list(troubles)):
        lines += [f"# HELP gsmgw_{name} {text}", f"# TYPE gsmgw_{name} gauge"]
        lines += [f"gsmgw_{name}{_labels(labels)} {value:.15g}" for labels, value in samples]
    return "\n".join([*lines, ""])


def _families(
    health: Health, troubles: list[Trouble]
) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    now = dt.datetime.fromisoformat(health.at)
    yield "written_time_seconds", "When this was written.", [({}, now.timestamp())]
    yield "build_info", "The program's version.", [({"version": __version__}, 1)]
    yield "daemon_running", "Whether the daemon runs.", [({}, health.daemon_pid is not None)]
    yield "clock_suspect", "Whether the clock is not believed.", [({}, bool(health.clock_suspect))]
    levels = [trouble.level for trouble in troubles]
    yield (
        "troubles",
        "What gsmgw doctor finds in the record, by level.",
        [({"level": level}, levels.count(level)) for level in ("error", "warning")],
    )
    yield (
        "trouble",
        "1 for each of them, by its name in docs/operate.md and its place.",
        _once(
            ({"name": one.name, "where": one.where, "level": one.level}, 1.0) for one in troubles
        ),
    )
    yield "alarms_open", "Alarms that are open.", [({}, len(health.alarms))]
    yield from _modems(health)
    yield from _limits(health)
    yield from _messages(health, now)
    yield (
        "disk_free_bytes",
        "Room for others than root.",
        [({"for": disk.what}, disk.free_octets) for disk in health.disks],
    )
    yield "wal_bytes", "Size of the database's write-ahead log.", [({}, health.wal_octets)]


def _modems(health: Health) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    yield (
        "modem_state",
        "1 for the state in which a modem is.",
        [
            ({"modem": modem["name"], "state": state}, modem["state"] == state)
            for modem in health.modems
            for state in ModemState
        ],
    )
    yield (
        "modem_signal_dbm",
        "Received signal.",
        [
            ({"modem": modem["name"]}, modem["signal_dbm"])
            for modem in health.modems
            if modem["signal_dbm"] is not None
        ],
    )
    yield (
        "sim_credit",
        "Credit of the SIM in a modem, in the operator's money.",
        [
            ({"modem": modem["name"]}, modem["balance"]["amount"])
            for modem in health.modems
            if modem["balance"] is not None and modem["balance"]["amount"] is not None
        ],
    )
    yield (
        "self_test_passed",
        "Whether the last message of a modem to itself came back.",
        [
            ({"modem": modem["name"]}, modem["self_test"]["passed"])
            for modem in health.modems
            if modem["self_test"] is not None
        ],
    )
    yield (
        "sim_working",
        "Whether the SIM in a modem may send.",
        [
            ({"modem": modem["name"]}, modem["sim_state"] == SimState.WORKING)
            for modem in health.modems
            if modem["sim_state"] is not None
        ],
    )


def _limits(health: Health) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    yield (
        "modem_sent_today",
        "SMS that the SIM in a modem has sent since midnight.",
        [
            ({"modem": modem["name"]}, modem["sent_today"])
            for modem in health.modems
            if modem["sent_today"] is not None
        ],
    )
    for name, key, text in (
        ("modem_limit", "limit", "SMS that a modem may send in a time."),
        ("modem_limit_used", "used", "SMS of that limit that are used up."),
    ):
        yield (
            name,
            text,
            [
                ({"modem": modem["name"], "per": use["per"]}, use[key])
                for modem in health.modems
                for use in modem["limits"]
            ],
        )


def _messages(health: Health, now: dt.datetime) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    yield (
        "queue_messages",
        "Messages that wait, by category.",
        [
            ({"category": line.category, "due": due}, count)
            for line in health.queue
            for due, count in (("now", line.now), ("later", line.later))
        ],
    )
    yield (
        "queue_oldest_seconds",
        "For how long the oldest due message waits.",
        [
            (
                {"category": line.category},
                max(0.0, (now - dt.datetime.fromisoformat(line.oldest_due_at)).total_seconds()),
            )
            for line in health.queue
            if line.oldest_due_at is not None
        ],
    )
    yield "new_rows", "Rows of other software not yet looked at.", [({}, health.unchecked)]
    yield "uncertain_messages", "Messages of which nobody knows.", [({}, health.uncertain_count)]
    yield (
        "today_messages",
        "Messages accepted since midnight, by state.",
        [({"state": state}, health.messages_today.get(state, 0)) for state in MessageState],
    )
    yield "today_received", "Messages that came in since midnight.", [({}, health.received_today)]
    yield "today_missed_calls", "Calls since midnight.", [({}, health.missed_calls_today)]
    if health.outgoing is not None:
        yield "outgoing_files", "Files in outgoing.", [({}, health.outgoing.files)]
    yield (
        "owed",
        "What is owed to the spool.",
        [
            ({"what": "files"}, health.owed_files.count),
            ({"what": "hooks"}, health.owed_hooks.count),
        ],
    )


def _once(samples: Iterable[Sample]) -> list[Sample]:
    """Return samples with different labels: the format allows no two that are equal in them."""
    return list({tuple(labels.items()): (labels, value) for labels, value in samples}.values())


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
