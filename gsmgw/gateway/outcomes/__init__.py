# SPDX-License-Identifier: Apache-2.0
"""What becomes of a part: answers, refusals, doubts and the network's reports, and what follows."""
