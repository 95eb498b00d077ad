"""`make soak`: the seed is printed, a failure is shrunk and shown in two columns with the command that finds it again."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.sim.ladder import two_columns, with_ladder
from tools import soak


class Broken(RuleBasedStateMachine):
    """Fails as soon as a large enough number is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = ["alice begins"]

    def ladder(self) -> list[str]:
        return self.lines

    def describe(self) -> str:
        return "what both know"

    @rule(number=st.integers(0, 1000))
    @with_ladder
    def say(self, number: int) -> None:
        self.lines += [f"----> number {number}", "bob counts"]
        assert number < 7


class Sound(RuleBasedStateMachine):
    @rule()
    def nothing(self) -> None:
        """All is well."""


def test_a_failure_is_shrunk_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak, "MODELS", {"broken": Broken})
    assert soak.main(["--seconds", "1", "--seed", "5", "--steps", "3"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("seed 5\n")
    assert "python -m tools.soak --model broken --seed 5 --steps 3" in said.out
    assert "say(number=7)" in said.err
    assert "what both know" in said.err
    assert two_columns(["----> number 7"]) in said.err


def test_it_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak, "MODELS", {"sound": Sound})
    monkeypatch.setattr(soak, "_EXAMPLES_A_ROUND", 2)
    assert soak.main(["--seconds", "0.1", "--seed", "7", "--steps", "3"]) == 0
    assert "nothing failed; seeds 7 to" in capsys.readouterr().out


def test_two_columns() -> None:
    left, middle, right = two_columns(["alice one", "<---- back", "bob two"]).splitlines()
    assert left == "one"
    assert middle.strip().startswith("<-") and "back" in middle
    assert right.startswith(" " * 60) and right.strip() == "two"
