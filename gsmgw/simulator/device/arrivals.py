# SPDX-License-Identifier: Apache-2.0
"""What a modem does with messages and reports from the network: store them, or show them directly.

Which of the two, AT+CNMI says (3GPP 27.005 3.4.1). What is shown directly with AT+CSMS=1 must be
acknowledged by AT+CNMA, or the network hears that it was not taken, and the modem stops showing.
"""

from __future__ import annotations

from collections.abc import Callable

from gsmgw.simulator import network
from gsmgw.simulator.device import memory, modem
from gsmgw.simulator.device.dialogue import OK, Answer

Done = Callable[[bool], None]

#: How long the modem waits for +CNMA before it tells the network that it failed.
#: Networks wait longer (TR1N, 35 to 45 s, 3GPP 24.011 10); modems are known to use 10 to 15 s.
ACKNOWLEDGE_S = 15.0


def take(to: modem.Modem, arrival: network.Arrival, done: Done) -> None:
    """Take an arrival; `done` hears at once or later whether the modem has it."""
    if arrival.is_report:
        _take_report(to, arrival, done)
    else:
        _take_message(to, arrival, done)


def _take_message(to: modem.Modem, arrival: network.Arrival, done: Done) -> None:
    if _shows_message(to, arrival.message_class):
        _show(to, arrival, "+CMT: ,", done)
        return
    kept_in = to.settings.memories[2]
    index = _store(to, kept_in, arrival)
    if index is None:
        if to.habits.full is not None:
            to.say(to.habits.full.replace("{memory}", kept_in))
        done(False)
        return
    if _announces(to, 1):
        to.say(f'+CMTI: "{kept_in}",{index}')
    done(True)


def _shows_message(to: modem.Modem, message_class: int | None) -> bool:
    """Whether a message goes straight to the program.

    Class 0 is for the screen and is never stored where the program shows messages at all; class 2
    belongs to the card; with mt=3 class 3 alone is shown.
    """
    mode, shown = to.settings.cnmi[:2]
    if mode == 0 or shown == 0 or message_class == 2:
        return False
    if message_class == 0:
        return True
    return shown == 2 or (shown == 3 and message_class == 3)


def _announces(to: modem.Modem, field: int) -> bool:
    return to.settings.cnmi[0] != 0 and to.settings.cnmi[field] != 0


def _take_report(to: modem.Modem, arrival: network.Arrival, done: Done) -> None:
    wanted = to.settings.cnmi[3]
    if wanted == 1 and to.settings.cnmi[0] != 0:
        _show(to, arrival, "+CDS: ", done)
        return
    has_own = to.memory("SR") is not None
    kept_in = "SR" if has_own else to.settings.memories[2]
    if wanted == 0 and not has_own:
        done(True)  # nobody wants it: acknowledged to the network and thrown away
        return
    index = _store(to, kept_in, arrival)
    if index is not None and wanted == 2 and _announces(to, 3):
        shown_as = to.habits.report_memory or kept_in
        to.say(f'+CDSI: "{shown_as}",{index}')
    done(index is not None)


def _store(to: modem.Modem, name: str, arrival: network.Arrival) -> int | None:
    kept_in = to.memory(name)
    if kept_in is None:
        return None
    return kept_in.add(arrival.pdu.hex().upper(), memory.Stat.REC_UNREAD)


def _show(to: modem.Modem, arrival: network.Arrival, head: str, done: Done) -> None:
    to.say(f"{head}{arrival.tpdu_octets}\n{arrival.pdu.hex().upper()}")
    if to.settings.phase == 0:
        done(True)
        return
    timer = to.after(ACKNOWLEDGE_S, lambda: _not_acknowledged(to))
    to.unacknowledged = timer, done


def _not_acknowledged(to: modem.Modem) -> None:
    """Stop showing, as 27.005 3.4.1 wants it; the network will try again."""
    if to.unacknowledged is not None:
        _, done = to.unacknowledged
        to.unacknowledged = None
        to.settings.cnmi[1] = to.settings.cnmi[3] = 0
        done(False)


def acknowledge(to: modem.Modem, *, positive: bool) -> Answer:
    """Carry out AT+CNMA (3GPP 27.005 3.4.4)."""
    if to.unacknowledged is None:
        return to.cms(340)
    timer, done = to.unacknowledged
    to.unacknowledged = None
    timer.cancel()
    # The network's next arrival must not overtake the OK.
    return Answer(OK.lines, then=lambda: done(positive))
