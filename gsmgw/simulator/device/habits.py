# SPDX-License-Identifier: Apache-2.0
"""What vendors do differently, as data: one record of habits for each, every field may be changed.

The texts are what the modem says on the wire; where a habit is a known oddity, the make is named.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Forms of the answer to AT+CPMS=?.
MEMORY_FORMS = ("nested", "flat", "plain", "empty")


@dataclass(frozen=True, slots=True)
class Habits:
    """How one make of modem behaves."""

    name: str
    manufacturer: str
    model: str
    revision: str
    identity_prefix: bool = False  #: AT+CGMM answers "+CGMM: ..." (Huawei: only the bare text)
    iccid: tuple[str, ...] = ("+CCID",)  #: commands that read the ICCID
    iccid_prefix: str = "+CCID: "  #: what stands before it in the answer
    iccid_filler: str = ""  #: ZTE and SIMCom show the filling nibble of a 19-digit ICCID
    boot: tuple[str, ...] = ()  #: lines after power-up
    noise: tuple[str, ...] = ()  #: lines that come by themselves, in turn
    noise_every_s: float = 0.0  #: 0: silent
    quiet_command: str | None = None  #: the vendor's command that switches the noise off
    prompt: str = "> "  #: some firmware of Huawei leaves out the blank
    line_end: str = "\r\n"  #: SIMCom may double the CR
    missing_start: bool = False  #: answers begin without an empty line (ZTE with some firmware)
    echo_stops: bool = True  #: False: ATE0 is answered OK and changes nothing
    cmee: bool = True  #: False: AT+CMEE=1 answers ERROR
    first_at_fails: bool = False  #: a bare AT answers ERROR until another command was understood
    cscs: str = '("IRA","GSM","UCS2")'  #: answer to AT+CSCS=?; empty: ERROR
    cpms: str = "nested"  #: answer to AT+CPMS=?: nested, flat, plain or empty
    ok_before_cmgs: bool = False  #: OK comes before the +CMGS line (Huawei E173 11.126)
    cmgs_time: bool = False  #: +CMGS carries the service centre's time stamp (AT+CSMS=1)
    cmgs_blank: bool = True  #: False: "+CMGS:12"
    cpin_blank: bool = True  #: False: "+CPIN:READY"
    cpin_ok: bool = True  #: False: AT+CPIN? ends without OK (Wavecom)
    list_alpha: bool = True  #: False: +CMGL without the empty name field
    report_memory: str | None = None  #: announced instead of SR (Quectel: +CDSI: "SM")
    reports_stored: bool = True  #: AT+CNMI with ds=2 is allowed
    delete_flags: bool = True  #: False: AT+CMGD takes an index only
    keeps_link: bool = True  #: AT+CMMS is known
    validity: bool = True  #: False: a validity period is refused with +CMS ERROR: 304
    lists_commands: bool = False  #: AT+CLAC is known
    unknown: str = "ERROR"  #: Huawei: COMMAND NOT SUPPORT
    full: str | None = None  #: line when the memory is full; {memory} stands for its name
    first_index: int = 1  #: Huawei counts memory slots from 0
    clip_after_s: float = 0.0  #: the +CLIP line comes so much after RING
    hang_up: tuple[str, ...] = ("H", "+CHUP")  #: commands that end a call
    tries: str | None = None  #: command for the PIN tries left: ^CPIN, +QPINC, +CPINR, +SPIC
    ussd_packed: bool = False  #: USSD texts are packed 7-bit octets in hex (Huawei E173)
    reset_drops_port: bool = False  #: AT+CFUN=1,1 makes the USB device vanish for a while
    boot_s: float = 0.0  #: from power-up until commands are answered, unless the scenario says


VENDORS: dict[str, Habits] = {
    "generic": Habits(
        name="generic",
        manufacturer="Generic",
        model="GSM modem",
        revision="1.0",
        tries="+CPINR",
        lists_commands=True,
    ),
    "huawei": Habits(
        name="huawei",
        manufacturer="huawei",
        model="E173",
        revision="11.128.00.00.00",
        iccid=("^ICCID",),
        iccid_prefix="^ICCID: ",
        boot=("^BOOT:20096814,0,0,0,75", "^SIMST:1"),
        noise=("^RSSI:17", "^BOOT:20096814,0,0,0,75", "^HCSQ:17,99"),
        noise_every_s=20.0,
        quiet_command="^CURC",
        unknown="COMMAND NOT SUPPORT",
        full='^SMMEMFULL: "{memory}"',
        first_index=0,
        tries="^CPIN",
        ussd_packed=True,
        lists_commands=True,
        reset_drops_port=True,
    ),
    "zte": Habits(
        name="zte",
        manufacturer="ZTE INCORPORATED",
        model="MF667",
        revision="BD_MF667V1.0.0B02",
        iccid=("+ZGETICCID", "+CCID"),
        iccid_prefix="+ZGETICCID: ",
        iccid_filler="F",
        boot=("+ZUSIMR:2",),
        noise=('+ZPASR: "HSDPA"', "+ZUSIMR:2", '+ZDONR: "Pretend",260,1,"CS_PS","ROAM_OFF"'),
        noise_every_s=5.0,
        quiet_command="+ZOPRT",
        prompt=">",
        cscs='"GSM","IRA","UCS2"',
        reset_drops_port=True,
        tries="+ZPINPUK",
    ),
    "simcom": Habits(
        name="simcom",
        manufacturer="SIMCOM_Ltd",
        model="SIMCOM_SIM800L",
        revision="Revision:1418B05SIM800L24",
        iccid=("+CCID",),
        iccid_prefix="",
        iccid_filler="f",
        boot=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"),
        cpms="flat",
        full='+CIEV: "MESSAGE",1',
        tries="+SPIC",
        clip_after_s=0.06,
    ),
    "quectel": Habits(
        name="quectel",
        manufacturer="Quectel",
        model="EC25",
        revision="EC25EFAR06A06M4G",
        iccid=("+QCCID", "+CCID"),
        iccid_prefix="+QCCID: ",
        boot=("RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"),
        full='+QIND: "smsfull","{memory}"',
        first_index=0,
        tries="+QPINC",
        report_memory="SM",
        reset_drops_port=True,
        lists_commands=True,
    ),
}
