"""The logistic scorer, against scikit-learn's own pipeline and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.errors import PluginError
from windtunnel.values import Outcomes, SignalFeatures
from windtunnel_plugins.scorers import Logistic


def signals(values: np.ndarray, names: tuple[str, ...] | None = None) -> SignalFeatures:
    count, columns = values.shape
    bar = np.arange(count, dtype=np.int64)
    names = names or tuple(f"f{column}" for column in range(columns))
    return SignalFeatures(names, values, bar, np.zeros(count, np.int64), np.ones(count, np.int64))


def outcomes(won: np.ndarray) -> Outcomes:
    won = np.asarray(won, bool)
    return Outcomes(won, np.where(won, 0.01, -0.01), np.arange(len(won), dtype=np.int64) + 5)


@pytest.fixture(scope="module")
def sample() -> tuple[SignalFeatures, Outcomes]:
    """300 signals whose first feature matters and second does not; some features are missing."""
    random = np.random.default_rng(2)
    values = random.normal((5.0, -100.0, 0.0), (2.0, 30.0, 1e-3), (300, 3))
    won = random.random(300) < 1 / (1 + np.exp(-(values[:, 0] - 5)))
    values[random.random(values.shape) < 0.1] = np.nan
    return signals(values), outcomes(won)


def test_agrees_with_a_pipeline_of_scikit_learn(sample: tuple[SignalFeatures, Outcomes]) -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, ended = sample
    train, test = features.take(np.arange(200)), features.take(np.arange(200, 300))
    pipeline = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=0.5, tol=1e-10)
    )
    pipeline.fit(train.values, ended.won[:200])
    model = Logistic(penalty=2.0, folds=0)
    scores = model.score(test, model.fit(train, ended.take(np.arange(200))))
    np.testing.assert_allclose(scores.probability, pipeline.predict_proba(test.values)[:, 1], atol=1e-7)


def test_finds_what_matters_and_says_how_much(sample: tuple[SignalFeatures, Outcomes]) -> None:
    features, ended = sample
    model = Logistic()
    state = model.fit(features, ended)
    assert state is not None
    assert state["coefficients"][0] > 5 * np.abs(state["coefficients"][1:]).max()
    scores = model.score(features, state)
    odds = np.log(scores.probability / (1 - scores.probability))
    np.testing.assert_allclose(odds, state["intercept"] + scores.contributions.sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(scores.confidence, np.abs(2 * scores.probability - 1))
    missing = np.isnan(features.values[:, 0])
    assert len(set(scores.contributions[missing, 0])) == 1


def test_by_hand() -> None:
    """Coefficient 2, mean 3, scale 4, median 5, intercept -1: 7 has log-odds 1, a missing feature 0."""
    state = {
        "names": np.array(["f0"]),
        "median": np.array([5.0]),
        "mean": np.array([3.0]),
        "scale": np.array([4.0]),
        "coefficients": np.array([2.0]),
        "intercept": -1.0,
    }
    scores = Logistic().score(signals(np.array([[7.0], [np.nan]])), state)
    np.testing.assert_allclose(scores.probability, [1 / (1 + np.exp(-1)), 0.5])
    np.testing.assert_allclose(scores.contributions, [[2.0], [1.0]])
    np.testing.assert_allclose(scores.confidence, [0.46211715726, 0.0])


def test_a_penalty_shrinks_the_coefficients(sample: tuple[SignalFeatures, Outcomes]) -> None:
    sizes = [
        np.abs(Logistic(penalty=p, folds=0).fit(*sample)["coefficients"]).sum()
        for p in (0.01, 1.0, 100.0, 1e6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-3


@pytest.mark.parametrize("wins", [0, 4, 26, 30])
def test_abstains_with_too_few_of_either_class(wins: int) -> None:
    values = np.random.default_rng(0).normal(size=(30, 2))
    assert Logistic().fit(signals(values), outcomes(np.arange(30) < wins)) is None
    assert Logistic(min_class=1).fit(signals(values), outcomes(np.arange(30) < 1)) is not None


def test_abstains_without_signals_or_features() -> None:
    assert Logistic().fit(signals(np.empty((0, 2))), outcomes(np.empty(0))) is None
    assert Logistic().fit(signals(np.empty((40, 0))), outcomes(np.arange(40) % 2)) is None


def test_constant_and_wholly_missing_features_have_no_part() -> None:
    values = np.random.default_rng(0).normal(size=(60, 3))
    won = values[:, 0] > 0
    values[:, 1], values[:, 2] = 0.1, np.nan
    model = Logistic()
    state = model.fit(signals(values), outcomes(won))
    later = np.array([[1.0, 0.1, 0.0], [1.0, 0.1, 5.0], [1.0, 7.0, np.nan]])
    scores = model.score(signals(later), state)
    np.testing.assert_allclose(scores.contributions[:, 1:], 0.0, atol=1e-12)
    assert len(set(scores.probability)) == 1


@pytest.mark.parametrize("names", [("f1", "f0", "f2"), ("f0", "f1", "other")])
def test_refuses_other_features(sample: tuple[SignalFeatures, Outcomes], names: tuple[str, ...]) -> None:
    state = Logistic().fit(*sample)
    with pytest.raises(PluginError, match=r"was fitted on the features \('f0', 'f1', 'f2'\)"):
        Logistic().score(signals(sample[0].values, names), state)


def test_a_score_depends_on_its_own_signal_alone(sample: tuple[SignalFeatures, Outcomes]) -> None:
    features, ended = sample
    model = Logistic()
    state = model.fit(features.take(np.arange(150)), ended.take(np.arange(150)))
    whole = model.score(features, state)
    part = model.score(features.take(np.arange(150, 170)), state)
    np.testing.assert_array_equal(part.probability, whole.probability[150:170])
    values = features.values.copy()
    values[170:] *= 2
    np.testing.assert_array_equal(
        model.score(signals(values), state).probability[:170], whole.probability[:170]
    )


def test_learns_the_same_twice(sample: tuple[SignalFeatures, Outcomes]) -> None:
    one, two = Logistic().fit(*sample), Logistic().fit(*sample)
    assert one is not None
    for key, value in one.items():
        np.testing.assert_array_equal(value, two[key])


def test_extreme_features_are_no_error(sample: tuple[SignalFeatures, Outcomes]) -> None:
    state = Logistic().fit(*sample)
    scores = Logistic().score(signals(np.array([[1e6, 0.0, 0.0], [-1e6, 0.0, 0.0]])), state)
    np.testing.assert_allclose(scores.probability, [1.0, 0.0], atol=1e-12)
