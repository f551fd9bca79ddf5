"""Each fuzz target, with what hypothesis draws; `nox -s fuzz` runs many more examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS, challenge_parameters


@pytest.mark.parametrize("target", TARGETS)
@given(data=st.data())
def test_arbitrary_bytes_raise_nothing_but_what_is_promised(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(st.binary(max_size=400) | st.text().map(str.encode) | _spoilt(SEEDS[target])))


@given(st.integers(0, 255), st.lists(st.tuples(st.integers(0, 255), st.text(max_size=60)), max_size=8))
def test_challenge_is_read_whatever_its_parameters_are(kind: int, lines: list[tuple[int, str]]) -> None:
    shown = [bytes([number]) + text.replace("\n", "").encode() for number, text in lines]

    challenge_parameters(b"\n".join([bytes([kind]), *shown]))


@st.composite
def _spoilt(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A good example with some bytes put in place of others."""
    seed = draw(st.sampled_from(seeds))
    place, removed = draw(st.integers(0, len(seed))), draw(st.integers(0, 5))
    return seed[:place] + draw(st.binary(max_size=8)) + seed[place + removed :]
