# SPDX-License-Identifier: Apache-2.0
"""systemd's journal: an event with its fields and the id by which the catalogue explains it.

Theory of operation: under systemd standard error leads to the journal, and JOURNAL_STREAM says so.
Then an event is sent as one datagram in the journal's native form: the masked line as MESSAGE, and
beside it what `journalctl GSMGW_ID=17` and `journalctl -x` need. Everything is sent without
waiting: a daemon that waits for its log sends no messages.

Threads and locks: none of its own; the log calls it under its lock.

On failure: `send` tells what became of the event and never raises.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path
from typing import TextIO

#: Where systemd-journald listens, sd_journal_print(3).
SOCKET = Path("/run/systemd/journal/socket")
#: By this name `journalctl -t` finds what we say, also what commands say under a timer.
IDENTIFIER = "gsmgw"
#: Stands before the name of each of our fields.
PREFIX = "GSMGW_"

# All ids of events come from this one; it never changes, nor do they (docs/log-messages.md).
_NAMESPACE = uuid.UUID("d92fa7df-c515-4deb-bdfa-23e02f157591")
# systemd.journal-fields(7): capital letters, digits and "_", 64 characters.
_LONGEST_NAME = 64
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Delivery(Enum):
    """What became of an event."""

    SENT = auto()
    FULL = auto()  #: the journal does not keep up now; the event is lost
    AWAY = auto()  #: nobody listens; the event should be written elsewhere


def message_id(event: str) -> str:
    """Return the 128-bit id of an event, 32 hex digits; the same in every release."""
    return uuid.uuid5(_NAMESPACE, event).hex


def field_name(name: str) -> str:
    """Return what a field of ours is called in the journal: `modem` is `GSMGW_MODEM`."""
    plain = "".join(char if char in _ALLOWED else "_" for char in name.upper())
    return f"{PREFIX}{plain}"[:_LONGEST_NAME]


def leads_there(stream: TextIO) -> bool:
    """Tell whether a stream leads to the journal, as systemd.exec(5) says of JOURNAL_STREAM."""
    wanted = os.environ.get("JOURNAL_STREAM", "")
    if not wanted:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return wanted == f"{status.st_dev}:{status.st_ino}"


class Journal:
    """A way to the journal at one socket; the socket may come and go."""

    def __init__(self, path: Path = SOCKET) -> None:
        import logging_journald  # commands start without it

        # Not connected: each datagram finds the socket anew, after journald's restart too.
        self._way = logging_journald.JournaldTransport(path, connected=False)
        self._way.socket.setblocking(False)
        self.path = path

    def send(self, line: str, priority: int, event: str, fields: Mapping[str, str]) -> Delivery:
        """Send an event; does not wait and does not raise.

        Args:
            line: the line of the event, as it would stand on standard error.
            priority: of syslog, 3 to 7.
            event: its name.
            fields: name and value of each; values may have several lines.
        """
        pairs = [
            ("MESSAGE", line),
            ("PRIORITY", str(priority)),
            ("SYSLOG_IDENTIFIER", IDENTIFIER),
            ("MESSAGE_ID", message_id(event)),
            (field_name("event"), event),
        ]
        pairs += [(field_name(name), value) for name, value in fields.items()]
        try:
            self._way.send(pairs)
        except BlockingIOError:
            return Delivery.FULL
        except OSError:
            return Delivery.AWAY
        return Delivery.SENT

    def close(self) -> None:
        """Give the socket back."""
        self._way.socket.close()
