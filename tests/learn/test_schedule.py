"""When a model may learn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from windtunnel.learn import Fold, LearnedSection, folds


def test_folds_by_hand() -> None:
    section = LearnedSection(use="x", first=4, refit=3, window=3, embargo=1)
    assert list(folds(section, 9)) == [Fold(0, 3, 4, 7), Fold(3, 6, 7, 9)]


def test_no_fold_when_the_data_are_too_short() -> None:
    assert list(folds(LearnedSection(use="x", first=10), 10)) == []


@given(
    first=st.integers(1, 50),
    refit=st.integers(1, 30),
    window=st.none() | st.integers(1, 40),
    embargo=st.integers(0, 20),
    bars=st.integers(1, 200),
)
def test_folds_learn_only_from_before_and_answer_everything_after_once(
    first: int, refit: int, window: int | None, embargo: int, bars: int
) -> None:
    section = LearnedSection(use="x", first=first, refit=refit, window=window, embargo=embargo)
    fits = list(folds(section, bars))
    for fold in fits:
        assert 0 <= fold.train_start < fold.train_stop <= fold.start - embargo
        assert window is None or fold.train_stop - fold.train_start <= window
    answered = [bar for fold in fits for bar in range(fold.start, fold.stop)]
    start = fits[0].start if fits else bars
    assert answered == list(range(start, bars))
