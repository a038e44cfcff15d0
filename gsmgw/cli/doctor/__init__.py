# SPDX-License-Identifier: Apache-2.0
"""The doctor: what is wrong with an installation, the cause first, each with what to do."""
