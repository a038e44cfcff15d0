# SPDX-License-Identifier: Apache-2.0
"""Words that a person typed or a program piped in: text from arguments and standard input."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator

from gsmgw import errors


def read_text(argument: str) -> str:
    """Return a text; `-` stands for standard input, without the line end at its end. May block.

    Raises:
        BadTextError: it is not UTF-8, nor UTF-16 with a mark.
    """
    if argument != "-":
        check_utf8(argument, "the text")
        return argument
    octets = sys.stdin.buffer.read()
    # Files of gammu and of Windows' editors may be UTF-16, and then begin with its mark.
    is_utf16 = octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = octets.decode("utf-16" if is_utf16 else "utf-8-sig")
        return text.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise errors.BadTextError(f"standard input is not UTF-8: {error}") from error


def check_utf8(words: str, what: str) -> None:
    """Refuse an argument whose octets are no UTF-8: Python marks them with lone surrogates.

    Raises:
        BadTextError: `what` is not UTF-8.
    """
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise errors.BadTextError(f"{what} is not UTF-8") from error


def read_lines() -> Iterator[str]:
    """Yield the lines of standard input that are not empty, without blanks around them."""
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "surrogateescape").strip()
        if text:
            yield text
