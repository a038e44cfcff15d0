# SPDX-License-Identifier: Apache-2.0
"""Makes what tests need, with defaults that can be overridden by keyword."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakes import FakeClock

from gsmgw.config import Config
from gsmgw.model import Draft, ErrorFamily, Outcome, SubmitResult
from gsmgw.store.database import Database

RECIPIENT = "+48500100201"


def make_config(**groups: Any) -> Config:
    """Make a configuration with two modems, `front` and `back`; groups as in the file."""
    if "modems" not in groups:
        groups["modems"] = [make_modem("front"), make_modem("back")]
    return Config.model_validate(_as_written(groups))


def _as_written(value: Any) -> Any:
    """Return values as YAML is read: everything is text."""
    if isinstance(value, dict):
        return {key: _as_written(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [_as_written(found) for found in value]
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def make_modem(name: str, **keys: Any) -> dict[str, Any]:
    """Make the configuration of a modem."""
    return {"name": name, "port": f"/dev/{name}", "result_timeout": "60s", **keys}


def make_draft(text: str = "Your visit is on Monday at 9:30.", **fields: Any) -> Draft:
    """Make a message as a door hands it in."""
    return Draft(**{"recipient": RECIPIENT, "text": text, "source": "test", **fields})


def make_number(index: int) -> str:
    """Return one of a thousand fictitious numbers."""
    return f"+48500{100 + index // 100:03d}2{index % 100:02d}"


def taken(part_id: int, mr: int | None = 17, **fields: Any) -> SubmitResult:
    """Return the answer of a network that took a part."""
    return SubmitResult(part_id, Outcome.TAKEN, mr, **fields)


def refused(part_id: int, code: int, **fields: Any) -> SubmitResult:
    """Return the answer `+CMS ERROR: code`."""
    return SubmitResult(part_id, Outcome.REFUSED, family=ErrorFamily.CMS, code=code, **fields)


def uncertain(part_id: int, **fields: Any) -> SubmitResult:
    """Return what is known of a part whose answer did not come."""
    return SubmitResult(part_id, Outcome.UNCERTAIN, detail="no answer", **fields)


def untouched(part_id: int, **fields: Any) -> SubmitResult:
    """Return what is known of a part that never reached the modem."""
    return SubmitResult(part_id, Outcome.UNTOUCHED, detail="no prompt", **fields)


@functools.cache
def _template() -> bytes:
    """Make an empty database once for each run: a migration costs more than most tests."""
    with tempfile.TemporaryDirectory(prefix="gsmgw-template-") as folder:
        database = Database(Path(folder) / "template.db", clock=FakeClock())
        database.open()
        database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return database.path.read_bytes()


def make_database(folder: Path, clock: FakeClock, **options: Any) -> Database:
    """Make an open, empty database in a folder."""
    path = folder / "gsmgw.db"
    path.write_bytes(_template())
    path.chmod(0o660)
    database = Database(path, clock=clock, **options)
    database.open()
    return database


def fields(row: Mapping[str, Any] | Any, *names: str) -> dict[str, Any]:
    """Return some columns of a row, to compare them at once."""
    return {name: row[name] for name in names}
