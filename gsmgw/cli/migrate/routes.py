# SPDX-License-Identifier: Apache-2.0
"""From smsd's queues and providers to our routes: which modem serves which numbers."""

from __future__ import annotations

import re

from gsmgw.cli.migrate.account import Account
from gsmgw.cli.migrate.foreign import Setting
from gsmgw.config import Value

#: A queue whose provider is not described takes everything: all digits, and short numbers.
_EVERYTHING = "0,1,2,3,4,5,6,7,8,9,s"
_SHORT = "s"


def translate(account: Account, modems: list[dict[str, Setting]]) -> None:
    """Give each modem the routes of the queues that it serves."""
    queues = account.foreign.of("queues")
    providers = account.foreign.of("provider") | account.foreign.of("providers")
    wanted = account.wanted["modems"]
    assert isinstance(wanted, list)
    if not queues:
        _explain(account, modems, "no [queues] are there, so every modem sends to any number")
        return
    served: list[list[str]] = []
    for modem, ours in zip(modems, wanted, strict=True):
        assert isinstance(ours, dict)
        names = modem["queues"].value.split(",") if "queues" in modem else []
        own = [_queue(name, str(ours["name"])) for name in names]
        found = [providers[name].value if name in providers else _EVERYTHING for name in own]
        served.append(_prefixes(",".join(found)))
    if all(prefixes == served[0] for prefixes in served):
        _explain(account, modems, "all modems serve the same numbers, so no routes are needed")
    else:
        _write(account, modems, served)
    for setting in (*queues.values(), *providers.values()):
        account.tell(setting, "carried", "modems.routes; its folder is not needed any more")
    account.advice.append(
        "Queue: and Provider: in a file name a modem here; other names are ignored, and the routes"
        " decide"
    )


def _queue(name: str, modem: str) -> str:
    bare = name.strip()
    return (modem if bare == "modemname" else bare).lower()


def _explain(account: Account, modems: list[dict[str, Setting]], words: str) -> None:
    for modem in modems:
        if "queues" in modem:
            account.tell(modem["queues"], "otherwise", words)


def _prefixes(value: str) -> list[str]:
    """Return prefixes as routes; a number that begins with 0 does not exist."""
    found = []
    for word in value.split(","):
        digits = word.strip().lstrip("+")
        if re.fullmatch(r"[1-9]\d{0,14}", digits, re.ASCII):
            found.append(f"+{digits}")
        elif re.fullmatch(rf"{_SHORT}(?!00)\d{{1,6}}", digits, re.ASCII):
            found.append(digits.removeprefix(_SHORT))
        elif digits == _SHORT:
            found.append(_SHORT)
    return list(dict.fromkeys(found))


def _write(account: Account, modems: list[dict[str, Setting]], served: list[list[str]]) -> None:
    for position, (modem, prefixes) in enumerate(zip(modems, served, strict=True)):
        routes = list[Value](prefix for prefix in prefixes if prefix != _SHORT)
        setting = modem.get("queues")
        if setting is not None and routes:
            account.carry(setting, ("modems", position, "routes"), routes)
        elif setting is not None:
            account.tell(setting, "otherwise", "modems.routes; it has no prefix of numbers")
        if _SHORT in prefixes and setting is not None:
            account.advice.append(
                "short numbers go by any modem: name those that you write to in modems.routes,"
                f" such as 4321 (smsd.conf, line {setting.line})"
            )
