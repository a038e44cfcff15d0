# SPDX-License-Identifier: Apache-2.0
"""The command line: what people and scripts type."""
