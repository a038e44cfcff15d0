# SPDX-License-Identifier: Apache-2.0
"""Everything that touches a modem: port, driver, profiles and the worker thread."""
