"""Run every property test with new examples, round after round, until the time is up.

python -m tests.fuzz [--seconds 3600] [--processes 1] [PYTEST ARGUMENTS]

The first failure ends it with exit code 1; pytest has then printed the example. Mend the fault, and keep the example
with ``@example``.
"""

import argparse
import secrets
import subprocess
import sys
import time


def main() -> int:
    """Exit code 0 when the time is up without a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--processes", type=int, default=1)
    args, more = parser.parse_known_args()
    end, rounds = time.monotonic() + args.seconds, 0
    while time.monotonic() < end:
        rounds += 1
        seed = secrets.randbelow(2**32)
        command = [sys.executable, "-m", "pytest", "-m", "hypothesis and not slow", "--hypothesis-profile=fuzz"]
        command += [f"--hypothesis-seed={seed}", "-p", "no:cacheprovider", "-x"]
        command += ["-n", str(args.processes)] if args.processes > 1 else []
        sys.stdout.write(f"round {rounds}, seed {seed}, {max(0, end - time.monotonic()):.0f} s left\n")
        sys.stdout.flush()
        if code := subprocess.run([*command, *more], check=False).returncode:
            return 1 if code == 1 else code
    return 0


if __name__ == "__main__":
    sys.exit(main())
