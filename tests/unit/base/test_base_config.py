# SPDX-License-Identifier: Apache-2.0
"""The configuration: what is understood, and every mistake named at once."""

import contextlib
import re
import textwrap
import zoneinfo
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmgw import config, logs
from gsmgw.errors import ConfigError
from gsmgw.model import Category

ROOT = Path(__file__).parents[3]
DEFAULT = (ROOT / "config" / "gsmgw.yaml").read_text(encoding="utf-8")
#: The default with every key uncommented.
WHOLE = re.sub(r"(?m)^(\s*)#(?=[^\s#])", r"\1", DEFAULT)


def checked(text):
    return config.check_document(config.read_yaml(textwrap.dedent(text), name="gsmgw.yaml"))


def problems(text):
    with pytest.raises(ConfigError) as caught:
        checked(text)
    return list(caught.value.problems)


def only_problem(text):
    (found,) = problems(text)
    return found


def paths(keys, above=()):
    for key, below in keys.items():
        yield (*above, key)
        if below is not None:
            yield from paths(below, (*above, key))


def value_paths(value, above=()):
    if isinstance(value, list):
        for element in value:
            yield from value_paths(element, above)
    elif isinstance(value, dict):
        for key, below in value.items():
            yield (*above, key)
            yield from value_paths(below, (*above, key))


def as_known(place):
    """Return a place of the file in the keys of the model: any name as `*`, no days of hours."""
    here, found = config.known_keys(), ()
    for step in place:
        if here is None:
            break
        key = step if step in here else config.ANY_NAME
        here, found = here[key], (*found, key)
    return found


SKELETON = """
    country: PL
    timezone: Europe/Warsaw
    database: {path: /var/lib/gsmgw/gsmgw.db}
    spool: {path: /var/spool/gsmgw, incoming_format: smstools, settle: 500ms}
    modems:
      - name: front
        port: /dev/serial/by-id/usb-HUAWEI_HUAWEI_Mobile-if00-port0
        baudrate: 115200
        pin_file: /etc/gsmgw/front.pin
        limits: {per_minute: 20, per_day: 500}
        result_timeout: 60s
        reports: on
      - name: back
        match: {imei: "490154203237518"}
    missed_calls: {rings: 1}
    sending:
      hours: {mon-sat: "08:00-20:00"}
      charset: full
      retry: {first: 30s, factor: 2, longest: 30m}
      uncertain: {wait: 10m, settle_as: uncertain}
    hooks: {event: [/usr/local/bin/handler]}
    replies: {stop: all}
    retention: {text: 90d, person: 400d}
    logs: {private: false}
"""


def test_every_key_of_a_full_file_is_understood():
    found = checked(SKELETON)
    assert found.warnings == ()
    clinic = found.config
    assert clinic.zone == zoneinfo.ZoneInfo("Europe/Warsaw")
    assert clinic.spool.settle == 0.5
    front, back = clinic.modems
    assert (front.baudrate, front.reports, front.result_timeout) == (115200, True, 60.0)
    assert (front.limits.per_minute, front.limits.per_hour) == (20, None)
    assert back.match is not None
    assert back.match.imei == "490154203237518"
    assert clinic.sending.retry.longest == 1800
    assert clinic.sending.uncertain.settle_as[Category.CARE] == "uncertain"
    assert clinic.hooks.event == ("/usr/local/bin/handler",)
    assert clinic.retention.person == 400 * 86400
    assert clinic.logs.private is False
    assert clinic.modem("back") is back
    assert clinic.modem("none") is None


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "modems:\n", "logs:\nsending:\n  retry:\n", "hooks: {event: []}"]
)
def test_almost_empty_files_work(text):
    assert checked(text).config == config.Config()


def test_modems_alone_are_enough():
    found = checked("modems: [{name: front, port: /dev/serial/by-id/x}]")
    assert found.warnings == ()
    assert found.config.modems[0].limits == config.Limits()


def test_the_commented_default_is_valid_and_says_the_defaults():
    found = checked(DEFAULT)
    assert found.config.country == "PL"
    whole = checked(WHOLE)
    dialling, offers = whole.warnings  # the only keys that do nothing, and it is said
    assert "calls.window: gsmgw does not dial" in dialling
    assert "waitlist: freed slots are not offered" in offers
    plain = config.Config()
    for key in ("database", "missed_calls", "logs"):
        assert getattr(whole.config, key) == getattr(plain, key)
    assert whole.config.spool == plain.spool.model_copy(update={"group": "gsmgw"})
    shown = whole.config.sending
    assert shown.retry == plain.sending.retry.model_copy(update={"attempts": 20})
    assert shown.uncertain == plain.sending.uncertain
    assert (shown.charset, shown.max_parts) == (plain.sending.charset, plain.sending.max_parts)
    assert whole.config.hooks.timeout == plain.hooks.timeout
    fresh = config.Modem(name="x")
    for key in ("baudrate", "result_timeout", "reports", "rtscts", "delivery"):
        assert getattr(whole.config.modems[0], key) == getattr(fresh, key)


def test_the_commented_default_has_every_key_and_each_is_explained():
    known = set(paths(config.known_keys()))
    shown = {as_known(place) for place in value_paths(config.read_yaml(WHOLE).value)}
    assert shown == known
    lines = DEFAULT.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\s*#(- )?\w+: ", line):
            block = lines[max(0, number - 5) : number]
            assert any(re.match(r"\s*# ", before) for before in block), line


def test_the_reference_has_every_key():
    reference = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)^\| `([a-z_0-9.*]+)` \|", reference))
    leaves = {
        ".".join(place)
        for place in paths(config.known_keys())
        if not any(other[: len(place)] == place != other for other in paths(config.known_keys()))
    }
    assert named == leaves


def test_every_mistake_is_named_at_once_in_the_order_of_the_file():
    found = problems(
        """\
        country: Polska
        spool: {settle: 5}
        modems:
          - name: front desk
            port: ttyUSB0
            limits: {per_minute: 0}
          - port: /dev/a
        sending:
          hours: {mon: "8-20"}
        logs: {private: maybe}
        """
    )
    assert [
        re.match(r"gsmgw\.yaml, line (\d+): ([\w.\[\]]+): ", line).groups() for line in found
    ] == [
        ("1", "country"),
        ("2", "spool.settle"),
        ("4", "modems[0].name"),
        ("5", "modems[0].port"),
        ("6", "modems[0].limits.per_minute"),
        ("7", "modems[1]"),
        ("9", "sending.hours"),
        ("10", "logs.private"),
    ]
    assert found[1] == (
        "gsmgw.yaml, line 2: spool.settle: found '5'; allowed is a duration: a number and its unit,"
        " such as 500ms 30s 10m 4h 90d"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timezon: UTC", "line 1: timezon: 'timezon' is no key here; did you mean 'timezone'?"),
        ("spool: {Path: /x}", "did you mean 'path'?"),
        ("rings: 2", "it belongs to 'missed_calls'"),
        ("sending: {first: 2s}", "it belongs to 'sending.retry'"),
        ("logs: {country: PL}", "it belongs to 'the top'"),
        ("logs: {colour: red}", "allowed are private, level"),
    ],
)
def test_unknown_keys_get_the_nearest_known_one(text, words):
    assert words in only_problem(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("country: XX", "found 'XX'; allowed is the two-letter code"),
        ("country: [PL]", "found a list; allowed is a single value"),
        ("timezone: Warsaw", "allowed is a time zone's name"),
        ("timezone: ../../etc/passwd", "allowed is a time zone's name"),
        ("spool: {settle: 2m}", "allowed is 50ms to 1m"),
        ("spool: {settle: -1s}", "allowed is a duration"),
        ("spool: {incoming_format: xml}", "found 'xml'; allowed are smstools, json"),
        ('spool: {path: "a\\0b"}', "without NUL"),
        ("database: /var/lib/x.db", "found '/var/lib/x.db'; a group of keys is wanted"),
        ("modems: {name: front}", "found a group of keys; a list is wanted"),
        ("modems: [front]", "found 'front'; a group of keys is wanted"),
        ("modems: [{port: /dev/a}]", "modems[0]: 'name' is missing here"),
        ("modems: [{name: front}]", "it must be said which device this is"),
        ("modems: [{name: front, match: {}}]", "it must be said which device this is"),
        ("modems: [{name: ../x, port: /dev/a}]", "for file names"),
        ("modems: [{name: żabka, port: /dev/a}]", "for file names"),
        ("modems: [{name: a, port: /dev/a, match: {usb: 12d1:1506}}]", "allowed is one of them"),
        ("modems: [{name: a, match: {usb: huawei}}]", "12d1:1506"),
        ("modems: [{name: a, match: {imei: 12}}]", "14 to 16 digits"),
        ("modems: [{name: a, port: /dev/a, baudrate: 9.6k}]", "whole number from 300 to 4000000"),
        ("modems: [{name: a, port: /dev/a, baudrate: 100}]", "whole number from 300"),
        ("modems: [{name: a, port: /dev/a, profile: nokia}]", "generic, huawei, zte"),
        ("modems: [{name: a, port: /dev/a, service_centre: 500}]", "international number with +"),
        ("modems: [{name: a, port: /dev/a, routes: [0048]}]", "beginning of international"),
        ("modems: [{name: a, port: /dev/a, routes: [abc]}]", "beginning of international numbers"),
        ("modems: [{name: a, port: /dev/a, routes: +48}]", "a list is wanted"),
        ("missed_calls: {rings: 0}", "whole number from 1 to 30"),
        ("sending: {retry: {factor: 0.5}}", "a number from 1 to 10"),
        ("sending: {retry: {factor: two}}", "a number from 1 to 10"),
        ("sending: {retry: {first: soon}}", "allowed is a duration"),
        ("sending: {retry: {first: 1h}}", "longer than the longest one, which is 30m"),
        ("sending: {uncertain: {settle_as: failed}}", "allowed are uncertain, resend"),
        ("sending: {uncertain: {settle_as: {spam: resend}}}", "allowed are staff, care"),
        ("sending: {max_parts: 256}", "whole number from 1 to 255"),
        ("sending: {validity: 1m}", "allowed is 5m to 441d"),
        ("hooks: {event: /bin/true}", "allowed is a list"),
        ("hooks: {event: [handler]}", "beginning with /"),
        ("replies: {stop: never}", "allowed are all, marketing, off"),
        ("retention: {text: 90}", "allowed is a duration"),
        ("logs: {private: 1}", "allowed are on, off, yes, no, true, false"),
        ("- a", "keys with values are wanted here"),
        (
            "country: PL\ncountry: GB",
            "line 2: 'country' stands here a second time, first on line 1",
        ),
    ],
)
def test_each_kind_of_mistake_says_what_is_allowed(text, words):
    assert words in only_problem(text)


def test_names_and_devices_are_unique():
    found = problems(
        """\
        modems:
          - {name: a, port: /dev/x}
          - {name: a, port: /dev/x}
          - {name: b, match: {imei: "490154203237518"}}
          - {name: c, match: {imei: "490154203237518"}}
        """
    )
    assert [line.split(": ", 2)[2] for line in found] == [
        "name 'a' belongs to the modem on line 2 already",
        "port '/dev/x' belongs to the modem on line 2 already",
        "IMEI '490154203237518' belongs to the modem on line 4 already",
    ]


def test_modems_of_one_make_need_their_imei():
    found = problems(
        """\
        modems:
          - {name: a, match: {usb: "12d1:1506"}}
          - {name: b, match: {usb: "12D1:1506", imei: "490154203237518"}}
          - {name: c, match: {usb: "19d2:0117"}}
        """
    )
    (line,) = found
    assert "line 2: modems[0].match.usb: several modems are 12d1:1506" in line
    assert "imei" in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no modem"),
        ("modems: [{name: a, port: /dev/ttyUSB0}]", "may be another device tomorrow"),
        ("modems: [{name: a, port: /dev/x, baudrate: 115000}]", "'115000' is an odd speed"),
        ("modems: [{name: a, port: /dev/x, reports: off}]", "has less evidence"),
        ("modems: [{name: a, port: /dev/x, result_timeout: 1s}]", "1s is short"),
        ("{modems: [{name: a, port: /dev/x}], logs: {private: on}}", "appear in the log"),
        (
            "{modems: [{name: a, port: /dev/x}], retention: {text: 90d, person: 30d}}",
            "longer than the person",
        ),
        (
            "{modems: [{name: a, port: /dev/x}], clinic: {name: C, phone: 815551234}}",
            "what is known of patients is kept for ever",
        ),
        (
            "{modems: [{name: a, port: /dev/x}], clinic: {name: C, phone: 815551234},"
            " retention: {text: 90d}}",
            "line 1: retention: there is no retention.person",
        ),
    ],
)
def test_what_is_unwise_is_a_warning(text, words):
    (warning,) = checked(text).warnings
    assert words in warning


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("10m", 600), ("4h", 14400), ("90d", 7776000), ("1.5h", 5400)],
)
def test_durations_are_read(text, seconds):
    assert config.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 weeks", "-5s", "s", "1e3s", "5S", "\u0665s", "nan s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="such as 500ms"):
        config.parse_duration(text)


@given(st.integers(0, 10**9))
def test_durations_are_written_as_they_are_read(milliseconds):
    seconds = milliseconds / 1000
    assert config.parse_duration(config.format_duration(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("word", "value"),
    [("on", True), ("yes", True), ("TRUE", True), ("off", False), ("no", False), ("false", False)],
)
def test_switches_are_read(word, value):
    assert checked(f"logs: {{private: {word}}}").config.logs.private is value


def test_a_category_may_have_its_own_end_of_doubt():
    text = "sending: {uncertain: {settle_as: {marketing: resend}}}"
    settle_as = checked(text).config.sending.uncertain.settle_as
    assert settle_as[Category.MARKETING] == "resend"
    assert {settle_as[category] for category in Category if category != "marketing"} == {
        "uncertain"
    }
    same = checked("sending: {uncertain: {settle_as: resend}}").config.sending.uncertain.settle_as
    assert set(same.values()) == {"resend"}
    assert set(same) == set(Category)


def test_country_and_usb_are_brought_to_one_case():
    found = checked("{country: pl, modems: [{name: a, match: {usb: 12D1:1506}}]}").config
    assert found.country == "PL"
    assert found.modems[0].match.usb == "12d1:1506"


def test_configurations_are_frozen():
    found = checked("").config
    with pytest.raises(ValueError, match="frozen"):
        found.country = "GB"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "gsmgw.yaml"
    path.write_text("modems: [{name: a, port: /dev/x, pin_file: a.pin}]\n", encoding="utf-8")
    return path


def test_paths_are_meant_from_the_files_directory(file, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    file.write_text(
        "{database: {path: x/gsmgw.db}, spool: {path: /s},"
        " modems: [{name: a, port: /dev/x, pin_file: a.pin}]}"
    )
    found = config.load(file)
    assert found.database.path == file.parent / "x" / "gsmgw.db"
    assert found.spool.path == Path("/s")
    assert found.modems[0].pin_file == file.parent / "a.pin"


def test_a_bare_pin_file_is_a_credential_of_systemd(file, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/gsmgw.service")
    found = config.load(file)
    assert found.modems[0].pin_file == Path("/run/credentials/gsmgw.service/a.pin")


def test_loading_logs_what_is_unwise(file):
    file.write_text("country: PL")
    with logs.capture() as records:
        config.load(file)
    assert [record.event for record in records] == ["config.unwise"]


def test_a_missing_file_says_how_to_name_another(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml is not there; .*--config FILE"):
        config.load(tmp_path / "nowhere.yaml")


def test_a_directory_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


def test_the_file_is_found_by_option_environment_and_place(monkeypatch):
    monkeypatch.delenv("GSMGW_CONFIG", raising=False)
    assert config.find() == Path("/etc/gsmgw/gsmgw.yaml")
    monkeypatch.setenv("GSMGW_CONFIG", "/x.yaml")
    assert config.find() == Path("/x.yaml")
    assert config.find("/y.yaml") == Path("/y.yaml")


def test_reload_takes_what_can_change_and_names_what_waits(file):
    old = config.load(file)
    file.write_text(
        "{spool: {path: /elsewhere}, missed_calls: {rings: 3},"
        " modems: [{name: a, port: /dev/x, pin_file: a.pin}]}"
    )
    found = config.reload(file, old)
    assert found.changed == ("missed_calls",)
    assert found.needs_restart == ("spool",)
    assert found.config.missed_calls.rings == 3
    assert found.config.spool == old.spool


def test_a_wrong_file_is_not_reloaded(file):
    old = config.load(file)
    file.write_text("logs: {private: maybe}")
    with pytest.raises(ConfigError):
        config.reload(file, old)


def test_nothing_changed_is_nothing_to_do(file):
    found = config.reload(file, config.load(file))
    assert (found.changed, found.needs_restart) == ((), ())


@given(
    st.recursive(
        st.text(max_size=8),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["modems", "name", "port", "match", "sending", "hours", "logs", "x"]
                ),
                below,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_a_file_says_it_is_a_configuration_or_a_list_of_problems(value):
    document = config.Document(value, "gsmgw.yaml")
    with contextlib.suppress(ConfigError):
        config.check_document(document)
