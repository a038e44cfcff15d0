# SPDX-License-Identifier: Apache-2.0
"""The configuration: one YAML file, checked as a whole, every mistake named at once."""

from gsmgw.config.alarms import Alarms
from gsmgw.config.hours import Hours, parse_hours
from gsmgw.config.loading import (
    ANY_NAME,
    DEFAULT_PATH,
    Checked,
    Reload,
    check,
    check_document,
    find,
    known_keys,
    load,
    reload,
)
from gsmgw.config.model import Config, Limits, Match, Modem
from gsmgw.config.reading import Document, Place, Value, describe, read_yaml
from gsmgw.config.values import format_duration, parse_duration

__all__ = [
    "ANY_NAME",
    "DEFAULT_PATH",
    "Alarms",
    "Checked",
    "Config",
    "Document",
    "Hours",
    "Limits",
    "Match",
    "Modem",
    "Place",
    "Reload",
    "Value",
    "check",
    "check_document",
    "describe",
    "find",
    "format_duration",
    "known_keys",
    "load",
    "parse_duration",
    "parse_hours",
    "read_yaml",
    "reload",
]
