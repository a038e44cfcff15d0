# SPDX-License-Identifier: Apache-2.0
"""What stands in a message's way, and what a person can do about it, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gsmgw.cli import display, overview
from gsmgw.cli.messages.story import Story
from gsmgw.config import Config, Modem
from gsmgw.gateway import routing
from gsmgw.model import Category, MessageState, ModemState, PartState, Priority, SimState
from gsmgw.store import upkeep

if TYPE_CHECKING:
    from gsmgw.cli import session

_WAITING = (MessageState.NEW, MessageState.QUEUED, MessageState.SENDING)
#: They keep to `sending.hours`, and leave a fifth of a limit to the others.
_LESS_URGENT = (Category.SURVEY, Category.MARKETING)
_THEIR_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a message's fate hangs on beside itself."""

    config: Config
    now: dt.datetime
    runs: bool  #: whether the daemon does
    suspicion: str | None  #: why the clock is not believed
    modems: Sequence[Mapping[str, Any]]  #: as in the health record


def look_around(current: session.Session) -> Surroundings:
    """Gather the surroundings; blocks for a few short queries.

    Raises:
        StoreError: the database cannot be read.
    """
    return Surroundings(
        current.config,
        current.clock.now(),
        overview.daemon_pid(current) is not None,
        upkeep.last_suspicion(current.database),
        overview.modem_documents(current),
    )


def advice(story: Story, around: Surroundings) -> list[str]:
    """Return why a message waits, or what can be done about it; [] if there is nothing to say."""
    if story.message["state"] in _WAITING:
        return list(_obstacles(story, around))
    words = _remedy(story, around)
    return [words] if words else []


def _obstacles(story: Story, around: Surroundings) -> Iterator[str]:
    message = story.message
    if not around.runs:
        yield "The daemon does not run, so it waits: sudo systemctl start gsmgw"
    if not message["due_at"]:
        return
    if around.suspicion and message["not_before"]:
        yield (
            "The machine's clock is not believed, and nothing that has a time goes out meanwhile:"
            " gsmgw clock"
        )
    closed = _hours(message, around)
    special = _modem_gone(message, around) or _sim_away(story)
    # Of modems a daemon that does not run knows nothing new.
    busy = _no_modem(message, around) if around.runs and not special else None
    yield from filter(None, (closed, special, busy))


def _hours(message: display.Row, around: Surroundings) -> str | None:
    hours, now = around.config.sending.hours, around.now.astimezone(around.config.zone)
    if hours is None or message["category"] not in _LESS_URGENT or hours.allows(now):
        return None
    opens = display.local_time(hours.next_allowed(now).isoformat(), around.config.zone)
    return f"It waits for the hours of {message['category']} messages (sending.hours): {opens}."


def _modem_gone(message: display.Row, around: Surroundings) -> str | None:
    wish, number = message["modem"], message["id"]
    if not wish or wish in {modem.name for modem in around.config.modems}:
        return None
    return (
        f"It waits for modem {display.safe(wish)}, which is not configured. Configure it again"
        f" under this name; or withdraw it (gsmgw cancel {number}) and send it anew"
    )


def _sim_away(story: Story) -> str | None:
    message = story.message
    if message["sim_id"] is None or any(row["state"] == ModemState.READY for row in story.modems):
        return None
    seen = ", ".join(display.safe(row["name"]) for row in story.modems)
    where = f", last seen in modem {seen}" if seen else ""
    again = (
        "it was sent anew from another SIM once already"
        if message["restarts"]
        else "after ten minutes all of it is sent anew from another SIM, if there is one"
    )
    return f"Its first parts went out from a SIM that is away{where}; the others wait: {again}."


def _no_modem(message: display.Row, around: Surroundings) -> str | None:
    """Say what keeps every modem that may send it from doing so; None if one can."""
    found = {modem["name"]: modem for modem in around.modems}
    everyone = around.config.modems
    route = routing.route_of(str(message["recipient"]), message["modem"], everyone)
    told = []
    for modem in everyone:
        if route not in routing.routes_served(modem, everyone):
            continue
        why = _hindrance(modem, found.get(modem.name, {}), message, around)
        if why is None:
            return None
        told.append(why)
    if not told:
        return None
    return f"No modem can send it now: {'; '.join(told)}. What to do: gsmgw doctor"


def _hindrance(
    modem: Modem, state: Mapping[str, Any], message: display.Row, around: Surroundings
) -> str | None:
    """Say why a modem cannot send a message now; None if nothing is known against it."""
    name = display.safe(modem.name)
    if state.get("sim_state") not in (None, SimState.WORKING):
        until = display.local_time(state["resting_until"], around.config.zone)
        why = _brackets(state["sim_why"])
        return f"the SIM of {name} is {state['sim_state']}{until and f' until {until}'}{why}"
    if state.get("state") != ModemState.READY:
        return f"{name} is {state.get('state') or 'not known yet'}{_brackets(state.get('why'))}"
    if message["priority"] != Priority.ROUTINE:
        return None
    share = _THEIR_SHARE if message["category"] in _LESS_URGENT else 1.0
    for use in state["limits"]:
        if use["used"] >= share * use["limit"]:
            return f"{name} has sent {use['used']} of {use['limit']} SMS per {use['per']}"
    return None


def _brackets(words: object) -> str:
    return f" ({display.safe(words)})" if words else ""


def _remedy(story: Story, around: Surroundings) -> str | None:
    message, number = story.message, story.message["id"]
    if message["state"] == MessageState.UNCERTAIN:
        return _doubt(story, around)
    if story.unreported and message["state"] == MessageState.SENT:
        numbers = ", ".join(str(part["number"]) for part in story.unreported)
        which = f"part {numbers}" if len(story.parts) > 1 else "it"
        return (
            f"Only the SIM's reference counter tells that {which} was sent, and no status report"
            " has come, although this SIM gives reports: the network may have refused it. Ask the"
            " recipient."
        )
    if message["state"] not in (
        MessageState.FAILED,
        MessageState.REJECTED,
        MessageState.EXPIRED,
        MessageState.UNDELIVERED,
    ):
        return None
    if not story.parts:
        return "It was not sent, because of what it says. Send it anew, corrected."
    got = (PartState.SENT, PartState.DELIVERED)
    again = [part for part in story.parts if part["state"] not in got]
    if any(part["text"] is None and part["data"] is None for part in again):
        return "Its text has been removed since then (retention.text): send it anew."
    if message["state"] == MessageState.UNDELIVERED:
        return f"The phone did not get all of it. To send that again: gsmgw retry {number}"
    return f"It was not sent. To send it all the same: gsmgw retry {number}"


def _doubt(story: Story, around: Surroundings) -> str:
    doubtful = [part for part in story.parts if part["state"] == PartState.UNCERTAIN]
    numbers = ", ".join(str(part["number"]) for part in doubtful)
    which = f"part {numbers}" if len(story.parts) > 1 else "it"
    words = (
        f"Nobody knows whether {which} arrived. Ask the recipient; if it did not:"
        f" gsmgw retry {story.message['id']}"
    )
    claimed = [part["claimed_at"] for part in doubtful if part["claimed_at"]]
    if story.message["settled_at"] or not claimed:
        return words
    uncertain = around.config.sending.uncertain
    end = display.parse_utc(max(claimed)) + dt.timedelta(seconds=uncertain.wait)
    if end <= around.now:
        return words
    at = display.local_time(end.isoformat(), around.config.zone)
    then = "wait for it first"
    if uncertain.settle_as[story.message["category"]] == "resend":
        then = "without it, it is sent again by itself"
    return f"{words}. Evidence may still come until {at}: {then}"
