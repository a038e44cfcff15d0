# SPDX-License-Identifier: Apache-2.0
"""The spool as a whole: the services that the daemon runs for it."""

from __future__ import annotations

from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.gateway.hints import Hints
from gsmgw.gateway.intake import Intake
from gsmgw.spool.handouts import Handouts
from gsmgw.spool.hooks import Hooks
from gsmgw.spool.layout import Layout
from gsmgw.spool.results import Results
from gsmgw.spool.taking import Taking
from gsmgw.store.database import Database


def services(
    config: Config, db: Database, intake: Intake, hints: Hints, clock: Clock
) -> list[Taking | Results | Handouts | Hooks]:
    """Return the services of the spool, in the order in which they are to be started.

    Each has, besides `open`, `step` and `close`, a `wake()` that ends its wait and a
    `reconfigure(config)` for a reload. What takes files stands last: it stops first.
    """
    place = Layout(config.spool.path)
    return [
        Hooks(config, db, hints, clock),
        Handouts(config, place, db, hints, clock),
        Results(config, place, db, hints, clock),
        Taking(config, place, db, intake, hints, clock),
    ]
