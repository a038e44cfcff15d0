# SPDX-License-Identifier: Apache-2.0
"""What vendors do differently, as data, chosen by the names that a modem gives itself."""

from __future__ import annotations

from dataclasses import dataclass

#: EF_ICCID (3GPP TS 31.102 13.2, file 2FE2) read raw; works where no ICCID command is known.
ICCID_FILE = "AT+CRSM=176,12258,0,0,10"
#: EF_SMSS (3GPP TS 51.011 10.5.7, file 6F43): last TP-MR used, then the flag "memory exceeded".
SMSS_FILE = "AT+CRSM=176,28483,0,0,2"

#: <mode>,<mt>,<bm>,<ds>,<bfr> of 27.005 3.4.1: messages and reports are stored, the place is told.
#: Some modems want four parameters, some refuse mode 2, some cannot store reports (ds 2) and hand
#: them over at once (ds 1).
STORED_NOTICES = ("2,1,0,2,0", "2,1,0,2", "1,1,0,2,0", "3,1,0,2,0", "2,1,0,1,0", "1,1,0,1,0", "2,1")
#: Messages and reports come at once and want AT+CNMA.
DIRECT_NOTICES = ("2,2,0,1,0", "2,2,0,1", "1,2,0,1,0", "3,2,0,1,0")


@dataclass(frozen=True, slots=True)
class Profile:
    """One vendor's ways."""

    name: str
    names: tuple[str, ...] = ()  #: found in +CGMI or +CGMM, in small letters
    usb_vendors: tuple[str, ...] = ()  #: idVendor in sysfs
    iccid: tuple[str, ...] = ("AT+CCID", ICCID_FILE)  #: tried in order
    pin_tries: tuple[str, ...] = ("AT+CPINR",)  #: commands that tell how many PIN tries are left
    extra: tuple[str, ...] = ()  #: further commands at initialisation, none of them required
    stored_notices: tuple[str, ...] = STORED_NOTICES
    direct_notices: tuple[str, ...] = DIRECT_NOTICES
    hang_up: tuple[str, ...] = ("AT+CHUP", "ATH")
    #: of a stick's ports the one with the highest interface number is asked first
    last_port_first: bool = False
    reset_returns: bool = False  #: after AT+CFUN=1,1 it comes back by itself, as the same modem
    smss: bool = False  #: EF_SMSS follows the references used, and AT+CRSM reads it
    takes_validity: bool = True  #: False: refuses TP-VP with +CMS ERROR 304


GENERIC = Profile("generic")

PROFILES = (
    Profile(
        # AT command reference of the E1xx, E3xx and ME909 families.
        "huawei",
        names=("huawei",),
        usb_vendors=("12d1",),
        iccid=("AT^ICCID?", "AT+CCID", ICCID_FILE),
        pin_tries=("AT^CPIN?",),
        # Ends ^RSSI, ^MODE, ^DSFLOWRPT every few seconds. +CMTI, +CDSI and RING still come.
        extra=("AT^CURC=0",),
        # E1xx: interface 0 is the modem, 1 diagnosis, 2 "PCUI", to which all notices go.
        last_port_first=True,
        # A stick may come back from AT+CFUN=1,1 as a CD-ROM, and never as a modem.
        reset_returns=False,
        smss=True,
    ),
    Profile(
        # ZTE MF series AT command reference.
        "zte",
        names=("zte",),
        usb_vendors=("19d2",),
        iccid=("AT+ZGETICCID", "AT+CCID", ICCID_FILE),
        pin_tries=("AT+ZPINPUK=?",),
        reset_returns=False,
    ),
    Profile(
        # SIM800 series V1.12 and SIM7500/SIM7600 series V3 AT command manuals.
        "simcom",
        names=("simcom", "sim800", "sim900", "sim7600", "sim7500", "sim5320"),
        usb_vendors=("1e0e",),
        iccid=("AT+CCID", "AT+CICCID", ICCID_FILE),
        pin_tries=("AT+SPIC",),
        hang_up=("ATH", "AT+CHUP"),
        reset_returns=True,
        smss=True,
    ),
    Profile(
        # Quectel EC2x and EG9x AT commands manual V1.3; M95.
        "quectel",
        names=("quectel",),
        usb_vendors=("2c7c",),
        iccid=("AT+QCCID", "AT+CCID", ICCID_FILE),
        pin_tries=('AT+QPINC="SC"',),
        hang_up=("ATH", "AT+CHUP"),
        reset_returns=True,
        smss=True,
    ),
    GENERIC,
)


def by_name(name: str) -> Profile | None:
    """Return the profile of that name."""
    return next((profile for profile in PROFILES if profile.name == name), None)


def choose(manufacturer: str | None, model: str | None, forced: str | None = None) -> Profile:
    """Return the profile for a modem: the forced one, else by its names, else the generic one."""
    chosen = by_name(forced) if forced else None
    if chosen is not None:
        return chosen
    for named in (manufacturer, model):
        for profile in PROFILES:
            if any(name in (named or "").lower() for name in profile.names):
                return profile
    return GENERIC
