"""Replays every record of a store in a process of its own: what `harken replay --all` does, with the guard of these tests."""

import asyncio
import json
import sys
from dataclasses import asdict

from journey import Steady
from replay_cases import replay_on

from harken.flow import replaying

if __name__ == "__main__":
    with replay_on(sys.argv[1]) as desk:
        sys.stdout.write(json.dumps(asdict(asyncio.run(replaying.replay_all(None, desk, Steady())))))
