"""`python -m ageingwell`, and the `ageingwell` command."""

import sys


def main() -> None:
    """Run the command line."""
    from ageingwell.cli.streams import prepare_streams

    prepare_streams()
    from ageingwell.cli import cli

    sys.exit(cli())


if __name__ == "__main__":
    main()
