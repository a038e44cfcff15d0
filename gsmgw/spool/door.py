# SPDX-License-Identifier: Apache-2.0
"""The spool as a whole: its folders made ready, and the services that the daemon runs for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.spool.clinic.handing import ClinicHanding
from gsmgw.spool.clinic.taking import ClinicTaking
from gsmgw.spool.handouts import Handouts
from gsmgw.spool.hooks import Hooks
from gsmgw.spool.layout import Layout
from gsmgw.spool.results import Results
from gsmgw.spool.taking import Taking
from gsmgw.store.database import Database


@dataclass(frozen=True, slots=True)
class Door:
    """A service of the spool and what the supervisor needs to stop it promptly."""

    service: Taking | Results | Handouts | Hooks | ClinicTaking | ClinicHanding
    wake: Callable[[], None]  #: ends a wait in its step; any thread
    is_near: bool  #: it is on the way of a message to the modem


def prepare(config: Config) -> None:
    """Make the folders of the spool that are missing. Blocks for a moment.

    Raises:
        GsmgwError: one cannot be made or used; the text says which, who we are, and what to do.
    """
    Layout(config.spool.path).make(config.spool.group)


def services(
    config: Config, db: Database, intake: Intake, hints: Hints, clock: Clock
) -> list[Door]:
    """Return the services of the spool, in the order in which they are to be started.

    What takes files stands last: it stops first.
    """
    place = Layout(config.spool.path)
    running: list[Taking | Results | Handouts | Hooks | ClinicTaking | ClinicHanding] = [
        Hooks(config, db, hints, clock),
        Handouts(config, place, db, hints, clock),
        Results(config, place, db, hints, clock),
        Taking(config, place, db, intake, hints, clock),
    ]
    if config.clinic is not None:
        running += [
            ClinicHanding(config, db, hints, clock),
            ClinicTaking(config, db, hints, clock),
        ]
    return [Door(service, service.wake, isinstance(service, Taking)) for service in running]
