# SPDX-License-Identifier: Apache-2.0
"""The daemon: builds everything, starts from the store outwards, stops in reverse.

Theory of operation: a `Round` is one configuration at work. SIGHUP reads the configuration anew;
if it is right, the running round is stopped in order (a part in flight is finished) and a new one
is built in the same process; if it is wrong, the old one goes on and the log says why. So every
service knows one configuration for life, and nothing has to be changed under a running thread.

Stop order: modems first, so that nothing new goes out; then the doors, which still write down what
became of the last part; the store's services last.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from gsmgw import __version__, config, locks, logs, systemd
from gsmgw.clock import MOVED_BY, SystemClock, moved_by, since_boot
from gsmgw.config import Config
from gsmgw.config import Modem as ModemConfig
from gsmgw.errors import (
    ConfigError,
    GsmgwError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreTooNewError,
)
from gsmgw.gateway.alarms.service import Alarms
from gsmgw.gateway.dispatcher import Dispatcher
from gsmgw.gateway.health.checkups import Checkups
from gsmgw.gateway.health.record import Outgoing
from gsmgw.gateway.health.watching import Watching
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.housekeeping import Housekeeping
from gsmgw.gateway.intake import Intake
from gsmgw.gateway.new_rows import NewRows
from gsmgw.gateway.trust import ClockTrust
from gsmgw.model import LogLevel, ModemReport, ModemState
from gsmgw.modem.settings import Settings
from gsmgw.modem.worker import Worker
from gsmgw.spool import door as spool
from gsmgw.spool import layout
from gsmgw.store import modems
from gsmgw.store.database import Database
from gsmgw.threads import StopToken, Supervisor

log = logs.get("daemon")

#: Exit codes, from sysexits.h.
EXIT_OK, EXIT_DATA, EXIT_UNAVAILABLE, EXIT_CONFIG = 0, 65, 69, 78

#: A thread that computes lets others run after this time: the interpreter's own 5 ms would be the
#: longest pause on a modem's line.
SWITCH_INTERVAL_S = 0.0002

#: What a modem needs to stop beside the answer it may still wait for, in seconds.
STOP_MARGIN_S = 10.0
#: systemd's TimeoutStopSec is 90 s: a longer result time-out than this is cut at the stop.
LONGEST_STOP_S = 80.0


class Round:
    """Everything that runs under one configuration."""

    def __init__(self, settings: Config) -> None:
        self.config = settings
        self._clock = SystemClock()
        self._db = Database(settings.database.path, clock=self._clock)
        self._hints = Hints()
        trust = ClockTrust(self._clock, elapsed=since_boot)
        self._dispatcher = Dispatcher(settings, self._db, self._hints, trust, self._clock)
        intake = Intake(
            settings, self._db, self._clock, trust=trust, writing=self._dispatcher.writing
        )
        self.supervisor = Supervisor(on_stuck=self._stuck)
        self.supervisor.add(
            Housekeeping(settings, self._db, self._hints, self._dispatcher, trust, self._clock),
            wake=self._hints.housekeeping.set,
        )
        rows = NewRows(self._db, intake, self._hints)
        self.supervisor.add(rows, wake=rows.wake, is_near=True)
        self._watch(settings, intake, trust)
        if settings.clinic is not None:
            from gsmgw.clinic import service as clinic  # costs half a second

            self.supervisor.add(
                clinic.ClinicService(settings, self._db, self._hints, intake, trust, self._clock),
                wake=self._hints.clinic.set,
            )
        for door in spool.services(settings, self._db, intake, self._hints, self._clock):
            self.supervisor.add(door.service, wake=door.wake, is_near=door.is_near)
        for modem in settings.modems:
            worker = Worker(_settings(settings, modem), self._dispatcher, now=self._clock)
            self._hints.add_modem(worker.wake)
            self.supervisor.add(
                worker, watched=False, wake=worker.wake, together="modems", is_near=True
            )

    def _watch(self, settings: Config, intake: Intake, trust: ClockTrust) -> None:
        """Add what tells others how things are."""
        db, clock = self._db, self._clock

        def outgoing() -> Outgoing | None:
            return layout.outgoing(settings, clock)

        self.supervisor.add(Watching(settings, db, clock, outgoing))
        if Checkups.are_wanted(settings):
            self.supervisor.add(Checkups(settings, db, self._hints, intake, trust))
        if settings.alarms.is_on:
            self.supervisor.add(Alarms(settings, db, self._hints, intake, clock, outgoing))

    def start(self) -> None:
        """Start all services; blocks until the store and the doors are open."""
        names = [modem.name for modem in self.config.modems]
        try:
            with self._db.write() as tx:
                modems.forget_others(tx, names)
        except (StoreBusyError, StoreFullError) as error:  # no reason to stand still until it ends
            log.warning("store.unavailable", doing="start", why=str(error))
        self.supervisor.start()

    def stop(self) -> None:
        """Stop all services; waits for parts in flight as long as systemd allows."""
        longest = max((modem.result_timeout for modem in self.config.modems), default=0.0)
        self.supervisor.stop(min(longest + STOP_MARGIN_S, LONGEST_STOP_S))
        self._db.close()

    def _stuck(self, name: str) -> None:
        """Write off a modem whose thread hangs in the kernel; the others go on."""
        modem = name.removeprefix("modem-")
        log.error("modem.stuck", modem=modem)
        try:
            self._dispatcher.changed(
                ModemReport(modem, ModemState.STUCK, why="its driver does not return")
            )
        except KeyError:
            return  # another service that is not watched


def _settings(settings: Config, modem: ModemConfig) -> Settings:
    return Settings(
        name=modem.name,
        port=modem.port,
        match_imei=None if modem.match is None else modem.match.imei,
        match_usb=None if modem.match is None else modem.match.usb,
        baudrate=modem.baudrate,
        pin_file=None if modem.pin_file is None else str(modem.pin_file),
        result_timeout_s=modem.result_timeout,
        reports=modem.reports,
        rings=settings.missed_calls.rings,
        rtscts=modem.rtscts,
        profile=modem.profile,
        delivery=modem.delivery,
        service_centre=modem.service_centre,
    )


class Signals:
    """What signals ask of the daemon."""

    def __init__(self) -> None:
        self.stop = StopToken()
        self.turn = StopToken()  # ends the present round: stop or reload
        self.reload = False

    def install(self) -> None:
        """Take SIGTERM, SIGINT and SIGHUP. Main thread only."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop.set()
        self.turn.set()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
        self.turn.set()


def run(path: Path) -> int:
    """Run in the foreground until SIGTERM; return the exit code (sysexits.h).

    Blocks. What keeps it from starting is said on the log: 78 a person must edit the
    configuration, 65 the database is damaged, 69 another daemon runs or a directory is missing.
    """
    signals = Signals()
    signals.install()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        settings = config.load(path)
        _check_clinic(settings)
    except ConfigError as error:
        _tell_mistakes(error.problems)
        return EXIT_CONFIG
    _configure_logs(settings)
    try:
        _check_rehearsal(settings)
        with _held(settings):
            return _rounds(path, settings, signals)
    except (StoreTooNewError, StoreDamagedError) as error:
        log.error("daemon.refused", why=str(error))
        return EXIT_CONFIG if isinstance(error, StoreTooNewError) else EXIT_DATA
    except GsmgwError as error:
        log.error("daemon.refused", why=str(error))
        return EXIT_UNAVAILABLE


def _tell_mistakes(problems: tuple[str, ...]) -> None:
    """Say what is wrong: to the journal, whose catalogue explains it, or to whoever started us."""
    logs.configure()
    for problem in problems:
        if logs.leads_to_journal():
            log.error("config.refused", limit=False, why=problem)
        else:
            print(problem, file=sys.stderr)  # noqa: T201 - a person types `gsmgw run`


def _check_rehearsal(settings: Config) -> None:
    """Refuse a moved clock where real modems would send at the wrong time."""
    if moved_by() is None:
        return
    for modem in settings.modems:
        if modem.port is None or Path("/dev/pts") not in Path(modem.port).resolve().parents:
            raise GsmgwError(
                f"{MOVED_BY} moves the clock, and modem {modem.name} is no simulated one;"
                f" take {MOVED_BY} out of the environment"
            )
    log.warning("clock.moved", file=str(moved_by()))


@contextmanager
def _held(settings: Config) -> Iterator[None]:
    """Hold database and spool for this process alone, and bring the database up to date."""
    spool.prepare(settings)
    if not settings.database.path.parent.is_dir():
        raise StoreError(
            f"database directory {settings.database.path.parent} does not exist; create it:"
            f" install -d -m 2770 -g gsmgw {settings.database.path.parent}"
        )
    held = [
        locks.Lock(
            locks.database_lock(settings.database.path), f"database {settings.database.path}"
        ),
        locks.Lock(locks.spool_lock(settings.spool.path), f"spool {settings.spool.path}"),
    ]
    try:
        for lock in held:
            lock.acquire()
        database = Database(settings.database.path)
        database.open()
        database.close()
        yield
    finally:
        for lock in held:
            lock.release()


def _rounds(path: Path, settings: Config, signals: Signals) -> int:
    log.info(
        "daemon.started",
        version=__version__,
        database=str(settings.database.path),
        spool=str(settings.spool.path),
        modems=",".join(modem.name for modem in settings.modems) or "none",
    )
    while True:
        current = Round(settings)
        spare_collector()
        current.start()
        systemd.ready(f"{len(settings.modems)} modems")
        code = 0
        while True:
            code = current.supervisor.run(signals.turn)
            if code or signals.stop.is_set():
                break
            signals.reload, signals.turn = False, StopToken()
            renewed = _reload(path, settings)
            if renewed is not None:
                settings = renewed
                break
        if code or signals.stop.is_set():
            systemd.stopping()
            current.stop()
            logs.tell(at_once=True)
            log.info("daemon.stopped", code=code)
            return code
        current.stop()
        logs.tell(at_once=True)
        _configure_logs(settings)


def spare_collector() -> None:
    """Take what is loaded by now out of the garbage collector's rounds.

    A full round over all modules holds every thread for 15 ms; between two parts that is six times
    what all else costs. Of an earlier configuration what can go goes first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _reload(path: Path, old: Config) -> Config | None:
    """Return the configuration as it is now, or None if it is wrong or has not changed."""
    systemd.reloading()
    with suppress(OSError):  # so `gsmgw doctor` sees whether the file was changed after this
        os.utime(locks.database_lock(old.database.path))
    try:
        found = config.reload(path, old)
        _check_clinic(found.config)
    except ConfigError as error:
        for problem in error.problems:
            log.error("config.refused", why=problem)
        systemd.ready()
        return None
    if found.needs_restart:
        log.warning("config.needs_restart", keys=",".join(found.needs_restart))
    if not found.changed and not _reads_files(found.config):
        log.info("config.unchanged")
        systemd.ready()
        return None
    log.info("config.reloaded", keys=",".join(found.changed))
    return found.config


def _check_clinic(settings: Config) -> None:
    """Check what only the clinic layer knows: its texts, its words, the phones of its staff.

    Raises:
        ConfigError: they are wrong.
    """
    if settings.clinic is not None:
        from gsmgw.clinic import service as clinic

        clinic.check(settings)


def _reads_files(settings: Config) -> bool:
    """Tell whether other files than the configuration decide what a clinic says and reads."""
    return settings.clinic is not None and bool(settings.clinic.templates or settings.replies.words)


def _configure_logs(settings: Config) -> None:
    logs.configure(
        level=LogLevel[settings.logs.level.upper()],
        private=settings.logs.private,
        every_message=settings.logs.messages == "each",
    )
