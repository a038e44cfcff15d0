# SPDX-License-Identifier: Apache-2.0
"""What is wrong in what watches by itself: credit, messages to itself, alarms that nobody hears.

Pure; a part of `judgement`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from gsmgw import phone
from gsmgw.gateway.health import trouble
from gsmgw.gateway.health.record import Health
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.store.watching import alarms

#: Credit for less than so many days is to be topped up.
_LASTS_DAYS = 7
#: So many answers in a row without an amount: one may be the network's bad day.
_UNREAD = 2
#: An alarm is told at once, or when the next modem can send.
_UNTOLD_LONG = dt.timedelta(minutes=10)


def judge_credit(modem: dict[str, Any]) -> Iterator[Trouble]:
    """Yield what is wrong with the credit of its SIM, where the network is asked for it."""
    known, name = modem["balance"], modem["name"]
    if known is None:
        return
    amount, days, least = known["amount"], known["days_left"], known["warn_below"]
    low = amount is not None and least is not None and amount < least
    if low or (days is not None and days < _LASTS_DAYS):
        lasts = "" if days is None else f", enough for about {trouble.count(int(days), 'day')}"
        what = f"the credit of its SIM is {amount:.2f}{lasts}"
        yield Trouble("warning", "balance.low", name, what, "top up its SIM")
    if known["errors"] >= _UNREAD:
        what = f"the credit of its SIM cannot be read: {known['error']}"
        do = f"gsmgw modem ussd {name} CODE shows the answer; modems.balance.pattern is to fit it"
        yield Trouble("warning", "balance.unread", name, what, do)


def judge_self_test(modem: dict[str, Any]) -> Iterator[Trouble]:
    """Yield that the last message of a modem to itself did not come back."""
    last, name = modem["self_test"], modem["name"]
    if last is not None and not last["passed"]:
        what = f"its message to itself failed: {last['error']}"
        do = f"write to its number from a phone, then gsmgw inbox; gsmgw modem at {name} AT+CPMS?"
        yield Trouble("error", "selftest.failed", name, what, do)


def judge_alarms(health: Health) -> Iterator[Trouble]:
    """Yield that somebody cannot be told of what is wrong."""
    do = "journalctl -u gsmgw -g alarm.untold -e says why; gsmgw alarm test tries it"
    for one in health.unheard:
        who = "the program of alarms" if one["via"] == alarms.HOOK else phone.mask(one["via"])
        what = f"{who} was not told of an alarm: {one['error']}"
        yield Trouble("warning", "alarm.untold", "alarms", what, do)
    limit = dt.datetime.fromisoformat(health.at) - _UNTOLD_LONG
    if health.untold_since is not None and trouble.is_before(health.untold_since, limit):
        what = "somebody is to be told of an alarm, and cannot be"
        yield Trouble("warning", "alarm.untold", "alarms", what, do)
