# SPDX-License-Identifier: Apache-2.0
"""`gsmgw clinic`: what people of a clinic do with the gateway."""
