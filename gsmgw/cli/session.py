# SPDX-License-Identifier: Apache-2.0
"""What every command begins with: finds the configuration, opens the database, knows the zone."""

from __future__ import annotations

import datetime as dt
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gsmgw import clock
from gsmgw.cli import exits

if TYPE_CHECKING:
    from gsmgw.config import Checked, Config
    from gsmgw.store.database import Database

DEFAULT_CONFIG = Path("/etc/gsmgw/gsmgw.yaml")
CONFIG_VARIABLE = "GSMGW_CONFIG"


class Session:
    """One run of a command; what it needs is read at first use, so that others start at once."""

    def __init__(self, config_path: Path | None = None) -> None:
        self._config_path = config_path
        self.clock: clock.Clock = clock.SystemClock()

    @property
    def config_path(self) -> Path:
        """The file named with --config, else by $GSMGW_CONFIG, else the one in /etc."""
        from gsmgw import config

        return config.find(self._config_path)

    @functools.cached_property
    def config(self) -> Config:
        """The configuration, checked.

        Raises:
            ConfigError: it is missing or wrong; every mistake is named.
        """
        return read_config(self.config_path).config  # what is unwise is for `gsmgw check`

    @functools.cached_property
    def database(self) -> Database:
        """The database, opened; it is made if there is none yet.

        Raises:
            StoreError: it cannot be opened; the text says what to do.
        """
        from gsmgw import logs
        from gsmgw.store.database import Database

        folder = self.config.database.path.parent
        way = exits.way_in(folder, os.W_OK | os.X_OK)
        if way is not None:
            raise exits.CommandError(f"you may not use the database in {folder}: {way}", exits.IO)
        # People see results, not the log; what is refused the command itself says.
        logs.configure(level="error", private=self.config.logs.private)
        database = Database(self.config.database.path, clock=self.clock)
        click.get_current_context().call_on_close(database.close)
        database.open()
        return database

    @functools.cached_property
    def zone(self) -> dt.tzinfo:
        """The clinic's time zone, in which people read and write times."""
        return self.config.zone


def read_config(path: Path) -> Checked:
    """Read a configuration for a command.

    Raises:
        ConfigError: it is missing or wrong, or this user may not read it; the text says what to do.
    """
    from gsmgw import config, errors

    way = exits.way_in(path, os.R_OK)
    if way is not None:
        raise errors.ConfigError(f"you may not read the configuration {path}: {way}")
    return config.check(path)


pass_session = click.make_pass_decorator(Session, ensure=True)
