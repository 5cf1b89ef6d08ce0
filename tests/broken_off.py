"""Breaking off a call in the middle, as Ctrl-C does."""

import re
import sys


def interrupted(run, calls):
    """Run it, and break it off at so many calls of the package's, as Ctrl-C would; whether it was."""
    left = calls

    def hook(frame, *_):
        nonlocal left
        if re.search(r"tinygrad_rnn\W(unfold|replay)\W", frame.f_code.co_filename):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    sys.setprofile(hook)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False
