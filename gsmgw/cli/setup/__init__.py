# SPDX-License-Identifier: Apache-2.0
"""The first run: finds modems, writes the configuration, starts the service, sends a test."""
