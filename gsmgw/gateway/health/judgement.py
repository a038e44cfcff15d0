# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a health record, in plain words, each with what to do; the worst first.

Pure. A cause stands before what follows from it, and what surely follows is left out: of a daemon
that does not run nobody needs to hear that messages wait.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gsmgw.at import network
from gsmgw.gateway.health import disks, trouble, watched
from gsmgw.gateway.health.record import HOOKS_LOOKED_AT, Health
from gsmgw.gateway.health.trouble import Level, Trouble
from gsmgw.model import Category, ModemState, SimState

#: A modem comes up, and finds its network, within this time.
_BRINGING_UP = dt.timedelta(minutes=3)
#: What is due waits no longer where all is well and not much is to be sent.
_WAITS_LONG = dt.timedelta(minutes=15)
#: The daemon looks at new rows each second, and at the folder twice a minute.
_UNSEEN = dt.timedelta(minutes=2)
#: Hand-outs and handler runs are tried again at least every minute.
_OWED_LONG = dt.timedelta(minutes=5)
#: Hours that the queue needs: a day of sending is eight or so.
_BACKLOG_HOURS = 8.0
#: A signal under this loses messages, in dBm.
_WEAKEST_DBM = -107
_FULL_SHARE = 0.9
#: Of today's messages so many, and so great a share, were refused: then it is not the numbers.
_MANY_FAILED, _MANY_FAILED_SHARE = 5, 0.3
_WAL_OCTETS = 64 * 1024 * 1024


def judge(health: Health) -> list[Trouble]:
    """Return what is wrong, the worst first."""
    found = [
        *judge_disks(health.disks),
        *_daemon(health),
        *_clock(health),
        *(_modems(health) if health.daemon_pid is not None else ()),
        *_doubts(health),
        *(_waiting(health) if health.daemon_pid is not None else ()),
        *_refusals(health),
        *_wal(health),
        *watched.judge_alarms(health),
    ]
    return sorted(found, key=lambda one: one.level != "error")


def document(health: Health, troubles: Sequence[Trouble]) -> dict[str, Any]:
    """Return the record for programs, with what is wrong in it."""
    return health.as_json() | {"troubles": [one.as_json() for one in troubles]}


def judge_disks(found: list[disks.Disk]) -> Iterator[Trouble]:
    """Yield what is wrong with the room on the disks."""
    for disk in found:
        megabytes = disk.free_octets // 1_000_000
        look = f"df -h {disk.path}; then remove what is not needed, such as old backups"
        if disk.is_full and disk.free_files == 0:
            what = f"the disk of the {disk.what} can hold no more files, however small"
            yield Trouble("error", "disk.full", disk.path, what, f"df -i {disk.path}")
        elif disk.is_full:
            what = f"the disk of the {disk.what} is full: {megabytes} MB free"
            yield Trouble("error", "disk.full", disk.path, what, look)
        elif disk.is_low:
            what = f"the disk of the {disk.what} is filling up: {megabytes} MB free"
            yield Trouble("warning", "disk.low", disk.path, what, look)


def _daemon(health: Health) -> Iterator[Trouble]:
    if health.daemon_pid is None:
        yield Trouble(
            "error",
            "daemon.stopped",
            "gsmgw",
            "the daemon does not run: nothing is sent or received",
            "sudo systemctl start gsmgw; if it does not stay up: journalctl -u gsmgw -p warning -e",
        )


def _clock(health: Health) -> Iterator[Trouble]:
    if health.clock_suspect is not None:
        yield suspect_clock(health.clock_suspect)


def suspect_clock(why: str) -> Trouble:
    """Say that the machine's clock cannot be believed."""
    return Trouble(
        "error",
        "clock.suspect",
        "",
        f"this machine's clock cannot be right: {why}",
        "timedatectl, then sudo timedatectl set-time 'YYYY-MM-DD HH:MM:SS';"
        " if it is right: gsmgw clock --trust",
    )


# -- modems ---------------------------------------------------------------------------------------

_STATES: dict[str, tuple[str, str, str]] = {
    ModemState.STUCK: (
        "modem.stuck",
        "its driver hangs in the kernel",
        "unplug the modem; then sudo systemctl restart gsmgw",
    ),
    ModemState.NEEDS_PIN: (
        "sim.unusable",
        "its SIM needs a person",
        "take the SIM out, look at it, try it in a phone (docs/log-messages.md, sim.unusable)",
    ),
    ModemState.ABSENT: (
        "modem.absent",
        "it is not there",
        "lsusb; ls -l /dev/serial/by-id/; plug it in again, or gsmgw modem probe finds its port",
    ),
    ModemState.UNRESPONSIVE: (
        "modem.silent",
        "it does not answer",
        "wait five minutes; then pull it out, wait ten seconds, plug it in",
    ),
    ModemState.SEARCHING: (
        "modem.unregistered",
        "it has no network",
        "look at antenna and place; try its SIM in a phone; then ring the operator",
    ),
    ModemState.OPENING: (
        "modem.silent",
        "it has not come up",
        "gsmgw modem list shows why; pull it out, wait ten seconds, plug it in",
    ),
}


#: What a SIM needs, by what is in the words that the modem's worker has for it; the first counts.
_SIM_NEEDS = (
    ("PUK", "unlock the SIM in a phone, with the PUK from the operator's letter"),
    ("PH-", "the modem is locked to an operator: take another modem, or have it unlocked"),
    ("is configured", "write the PIN into a file, and name that as modems.pin_file"),
    ("PIN file", "sudo gsmgw doctor looks at the file; it holds the PIN and nothing else"),
    ("the right one there", "write the right PIN into that file; it is tried once, at once"),
    ("tries left", "enter the right PIN in a phone, which gives the tries back"),
    ("no SIM", "unplug the modem, push the SIM in as the picture shows, plug it in"),
)


def _modems(health: Health) -> Iterator[Trouble]:
    if not health.modems:
        yield Trouble(
            "error",
            "modem.none",
            "",
            "no modem is configured, so nothing can be sent",
            "sudo gsmgw setup finds modems and writes them into the configuration",
        )
    usable = usable_modems(health)
    for modem in health.modems:
        level: Level = "warning" if usable else "error"
        state = _state(modem, dt.datetime.fromisoformat(health.at), level)
        yield from state
        if not state:
            yield from _sim(modem, level)
        if modem["state"] == ModemState.READY:
            yield from _ready(modem)


def usable_modems(health: Health) -> list[str]:
    """Return the names of the modems that can send now, as far as a running daemon knows."""
    if health.daemon_pid is None:
        return []
    return [modem["name"] for modem in health.modems if _can_send(modem)]


def _can_send(modem: dict[str, Any]) -> bool:
    resting = modem["sim_state"] not in (None, SimState.WORKING)
    return modem["state"] == ModemState.READY and not resting


def _state(modem: dict[str, Any], now: dt.datetime, level: Level) -> list[Trouble]:
    state = modem["state"]
    passing = state in (None, ModemState.OPENING, ModemState.SEARCHING)
    refused = modem["registration"] == network.DENIED
    since = modem["since"] and trouble.parse_stored(modem["since"])
    if passing and not refused and (since is None or now - since < _BRINGING_UP):
        return []
    if state not in _STATES:
        return []
    name, what, do = _STATES[state]
    words = modem["why"] or (
        network.registration_words(modem["registration"]) if state == "searching" else ""
    )
    if state == ModemState.NEEDS_PIN:
        do = next((need for sign, need in _SIM_NEEDS if sign in str(words)), do)
    if refused:
        do = "try its SIM in a phone; ring the operator: is it active, and paid for?"
    return [Trouble(level, name, modem["name"], f"{what}{f': {words}' if words else ''}", do)]


def _sim(modem: dict[str, Any], level: Level) -> Iterator[Trouble]:
    if modem["sim_state"] == SimState.RESTING:
        yield Trouble(
            level,
            "sim.resting",
            modem["name"],
            f"the operator refuses what its SIM sends: {modem['sim_why']}",
            f"gsmgw modem ussd {modem['name']} '*100#' (the operator's code for the balance);"
            " top up, or ring the operator",
        )
    elif modem["sim_state"] == SimState.BLOCKED:
        yield Trouble(
            level,
            "sim.unusable",
            modem["name"],
            f"its SIM is blocked: {modem['sim_why']}",
            "unlock it in a phone, with the PUK from the operator's letter",
        )


def _ready(modem: dict[str, Any]) -> Iterator[Trouble]:
    name = modem["name"]
    yield from watched.judge_credit(modem)
    yield from watched.judge_self_test(modem)
    for use in modem["limits"]:
        if use["used"] >= use["limit"]:
            what = f"its limit per {use['per']} is used up: {use['used']} of {use['limit']}"
            do = "wait, or raise modems.limits in the configuration, if the contract allows it"
            yield Trouble("warning", "limit.reached", name, what, do)
    storages = modem["storages"] if isinstance(modem["storages"], dict) else {}
    yield from judge_answers(
        name,
        registration=None,  # its state says whether it has a network
        service_centre=modem["service_centre"],
        storages=storages,
        signal_dbm=modem["signal_dbm"],
    )


def judge_answers(
    name: str,
    *,
    registration: int | None,
    service_centre: str | None,
    storages: Mapping[str, Sequence[int]],
    signal_dbm: int | None,
) -> Iterator[Trouble]:
    """Yield what is wrong in the answers of a modem that has a usable SIM.

    Args:
        name: the modem's.
        registration: <stat> of +CREG; None if it was not asked.
        service_centre: its number; None if the SIM has none.
        storages: for each memory how much is used, and of how much.
        signal_dbm: None if it is not known.
    """
    if registration is not None and registration not in network.REGISTERED:
        _, what, do = _STATES[ModemState.SEARCHING]
        what = f"{what}: {network.registration_words(registration)}"
        yield Trouble("error", "modem.unregistered", name, what, do)
    if not service_centre:
        what = "its SIM has no service centre number; most networks then refuse every message"
        do = "ask the operator, and set modems.service_centre in the configuration"
        yield Trouble("warning", "service_centre.missing", name, what, do)
    for memory, (used, total) in storages.items():
        if total and used >= _FULL_SHARE * total:
            what = f"its memory {memory} is full ({used} of {total}): answers cannot come in"
            do = "delete messages in a phone (docs/log-messages.md, memory.full)"
            yield Trouble("warning", "memory.full", name, what, do)
    if isinstance(signal_dbm, int) and signal_dbm <= _WEAKEST_DBM:
        what = f"its signal is very weak: {signal_dbm} dBm"
        yield Trouble("warning", "signal.weak", name, what, "move the modem or its antenna")


# -- messages -------------------------------------------------------------------------------------


def _doubts(health: Health) -> Iterator[Trouble]:
    count = health.uncertain_given_up
    if count:
        messages = trouble.count(count, "message")
        yield Trouble(
            "warning",
            "messages.uncertain",
            "",
            f"of {messages} nobody knows whether they arrived; a person decides",
            "gsmgw list --state uncertain; ask the recipients; gsmgw retry ID sends one again",
        )


def _waiting(health: Health) -> Iterator[Trouble]:
    now = dt.datetime.fromisoformat(health.at)
    since = health.unchecked_since
    if since and trouble.is_before(since, now - _UNSEEN):
        what = f"{trouble.count(health.unchecked, 'row')} of other software are not looked at"
        do = "journalctl -u gsmgw -p warning -e; sudo systemctl restart gsmgw"
        yield Trouble("error", "rows.stuck", "outbox", what, do)
    if health.outgoing is not None and health.outgoing.oldest_s > _UNSEEN.total_seconds():
        what = f"{trouble.count(health.outgoing.files, 'file')} in outgoing, the oldest for"
        do = "ls -la in that directory; journalctl -u gsmgw -g spool -e names each and why"
        age = trouble.age(health.outgoing.oldest_s)
        yield Trouble("warning", "files.stuck", "outgoing", f"{what} {age}, are not taken", do)
    yield from _queue(health, now)
    for owed, what, where in (
        (health.owed_files, "files for incoming and report cannot be written", "spool"),
        (health.owed_hooks, "runs of the event handler are owed", "hooks.event"),
    ):
        if owed.oldest_at is not None and trouble.is_before(owed.oldest_at, now - _OWED_LONG):
            do = "journalctl -u gsmgw -g spool.owed -e says what keeps it from them"
            yield Trouble("warning", "files.owed", where, f"{owed.count} {what}", do)
    if health.failed_hooks > HOOKS_LOOKED_AT // 2:
        what = f"{health.failed_hooks} of the last {HOOKS_LOOKED_AT} runs of the handler failed"
        do = "run it by hand (docs/log-messages.md, hook.failed)"
        yield Trouble("warning", "hook.failing", "hooks.event", what, do)


def _queue(health: Health, now: dt.datetime) -> Iterator[Trouble]:
    closed = (Category.SURVEY, Category.MARKETING) if health.surveys_wait else ()
    due = [line for line in health.queue if line.category not in closed and line.oldest_due_at]
    parts = sum(line.parts_now for line in due)
    hours = parts / health.parts_per_hour if health.parts_per_hour else 0.0
    if hours > _BACKLOG_HOURS:
        yield Trouble(
            "warning",
            "queue.long",
            "",
            f"{parts} SMS wait, which these modems send in {hours:.0f} hours at best",
            "gsmgw status; add a modem, or raise modems.limits; what expires before is not sent",
        )
        return
    oldest = min((line.oldest_due_at for line in due if line.oldest_due_at), default=None)
    patience = _WAITS_LONG + dt.timedelta(hours=hours)
    if oldest is not None and trouble.is_before(oldest, now - patience):
        what = f"{trouble.count(sum(line.now for line in due), 'message')} wait, the oldest for"
        age = trouble.age((now - trouble.parse_stored(oldest)).total_seconds())
        do = "gsmgw status says what the modems do; gsmgw show ID what a message waits for"
        yield Trouble("warning", "queue.stuck", "", f"{what} {age}", do)


def _refusals(health: Health) -> Iterator[Trouble]:
    failed, total = health.messages_today.get("failed", 0), sum(health.messages_today.values())
    if failed >= _MANY_FAILED and failed >= _MANY_FAILED_SHARE * total:
        what = f"{failed} of today's {total} messages were refused by the network"
        do = "gsmgw list --state failed, then gsmgw show ID: the same code for all is the SIM's"
        yield Trouble("warning", "messages.failed", "", what, do)


def _wal(health: Health) -> Iterator[Trouble]:
    if health.wal_octets > _WAL_OCTETS:
        what = f"the database's log has {health.wal_octets // 1_000_000} MB: somebody reads on"
        do = f"sudo fuser -v {health.database}; close the program that is not gsmgw"
        yield Trouble("warning", "store.wal_large", health.database, what, do)
