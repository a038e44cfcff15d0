# SPDX-License-Identifier: Apache-2.0
"""Empties a modem's memories: read, hand over, and only then delete.

Theory of operation. The listing of a memory (AT+CMGL=4) is the truth, notices (+CMTI, +CDSI) are
hints. What the network sent is handed to the gateway, which returns when it is on disk; then it is
deleted, in the same session: the memory was named with AT+CPMS after the port was opened, nobody
else speaks with the modem, and the modem has not restarted since. Where that cannot be said,
nothing is deleted; it is read again later. Our own SUBMITs (status 2 and 3) are left alone.

What the modem will not delete is handed over once only while this session lasts; its deletion is
tried again at every sweep, and never holds back what lies behind it. The same holds for what it
says to have deleted and still lists (worn SIMs do that): from the third time on the place is read
again, because it may also be one more report that is equal to the last octet.

Threads and locks. None; belongs to the modem's thread.

On failure. `StoreError` from the gateway: the message stays in the modem. `ModemSilentError` and
`PortLostError`: likewise, or it was stored and not deleted, and comes again as a known repeat.
"""

from __future__ import annotations

from gsmgw import logs
from gsmgw.at import replies, storage
from gsmgw.model import InboundPdu
from gsmgw.modem import dialogue, gateway_port

_log = logs.get("modem")

#: So many are handed over in one go; between two goes parts are sent, so that none waits long.
BATCH = 10
#: The modem reads a whole SIM for this; slow ones take a minute for 50 messages.
_LIST_TIMEOUT_S = 60.0
#: Deletions tried again in one sweep: a modem that lists thousands must not keep us busy for hours.
_TRIED_AGAIN = 100
#: So many deletions of the same octets in the same place are believed without looking.
_BELIEVED = 2
#: So many messages are remembered; one forgotten is handed over again, and known to the gateway.
_REMEMBERED = 2000
#: A memory that is so full after a sweep soon takes nothing more: what is left, we may not remove.
_FULL_SHARE = 0.8
#: In place of a memory's name: the one that is selected, on modems without AT+CPMS.
SELECTED = ""

#: Memory, place and octets of a message.
_Key = tuple[str, int, str]


class Memories:
    """The memories of one modem."""

    def __init__(self, talk: dialogue.Dialogue, gateway: gateway_port.Gateway, name: str) -> None:
        self._talk = talk
        self._gateway = gateway
        self._name = name
        self._selected: str | None = None
        self._undeleted: dict[_Key, int] = {}
        self._deleted: dict[_Key, int] = {}  # how often
        self._told_full: set[str] = set()
        self.names: tuple[str, ...] = ()  #: to sweep
        self.fill: dict[str, tuple[int, int]] = {}  #: memory: (used, total), as last seen

    def begin(self, names: tuple[str, ...]) -> None:
        """Start a session: the port was opened, or the modem initialised anew."""
        self.names = names or (SELECTED,)
        self._selected = None
        self._undeleted.clear()
        self._deleted.clear()
        self.fill = {}

    def unselect(self) -> None:
        """Forget which memory is selected: somebody else has spoken with the modem."""
        self._selected = None

    @property
    def has_undeleted(self) -> bool:
        """Return whether the modem refused to delete something that was handed over."""
        return bool(self._undeleted)

    def sweep(self, name: str) -> bool:
        """Hand over and delete what lies in one memory; return whether more is left to read.

        Blocks for the listing and up to `BATCH` deletions.

        Raises:
            StoreError, ModemSilentError, PortLostError: see On failure, above.
        """
        self._selected = None  # ask again: the answer tells how full the memory is
        if not self._select(name):
            return False
        reply = self._talk.command("AT+CMGL=4", prefixes=("+CMGL:",), timeout_s=_LIST_TIMEOUT_S)
        if not reply.ok:
            _log.debug("memory.unlisted", modem=self._name, memory=name, answer=reply.final.text)
            return False
        listing = storage.parse_list(reply.lines)
        self._forget_all_but(name, {(name, one.index, one.pdu) for one in listing})
        fresh = again = 0
        for stored in listing:
            if not stored.received or stored.index is None:
                continue
            if fresh >= BATCH:
                return True
            is_known = (name, stored.index, stored.pdu) in self._undeleted
            again += is_known
            if is_known and again > _TRIED_AGAIN:
                continue
            if stored.fits or self._is_there(stored.index, stored.pdu):
                fresh += self._take(name, stored.index, stored.pdu, is_listed=True)
        self._tell_room(name, fresh)
        return False

    def _forget_all_but(self, name: str, listed: set[tuple[str, int | None, str]]) -> None:
        """Forget what would not be deleted from this memory and is gone all the same."""
        for key in [key for key in self._undeleted if key[0] == name and key not in listed]:
            del self._undeleted[key]

    def _tell_room(self, name: str, fresh: int) -> None:
        """Say once that a memory stays full of what is not ours to remove (sent, drafts)."""
        used, total = self.fill.get(name, (0, 0))
        if used - fresh < _FULL_SHARE * total or total == 0:
            self._told_full.discard(name)
        elif name not in self._told_full:
            self._told_full.add(name)
            _log.warning("memory.full", modem=self._name, memory=name, used=used, total=total)

    def read(self, notice: storage.Notice) -> bool:
        """Hand over and delete the one message of a notice; False: it is not there, so sweep.

        Raises:
            StoreError, ModemSilentError, PortLostError: see On failure, above.
        """
        if not self._select(notice.memory):
            return False
        reply = self._talk.command(f"AT+CMGR={notice.index}", prefixes=("+CMGR:",))
        stored = storage.parse_read(reply.lines) if reply.ok else None
        if stored is None or not stored.received:
            return False
        self._take(notice.memory, notice.index, stored.pdu, is_listed=False)
        return True

    def _is_there(self, index: int, pdu: str) -> bool:
        """Read a place again and compare: lines of a listing may have been mixed up on the way."""
        reply = self._talk.command(f"AT+CMGR={index}", prefixes=("+CMGR:",))
        stored = storage.parse_read(reply.lines) if reply.ok else None
        return stored is not None and stored.pdu == pdu

    def _take(self, name: str, index: int, pdu: str, *, is_listed: bool) -> bool:
        """Hand over, then delete; return whether it had not been handed over before."""
        key = (name, index, pdu)
        known = self._undeleted.get(key)
        received_id = known
        if received_id is None:
            arrival = InboundPdu(self._name, pdu, memory=name or None, index=index)
            received_id = self._gateway.received(arrival)
            _remember(self._undeleted, key, received_id)
        if self._restarted() or self._selected != name:
            self._selected = None
            return known is None
        reply = self._talk.command(f"AT+CMGD={index}")
        if reply.ok and not (is_listed and self._is_pretence(key)):
            self._undeleted.pop(key, None)
            self._gateway.deleted(received_id)
        else:
            _log.warning(
                "memory.undeletable",
                modem=self._name,
                memory=name,
                index=index,
                answer=reply.final.text,
            )
        return known is None

    def _is_pretence(self, key: _Key) -> bool:
        """Note that the modem says it has deleted something; return whether it is still there."""
        times = self._deleted.pop(key, 0) + 1
        _remember(self._deleted, key, times)
        return times > _BELIEVED and self._is_there(key[1], key[2])

    def _restarted(self) -> bool:
        return any(replies.is_restart(heard.text) for heard in self._talk.unsolicited)

    def _select(self, name: str) -> bool:
        """Make this the memory that is read and deleted from (<mem1> of 27.005 3.2.2)."""
        if name in (self._selected, SELECTED):
            self._selected = name
            return True
        self._selected = None
        reply = self._talk.command(f'AT+CPMS="{name}"', prefixes=("+CPMS:",))
        if not reply.ok:
            return False
        self._selected = name
        memories = storage.parse_memories(reply.lines[0]) if reply.lines else ()
        if memories:
            self.fill[name] = (memories[0].used, memories[0].total)
        return True


def _remember(table: dict[_Key, int], key: _Key, number: int) -> None:
    """Put an entry into a table; the oldest one makes room."""
    table[key] = number
    if len(table) > _REMEMBERED:
        del table[next(iter(table))]
