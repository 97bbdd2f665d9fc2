"""Start a program so that it ends when the one that started it is gone.

`python child.py PARENT SIGNAL command...` asks the kernel (Linux) to send SIGNAL when the parent
dies, even by kill -9, then becomes the command. It is run as a file and imports nothing of the
house, so that it costs a few milliseconds. It must be the last step before the real program:
entering a user namespace clears the request.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def end_with_parent(signal_number: int) -> None:
    """Have the kernel signal this process when its parent ends. Does nothing but on Linux."""
    _prctl(PR_SET_PDEATHSIG, signal_number)


def adopt_orphans() -> None:
    """Have grandchildren whose parent dies become children of this process. Linux only."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def main() -> None:
    """Become the command of the arguments, bound to the parent."""
    parent, signal_number, *command = sys.argv[1:]
    end_with_parent(int(signal_number))
    if os.getppid() != int(parent):
        # The parent was gone before the request was made, so no signal will ever come.
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  the words come from our own supervisor


if __name__ == "__main__":
    main()
