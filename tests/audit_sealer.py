"""Seals the audit of a store turn after turn, until somebody kills it."""

import sys
from pathlib import Path

from audit_cases import audit_on

from harken.flow import sealing

if __name__ == "__main__":
    with audit_on(sys.argv[1], Path(sys.argv[2])) as desk:
        sys.stdout.write("sealing\n")
        sys.stdout.flush()
        while True:
            sealing.seal(desk)
