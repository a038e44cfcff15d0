# SPDX-License-Identifier: Apache-2.0
"""The screen of `gsmgw status`: the worst first, 80 columns, colours where there is a terminal."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gsmgw.cli import display, overview
from gsmgw.gateway.health import judgement
from gsmgw.gateway.health.record import Health, parse_detail
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.model import Category, ModemState, SimState

#: Where a received signal stops being good and fair, in dBm.
_GOOD_DBM, _FAIR_DBM = -85, -95
#: So many troubles are told with what to do; gsmgw doctor has all.
_TROUBLES_SHOWN = 3
#: So many things to come are told.
_UPCOMING_SHOWN = 4
#: So many events are told however low the terminal is.
_FEWEST_EVENTS = 3
#: A limit that is used up to this is worth a word.
_NEARLY_USED = 0.8

_BAD, _WARN, _GOOD, _DIM = "bold red", "yellow", "green", "dim"
_LEVELS = {"error": _BAD, "warning": _WARN}
#: Said elsewhere on the screen.
_TOLD_ELSEWHERE = ("daemon.stopped", "messages.uncertain", "modem.none")
_SIGNALS = {"good": _GOOD, "fair": "", "weak": _WARN}


def compose(
    found: Health,
    troubles: Sequence[Trouble],
    *,
    zone: dt.tzinfo,
    now: dt.datetime,
    lines: int | None = None,
) -> Group:
    """Return the screen.

    Args:
        found: how things are.
        troubles: what is wrong in that.
        zone: of the times.
        now: the time.
        lines: how high the terminal is; None: as high as needed.
    """
    blocks = [
        _head(found, zone),
        *_uncertain(found),
        _modems(found, troubles, zone, now),
        *_other_troubles(found, troubles),
        *_alarms(found, zone, now),
        *_queue(found, now),
        _today(found),
        *_next(found, zone, now),
    ]
    return Group(*blocks, *_events(found, zone, now, _room(blocks, lines)))


def signal(dbm: object) -> str:
    """Return a signal in dBm with what it is worth."""
    if not isinstance(dbm, int):
        return ""
    return f"{dbm} dBm {_worth(dbm)}"


def _worth(dbm: int) -> str:
    return "good" if dbm >= _GOOD_DBM else "fair" if dbm >= _FAIR_DBM else "weak"


def _words(words: str, style: str = "") -> Text:
    return Text(f"{display.safe(words)}\n", style=style)


def _room(blocks: Sequence[RenderableType], lines: int | None) -> int | None:
    """Return how many events there is room for below the blocks; None: for all."""
    if lines is None:
        return None
    measure = Console(file=io.StringIO(), width=80, force_terminal=False)
    used = len(measure.render_lines(Group(*blocks)))
    # One line for their heading, one where the shell asks for the next command.
    return max(_FEWEST_EVENTS, lines - used - 2)


def _head(found: Health, zone: dt.tzinfo) -> RenderableType:
    time = display.local_time(found.at, zone)
    if found.daemon_pid is None:
        return Text(
            f"{time}   The daemon does not run: systemctl start gsmgw\n"
            "What stands below is what it last knew.\n",
            _BAD,
        )
    return Text.assemble(f"{time}   ", (f"daemon runs, process {found.daemon_pid}\n", _GOOD))


def _uncertain(found: Health) -> Iterator[RenderableType]:
    if found.uncertain_count:
        named = ", ".join(map(str, found.uncertain))
        more = "" if len(found.uncertain) == found.uncertain_count else ", …"
        yield Text(
            f"UNCERTAIN, may have arrived: {_count(found.uncertain_count)}: {named}{more}\n"
            f"Ask the recipients; see gsmgw show {found.uncertain[0]}\n",
            "bold yellow",
        )


def _count(messages: int) -> str:
    return f"{messages} message{'' if messages == 1 else 's'}"


# -- modems ---------------------------------------------------------------------------------------


def _modems(
    found: Health, troubles: Sequence[Trouble], zone: dt.tzinfo, now: dt.datetime
) -> RenderableType:
    if not found.modems:
        return _words("No modem is configured.", _BAD)
    columns = ("modem", "state", "SIM", "operator", "signal", "sent today", "since")
    rows = [
        (
            modem["name"],
            _state(modem),
            _sim(modem),
            modem["operator"],
            _signal(modem["signal_dbm"]),
            _sent(modem),
            display.short_time(modem["since"], zone, now),
        )
        for modem in found.modems
    ]
    table = display.table(columns, rows, wide="operator", fit=False)
    notes = [note for modem in found.modems for note in _notes(modem, troubles, zone, now)]
    return _with_gap(Group(table, *notes))


def _state(modem: Mapping[str, Any]) -> Text:
    state = modem["state"] or "unknown"
    style = _GOOD if state == ModemState.READY else _WARN
    return Text(state, _BAD if state in (ModemState.STUCK, ModemState.NEEDS_PIN) else style)


def _sim(modem: Mapping[str, Any]) -> Text:
    state = modem["sim_state"] or ""
    return Text(state, _GOOD if state == SimState.WORKING else _WARN)


def _signal(dbm: object) -> Text:
    return Text(signal(dbm), _SIGNALS[_worth(dbm)] if isinstance(dbm, int) else "")


def _sent(modem: Mapping[str, Any]) -> str:
    """Return how many parts its SIM has got rid of today, and of how many that it may."""
    daily = [use for use in modem["limits"] if use["per"] == "day"]
    if modem["sent_today"] is None:
        return ""
    return f"{modem['sent_today']} of {daily[0]['limit']}" if daily else str(modem["sent_today"])


def _notes(
    modem: Mapping[str, Any], troubles: Sequence[Trouble], zone: dt.tzinfo, now: dt.datetime
) -> Iterator[RenderableType]:
    """Yield what else there is to say of a modem: what is wrong and what to do, or its reason."""
    own = [trouble for trouble in troubles if trouble.where == modem["name"]]
    for trouble in own:
        yield from _trouble(trouble)
    why = "" if own else _why(modem, zone, now)
    if why:
        yield _note(f"{modem['name']}: {why}", _WARN)
    told = {trouble.name for trouble in own}
    credit = modem["balance"]
    if credit is not None and credit["amount"] is not None and "balance.low" not in told:
        days = credit["days_left"]
        lasts = "" if days is None else f", enough for about {days:.0f} days"
        yield _note(f"{modem['name']}: credit {credit['amount']:.2f}{lasts}", _DIM)
    for use in modem["limits"]:
        if use["limit"] * _NEARLY_USED <= use["used"] and "limit.reached" not in told:
            used = f"{use['used']} of {use['limit']} SMS per {use['per']}"
            yield _note(f"{modem['name']}: {used} used up", _WARN)


def _why(modem: Mapping[str, Any], zone: dt.tzinfo, now: dt.datetime) -> str:
    """Return why a modem, or its SIM, does not work, and until when."""
    words = [modem["why"] or ""]
    if modem["sim_state"] not in (None, SimState.WORKING):
        words.append(f"SIM: {modem['sim_why'] or modem['sim_state']}")
    if modem["sim_state"] == SimState.RESTING and modem["resting_until"]:
        words.append(f"next try {display.short_time(modem['resting_until'], zone, now).strip()}")
    return "; ".join(filter(None, words))


# -- troubles -------------------------------------------------------------------------------------


def _other_troubles(found: Health, troubles: Sequence[Trouble]) -> Iterator[RenderableType]:
    names = {modem["name"] for modem in found.modems}
    others = [
        trouble
        for trouble in troubles
        if trouble.where not in names and trouble.name not in _TOLD_ELSEWHERE
    ]
    if not others:
        return
    shown = [line for trouble in others[:_TROUBLES_SHOWN] for line in _trouble(trouble)]
    if len(others) > _TROUBLES_SHOWN:
        shown.append(_note(f"and {len(others) - _TROUBLES_SHOWN} more: gsmgw doctor"))
    yield _with_gap(Group(*shown))


def _alarms(found: Health, zone: dt.tzinfo, now: dt.datetime) -> Iterator[RenderableType]:
    """Yield the alarms that are open: somebody was, or is to be, told of them."""
    if found.alarms:
        named = (overview.alarm_words(alarm, zone, now) for alarm in found.alarms)
        yield _with_gap(_note(f"Alarms: {'; '.join(named)}", _BAD))


def _trouble(trouble: Trouble) -> Iterator[RenderableType]:
    where = f"{trouble.where}: " if trouble.where else ""
    yield _note(f"{where}{trouble.what}", _LEVELS[trouble.level])
    yield Padding(_note(trouble.do), (0, 0, 0, 2))


def _note(words: str, style: str = "") -> Text:
    return Text(display.safe(words), style=style, overflow="fold")


# -- messages -------------------------------------------------------------------------------------


def _queue(found: Health, now: dt.datetime) -> Iterator[RenderableType]:
    rows: list[tuple[object, ...]] = [
        (
            line.category,
            line.now,
            line.later,
            _age(line.oldest_due_at, now),
            "sending.hours" if _waits_for_hours(found, line.category) and line.now else "",
        )
        for line in found.queue
    ]
    if found.unchecked:
        rows.append(("not checked yet", found.unchecked, "", _age(found.unchecked_since, now), ""))
    if not rows:
        yield _words("Nothing waits to be sent.")
        return
    columns = ("waiting", "now", "later", "oldest", "waits for")
    table = display.table(columns, rows, wide="waits for", fit=False)
    yield _with_gap(Group(table, *_forecast(found)))


def _waits_for_hours(found: Health, category: str) -> bool:
    return found.surveys_wait and category in (Category.SURVEY, Category.MARKETING)


def _age(since: str | None, now: dt.datetime) -> str:
    if since is None:
        return ""
    try:
        return display.age((now - display.parse_utc(since)).total_seconds())
    except ValueError:  # other software wrote it
        return display.safe(since)


def _forecast(found: Health) -> Iterator[RenderableType]:
    parts = sum(
        line.parts_now for line in found.queue if not _waits_for_hours(found, line.category)
    )
    if judgement.usable_modems(found) and found.parts_per_hour and parts > 1:
        left = display.age(parts / found.parts_per_hour * 3600)
        yield _note(f"{parts} SMS to be sent now, in about {left} if nothing holds them up", _DIM)


def _today(found: Health) -> RenderableType:
    words = [f"{count} {state}" for state, count in found.messages_today.items()]
    calls = found.missed_calls_today
    arrived = f"{found.received_today} received, {calls} missed call{'' if calls == 1 else 's'}"
    return _words(f"Today: {', '.join(words) or 'no messages'}; {arrived}")


def _next(found: Health, zone: dt.tzinfo, now: dt.datetime) -> Iterator[RenderableType]:
    """Yield what happens by itself; nothing does while the daemon is down."""
    if not found.upcoming or found.daemon_pid is None:
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for number, event in enumerate(found.upcoming[:_UPCOMING_SHOWN]):
        at = display.short_time(event.at, zone, now)
        table.add_row("" if number else "Next:", at, display.safe(event.what))
    yield _with_gap(table)


def _events(
    found: Health, zone: dt.tzinfo, now: dt.datetime, room: int | None
) -> Iterator[RenderableType]:
    events = found.events if room is None else found.events[-room:]
    if events:
        rows = [
            (
                display.short_time(row["at"], zone, now),
                row["name"],
                row["message_id"],
                row["modem"],
                _detail(row),
            )
            for row in events
        ]
        columns = ("at", "event", "message", "modem", "detail")
        yield display.table(columns, rows, wide="detail", fit=True)


def _detail(row: display.Row) -> str:
    detail = parse_detail(row["detail"])
    if isinstance(detail, dict):
        return " ".join(f"{name}={value}" for name, value in detail.items())
    return str(detail)


def _with_gap(renderable: RenderableType) -> RenderableType:
    return Padding(renderable, (0, 0, 1, 0))
