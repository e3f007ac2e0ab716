"""`python -m deploy.contracts` writes the contracts, `--check` tells whether they are up to date."""

from __future__ import annotations

import sys

from deploy import contracts


def main() -> int:
    if "--check" not in sys.argv[1:]:
        contracts.write()
        return 0
    drifted = contracts.drifted()
    for name in drifted:
        print(f"{name} is not what the code says; run `python -m deploy.contracts`.", file=sys.stderr)
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
