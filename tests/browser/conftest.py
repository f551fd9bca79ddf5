"""A real browser: Chromium without a window, driven through WebDriver.

The tests are skipped where there is no Chromium, unless COGNITO_FLOW_CHROMIUM is "required". With
COGNITO_FLOW_SCREENSHOTS set to a folder, each page that a test shows is kept there as a picture.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server")
SECONDS_TO_ANSWER = 30

# Roles whose nodes a screen reader announces by name.
NAMED = {
    "textbox",
    "button",
    "link",
    "radio",
    "checkbox",
    "combobox",
    "DisclosureTriangle",
    "image",
    "img",
    "form",
}


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser, for all tests of a worker: it takes seconds to start."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        missing = "there is no Chromium with its driver (Debian: chromium and chromium-driver)"
        if os.environ.get("COGNITO_FLOW_CHROMIUM") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    folder = tmp_path_factory.mktemp("chromium")
    for option in (*OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options, Service(chromedriver, env={**os.environ, "NO_PROXY": "*", "HOME": str(folder)})
    )
    driver.set_page_load_timeout(SECONDS_TO_ANSWER)
    yield driver
    driver.quit()


@attrs.define
class Browser:
    """The browser as a test uses it: by the labels and texts that people read."""

    driver: Chrome
    url: str
    pictures: Path | None = None

    def open(self, path: str) -> None:
        self.driver.get(f"{self.url}{path}")

    # -- what it shows --

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.url)

    def wait_for(self, heading: str) -> None:
        """Wait until the page with this heading is shown."""
        self.wait(lambda: self.text_of("h1") == heading, f"the page {heading!r}")

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until an element contains this text."""
        self.wait(lambda: text in (self.text_of(selector) or ""), f"{text!r} in {selector}")

    def wait(self, condition: Any, what: str) -> None:
        from selenium.common.exceptions import TimeoutException, WebDriverException
        from selenium.webdriver.support.ui import WebDriverWait

        waiting = WebDriverWait(self.driver, SECONDS_TO_ANSWER, 0.05, [WebDriverException])
        try:
            waiting.until(lambda _: condition())
        except TimeoutException:
            raise AssertionError(f"no {what} at {self.driver.current_url}: {self.text_of('body')}") from None

    def text_of(self, selector: str) -> str | None:
        text: str | None = self.run("return document.querySelector(arguments[0])?.innerText.trim()", selector)
        return text

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    @property
    def focused(self) -> str:
        """The id of the element that has the focus."""
        focused: str = self.run("return document.activeElement.id")
        return focused

    def shows(self, heading: str, picture: str) -> None:
        """Check a page as people meet it, with a screen reader or on a telephone, and keep its picture."""
        self.wait_for(heading)
        assert self.run("return document.documentElement.lang") == "en"
        assert heading in self.driver.title
        assert self.run("return document.querySelectorAll('h1, main').length") == 2
        assert self._nameless() == []
        assert self.run("return document.documentElement.scrollWidth <= innerWidth"), (
            "the page scrolls sideways"
        )
        if self.pictures is not None:
            self._draw(self.pictures / f"{picture}.png")

    def _nameless(self) -> list[str]:
        """What a screen reader could only announce by its role."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        nodes = [node for node in tree if not node["ignored"] and node["role"]["value"] in NAMED - {"form"}]
        assert nodes
        return [node["role"]["value"] for node in nodes if not node.get("name", {}).get("value")]

    def _draw(self, path: Path) -> None:
        box = self.run("return document.querySelector('main').getBoundingClientRect().toJSON()")
        clip = {"x": box["x"], "y": 0, "width": box["width"], "height": box["height"], "scale": 1}
        drawn = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True, "optimizeForSpeed": False}
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(drawn["data"]))

    # -- what people do --

    def type(self, label: str, text: str) -> None:
        """Type into the field with this label."""
        field = self.driver.find_element("xpath", f"//input[@id=//label[normalize-space()='{label}']/@for]")
        field.clear()
        field.send_keys(text)

    def press(self, text: str) -> None:
        """Press the button, follow the link or open the details with this text."""
        named = f"[normalize-space()='{text}' or @aria-label='{text}']"
        self.driver.find_element("xpath", f"(//button{named} | //a{named} | //summary{named})[1]").click()

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)


@pytest.fixture
def browser(driver: Chrome) -> Iterator[Browser]:
    """The browser without cookies and passkeys, on a telephone's screen."""
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get_log("browser")  # type: ignore[no-untyped-call] # what earlier tests left
    pictures = os.environ.get("COGNITO_FLOW_SCREENSHOTS")
    yield Browser(driver, "", Path(pictures) if pictures else None)
    driver.get("about:blank")
    messages = [entry["message"] for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]
    # "Password forms" begins Chromium's advice for password managers.
    wrong = ("Content Security Policy", "Uncaught", "Password forms")
    assert [] == [message for message in messages if any(text in message for text in wrong)]
