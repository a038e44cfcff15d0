# SPDX-License-Identifier: Apache-2.0
"""The one tree of errors: the class says what the caller does, the text says what happened.

    GsmgwError
        ConfigError                 a person must edit the configuration; exit 78
        RejectedError               this message can never be sent; tell who sent it
            BadNumberError  BadTextError  BadFileError
        RefusedRecordError          a row of the clinic's files cannot be used; tell who wrote it
        ModemError                  this modem cannot do it; the message is innocent
            PortLostError           close, back off, open again
            ModemSilentError        resynchronise, then reset
            CommandFailedError      .command .code .kind
            SimError                a person must see to the SIM
        PduError                    keep the bytes, log, go on
        StoreError
            StoreBusyError          try again later; nothing was written
            StoreDamagedError       stop; a person must restore a backup
            StoreTooNewError        an older program met a newer schema
            StoreFullError          the disk is full; nothing was written

Normal outcomes are values, never errors: a refused part is a `SubmitResult`, an empty queue None.
"""

from __future__ import annotations


class GsmgwError(Exception):
    """Something went wrong in gsmgw."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigError(GsmgwError):
    """The configuration is wrong; a person must edit it.

    `problems` holds one complete line for each mistake, so that all can be mended at once.
    """

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (message,)


class RejectedError(GsmgwError):
    """This message can never be sent as it stands.

    `reason` is the stable word that is stored as `error_code` (family `rejected`).
    """

    reason = "rejected"

    def __init__(self, message: str = "", reason: str | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason


class BadNumberError(RejectedError):
    """The recipient is not a number that a modem can send to."""

    reason = "bad-number"


class BadTextError(RejectedError):
    """The text is empty, too long, or in an alphabet that does not exist."""

    reason = "bad-text"


class BadFileError(RejectedError):
    """A file cannot be read as a message."""

    reason = "bad-file"


class RefusedRecordError(GsmgwError):
    """A record of the clinic's files cannot be used; nothing of it was stored.

    `column` is the part of it that is wrong, in our word for it (`start`, `phone`, ...), or None.
    """

    def __init__(self, message: str = "", column: str | None = None) -> None:
        super().__init__(message)
        self.column = column


class ModemError(GsmgwError):
    """This modem cannot do it now; the message is innocent."""


class PortLostError(ModemError):
    """The port is gone (unplugged, power lost, closed under us)."""


class ModemSilentError(ModemError):
    """The modem did not answer in time."""


class CommandFailedError(ModemError):
    """The modem answered a command with an error.

    `kind` is "ERROR", "CME" or "CMS"; `code` is the number behind it, None where there is none.
    """

    def __init__(self, command: str, kind: str = "ERROR", code: int | None = None) -> None:
        super().__init__(f"{command} answered {kind}{'' if code is None else f' {code}'}")
        self.command = command
        self.kind = kind
        self.code = code


class SimError(ModemError):
    """A person must see to the SIM (PIN, PUK, missing, locked to a network)."""


class PduError(GsmgwError):
    """Octets that are no valid PDU; keep them, log, go on."""


class StoreError(GsmgwError):
    """The database could not do it."""


class StoreBusyError(StoreError):
    """The database is locked by another process; nothing was written."""


class StoreFullError(StoreError):
    """The disk is full; nothing was written."""


class StoreDamagedError(StoreError):
    """The database file is damaged; a person must restore a backup."""


class StoreTooNewError(StoreError):
    """The database was written by a newer gsmgw."""
