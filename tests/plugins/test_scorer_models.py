"""Scorers made of trees, by hand, against scikit-learn, and all scorers on known truth."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pytest

from windtunnel.errors import PluginError
from windtunnel.learn import LearnedSection, score
from windtunnel.values import Outcomes, SignalFeatures
from windtunnel_plugins.scorers import Boosting, Forest, Logistic
from windtunnel_plugins.scorers._fitting import fill, medians

NAN = float("nan")
TREES = [Forest(trees=20), Boosting(trees=40)]
SCORERS = [*TREES, Logistic()]


def signals(values: np.ndarray, bar: np.ndarray | None = None) -> SignalFeatures:
    count, columns = values.shape
    names = tuple(f"f{column}" for column in range(columns))
    bars = np.arange(count, dtype=np.int64) if bar is None else bar
    return SignalFeatures(names, values, bars, np.zeros(count, np.int64), np.ones(count, np.int64))


def outcomes(won: np.ndarray, bar: np.ndarray | None = None) -> Outcomes:
    won = np.asarray(won, bool)
    bars = np.arange(len(won), dtype=np.int64) if bar is None else bar
    return Outcomes(won, np.where(won, 0.01, -0.01), bars + 5)


def drawn(seed: int, count: int, missing: float = 0.05) -> tuple[SignalFeatures, Outcomes, np.ndarray]:
    """Signals whose win hangs on the first feature, and their true probability; two of five are noise."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 5))
    true = 1 / (1 + np.exp(-(0.3 + 1.2 * values[:, 0] + 0.4 * values[:, 1] * values[:, 2])))
    won = random.random(count) < true
    values[random.random(values.shape) < missing] = NAN
    return signals(values), outcomes(won), true


@pytest.fixture(scope="module")
def sample() -> tuple[SignalFeatures, Outcomes]:
    return drawn(1, 900)[:2]


@pytest.fixture(scope="module")
def states(sample: tuple[SignalFeatures, Outcomes]) -> dict[str, Any]:
    return {model.name: model.fit(*sample) for model in SCORERS}


HAND = {
    "names": np.array(["f0", "f1"]),
    "median": np.array([2.0, -1.0]),
    "intercept": 0.5,
    "roots": np.array([0, 5], np.int32),
    "feature": np.array([0, 0, 1, 0, 0, 1, 0, 0], np.int32),
    "threshold": np.array([1.5, np.inf, 0.0, np.inf, np.inf, -2.0, np.inf, np.inf]),
    "child": np.array([1, 2, 1, 1, 3, 4, 3, 3, 4, 4, 6, 7, 6, 6, 7, 7], np.int32),
    "value": np.array([0.0, -0.5, 0.25, -0.25, 1.0, 0.0, 0.125, -0.75]),
    "levels": 2,
}
"""f0 ≤ 1.5 leads to -0.5, else f1 ≤ 0 to -0.25 and more to 1; a second tree: f1 ≤ -2 leads to 0.125, else
-0.75. The node in between is worth 0.25."""


@pytest.mark.parametrize("model", TREES, ids=str)
@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ([1.5, 9.0], [-0.5, -0.75]),
        ([1.6, 0.0], [0.25, -0.5 - 0.75]),
        ([1.6, 0.1], [0.25, 0.75 - 0.75]),
        ([1.6, -2.0], [0.25, -0.5 + 0.125]),
        ([NAN, NAN], [0.25, -0.5 - 0.75]),  # as its median, 2 and -1
    ],
)
def test_by_hand(model: Forest | Boosting, row: list[float], parts: list[float]) -> None:
    said = model.score(signals(np.array([row])), HAND)
    np.testing.assert_allclose(said.contributions, [parts])
    odds = 0.5 + sum(parts)
    np.testing.assert_allclose(said.probability, [1 / (1 + np.exp(-odds))])
    np.testing.assert_allclose(said.confidence, [abs(2 / (1 + np.exp(-odds)) - 1)])


def test_the_forest_is_that_of_scikit_learn(sample: tuple[SignalFeatures, Outcomes]) -> None:
    """Its log-odds are a straight line in the mean of the trees' shares of wins."""
    from sklearn.ensemble import RandomForestClassifier

    features, ended = sample
    model = Forest(trees=15, depth=6, leaf=8, share=0.4, seed=3)
    values = fill(features.values, medians(features.values))
    other = RandomForestClassifier(15, max_depth=6, min_samples_leaf=8, max_features=0.4, random_state=3)
    said = other.fit(values, ended.won, ended.weight).predict_proba(values)[:, 1]
    assert_line(said, model.score(features, model.fit(features, ended)).probability)


def test_the_boosting_is_that_of_scikit_learn(sample: tuple[SignalFeatures, Outcomes]) -> None:
    """Its log-odds are a straight line in those of the boosted trees."""
    from sklearn.ensemble import GradientBoostingClassifier

    features, ended = sample
    model = Boosting(trees=15, depth=2, leaf=8, share=0.4, rate=0.2, seed=3)
    values = fill(features.values, medians(features.values))
    other = GradientBoostingClassifier(
        n_estimators=15,
        learning_rate=0.2,
        subsample=0.5,
        max_depth=2,
        min_samples_leaf=8,
        max_features=0.4,
        random_state=3,
    )
    said = other.fit(values, ended.won).decision_function(values)
    assert_line(said, model.score(features, model.fit(features, ended)).probability)


def assert_line(said: np.ndarray, probability: np.ndarray) -> None:
    odds = np.log(probability / (1 - probability))
    slope, intercept = np.polyfit(said, odds, 1)
    assert slope > 0
    np.testing.assert_allclose(intercept + slope * said, odds, atol=1e-8)


@pytest.mark.parametrize("model", SCORERS, ids=str)
def test_contributions_add_up_to_the_log_odds(
    model: Any, sample: tuple[SignalFeatures, Outcomes], states: dict[str, Any]
) -> None:
    said = model.score(sample[0], states[model.name])
    odds = np.log(said.probability / (1 - said.probability))
    np.testing.assert_allclose(
        states[model.name]["intercept"] + said.contributions.sum(axis=1), odds, atol=1e-9
    )
    size = np.abs(said.contributions).mean(axis=0)
    assert size.argmax() == 0
    assert size[0] > 3 * size[3:].max()


@pytest.mark.parametrize("model", TREES, ids=str)
def test_contributions_can_be_left_out(
    model: Forest | Boosting, sample: tuple[SignalFeatures, Outcomes], states: dict[str, Any]
) -> None:
    whole = model.score(sample[0], states[model.name])
    bare = model.model_copy(update={"contributions": False}).score(sample[0], states[model.name])
    np.testing.assert_array_equal(bare.probability, whole.probability)
    assert not bare.contributions.any()
    assert whole.contributions.any()


@pytest.mark.parametrize("model", SCORERS, ids=str)
def test_probabilities_come_true_and_rank(model: Any, states: dict[str, Any]) -> None:
    features, ended, true = drawn(2, 4000)
    said = model.score(features, states[model.name]).probability
    order = np.argsort(said)
    off = [abs(said[part].mean() - ended.won[part].mean()) for part in np.array_split(order, 10)]
    assert np.mean(off) < 0.05
    naive, ours, best = (np.mean((one - ended.won) ** 2) for one in (ended.won.mean(), said, true))
    assert (naive - ours) / (naive - best) > 0.5


@pytest.mark.parametrize("model", SCORERS, ids=str)
def test_of_noise_it_says_the_share_of_wins_at_most_now_and_then(model: Any) -> None:
    """Luck is believed where it exceeds its standard error, about once in six; then little is made of it."""
    random, spread = np.random.default_rng(5), []
    for _ in range(8):
        features, won = signals(random.normal(size=(300, 5))), random.random(300) < 0.6
        state = model.fit(features, outcomes(won))
        said = model.score(features, state).probability
        spread.append(said.std())
        if spread[-1] == 0:
            np.testing.assert_allclose(said, won.mean(), atol=1e-11)
            assert (said >= won.mean()).all()
    assert np.median(spread) == 0


@pytest.mark.parametrize("model", SCORERS, ids=str)
def test_the_state_holds_arrays_and_numbers_alone(model: Any, states: dict[str, Any]) -> None:
    for value in states[model.name].values():
        assert isinstance(value, np.ndarray | float | int)
        assert not isinstance(value, np.ndarray) or value.dtype != object


@pytest.mark.parametrize("model", SCORERS, ids=str)
def test_learns_the_same_twice(
    model: Any, sample: tuple[SignalFeatures, Outcomes], states: dict[str, Any]
) -> None:
    again = model.fit(*sample)
    for key, value in states[model.name].items():
        np.testing.assert_array_equal(value, again[key])


@pytest.mark.parametrize("model", TREES, ids=str)
def test_another_seed_draws_other_trees(
    model: Forest | Boosting, sample: tuple[SignalFeatures, Outcomes], states: dict[str, Any]
) -> None:
    other = model.model_copy(update={"seed": 1}).fit(*sample)
    assert other is not None
    assert not np.array_equal(other["threshold"], states[model.name]["threshold"])


@pytest.mark.parametrize("model", TREES, ids=str)
def test_a_score_depends_on_its_own_signal_alone(model: Forest | Boosting, states: dict[str, Any]) -> None:
    features, _, _ = drawn(7, 1300)
    whole = model.score(features, states[model.name])
    for rows in ([1299], [0, 511, 512, 1024], list(range(500, 530))):
        part = model.score(features.take(np.array(rows)), states[model.name])
        np.testing.assert_array_equal(part.probability, whole.probability[rows])
        np.testing.assert_array_equal(part.contributions, whole.contributions[rows])


@pytest.mark.parametrize("model", TREES, ids=str)
def test_weights_say_whom_to_believe(model: Forest | Boosting) -> None:
    """Of signals that contradict each other the heavier half is believed."""
    random = np.random.default_rng(4)
    values = random.normal(size=(800, 2))
    heavy = np.arange(800) % 2 == 0
    won = (values[:, 0] > 0) == heavy
    ended = outcomes(won)
    weighted = Outcomes(won, ended.returns, ended.known, np.where(heavy, 1.0, 0.05))
    nodes, values_of = model._grow(values, weighted)[0].nodes, model._grow(values, weighted)
    first = int(np.flatnonzero(nodes.feature == 0)[0])
    low, high = nodes.children_left[first], nodes.children_right[first]
    assert values_of[0].value[low] < values_of[0].value[high]


@pytest.mark.parametrize("model", [*TREES, Logistic(min_class=20)], ids=str)
@pytest.mark.parametrize("wins", [0, 19, 281, 300])
def test_abstains_with_too_few_of_either_class(model: Any, wins: int) -> None:
    values = np.random.default_rng(0).normal(size=(300, 2))
    assert model.fit(signals(values), outcomes(np.arange(300) < wins)) is None


@pytest.mark.parametrize("model", TREES, ids=str)
def test_few_signals_are_no_error(model: Forest | Boosting) -> None:
    """With so few, the calibration finds nothing that holds; the first half lost and the second won."""
    values = np.random.default_rng(0).normal(size=(40, 2))
    state = model.fit(signals(values), outcomes(np.arange(40) >= 20))
    np.testing.assert_allclose(model.score(signals(values), state).probability, 0.5, atol=1e-11)
    assert model.fit(signals(np.empty((0, 2))), outcomes(np.empty(0))) is None
    assert model.fit(signals(np.empty((90, 0))), outcomes(np.arange(90) % 2)) is None


@pytest.mark.parametrize("model", TREES, ids=str)
def test_outcomes_that_all_overlap_leave_nothing_to_judge_by(model: Forest | Boosting) -> None:
    features, ended, _ = drawn(3, 200)
    late = Outcomes(ended.won, ended.returns, np.full(200, 999))
    said = model.score(features, model.fit(features, late)).probability
    np.testing.assert_allclose(said, ended.won.mean(), atol=1e-11)


@pytest.mark.parametrize("model", TREES, ids=str)
def test_constant_and_wholly_missing_features_have_no_part(model: Forest | Boosting) -> None:
    features, ended, _ = drawn(3, 600, missing=0.0)
    values = features.values.copy()
    values[:, 1], values[:, 2] = 0.1, NAN
    state = model.fit(signals(values), ended)
    values[:, 1], values[:, 2] = 7.0, 1.0
    said = model.score(signals(values), state)
    assert not said.contributions[:, 1:3].any()
    assert said.contributions[:, 0].any()


@pytest.mark.parametrize("model", TREES, ids=str)
def test_refuses_other_features(model: Forest | Boosting, states: dict[str, Any]) -> None:
    with pytest.raises(
        PluginError, match=rf"{model.name} was fitted on the features \('f0', .* \(got \('f0',"
    ):
        model.score(signals(np.zeros((2, 4))), states[model.name])


@pytest.mark.parametrize("model", SCORERS, ids=str)
def test_scored_on_a_schedule_nothing_of_the_future_is_learned(model: Any) -> None:
    """Outcomes after a bar turned upside down change no score up to it."""
    features, ended, _ = drawn(8, 500)
    section = LearnedSection(use=model.name, first=250, refit=100)

    def silent(what: str, done: int, total: int) -> None:
        """Report no progress."""

    turned = ended.won.copy()
    turned[ended.known >= 350] ^= True
    changed = Outcomes(turned, ended.returns, ended.known)
    one, other = (score(model, section, 30, features, each, 500, silent) for each in (ended, changed))
    known = one.scores.probability, other.scores.probability
    np.testing.assert_array_equal(known[0][:450], known[1][:450])
    assert np.isnan(known[0][:250]).all()
    assert np.isfinite(known[0][250:]).all()
    assert (known[0][450:] != known[1][450:]).any()


@pytest.mark.parametrize("model", [Forest(contributions=False), Boosting(contributions=False)], ids=str)
def test_ten_thousand_scores_take_half_a_second_at_most(model: Forest | Boosting) -> None:
    features, ended, _ = drawn(9, 1500)
    state = model.fit(features, ended)
    many = drawn(10, 10_000)[0]
    took = []
    for asked in (many, many.take(np.array([0]))):
        model.score(asked, state)
        best = min(_seconds(model, asked, state) for _ in range(3))
        took.append(best)
    assert took[0] <= 0.5
    assert took[1] <= 0.02


def _seconds(model: Any, features: SignalFeatures, state: Any) -> float:
    began = perf_counter()
    model.score(features, state)
    return perf_counter() - began
