"""Opens a page in a browser context with a given storage state, and prints the access token that the page has after a
refresh, and the storage state after it."""

import json
import sys

from playwright.sync_api import sync_playwright  # type: ignore[import-not-found]  # it has its own environment

if __name__ == "__main__":
    given = json.load(sys.stdin)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given["executable"], args=given["options"], env=given["environment"]
        )
        context = browser.new_context(storage_state=given["state"])
        page = context.new_page()
        page.goto(given["url"])
        token = page.evaluate("(given) => refreshed(given)", given["page"])
        json.dump({"token": token, "state": context.storage_state()}, sys.stdout)
        browser.close()
