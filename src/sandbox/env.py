"""`python -m sandbox.env COMMAND …`: run a command with the sandbox's settings, without starting any service."""

import os
import sys

from sandbox.home import Home


def main() -> None:
    """Replace this process by the command."""
    home = Home()
    home.create()
    os.environ.update(home.environment())
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the developer's own command


if __name__ == "__main__":
    main()
