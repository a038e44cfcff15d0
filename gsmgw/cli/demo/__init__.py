# SPDX-License-Identifier: Apache-2.0
"""The demo: the real daemon on pretend modems, told as it happens."""
