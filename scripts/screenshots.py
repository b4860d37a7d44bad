"""Pictures of the screens for docs/screenshots/, taken in Chromium from a fresh demo.

    python scripts/screenshots.py                                    starts a demo of its own
    python scripts/screenshots.py --url http://127.0.0.1:8000 --user accountmanager --password ...

The demo of its own lives in a temporary folder, on free ports. The road is walked as a colleague
walks it: the example files go in through the import page and out with its button.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backoffice.desk.stack import free_port  # noqa: E402  the script stands beside the package

TARGET: Final = ROOT / "docs" / "screenshots"
ACCOUNT: Final = "accountmanager"
START_SECONDS: Final = 120
WAIT_SECONDS: Final = 180
LARGEST: Final = 300_000  # bytes
MODES: Final[dict[str, dict[str, Any]]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 360, "height": 740},
        "has_touch": True,
    },
}


class CannotShow(Exception):
    """One line: what stands in the way."""


@dataclass(frozen=True)
class Demo:
    """Where a demo runs and who may enter."""

    url: str
    user: str
    password: str


def main() -> int:
    """Take all pictures; 0 when every one was made."""
    options = _arguments()
    try:
        if options.url:
            _take_all(Demo(options.url.rstrip("/"), options.user, options.password))
        else:
            with _own_demo() as demo:
                _take_all(demo)
    except CannotShow as problem:
        print(f"Cannot take the pictures: {problem}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("SCREENSHOTS_URL", ""))
    parser.add_argument("--user", default=os.environ.get("SCREENSHOTS_USER", ACCOUNT))
    parser.add_argument("--password", default=os.environ.get("SCREENSHOTS_PASSWORD", ""))
    return parser.parse_args()


# --- a demo of our own --------------------------------------------------------------------------


@contextmanager
def _own_demo() -> Iterator[Demo]:
    """A demo on free ports with its own data; gone when the pictures are taken."""
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        port = free_port()
        environment = os.environ | {
            "BACKOFFICE_VAR": folder,
            "BACKOFFICE_PORT": str(port),
            "EDUIX_SANDBOX_PORT": str(free_port()),
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--plain"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _wait_until_ready(port, process)
            password = (Path(folder) / f"demo-password-{ACCOUNT}").read_text().strip()
            yield Demo(f"http://127.0.0.1:{port}", ACCOUNT, password)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait_until_ready(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.stderr.read().strip() if process.stderr else ""
            raise CannotShow(f"the demo ended by itself: {said.splitlines()[-1] if said else '?'}")
        if _is_ready(port):
            return
        time.sleep(0.2)
    raise CannotShow(f"the demo does not answer within {START_SECONDS} s")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:  # not listening yet
        return False
    finally:
        connection.close()


# --- the walk -----------------------------------------------------------------------------------


def _take_all(demo: Demo) -> None:
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "chromium-headless-shell")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise CannotShow("there is no chromium on this machine")
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        try:
            _walk(browser, demo)
        finally:
            browser.close()


def _walk(browser: Any, demo: Demo) -> None:
    windows = {mode: _window(browser, mode) for mode in MODES}
    for mode, page in windows.items():
        _take(page, "login", mode, f"{demo.url}/admin/login/")
        _sign_in(page, demo)
    first = windows["light"]
    preview = _import_example(first, demo, "persons.csv")
    for mode, page in windows.items():
        _take(page, "import", mode, preview)
    _take_in_and_send(first)
    _import_example(first, demo, "person-credits.csv")
    _take_in_and_send(first)
    _wait_for_answers(first, demo)
    addresses = _addresses(first, demo)
    for mode, page in windows.items():
        for name, address in addresses.items():
            _take(page, name, mode, address)
        page.context.close()


def _window(browser: Any, mode: str) -> Any:
    context = browser.new_context(
        locale="nl-NL",
        timezone_id="Europe/Amsterdam",
        reduced_motion="reduce",
        **MODES[mode],
    )
    return context.new_page()


def _sign_in(page: Any, demo: Demo) -> None:
    page.goto(f"{demo.url}/admin/login/")
    page.fill("#id_username", demo.user)
    page.fill("#id_password", demo.password)
    page.click("#login-form [type=submit]")
    if page.locator("#login-form").count():
        raise CannotShow(f"{demo.user} cannot sign in")


def _import_example(page: Any, demo: Demo, name: str) -> str:
    """Read an example in as far as its preview; the address of that page."""
    page.goto(f"{demo.url}/admin/importeren/")
    page.locator(f'button[name="example"][value="{name}"]').click()
    page.locator('form[action$="/inlezen/"] button').wait_for(timeout=WAIT_SECONDS * 1000)
    return str(page.url)


def _take_in_and_send(page: Any) -> None:
    page.locator('form[action$="/inlezen/"] button').click()
    send = page.locator('form[action$="/sturen/"] button')
    send.wait_for(timeout=WAIT_SECONDS * 1000)
    send.click()


def _wait_for_answers(page: Any, demo: Demo) -> None:
    """Until nothing waits to be sent any more, and publishers had a moment to answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        page.goto(f"{demo.url}/admin/outbox/message/?group=under_way")
        if not page.locator("#result_list tbody tr").count():
            page.wait_for_timeout(5000)
            return
        page.wait_for_timeout(1000)
    raise CannotShow("the messages are not all sent")


def _addresses(page: Any, demo: Demo) -> dict[str, str]:
    """The addresses to show, by the name of their picture."""
    credits = f"{demo.url}/admin/credits/personcredit/"
    persons = f"{demo.url}/admin/persons/person/"
    page.goto(f"{credits}?group=attention")
    status = demo.url + str(
        page.locator('#result_list a[href*="/status/"]').first.get_attribute("href")
    )
    page.goto(f"{persons}?group=attention")
    refused = page.locator("#result_list tbody th a").first.get_attribute("href")
    page.goto(f"{demo.url}/admin/persons/school/")
    report = page.locator('#result_list a[href*="/rapport/"]').first.get_attribute("href")
    return {
        "home": f"{demo.url}/admin/",
        "persons": persons,
        "credits": f"{credits}?group=attention",
        "status": status,
        # at the field that the service refused; the examples are refused for this one
        "person": f"{demo.url}{str(refused).partition('?')[0]}#id_postal_code",
        "explanation": f"{demo.url}/admin/uitleg/?q=4967",
        "why": f"{demo.url}/admin/waarom/{str(refused).split('/')[-3]}/",
        "work": f"{demo.url}/admin/werk/",
        "report": f"{demo.url}{report}",
    }


# --- pictures -----------------------------------------------------------------------------------


def _take(page: Any, name: str, mode: str, address: str) -> None:
    response = page.goto(address)
    if response is None or not response.ok:
        raise CannotShow(f"{address} answers {response.status if response else 'nothing'}")
    page.wait_for_load_state("networkidle")
    picture = repacked(page.screenshot())
    if len(picture) > LARGEST:
        raise CannotShow(f"the picture of {name} ({mode}) is {len(picture)} bytes")
    target = TARGET / f"{name}-{mode}.png"
    target.write_bytes(picture)
    print(f"{target.relative_to(ROOT)}  {len(picture) // 1024} kB")


def repacked(png: bytes) -> bytes:
    """The same picture, packed as tightly as zlib can; a browser packs for speed.

    PNG (RFC 2083): a signature of 8 bytes, then chunks of length, type, data and checksum.
    """
    signature, rest = png[:8], png[8:]
    head: list[bytes] = []
    pixels = b""
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        kind, data, rest = rest[4:8], rest[8 : 8 + length], rest[12 + length :]
        if kind == b"IDAT":
            pixels += data
        elif kind in (b"IHDR", b"PLTE"):
            head.append(_chunk(kind, data))
    packed = zlib.compress(zlib.decompress(pixels), 9)
    return b"".join([signature, *head, _chunk(b"IDAT", packed), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    sys.exit(main())
