# SPDX-License-Identifier: Apache-2.0
"""What is due becomes messages: checked once more, bundled, within caps; and what came of them."""

from gsmgw.clinic.saying.fates import Fates
from gsmgw.clinic.saying.saying import Saying

__all__ = ["Fates", "Saying"]
