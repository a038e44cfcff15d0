# SPDX-License-Identifier: Apache-2.0
"""Moving in: reads the configuration of another gateway, writes ours, and says what differs."""
