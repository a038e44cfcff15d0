# SPDX-License-Identifier: Apache-2.0
"""The configuration: one YAML file, checked as a whole, every mistake named at once."""

from gsmgw.config.reading import Document, Place, Value, read_yaml

__all__ = ["Document", "Place", "Value", "read_yaml"]
