# SPDX-License-Identifier: Apache-2.0
"""Stop tokens, hints, and the supervisor of services."""

import os
import signal
import threading

import pytest
from base_support import LONG_S, HandClock, ObedientService, eventually

from gsmgw import logs, threads
from gsmgw.errors import ConfigError, StoreDamagedError, StoreFullError, StoreTooNewError


@pytest.fixture
def time():
    return HandClock()


@pytest.fixture
def supervisor(time):
    made = threads.Supervisor(time=time, first_pause_s=0.001)
    yield made
    made.stop(LONG_S)


@pytest.fixture
def records():
    with logs.capture() as found:
        yield found


def events(records):
    return [record.event for record in records]


def stepping(service):
    return service.stepped.acquire(timeout=LONG_S)


def test_a_token_is_set_once_and_for_ever():
    stop = threads.StopToken()
    assert not stop.is_set()
    assert not stop.wait(0)
    assert not stop.wait(-1)
    stop.set()
    stop.set()
    assert stop.is_set()
    assert all(stop.wait(LONG_S) for _ in range(3))


def test_setting_a_token_ends_all_waits():
    stop = threads.StopToken()
    ended = []
    waiters = [threading.Thread(target=lambda: ended.append(stop.wait(LONG_S))) for _ in range(5)]
    for waiter in waiters:
        waiter.start()
    stop.set()
    for waiter in waiters:
        waiter.join(LONG_S)
    assert ended == [True] * 5


def test_a_token_may_be_set_from_a_signal_handler_that_interrupts_its_wait():
    stop = threads.StopToken()
    before = signal.signal(signal.SIGALRM, lambda *_: stop.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert stop.wait(LONG_S)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_tokens_set_by_many_threads_at_once_stay_open():
    for _ in range(50):
        stop = threads.StopToken()
        setters = [threading.Thread(target=stop.set) for _ in range(4)]
        for setter in setters:
            setter.start()
        assert stop.wait(LONG_S)
        for setter in setters:
            setter.join()
        assert stop.wait(LONG_S)


def test_a_hint_ends_one_wait_and_is_forgotten():
    wake = threads.Wake()
    assert not wake.wait(0)
    wake.set()
    wake.set()
    assert wake.wait(LONG_S)
    assert not wake.wait(0)


def test_a_hint_comes_from_any_thread():
    wake = threads.Wake()
    setter = threading.Timer(0.01, wake.set)
    setter.start()
    assert wake.wait(LONG_S)
    setter.join()


def test_services_start_in_order_and_stop_in_reverse(supervisor):
    diary = []
    services = [ObedientService(name, diary) for name in ("store", "gateway", "spool")]
    for service in services:
        supervisor.add(service)
    supervisor.start()
    assert all(stepping(service) for service in services)
    assert supervisor.stop(LONG_S) == []
    assert diary == [
        "store open",
        "gateway open",
        "spool open",
        "spool close",
        "gateway close",
        "store close",
    ]
    assert not any(thread.name == "store" for thread in threading.enumerate())


def test_threads_are_named_after_their_services(supervisor):
    service = ObedientService("modem-front")
    supervisor.add(service)
    supervisor.start()
    assert stepping(service)
    assert "modem-front" in {thread.name for thread in threading.enumerate()}


def test_a_fallen_service_is_closed_logged_and_restarted(supervisor, records):
    service = ObedientService("spool")
    service.step_errors = [StoreFullError("no room for +48500100201")]
    supervisor.add(service)
    supervisor.start()
    assert stepping(service)
    assert service.diary == ["spool open", "spool close", "spool open"]
    health = supervisor.health()["spool"]
    assert (health.alive, health.restarts) == (True, 1)
    assert health.last_error == "StoreFullError: no room for +48500***201"
    failure = next(record for record in records if record.event == "service.failed")
    assert failure.fields["service"] == "spool"
    trace = next(record for record in records if record.event == "service.traceback")
    assert "+48500***201" in trace.fields["trace"]


def test_a_service_that_cannot_open_does_not_keep_others_from_starting(supervisor, records):
    fallen, healthy = ObedientService("spool"), ObedientService("web")
    fallen.open_error = OSError("no such directory")
    supervisor.add(fallen)
    supervisor.add(healthy)
    supervisor.start()
    assert stepping(healthy)
    assert eventually(lambda: supervisor.health()["spool"].restarts >= 2)
    assert fallen.diary[:2] == ["spool open", "spool close"]
    fallen.open_error = None
    assert stepping(fallen)


def test_pauses_grow_to_a_minute_and_shrink_after_health(time, records, monkeypatch):
    pauses = []
    service = ObedientService("spool")
    service.step_errors = [RuntimeError(f"fault {count}") for count in range(10)]
    supervisor = threads.Supervisor(time=time)

    def no_pause(token, seconds):
        if seconds >= 1:
            pauses.append(seconds)
            if len(pauses) == 9:
                healthy_step = service.step

                def step(stop):
                    time.move(61)
                    healthy_step(stop)

                service.step = step
        return token.is_set()

    monkeypatch.setattr(threads.StopToken, "wait", no_pause)
    supervisor.add(service, watched=False)
    supervisor.start()
    assert stepping(service)
    supervisor.stop(LONG_S)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 1]


def test_a_bad_close_is_a_fault_as_any_other(supervisor, records):
    service = ObedientService("spool")
    service.close_error = RuntimeError("close failed")
    service.step_errors = [RuntimeError("step failed")]
    supervisor.add(service)
    supervisor.start()
    assert stepping(service)
    assert supervisor.health()["spool"].last_error == "RuntimeError: step failed"
    assert supervisor.stop(LONG_S) == []
    assert "service.failed" in events(records)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), 78),
        (StoreTooNewError("too new"), 78),
        (StoreDamagedError("damaged"), 65),
    ],
)
def test_what_no_restart_can_mend_ends_the_process(supervisor, records, error, code):
    service, never = ObedientService("store"), ObedientService("gateway")
    service.open_error = error
    supervisor.add(service)
    supervisor.add(never)
    supervisor.start()
    assert supervisor.run(threads.StopToken()) == code
    assert supervisor.fatal is error
    assert never.diary == []
    assert service.diary == ["store open", "store close"]
    fatal = next(record for record in records if record.event == "service.fatal")
    assert fatal.fields["exit_code"] == code


def test_run_ends_with_its_token(supervisor):
    stop = threads.StopToken()
    stop.set()
    assert supervisor.run(stop) == 0
    assert threads.exit_code(OSError("any other")) == 0


def test_run_returns_when_told_to_stop_while_it_looks(supervisor):
    service = ObedientService("store")
    supervisor.add(service)
    supervisor.start()
    stop = threads.StopToken()
    timer = threading.Timer(0.02, stop.set)
    timer.start()
    assert supervisor.run(stop) == 0
    timer.join()


def test_a_modem_that_hangs_is_reported_once_and_the_others_go_on(time, records):
    reported = []
    supervisor = threads.Supervisor(time=time, on_stuck=reported.append, stuck_after_s=60)
    modem, store = ObedientService("front"), ObedientService("store")
    modem.hold = threading.Event()
    supervisor.add(store)
    supervisor.add(modem, watched=False)
    supervisor.start()
    assert modem.held.wait(LONG_S)
    assert supervisor.check()
    time.move(61)
    assert eventually(lambda: supervisor.health()["store"].since_step_s == 0)
    assert supervisor.check()
    assert supervisor.check()
    assert reported == ["front"]
    assert events(records).count("service.stuck") == 1
    assert supervisor.health()["front"].since_step_s == 61
    modem.hold.set()
    assert stepping(modem)
    assert eventually(supervisor.check)
    assert eventually(lambda: bool(supervisor.check()) and "service.recovered" in events(records))
    assert supervisor.stop(LONG_S) == []


def test_a_watched_service_that_hangs_starves_the_watchdog(time, records, monkeypatch):
    fed = []
    monkeypatch.setattr(threads.systemd, "watchdog", lambda: fed.append(True))
    supervisor = threads.Supervisor(time=time, stuck_after_s=60)
    store = ObedientService("store")
    store.hold = threading.Event()
    supervisor.add(store)
    supervisor.start()
    assert store.held.wait(LONG_S)
    assert supervisor.check()
    time.move(61)
    assert not supervisor.check()
    assert len(fed) == 1
    assert "service.stuck" in events(records)
    store.hold.set()
    assert supervisor.stop(LONG_S) == []


def test_a_service_that_waits_for_its_restart_does_not_hang(time, records):
    supervisor = threads.Supervisor(time=time, first_pause_s=LONG_S, stuck_after_s=60)
    service = ObedientService("spool")
    service.step_errors = [RuntimeError("fault")]
    supervisor.add(service)
    supervisor.start()
    assert eventually(lambda: supervisor.health()["spool"].restarts == 1)
    time.move(1000)
    assert supervisor.check()
    assert not supervisor.health()["spool"].alive
    assert supervisor.stop(LONG_S) == []


def test_those_that_do_not_end_are_named_and_left(time, records):
    supervisor = threads.Supervisor(time=time)
    modem, store = ObedientService("front"), ObedientService("store")
    modem.hold = threading.Event()
    supervisor.add(store)
    supervisor.add(modem, watched=False)
    supervisor.start()
    assert stepping(store)
    assert modem.held.wait(LONG_S)
    held = next(thread for thread in threading.enumerate() if thread.name == "front")
    assert supervisor.stop(2.0) == ["front"]  # as long for the one that ends
    assert held.daemon
    assert store.diary == ["store open", "store close"]
    assert "service.left" in events(records)
    modem.hold.set()
    held.join(LONG_S)


def test_neighbours_are_told_to_stop_together(supervisor):
    """Two modems, each in the middle of a part: the second must not wait for the first."""
    both = threading.Barrier(2, timeout=LONG_S)

    class Sending(ObedientService):
        def step(self, stop):
            self.stepped.release()
            stop.wait(LONG_S)
            both.wait()

    modems = [Sending("front"), Sending("back")]
    supervisor.add(ObedientService("store"))
    for modem in modems:
        supervisor.add(modem, watched=False, together="modems")
    supervisor.start()
    assert all(stepping(modem) for modem in modems)
    assert supervisor.stop(LONG_S) == []
    assert not both.broken


def test_stopping_ends_a_wait_inside_a_step(supervisor):
    wake = threads.Wake()

    class Waiting(ObedientService):
        def step(self, stop):
            self.stepped.release()
            wake.wait(LONG_S)

    service = Waiting("spool")
    supervisor.add(service, wake=wake.set)
    supervisor.start()
    assert stepping(service)
    assert supervisor.stop(LONG_S) == []


def test_a_wake_that_is_closed_already_does_not_disturb_the_stop(supervisor):
    def closed():
        raise OSError(9, "Bad file descriptor")

    service = ObedientService("front")
    supervisor.add(service, wake=closed)
    supervisor.start()
    assert stepping(service)
    assert supervisor.stop(LONG_S) == []


def test_services_come_and_go_while_others_run(supervisor):
    first, second = ObedientService("front"), ObedientService("back")
    supervisor.add(first)
    supervisor.start()
    supervisor.add(second)
    assert stepping(second)
    assert supervisor.remove("front", LONG_S)
    assert set(supervisor.health()) == {"back"}
    assert first.diary == ["front open", "front close"]
    assert supervisor.remove("nobody", LONG_S)


def test_names_are_unique(supervisor):
    supervisor.add(ObedientService("front"))
    with pytest.raises(ValueError, match="front"):
        supervisor.add(ObedientService("front"))


def test_stopping_before_starting_is_harmless(supervisor):
    supervisor.add(ObedientService("front"))
    assert supervisor.stop(LONG_S) == []


class Looking(ObedientService):
    """Looks where it may run."""

    processors = frozenset()

    def open(self):
        super().open()
        self.processors = os.sched_getaffinity(0)


def test_threads_on_a_messages_way_share_a_processor_and_no_other_is_bound(supervisor):
    everywhere = os.sched_getaffinity(0)
    services = [Looking("taking"), Looking("front"), Looking("hooks")]
    for service in services:
        supervisor.add(service, is_near=service.name != "hooks")
    supervisor.start()
    taking, front, hooks = (service.processors for service in services)
    assert taking == front
    assert len(taking) == 1
    assert taking <= everywhere
    assert hooks == everywhere == os.sched_getaffinity(0)


def test_a_thread_that_may_not_choose_its_processor_runs_all_the_same(supervisor, monkeypatch):
    def forbidden(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    service = Looking("front")
    supervisor.add(service, is_near=True)
    supervisor.start()
    assert stepping(service)
    assert service.processors == os.sched_getaffinity(0)
