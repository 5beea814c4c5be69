"""The chat page in a real browser, to be looked at: typed, acknowledged, asked about, dropped, taken up again, handed over.

    python -m benchmarks.see_chat FOLDER

Needs `chromium`. Pictures of it, light, dark and as wide as a telephone, come into FOLDER; what the page says is printed, and it ends
with 1 where a line is missing or there twice.
"""

import base64
import itertools
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib import request

from websockets.sync.client import ClientConnection, connect

from benchmarks import measure, serving
from harken import bootstrap, settings
from harken.cli import demo_agent
from harken.cli.printing import Quiet

WITHIN_S = 240
ASKED = "It does not work."
LINES = "[...document.querySelectorAll('#said li')].map(each => each.className.split(' ')[0] + ' ' + each.textContent)"
_numbers = itertools.count(1)


class Page:
    """One tab, by the DevTools protocol."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line

    def do(self, method: str, **given: Any) -> Any:
        number = next(_numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            told = json.loads(self._line.recv(timeout=WITHIN_S))
            if told.get("id") == number:
                return told.get("result")

    def ask(self, expression: str) -> Any:
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression: str) -> None:
        late = time.perf_counter() + WITHIN_S
        while not self.ask(f"!!({expression})"):
            if time.perf_counter() > late:
                raise SystemExit(f"Never came true: {expression}; the page says {self.ask(LINES)}")
            time.sleep(0.2)

    def press(self, text: str) -> None:
        """By keyboard alone."""
        self.do("Input.insertText", text=text)
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.do("Input.dispatchKeyEvent", type="keyDown", **key)
        self.do("Input.dispatchKeyEvent", type="keyUp", **key)

    def picture(self, to: Path, *, scheme: str, width: int, height: int) -> None:
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        time.sleep(0.5)
        to.write_bytes(base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(profile: Path) -> Any:
    port = serving.free_port()
    switches = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--remote-debugging-port={port}",
        f"--user-data-dir={profile}",
    )
    child = subprocess.Popen(["chromium", *switches, "about:blank"], stderr=subprocess.DEVNULL)
    try:
        late = time.perf_counter() + WITHIN_S
        while True:
            try:
                with request.urlopen(f"http://127.0.0.1:{port}/json") as told:
                    [tab, *_] = [each for each in json.loads(told.read()) if each["type"] == "page"]
                break
            except (OSError, ValueError):
                if time.perf_counter() > late:
                    raise SystemExit("chromium does not start") from None
                time.sleep(0.2)
        with connect(tab["webSocketDebuggerUrl"], max_size=None, open_timeout=WITHIN_S) as line:
            yield Page(line)
    finally:
        child.terminate()
        child.wait()


def talk(page: Page, port: int, folder: Path) -> list[str]:
    page.do("Page.enable")
    page.do("Page.navigate", url=f"http://127.0.0.1:{port}/chat")
    page.until("document.readyState === 'complete' && document.activeElement !== null")
    page.ask("document.getElementById('customer').focus()")
    page.press("")
    page.until("!document.getElementById('text').disabled")
    page.press(ASKED)
    page.until("document.querySelector('#said li.ours')")
    page.picture(folder / "asked.png", scheme="light", width=900, height=760)
    page.ask("socket.close()")
    page.until("document.getElementById('text').disabled")
    page.until("!document.getElementById('text').disabled")
    page.do("Page.reload")
    page.until("document.querySelectorAll('#said li').length >= 3 && !document.getElementById('text').disabled")
    page.press("I want to talk to a real person, please.")
    page.until("document.querySelectorAll('#said li.ours').length >= 2")
    page.picture(folder / "light.png", scheme="light", width=900, height=760)
    page.picture(folder / "dark.png", scheme="dark", width=900, height=760)
    page.picture(folder / "phone.png", scheme="dark", width=360, height=640)
    lines: list[str] = page.ask(LINES)
    return lines


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["HARKEN_BURST_QUIET_S"] = "0"
    serving.READY_WITHIN_S = WITHIN_S
    with measure.folder() as scratch:
        store = settings.load().model_copy(update={"home": scratch / "home"})
        with bootstrap.desk_of(store) as desk:
            demo_agent.add_handbook(desk, Quiet())
        port = serving.free_port()
        command = [sys.executable, "-m", "harken", "serve", "--port", str(port)]
        with serving.serving(command, port, str(store.home)), browser(scratch / "profile") as page:
            lines = talk(page, port, folder)
    print("\n".join(lines))
    if [line.split()[0] for line in lines] != ["mine", "note", "ours", "mine", "ours"]:
        raise SystemExit("Something is missing, or there twice.")


if __name__ == "__main__":
    main()
