# SPDX-License-Identifier: Apache-2.0
"""What watches by itself: alarms, messages of modems to themselves, the credit of SIMs."""
