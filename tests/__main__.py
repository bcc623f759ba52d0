"""All tests, in two processes beside each other: what is live, on one stack, and everything else.

``python -m tests [PYTEST OPTION ...]``. The live half is shown while it runs, the other one after it. Exit codes as
pytest's: the first of the two that is not 0; a half in which the options leave no test counts only if both are empty.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

NO_TESTS = 5
_HALVES = ("not live", "live")


def main(options: list[str]) -> int:
    """Run both halves; the exit code."""
    others, live = ([sys.executable, "-m", "pytest", "-q", "--durations=15", "-m", half, *options] for half in _HALVES)
    with tempfile.TemporaryFile() as told:
        beside = subprocess.Popen(others, stdout=told, stderr=subprocess.STDOUT)
        try:
            codes = [subprocess.run(live, check=False).returncode]
            print("\nand what needs no server:", flush=True)
            codes.append(beside.wait())
        finally:
            beside.terminate()  # whoever interrupts one half interrupts both
            beside.wait()
        told.seek(0)
        sys.stdout.buffer.write(told.read())
        sys.stdout.flush()
    if codes == [NO_TESTS, NO_TESTS]:
        return NO_TESTS
    return next((code for code in codes if code not in (0, NO_TESTS)), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
