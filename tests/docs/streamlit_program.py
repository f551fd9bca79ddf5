"""Runs the example app for Streamlit without a browser: each line of standard input is a JSON array of texts, which are typed into
the fields in their order before the first button is clicked. Prints what the page shows at first and after each of them."""

import json
import sys

from streamlit.testing.v1 import AppTest  # type: ignore[import-not-found]  # it has its own environment

if __name__ == "__main__":
    page = AppTest.from_file(sys.argv[1], default_timeout=60).run()
    typed = iter(sys.stdin)
    while True:
        shown = {
            "failures": [failure.message for failure in page.exception],
            "errors": [error.value for error in page.error],
            "text": [text.value for text in page.markdown],
            "fields": [field.label for field in page.text_input],
        }
        sys.stdout.write(json.dumps(shown) + "\n")
        sys.stdout.flush()
        line = next(typed, None)
        if line is None:
            break
        for field, text in zip(page.text_input, json.loads(line), strict=True):
            field.input(text)
        page = page.button[0].click().run()
