"""Set up every test: no AWS settings of the machine reach it, hypothesis has no deadline, and boto's service
models are read once."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import HealthCheck, Phase, settings

from tests.support import environments

# SRP arithmetic takes milliseconds, and all cores are busy: a deadline or a
# check for slow data would only measure the machine.
settings.register_profile(
    "fuzz",
    deadline=None,
    derandomize=False,
    print_blob=True,
    max_examples=10_000,
    suppress_health_check=[HealthCheck.too_slow],
)
# A gate tries the same examples each time, so that it fails because of a change. New ones are what fuzzing is for.
settings.register_profile(
    "thorough", settings.get_profile("fuzz"), derandomize=True, database=None, max_examples=100
)
settings.register_profile("quick", settings.get_profile("thorough"), max_examples=25)
# A mutant is noticed by any failure: the same few examples for each, and no search for the smallest one.
settings.register_profile(
    "mutants",
    settings.get_profile("thorough"),
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("quick")

# A shell without job control starts background programs with SIGINT ignored, and they pass that on to the
# programs that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Leave the modules and tests, a million objects that stay, out of the garbage collections that follow. Full
    collections become quick, and as they come when the heap has grown by a quarter, frequent: boto's clients, which
    are garbage in circles, would otherwise pile up."""
    gc.collect()
    gc.freeze()


_read: dict[tuple[object, ...], object] = {}  # of the process: the children of a run of mutants inherit it


@pytest.fixture(autouse=True, scope="session")
def _models_are_read_once() -> Iterator[None]:
    """Share what boto's loaders have read between all sessions: each would parse the service models again, which
    takes three quarters of the time that a new client takes."""
    initialize = Loader.__init__

    def share(self: Any, *args: Any, **options: Any) -> None:
        initialize(self, *args, **options)
        self._cache = _read.setdefault((type(self), *self.search_paths), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loader, "__init__", share)
        yield


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hide credentials, region, profile and endpoint of the machine, and the places where boto finds them."""
    nowhere = tmp_path_factory.getbasetemp()  # to make a folder for each test takes longer than most tests
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def programs_folder() -> Path:
    """The folder for environments of other people's programs."""
    return environments.programs_folder()
