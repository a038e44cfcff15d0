# SPDX-License-Identifier: Apache-2.0
"""Which modems may send a message: the one asked for, those of its prefix, or any free one.

A route is a word stored with the message: '' for any modem, a modem's name, a prefix such as
`+48`, or `sim:17` while the parts of a message must stay together on that SIM, in whatever modem.
A modem claims from the routes it serves. A modem with prefixes sends to those numbers only;
numbers of no prefix go to the modems without prefixes, or to all where every modem has some.
"""

from __future__ import annotations

from collections.abc import Sequence

from gsmgw.config.model import Modem

ANY = ""
#: No modem has a colon in its name.
_OF_SIM = "sim:"


def route_of(recipient: str, wish: str | None, modems: Sequence[Modem]) -> str:
    """Return the route of a message: the modem wished for, else the longest fitting prefix."""
    if wish:
        return wish
    prefixes = {prefix for modem in modems for prefix in modem.routes}
    fitting = [prefix for prefix in prefixes if recipient.startswith(prefix)]
    return max(fitting, key=len, default=ANY)


def route_of_sim(sim_id: int) -> str:
    """Return the route of what only one SIM may send."""
    return f"{_OF_SIM}{sim_id}"


def is_of_sim(route: str) -> bool:
    """Tell whether only one SIM may send what is on a route."""
    return route.startswith(_OF_SIM)


def routes_served(modem: Modem, modems: Sequence[Modem]) -> tuple[str, ...]:
    """Return the routes that a modem takes messages from."""
    if not modem.routes:
        return (ANY, modem.name)
    everyone_has_prefixes = all(other.routes for other in modems)
    any_route = (ANY,) if everyone_has_prefixes else ()
    return (*any_route, modem.name, *modem.routes)
