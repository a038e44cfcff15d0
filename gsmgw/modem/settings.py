# SPDX-License-Identifier: Apache-2.0
"""What the configuration says about one modem, as its worker needs it."""

from __future__ import annotations

from dataclasses import dataclass

#: Where device files of modems are looked for; by-id names the same devices once more, stably.
CANDIDATES = ("/dev/ttyUSB*", "/dev/ttyACM*", "/dev/serial/by-id/*")


@dataclass(frozen=True, slots=True)
class Settings:
    """One modem. Times are in seconds. Exactly one of port, IMEI and USB identity finds it."""

    name: str
    port: str | None = None  #: path of its device file
    match_imei: str | None = None  #: 15 digits; the last may differ in the software version
    match_usb: str | None = (
        None  #: "vendor:product", "vendor:product:serial", or a bus path "1-1.4"
    )
    candidates: tuple[str, ...] = CANDIDATES  #: patterns of device files to look at
    baudrate: int = 115200
    pin_file: str | None = None  #: read whenever the SIM asks for it
    result_timeout_s: float = 60.0  #: how long the network may take to answer a submit
    reports: bool = True  #: parts ask for status reports (the gateway reads this)
    rings: int = 1  #: a call is hung up after so many
    rtscts: bool = False
    profile: str | None = None  #: name of a profile, instead of the one found by maker and model
    sweep_s: float = 300.0  #: between two looks at all memories
    poll_s: float = 60.0  #: between two questions for signal and operator
    delivery: str = "auto"  #: "stored", "direct" (+CMT, +CDS) or "auto": stored where it can
    service_centre: str | None = None  #: number to set, instead of the one on the SIM
