"""Stands in for the browser of a desktop: writes the URL that it is to open into the file that
COGNITO_FLOW_OPENED names."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    Path(os.environ["COGNITO_FLOW_OPENED"]).write_text(sys.argv[1], encoding="utf-8")
