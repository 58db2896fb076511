"""Become a part of the sandbox: ``launch.py <warden's fd> <supervisor's pid> <signal> <seconds> <command…>``.

A separate script, run with ``python -I -S``, because its work must happen between fork and exec, and the
supervisor has threads (Python code may deadlock in the fork of a threaded process). Standard library only.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tell the warden, tie this process's life to the supervisor's, and exec the command."""
    descriptor, supervisor, stop_signal = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    command = sys.argv[5:]
    # First of all: from now on the warden stops this process group if the supervisor dies.
    os.write(descriptor, f"+{os.getpid()} {stop_signal} {sys.argv[4]}\n".encode())
    os.set_inheritable(descriptor, False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)
    if os.getppid() != supervisor:  # the supervisor died before that
        raise SystemExit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is the sandbox's own
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}") from None


main()
