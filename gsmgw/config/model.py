# SPDX-License-Identifier: Apache-2.0
"""What can be configured: one frozen record for each group of keys in the file.

Fields have the names of the keys. Durations are seconds. What is absent is not limited: None.
"""

from __future__ import annotations

import os
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo

from gsmgw.config import values
from gsmgw.config.alarms import Alarms, Balance, SelfTest
from gsmgw.config.clinic import Calls, Clinic, Exports, Imports, Reminders, StaffMember, Waitlist
from gsmgw.config.group import FilePath, Group, Switch, anchored
from gsmgw.config.hours import Hours, parse_hours
from gsmgw.model import Category

_HOUR_S, _DAY_S = 3600.0, 86400.0

SettleAs: TypeAlias = Literal["uncertain", "resend"]
Delivery: TypeAlias = Literal["auto", "stored", "direct"]
Profile: TypeAlias = Literal["generic", "huawei", "zte", "simcom", "quectel"]

Quota: TypeAlias = Annotated[int, BeforeValidator(values.whole(1, 1_000_000))]


def _secret(found: object, info: ValidationInfo) -> Path:
    """Read the path of a secret; a bare name is a credential of systemd, if there are any."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if credentials and "/" not in values.text(found):
        return Path(credentials) / values.text(found)
    return anchored(found, info)


def _per_category(found: object) -> dict[Category, str]:
    """Read one word for all categories, or a word for each of some; the others are `uncertain`."""
    read = values.one_of("uncertain", "resend")
    if not isinstance(found, dict):
        return dict.fromkeys(Category, read(found))
    chosen = dict.fromkeys(Category, "uncertain")
    for category, word in found.items():
        if category not in list(Category):
            raise ValueError(f"{category!r} is no category; allowed are {', '.join(Category)}")
        chosen[Category(category)] = read(word)
    return chosen


def _uncertain() -> dict[Category, SettleAs]:
    return dict.fromkeys(Category, "uncertain")


def _named(found: object) -> object:
    if not isinstance(found, dict):
        raise ValueError("allowed are names with their keys: reception: {phone: ...}")  # noqa: TRY004 - pydantic collects ValueError only
    return found


class Database(Group):
    """Where everything is kept."""

    path: FilePath = Path("/var/lib/gsmgw/gsmgw.db")


class Spool(Group):
    """The door of files."""

    path: FilePath = Path("/var/spool/gsmgw")
    incoming_format: Annotated[
        Literal["smstools", "json"], BeforeValidator(values.one_of("smstools", "json"))
    ] = "smstools"
    #: seconds without a write after which a file written in place is taken for complete
    settle: Annotated[float, BeforeValidator(values.duration(0.05, 60))] = 0.5
    #: of the files that are written: UTF-8, or ISO and UTF-16 as smsd does by default
    alphabet: Annotated[
        Literal["utf-8", "smsd"], BeforeValidator(values.one_of("utf-8", "smsd"))
    ] = "utf-8"
    #: the directories' group; None leaves the daemon's own
    group: Annotated[str, BeforeValidator(values.text)] | None = None


class Match(Group):
    """How a modem is known wherever it is plugged in; what is given must all fit."""

    imei: Annotated[str, BeforeValidator(values.imei)] | None = None
    usb: Annotated[str, BeforeValidator(values.usb_identity)] | None = None  #: vendor:product


class Limits(Group):
    """How many parts a modem may send; the doctors' urgent messages are never held back."""

    per_minute: Quota | None = None
    per_hour: Quota | None = None
    per_day: Quota | None = None
    per_month: Quota | None = None


class Modem(Group):
    """One modem."""

    name: Annotated[str, BeforeValidator(values.modem_name)]
    #: its device file; or else `match`
    port: Annotated[str, BeforeValidator(values.full_path)] | None = None
    match: Match | None = None
    baudrate: Annotated[int, BeforeValidator(values.whole(300, 4_000_000))] = 115200
    #: a file that holds the PIN and nothing else; a bare name is a credential of systemd
    pin_file: Annotated[Path, BeforeValidator(_secret)] | None = None
    limits: Limits = Limits()
    #: seconds that the network may take to answer a submit
    result_timeout: Annotated[float, BeforeValidator(values.duration(0.1, 600))] = 60.0
    reports: Switch = True  #: ask for a status report on every part
    profile: (
        Annotated[
            Profile,
            BeforeValidator(values.one_of("generic", "huawei", "zte", "simcom", "quectel")),
        ]
        | None
    ) = None  #: None: chosen by what the modem says of itself
    rtscts: Switch = False  #: hardware flow control
    #: how arrivals come: kept in the modem until read, or handed over at once
    delivery: Annotated[Delivery, BeforeValidator(values.one_of("auto", "stored", "direct"))] = (
        "auto"
    )
    #: None: what the SIM says
    service_centre: Annotated[str, BeforeValidator(values.service_centre)] | None = None
    #: beginnings of the numbers that this modem serves; the longest one that fits decides
    routes: tuple[Annotated[str, BeforeValidator(values.route)], ...] = ()
    #: its own phone number, for `selftest`
    number: Annotated[str, BeforeValidator(values.text)] | None = None
    #: None: it is not asked for
    balance: Balance | None = None


class MissedCalls(Group):
    """What happens when somebody calls."""

    rings: Annotated[int, BeforeValidator(values.whole(1, 30))] = 1  #: until it is hung up


class Retry(Group):
    """When a part that was refused for now is tried again."""

    first: Annotated[float, BeforeValidator(values.duration(1, _DAY_S))] = 30.0
    factor: Annotated[float, BeforeValidator(values.decimal(1, 10))] = 2.0
    longest: Annotated[float, BeforeValidator(values.duration(1, _DAY_S))] = 1800.0
    #: tries that count; None: until the message expires
    attempts: Annotated[int, BeforeValidator(values.whole(1, 1000))] | None = None


class Uncertain(Group):
    """What becomes of a part about which no evidence comes."""

    #: seconds to wait for evidence
    wait: Annotated[float, BeforeValidator(values.duration(0.1, 7 * _DAY_S))] = 600.0
    settle_as: Annotated[dict[Category, SettleAs], BeforeValidator(_per_category)] = Field(
        default_factory=_uncertain
    )


class Sending(Group):
    """How messages go out."""

    #: for surveys and marketing only; None: at any hour
    hours: Annotated[Hours, BeforeValidator(parse_hours)] | None = None
    #: plain folds letters to stay in one segment
    charset: Annotated[
        Literal["full", "plain"], BeforeValidator(values.one_of("full", "plain"))
    ] = "full"
    retry: Retry = Retry()
    uncertain: Uncertain = Uncertain()
    max_parts: Annotated[int, BeforeValidator(values.whole(1, 255))] = 10
    #: seconds for which the network keeps trying (3GPP TS 23.040 9.2.3.12); None: as it likes
    validity: Annotated[float, BeforeValidator(values.duration(300, 63 * 7 * _DAY_S))] | None = None


class Hooks(Group):
    """Programs that are told what happens."""

    event: Annotated[tuple[str, ...], BeforeValidator(values.arguments)] = ()  #: () for none
    timeout: Annotated[float, BeforeValidator(values.duration(0.1, _HOUR_S))] = 60.0


class Replies(Group):
    """What patients' answers do."""

    #: which messages a STOP ends
    stop: Annotated[
        Literal["all", "marketing", "off"],
        BeforeValidator(values.one_of("all", "marketing", "off")),
    ] = "all"
    #: how often an answer that cannot be read is asked back
    clarify: Annotated[int, BeforeValidator(values.whole(0, 3))] = 1
    acknowledge: Switch = True  #: tell the patient what was understood
    #: answer a patient who writes or rings outside `reminders.hours` at once
    auto_reply_night: Switch = False
    #: hours within which the same text does not answer the same phone again
    loop_hours: Annotated[int, BeforeValidator(values.whole(0, 720))] = 12
    #: automatic answers that one phone gets in 24 hours
    most: Annotated[int, BeforeValidator(values.whole(1, 100))] = 3
    #: numbers that are never answered
    never: tuple[Annotated[str, BeforeValidator(values.text)], ...] = ()
    #: more words, in the form of replies.yaml
    words: FilePath | None = None


class Retention(Group):
    """How long is kept what; None: for ever."""

    text: Annotated[float, BeforeValidator(values.duration(_DAY_S, 36_500 * _DAY_S))] | None = None
    person: Annotated[float, BeforeValidator(values.duration(_DAY_S, 36_500 * _DAY_S))] | None = (
        None
    )


class Logs(Group):
    """What the log shows."""

    private: Switch = False  #: whole numbers and texts
    level: Annotated[
        Literal["error", "warning", "info", "debug"],
        BeforeValidator(values.one_of("error", "warning", "info", "debug")),
    ] = "info"
    #: of everyday traffic: each line, or some and a count an hour
    messages: Annotated[
        Literal["counted", "each"], BeforeValidator(values.one_of("counted", "each"))
    ] = "counted"


class Watching(Group):
    """How other programs see whether all is well."""

    #: a text file of metrics for node_exporter; None: none is written
    metrics: FilePath | None = None


class Config(Group):
    """The whole configuration."""

    country: Annotated[str, BeforeValidator(values.country)] = "PL"
    timezone: Annotated[str, BeforeValidator(values.timezone)] = "Europe/Warsaw"
    database: Database = Database()
    spool: Spool = Spool()
    modems: tuple[Modem, ...] = ()
    missed_calls: MissedCalls = MissedCalls()
    sending: Sending = Sending()
    hooks: Hooks = Hooks()
    replies: Replies = Replies()
    retention: Retention = Retention()
    logs: Logs = Logs()
    watching: Watching = Watching()
    alarms: Alarms = Alarms()
    selftest: SelfTest = SelfTest()
    clinic: Clinic | None = None
    reminders: Reminders = Reminders()
    staff: Annotated[dict[str, StaffMember], BeforeValidator(_named)] = Field(default_factory=dict)
    calls: Calls = Calls()
    waitlist: Waitlist = Waitlist()
    imports: Imports = Field(default=Imports(), alias="import")
    exports: Exports = Field(default=Exports(), alias="export")

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The clinic's time zone."""
        return zoneinfo.ZoneInfo(self.timezone)

    def modem(self, name: str) -> Modem | None:
        """Return the modem of this name, if there is one."""
        return next((modem for modem in self.modems if modem.name == name), None)
