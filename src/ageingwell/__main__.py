"""`python -m ageingwell`, and the `ageingwell` command."""

import sys

from ageingwell.ending import STOPPED, ending_tidily, exit_code


def main() -> None:
    """Run the command line; a signal in its first moments, while it is being loaded, ends it with a sentence too."""
    try:
        with ending_tidily():
            from ageingwell.cli.streams import prepare_streams

            prepare_streams()
            from ageingwell.cli import cli

            sys.exit(cli())
    except KeyboardInterrupt as stop:
        sys.stderr.write(f"\n{STOPPED}\n")
        sys.exit(exit_code(stop))


if __name__ == "__main__":
    main()
