# SPDX-License-Identifier: Apache-2.0
"""Telling a person what stays wrong: alarms that open and close, by a program and by SMS."""
