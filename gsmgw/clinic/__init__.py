# SPDX-License-Identifier: Apache-2.0
"""What a clinic does with the gateway: so far, reading what patients answer."""
