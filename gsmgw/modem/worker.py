# SPDX-License-Identifier: Apache-2.0
"""The life of one modem, in its own thread: find it, bring it up, send, receive, recover.

Theory of operation. `step` does one round: it sends at most one part, or hands over a few arrivals,
or makes one attempt to find or recover the modem, and then waits four seconds at most. While there
is work it does not wait. In a round, in this order: what the store did not take before, what the
modem said unasked, one part, orders of people, one duty that is due (a memory to sweep, a look at
signal and network). So receiving never waits for a queue to be empty, nor sending for a full SIM.

The state follows `state.TABLE`. Errors of the modem end a round and decide what follows:
`PortLostError` absent, `SimError` needs_pin, silence unresponsive (see `recovery`).

A part whose result is unknown is settled as uncertain at once and the modem gets into step again;
an answer that comes later is handed on as a late answer. At the first opening after a start, a part
that is still `sending` from before is waited for without writing a byte, until the time for its
result has passed since its claim. Not so when the device itself was away: a modem without power
answers nothing.

Threads and locks. One thread calls open, step and close. `wake`, `heartbeat_at` and `stuck_report`
may be used by any thread.

On failure. Nothing of the modem's leaves `step`. A busy store or a full disk is waited for: results
of parts are kept by the gateway, arrivals by the modem; other store errors go up to the supervisor.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from gsmgw import bell, clock, logs, threads
from gsmgw.at import network
from gsmgw.errors import ModemError, PortLostError, SimError
from gsmgw.model import ModemReport, ModemState
from gsmgw.modem import dialogue, discovery, driver, gateway_port, port, settings, state
from gsmgw.modem.duties import (
    arrivals,
    complaints,
    finding,
    in_flight,
    mending,
    orders,
    recovery,
    sending,
    station,
    telling,
    timekeeping,
)

_log = logs.get("modem")

#: Longest wait in one step; of a modem that has nothing to do, a hint ends it.
_STEP_S = 1.0
_IDLE_S = 4.0
#: How often a locked SIM is looked at again, and how soon after a sign that something has changed.
_PIN_AGAIN_S = 30.0
_PIN_SOON_S = 1.0
#: A modem that starts anew while it is being recovered is given so long before the next stage.
_STARTING_S = 5.0
#: The first look at signal and operator after coming up, and looks while the modem searches.
_FIRST_LOOK_S = 1.0
_SEARCH_S = 15.0
#: The store was busy or full: wait so long.
_STORE_PAUSE_S = 1.0
#: So long without trouble, and recovery begins at its mild end again.
_HEALTHY_S = 60.0
#: A modem that resets itself is not there for so long.
_RESET_S = 3.0
#: With a part in flight, every port is listened to for so long before it is asked who it is.
_LISTEN_FIRST_S = 0.5


class Worker:
    """One modem's service."""

    def __init__(
        self,
        wanted: settings.Settings,
        gateway: gateway_port.Gateway,
        *,
        now: clock.Clock | None = None,
        sysfs: Path = discovery.SYSFS,
    ) -> None:
        self._wanted = wanted
        self._gateway = gateway
        self._clock = now or clock.SystemClock()
        self._finder = finding.Finder(wanted, self._clock, sysfs)
        self._port = port.Port("", baudrate=wanted.baudrate, rtscts=wanted.rtscts, now=self._clock)
        self._talk = dialogue.Dialogue(self._port, name=wanted.name, now=self._clock)
        self._drive = driver.Driver(self._talk, gateway, wanted, self._clock)
        at = station.Station(wanted, self._drive, self._talk, gateway, self._clock)
        self._sender = sending.Sender(at)
        self._arrivals = arrivals.Arrivals(at)
        self._orders = orders.Orders(at)
        self._timekeeping = timekeeping.Timekeeping(at)
        self._in_flight = in_flight.InFlight(at, self._sender)
        self._teller = telling.Teller(at, self._finder)
        self._bell = bell.Bell()
        self._complaints = complaints.Complaints(wanted.name, self._clock)
        self._recovery = recovery.Recovery()
        self._mender = mending.Mender(at, self._port, self._finder, self._recovery)
        self._state = ModemState.ABSENT
        self._why = ""
        self._stepped_at = self._clock.monotonic()
        self._next_at = 0.0  #: monotonic; when the state's next attempt is due
        self._look_at = 0.0  #: monotonic; when signal and network are asked for
        self._trouble_at = 0.0  #: monotonic; when it last fell silent
        self._first = True  #: the device has been there since this worker began
        self._device: str | None = None  #: which it is, see `Port.device`
        self._restarts = 0  #: how often it has begun anew by itself
        self._doubt = False  #: a part has become uncertain, and EF_SMSS may tell of it

    @property
    def name(self) -> str:
        """Return the name of its thread."""
        return f"modem-{self._wanted.name}"

    @property
    def modem_state(self) -> ModemState:
        """Return where the modem is in its life."""
        return self._state

    @property
    def heartbeat_at(self) -> float:
        """Return when this thread last went on (monotonic): it waits some seconds at most.

        Only a thread that is caught in the kernel lets this grow old, or one whose store does not
        answer. Any thread may ask.
        """
        return max(self._stepped_at, self._talk.heartbeat_at)

    def stuck_report(self) -> ModemReport:
        """Return what to tell of a modem whose thread does not come back; any thread may ask."""
        return self._teller.stuck_report()

    # -- service ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Prepare; the port is opened by `step`. May be called again after `close`."""
        self._state, self._why = ModemState.ABSENT, ""
        self._teller.begin()
        self._first = True
        self._in_flight.begin()

    def close(self) -> None:
        """Give back what was claimed and close the port; nothing of modem or store is raised."""
        self._sender.give_back("gsmgw stops")
        self._gateway.flush(self._wanted.name)
        with contextlib.suppress(*gateway_port.STORE_PASSING):
            self._arrivals.flush()
        self._port.close()

    def wake(self) -> None:
        """Let a waiting `step` end: there may be work. Any thread may call; may be lost."""
        self._bell.ring()

    def step(self, stop: threads.StopToken) -> None:
        """Do one round.

        Blocks up to four seconds, or as long as the modem takes for what it was asked: a submit up
        to the time for its result.

        Raises:
            StoreError: one that does not pass by itself.
        """
        self._stepped_at = self._clock.monotonic()
        try:
            self._gateway.flush(self._wanted.name)
            self._arrivals.flush()
            self._live(stop)
        except PortLostError as error:
            self._lose(str(error))
        except SimError as error:
            self._next_at = self._clock.monotonic() + _PIN_AGAIN_S
            self._complaints.sim(str(error))
            self._go(state.Event.PIN_NEEDED, str(error))
        except ModemError as error:
            self._fall_silent(str(error))
        except gateway_port.STORE_PASSING as error:
            _log.warning("modem.waits_for_store", modem=self._wanted.name, why=str(error))
            stop.wait(_STORE_PAUSE_S)
            return
        with contextlib.suppress(*gateway_port.STORE_PASSING):
            self._teller.tell(self._report())

    def _live(self, stop: threads.StopToken) -> None:
        if self._state is ModemState.ABSENT:
            self._look_for_device(stop)
        elif self._state is ModemState.OPENING:
            self._come_up()
        elif self._state is ModemState.NEEDS_PIN:
            self._await_pin()
        elif self._state is ModemState.UNRESPONSIVE:
            self._recover()
        else:
            self._serve(stop)

    # -- finding and coming up --------------------------------------------------------------------

    def _look_for_device(self, stop: threads.StopToken) -> None:
        self._orders.refuse_one("the modem is not there")
        left_s = self._finder.left_s()
        if self._first and self._finder.asks_imei:
            # Asking for the IMEI writes to the port; an answer must have had its time first.
            left_s = max(left_s, self._in_flight.left_s())
        if left_s > 0:
            stop.wait(min(left_s, _STEP_S))
            return
        found = self._finder.look(listen_s=_LISTEN_FIRST_S if self._in_flight.known else 0.0)
        if found is None:
            self._device_is_away()
            if not self._why:
                self._why = f"{self._finder.wanted_words} is not there"
                self._complaints.lost(self._why)
            return
        self._talk.late.extend(found.late)
        self._open_port()
        self._go(state.Event.FOUND)

    def _device_is_away(self) -> None:
        self._first = False
        self._in_flight.device_was_away()

    def _open_port(self) -> None:
        if not self._port.is_open:
            self._port.path = self._finder.path or ""
            self._port.open()
            self._talk.opened()
            self._device = self._port.device()

    def _come_up(self) -> None:
        self._open_port()
        if self._first:
            left_s = self._in_flight.left_s()
            if left_s > 0:
                self._talk.listen(min(left_s, _STEP_S))
                return
        self._doubt |= self._in_flight.settle()
        self._first = False
        self._drive.initialise()
        self._restarts += self._drive.has_restarted
        self._gateway.attach(self._wanted.name, self._report())
        self._arrivals.begin()
        self._finder.succeeded()
        self._look_at = self._clock.monotonic() + _FIRST_LOOK_S
        self._timekeeping.begin_anew()
        self._go(state.Event.INITIALISED)
        self._follow_registration()
        self._tell_last_reference()

    def _tell_last_reference(self) -> None:
        if not self._doubt:
            return
        self._doubt = False
        last = self._drive.last_reference()
        if last is not None:
            self._gateway.smss_reading(self._wanted.name, last)

    def _await_pin(self) -> None:
        self._orders.run_one()
        self._arrivals.take()
        now = self._clock.monotonic()
        if self._arrivals.news or self._drive.has_another_pin():
            self._next_at = min(self._next_at, now + _PIN_SOON_S)
        if now < self._next_at:
            self._wait(min(self._next_at - now, _STEP_S))
            return
        self._arrivals.restarted = self._arrivals.news = False
        self._come_up()

    # -- serving ----------------------------------------------------------------------------------

    def _serve(self, stop: threads.StopToken) -> None:
        self._arrivals.take()
        self._sender.take_late()
        if self._arrivals.restarted or self._echoes_again():
            self._start_anew("the modem has restarted")
            return
        if self._drive.sim_lost:
            self._start_anew("the SIM is gone or locked")
            return
        self._follow_registration()
        is_sending = self._state is ModemState.READY and not stop.is_set()
        worked = self._send(stop) if is_sending else False
        worked |= self._orders.run_one()
        worked |= self._do_duty()
        if not worked and not self._talk.unsolicited:
            due_at = min(self._look_at, self._arrivals.due_at())
            seconds = min(_IDLE_S, max(0.0, due_at - self._clock.monotonic()))
            self._sender.wait(lambda: self._wait(seconds), is_open=is_sending)

    def _send(self, stop: threads.StopToken) -> bool:
        try:
            worked = self._sender.send_one(claim_next=not stop.is_set())
        finally:
            self._doubt |= not self._talk.in_step
        if worked and not self._talk.in_step:
            self._talk.resynchronise()
            self._sender.take_late()
            self._tell_last_reference()
        return worked

    def _echoes_again(self) -> bool:
        """Return whether echo is back though the modem took ATE0: it has forgotten everything."""
        return self._talk.take_echoed() and not self._drive.facts.echoes

    def _start_anew(self, why: str) -> None:
        self._sender.give_back(why)
        self._sender.forget_doubts()
        self._restarts += 1
        _log.warning("modem.restarted", key=("modem",), first=5, modem=self._wanted.name, why=why)
        self._go(state.Event.RESTARTED, why)

    def _follow_registration(self) -> None:
        if self._drive.registered:
            if self._state is not ModemState.READY:
                self._complaints.works()
            self._go(state.Event.REGISTERED)
            return
        status = self._drive.facts.registration
        if self._state is ModemState.READY:
            self._sender.give_back("not registered with a network")
            self._look_at = min(self._look_at, self._clock.monotonic() + _FIRST_LOOK_S)
        self._go(state.Event.UNREGISTERED, network.registration_words(status))
        self._complaints.unregistered(status)

    def _do_duty(self) -> bool:
        if self._arrivals.sweep_one():
            return True
        now = self._clock.monotonic()
        self._timekeeping.read_if_due()
        if now < self._look_at:
            return False
        self._drive.look()
        searching = not self._drive.registered
        self._look_at = now + (
            min(_SEARCH_S, self._wanted.poll_s) if searching else self._wanted.poll_s
        )
        quiet = now - self._trouble_at > _HEALTHY_S and not self._sender.is_failing
        if self._recovery.attempts and quiet:
            self._recovery.succeeded()
        return True

    def _wait(self, seconds: float) -> None:
        self._talk.wait(seconds, self._bell.fileno())
        self._bell.forget()

    # -- trouble ----------------------------------------------------------------------------------

    def _lose(self, why: str) -> None:
        self._port.close()
        self._sender.give_back("the port was lost")
        self._sender.forget_doubts()
        self._device_is_away()
        self._complaints.lost(why)
        self._go(state.Event.LOST, why)
        self._finder.failed()

    def _fall_silent(self, why: str) -> None:
        self._sender.give_back("the modem does not answer")
        self._trouble_at = self._clock.monotonic()
        self._next_at = self._trouble_at + self._mender.choose(why)
        self._go(state.Event.SILENT, why)

    def _recover(self) -> None:
        self._orders.refuse_one("the modem does not answer")
        left_s = self._next_at - self._clock.monotonic()
        if left_s > 0:
            self._wait(min(left_s, _STEP_S))
            self._sender.take_late()
            if self._mender.hears_restart():
                self._next_at = min(self._next_at, self._clock.monotonic() + _STARTING_S)
            return
        away = self._mender.attempt()
        if away is not None:
            self._lose(away)
            self._finder.postpone(_RESET_S)
            return
        self._come_up()

    # -- telling ----------------------------------------------------------------------------------

    def _go(self, event: state.Event, why: str = "") -> None:
        following = state.follow(self._state, event)
        if following is not self._state:
            name = self._wanted.name
            told: dict[str, Any] = {"modem": name, "state": following, "why": why or None}
            _log.info("modem.state", limit=True, key=("modem", "state"), first=10, **told)
        self._state, self._why = following, why

    def _report(self) -> ModemReport:
        power = self._device and f"{self._device}-{self._restarts}"
        return self._teller.report(self._state, self._why, power)
