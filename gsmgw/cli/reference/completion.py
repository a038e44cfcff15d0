# SPDX-License-Identifier: Apache-2.0
"""Tab completion for bash, zsh and fish: the scripts that ask the program what could come next."""

from __future__ import annotations

from click.shell_completion import get_completion_class

from gsmgw.cli import main

SHELLS = ("bash", "zsh", "fish")
#: In this variable a script tells the program which shell asks.
VARIABLE = "_GSMGW_COMPLETE"


def scripts() -> dict[str, str]:
    """Return the script of each shell. No shell is started, nor need one be there."""
    found = {}
    for shell in SHELLS:
        kind = get_completion_class(shell)
        if kind is None:
            raise LookupError(f"click knows no completion for {shell}")
        words = kind(main.cli, {}, "gsmgw", VARIABLE)
        # `source()` would run bash to see how old it is; whoever builds need not have one.
        found[shell] = words.source_template % words.source_vars()
    return found
