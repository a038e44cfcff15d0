# SPDX-License-Identifier: Apache-2.0
"""Settings of smstools3's smsd.conf that are not carried over, each with what is here instead.

Names as smsd 3.1.21 knows them (its document configure.html). What is carried is in smstools.py.
"""

from __future__ import annotations

from gsmgw.cli.migrate.account import Fate

Words = tuple[Fate, str]

_AT_ONCE = "files are seen when they come, within milliseconds; there is nothing to poll"
_LOG = "one line an event in the journal: journalctl -u gsmgw; logs.level sets how much"
_STATUS = "gsmgw status (--monitor for Nagios), status.json, watching.metrics for Prometheus"
_ALARM_SMS = "alarms.sms: who gets an SMS of what stays wrong, over which modem, how many a day"
_ALARM_HOOK = (
    "alarms.hook is a program like it, but with other arguments and no shell: docs/operate.md;"
    " rewrite the script, then gsmgw alarm test"
)
_ALARM_LEVEL = "alarms.level, error or warning; alarms.also and alarms.never name single findings"
_ALARM_AFTER = "alarms.after: a port that is away so long is an alarm"
_COMBINED = "long messages are always put together; one with a part missing comes after 24 h"
_STORED = "everything received is kept raw in the database: table received_part, docs/sqlite.md"
_PROCESS = "systemd runs the daemon: systemd/gsmgw.service"
_NAMES = "files keep their names; a name that is taken gets .1"
_INCOMING_NAMES = "incoming files are named MODEM.NUMBER, in order of arrival"
_COPIES = "files stay in sent, failed, incoming and report until you take them; copy them then"
_TIMING = "the driver waits for what the modem answers, not for times"
_RECOVERY = "a silent modem is brought back in stages by itself; every step is in the log"
_MEMORY = "all memories of the modem are swept by themselves, and emptied once messages are stored"
_PROFILE = "profiles know what makes do differently: docs/modems.md; modems.profile forces one"
_CALLS = "calls that nobody takes come as files and rows; missed_calls.rings, then hung up"
_SERVICE = "write a systemd unit or timer of your own; what arrives comes by hooks.event"
_USSD = (
    "the credit of a SIM: modems.balance; else gsmgw modem ussd NAME CODE, and gsmgw modem at NAME"
    " LINE, by a systemd timer"
)
_NETWORK = "modems are local devices; nothing here uses a network"
_VOICE = "there are no voice calls; files with Voicecall: are refused"
_HEADERS = "headers of files are English, as in docs/spool.md"
_SUSPEND = "take the modem out of the configuration, then systemctl reload gsmgw"
_TEST_ONLY = "for tests there are simulated modems: gsmgw simulate, docs/simulator.md"

GLOBAL: dict[str, Words] = {
    "adminmessage_device": ("otherwise", _ALARM_SMS),
    "admin_to": ("otherwise", _ALARM_SMS),
    "alarmhandler": ("otherwise", _ALARM_HOOK),
    "alarmlevel": ("otherwise", _ALARM_LEVEL),
    "autosplit": ("nothing", "long texts are joined by the phone; Autosplit: in a file changes it"),
    "blacklist": ("otherwise", "STOP and the table consent: docs/sqlite.md"),
    "blockafter": ("otherwise", "a SIM rests only after three different numbers were refused"),
    "blocktime": ("otherwise", "a SIM rests 1, 5, then every 15 min, and goes on receiving"),
    "check_pid_interval": ("otherwise", "a lock lets one daemon run for each database and spool"),
    "checkhandler": ("nothing", "no program changes messages on the way; check before you drop"),
    "child": ("otherwise", _SERVICE),
    "child_args": ("otherwise", _SERVICE),
    "conversations": ("otherwise", "Gsmgw_in_reply_to: in incoming files, column in_reply_to"),
    "conversation_header": ("otherwise", "Gsmgw_in_reply_to: in incoming files"),
    "conversation_delimiter": ("otherwise", "Gsmgw_in_reply_to: in incoming files"),
    "country_code": ("otherwise", "country, two letters, reads national numbers: is it right?"),
    "date_filename": ("nothing", _INCOMING_NAMES),
    "date_filename_format": ("nothing", _INCOMING_NAMES),
    "datetime": ("nothing", "times in files are as smsd writes them by default; JSON has ISO 8601"),
    "datetime_format": ("nothing", "times are as smsd writes them by default; JSON has ISO 8601"),
    "delaytime": ("otherwise", _AT_ONCE),
    "delaytime_mainprocess": ("otherwise", _AT_ONCE),
    "enable_smsd_debug": ("nothing", _LOG),
    "errorsleeptime": ("otherwise", _RECOVERY),
    "eventhandler_use_copy": ("nothing", _COPIES),
    "executable_check": ("otherwise", "gsmgw doctor looks whether the handler can be run"),
    "failed_copy": ("nothing", _COPIES),
    "filename_preview": ("nothing", "names of files hold nothing of their texts"),
    "group": ("otherwise", "programs that drop files join group gsmgw, or set spool.group"),
    "hangup_incoming_call": ("otherwise", _CALLS),
    "ic_purge_hours": ("otherwise", _COMBINED),
    "ic_purge_interval": ("otherwise", _COMBINED),
    "ic_purge_minutes": ("otherwise", _COMBINED),
    "ic_purge_read": ("otherwise", _COMBINED),
    "ignore_exec_output": ("otherwise", "what a handler prints is logged only if it fails"),
    "ignore_outgoing_priority": ("otherwise", "order is by priority, category, then time"),
    "incoming_copy": ("nothing", _COPIES),
    "infofile": ("otherwise", _PROCESS),
    "internal_combine": ("otherwise", _COMBINED),
    "internal_combine_binary": ("otherwise", _COMBINED),
    "international_prefixes": ("otherwise", "numbers are read by the plans of all countries"),
    "keep_filename": ("otherwise", _NAMES),
    "keep_messages": ("nothing", _TEST_ONLY),
    "language_file": ("nothing", _HEADERS),
    "log_charconv": ("otherwise", _LOG),
    "log_read_from_modem": ("otherwise", _LOG),
    "log_read_timing": ("otherwise", _LOG),
    "log_response_time": ("otherwise", _LOG),
    "log_single_lines": ("otherwise", _LOG),
    "log_unmodified": ("otherwise", _LOG),
    "logfile": ("otherwise", _LOG),
    "loglevel": ("otherwise", _LOG),
    "logtime_format": ("otherwise", _LOG),
    "logtime_ms": ("otherwise", _LOG),
    "logtime_us": ("otherwise", _LOG),
    "max_continuous_sending": ("otherwise", "receiving never waits for sending"),
    "mypath": ("nothing", "smsd itself has not used it since 3.0.1"),
    "national_prefixes": ("otherwise", "country reads national numbers: is it right?"),
    "notifier": ("otherwise", _AT_ONCE),
    "os_cygwin": ("nothing", "Linux only"),
    "outgoing_utf8": ("otherwise", "text that is valid UTF-8 is read so, else as ISO-8859-15"),
    "phonecalls": ("otherwise", "missed calls are files in incoming, with Call_type: missed"),
    "pidfile": ("otherwise", _PROCESS),
    "priviledged_numbers": ("nothing", "whatever lies in the modem is read at once"),
    "receive_before_send": ("otherwise", _MEMORY),
    "regular_run": ("otherwise", _SERVICE),
    "regular_run_interval": ("otherwise", _SERVICE),
    "report_copy": ("nothing", _COPIES),
    "saved": ("otherwise", "parts of long messages wait in the database"),
    "sent_copy": ("nothing", _COPIES),
    "shell": ("otherwise", "no shell is ever run"),
    "shell_test": ("otherwise", "no shell is ever run"),
    "sleeptime_mainprocess": ("otherwise", _AT_ONCE),
    "smart_logging": ("otherwise", "gsmgw show ID tells all tries of a message, at any log level"),
    "spool_directory_order": ("otherwise", "order is by priority, category, then time"),
    "start": ("otherwise", _SERVICE),
    "start_args": ("otherwise", _SERVICE),
    "stats": ("otherwise", _STATUS),
    "stats_interval": ("otherwise", _STATUS),
    "stats_no_zeroes": ("otherwise", _STATUS),
    "status_include_counters": ("otherwise", _STATUS),
    "status_include_uptime": ("otherwise", _STATUS),
    "status_interval": ("otherwise", _STATUS),
    "status_signal_quality": ("otherwise", _STATUS),
    "store_original_filename": ("otherwise", _NAMES),
    "store_received_pdu": ("otherwise", _STORED),
    "store_sent_pdu": ("nothing", "PDU: is left out of files; gsmgw show ID has all tries"),
    "suspend": ("otherwise", _SUSPEND),
    "terminal": ("otherwise", "gsmgw run is the daemon in the foreground"),
    "trim_text": ("otherwise", "blanks at the end of a text are left out"),
    "trust_outgoing": ("otherwise", "a file that is renamed in is taken at once anyway"),
    "umask": ("otherwise", "files have mode 0660, folders 2770, of the spool's group"),
    "use_linux_ps_trick": ("nothing", "there is one process, gsmgw, with threads"),
    "user": ("otherwise", "the unit runs the daemon as user gsmgw"),
    "voicecall_hangup_ath": ("otherwise", _PROFILE),
    "whitelist": ("nothing", "who may be written to is said by consent, not by lists"),
}

MODEM: dict[str, Words] = {
    "admin_to": ("otherwise", _ALARM_SMS),
    "adminmessage_count_clear": ("otherwise", _ALARM_SMS),
    "adminmessage_limit": ("otherwise", _ALARM_SMS),
    "check_memory_method": ("otherwise", _MEMORY),
    "check_network": ("otherwise", "registration is watched always"),
    "check_sim": ("otherwise", "the SIM is watched always"),
    "check_sim_cmd": ("otherwise", "the SIM is watched always"),
    "check_sim_keep_open": ("otherwise", "the SIM is watched always"),
    "check_sim_reset": ("otherwise", _RECOVERY),
    "check_sim_retries": ("otherwise", "a PIN is tried once; a wrong one waits for a person"),
    "check_sim_wait": ("otherwise", _TIMING),
    "cmgl_value": ("otherwise", _MEMORY),
    "communication_delay": ("otherwise", _TIMING),
    "cs_convert": ("otherwise", "texts always become the right alphabet"),
    "cs_convert_optical": ("otherwise", "sending.charset: plain folds letters, and says so"),
    "delaytime": ("otherwise", _AT_ONCE),
    "delaytime_random_start": ("otherwise", _AT_ONCE),
    "description": ("nothing", "files carry Modem:, its name; name it as you like"),
    "detect_message_routing": ("otherwise", "modems.delivery, auto by default"),
    "detect_unexpected_input": ("otherwise", "what comes unasked is always read"),
    "device_open_alarm_after": ("otherwise", _ALARM_AFTER),
    "device_open_errorsleeptime": ("otherwise", _RECOVERY),
    "device_open_retries": ("otherwise", _RECOVERY),
    "eventhandler_ussd": ("otherwise", _USSD),
    "hangup_incoming_call": ("otherwise", _CALLS),
    "identity": ("otherwise", "the SIM is read as the make's profile knows it"),
    "ignore_unexpected_input": ("otherwise", "what comes unasked is sorted by itself"),
    "init": ("nothing", f"the driver has its own start. {_PROFILE}"),
    "init1": ("nothing", f"the driver has its own start. {_PROFILE}"),
    "init2": ("nothing", f"the driver has its own start. {_PROFILE}"),
    "internal_combine": ("otherwise", _COMBINED),
    "internal_combine_binary": ("otherwise", _COMBINED),
    "keep_messages": ("nothing", _TEST_ONLY),
    "keep_open": ("otherwise", "the port stays open always"),
    "language": ("nothing", "set Language: in the file"),
    "language_ext": ("nothing", "set Language_ext: in the file"),
    "log_not_registered_after": ("otherwise", _LOG),
    "logfile": ("otherwise", _LOG),
    "loglevel": ("otherwise", _LOG),
    "loglevel_lac_ci": ("otherwise", _LOG),
    "max_continuous_sending": ("otherwise", "receiving never waits for sending"),
    "memory_start": ("otherwise", _MEMORY),
    "messageids": ("otherwise", "Message_id: is the last part's, Gsmgw_message_ids: are all"),
    "modem_disabled": ("nothing", _TEST_ONLY),
    "ms_purge_hours": ("otherwise", _COMBINED),
    "ms_purge_minutes": ("otherwise", _COMBINED),
    "ms_purge_read": ("otherwise", _COMBINED),
    "national_toa_unknown": ("otherwise", "numbers go out in international form"),
    "needs_wakeup_at": ("otherwise", _PROFILE),
    "notice_ucs2": ("otherwise", "NOTICE: lines name what made a text go out as UCS-2"),
    "number": ("otherwise", "modems.number, for selftest; this is no number with its country"),
    "pdu_from_file": ("nothing", _TEST_ONLY),
    "phonecalls": ("otherwise", _CALLS),
    "phonecalls_error_max": ("otherwise", _CALLS),
    "phonecalls_purge": ("otherwise", _CALLS),
    "pinsleeptime": ("otherwise", _TIMING),
    "poll_faster": ("otherwise", _TIMING),
    "pre_init": ("otherwise", _PROFILE),
    "primary_memory": ("otherwise", _MEMORY),
    "priviledged_numbers": ("nothing", "whatever lies in the modem is read at once"),
    "read_configuration_after_suspend": ("otherwise", "systemctl reload gsmgw"),
    "read_delay": ("otherwise", _TIMING),
    "read_identity_after_suspend": ("otherwise", "a changed SIM is noticed by itself"),
    "read_timeout": ("otherwise", "modems.result_timeout, for the network's answer"),
    "receive_before_send": ("otherwise", _MEMORY),
    "regular_run": ("otherwise", _SERVICE),
    "regular_run_cmd": ("otherwise", _USSD),
    "regular_run_cmdfile": ("otherwise", _USSD),
    "regular_run_interval": ("otherwise", _SERVICE),
    "regular_run_keep_open": ("otherwise", _USSD),
    "regular_run_logfile": ("otherwise", _USSD),
    "regular_run_loglevel": ("otherwise", _USSD),
    "regular_run_post_run": ("otherwise", _SERVICE),
    "regular_run_statfile": ("otherwise", _STATUS),
    "reply_path": ("nothing", "set Reply_path: in the file"),
    "report_device_details": ("otherwise", "gsmgw modem probe, gsmgw doctor"),
    "report_read_timeouts": ("otherwise", _LOG),
    "routed_status_report_cnma": ("otherwise", _PROFILE),
    "secondary_memory": ("otherwise", _MEMORY),
    "secondary_memory_max": ("otherwise", _MEMORY),
    "select_pdu_mode": ("otherwise", "PDU mode always"),
    "send_delay": ("otherwise", _TIMING),
    "send_handshake_select": ("otherwise", _TIMING),
    "send_retries": (
        "otherwise",
        "tried again after 30s, 1m, 2m … until it expires; sending.retry. What is refused for"
        " good fails at once, and a modem's trouble costs no try",
    ),
    "sentsleeptime": ("otherwise", "modems.limits: {per_minute: …}"),
    "signal_quality_ber_ignore": ("otherwise", _STATUS),
    "smsc_pdu": ("otherwise", "modems.service_centre is set in the modem"),
    "start": ("otherwise", _SERVICE),
    "startsleeptime": ("otherwise", _TIMING),
    "status_include_counters": ("otherwise", _STATUS),
    "status_signal_quality": ("otherwise", _STATUS),
    "stop": ("otherwise", _SERVICE),
    "text_is_pdu_key": ("nothing", "files with Text_is_pdu: are refused"),
    "trust_spool": ("otherwise", "a file that is renamed in is taken at once anyway"),
    "unexpected_input_is_trouble": ("otherwise", "what comes unasked is sorted by itself"),
    "using_routed_status_report": ("otherwise", "modems.delivery, auto by default"),
    "ussd_convert": ("otherwise", _USSD),
    "verify_pdu": ("otherwise", "what was written is drained before the end mark is sent"),
    "wakeup_init": ("otherwise", _PROFILE),
}

#: Families of settings, by how their names begin.
FAMILIES: dict[str, Words] = {
    "read_timeout_": ("otherwise", _TIMING),
    "socket_connection_": ("nothing", _NETWORK),
    "telnet_": ("nothing", _NETWORK),
    "voicecall_": ("nothing", _VOICE),
}


def words_for(name: str, *, is_modem: bool) -> Words | None:
    """Return what becomes of a setting that is not carried over; None if nobody knows it."""
    found = (MODEM if is_modem else GLOBAL).get(name)
    families = (words for begin, words in FAMILIES.items() if is_modem and name.startswith(begin))
    return found or next(families, None)
