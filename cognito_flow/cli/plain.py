"""Text that somebody else wrote, for a terminal.

Rule of this file: such text neither moves the cursor nor colours the terminal.
"""

from __future__ import annotations

import json

from rich.text import Text

__all__ = ["plain"]


def plain(text: str) -> Text:
    """The text as it is, or in JSON's notation if a terminal would obey it."""
    # Text, and not str, in which brackets would be marks.
    return Text(text if text.isprintable() else json.dumps(text))
