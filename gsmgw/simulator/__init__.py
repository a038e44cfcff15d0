# SPDX-License-Identifier: Apache-2.0
"""A pretend operator with modems on pseudo terminals: for demo, training, benches and tests."""

from gsmgw.simulator.park import Simulator

__all__ = ["Simulator"]
