"""Starts a command that ends with the process that asked for it: `leash.py <pid of the asker> <program> <args …>`.

Without it a recipe would go on training for a worker that was killed. Done by a program and not between fork and
exec, because Python may not run safely there in a process with threads. Outside Linux the command runs on; it still
holds the run folder, so nobody starts a second one beside it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
EXIT_STOPPED = 75


def main() -> None:
    asker, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        # SIGTERM, not SIGKILL: the recipe saves its state and loses no step.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != asker:  # it died before the leash was on
            sys.exit(EXIT_STOPPED)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
