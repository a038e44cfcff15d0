# SPDX-License-Identifier: Apache-2.0
"""All SQL: the only place where messages, modems and files are remembered."""
