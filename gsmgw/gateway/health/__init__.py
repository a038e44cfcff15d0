# SPDX-License-Identifier: Apache-2.0
"""How things are: one record of facts, what is wrong in it, and the files that tell watchers."""
