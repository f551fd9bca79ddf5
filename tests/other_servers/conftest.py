"""Start other people's servers, and stop them at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ministack import running_ministack


@pytest.fixture(scope="session")
def ministack(programs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of ministack. Its AWS credentials are test and test.

    It does not check a challenge's Session: nothing may be concluded from one that it takes.
    """
    with running_ministack(programs_folder, tmp_path_factory.mktemp("ministack")) as url:
        yield url
