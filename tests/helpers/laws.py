"""How many examples a law is tried on: enough to find a fault at each change, and many more when asked.

    AGEINGWELL_THOROUGH=5 pytest tests/property

tries every law on five times as many.
"""

import os

THOROUGH = int(os.environ.get("AGEINGWELL_THOROUGH", "1"))


def examples(few: int) -> int:
    """Of a law that costs much: so many examples, or as many times more as was asked."""
    return few * THOROUGH
