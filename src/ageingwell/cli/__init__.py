"""The command line: a command parses, calls one library function of the same name, and prints where the result lies.

Nothing heavy is imported before a command needs it: `--help` and a mistyped option answer at once.
"""

from ageingwell.cli import agency, connecting, impacts, keeping, keys, models, nights, papers, records, views
from ageingwell.cli.root import cli

__all__ = [
    "agency",
    "cli",
    "connecting",
    "impacts",
    "keeping",
    "keys",
    "models",
    "nights",
    "papers",
    "records",
    "views",
]
