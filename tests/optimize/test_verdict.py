"""The verdict: its statistics, its rule and its words."""

from __future__ import annotations

from dataclasses import replace
from math import isnan, nan, sqrt
from typing import Any

import numpy as np
import pytest

from windtunnel.engine.metrics.returns import sharpe
from windtunnel.errors import InvalidValueError
from windtunnel.optimize import block_sums, expected_maximum, probabilistic_sharpe
from windtunnel.optimize.rule import combined, decide, edge, level, looks
from windtunnel.optimize.verdict import Evidence, judge
from windtunnel.values import Verdict

BARS, FIRST, TRIALS = 1500, 500, 40
YEAR = 252.0


def trials(seed: int, best: float = 0.0, drift: float = 0.0) -> np.ndarray:
    """Returns of trials of which number 7 has an advantage a bar."""
    random = np.random.default_rng(seed)
    returns = 0.01 * (0.5 * random.normal(size=(BARS, 1)) + random.normal(size=(BARS, TRIALS))) + drift
    returns[:, 7] += best
    return returns


def evidence(returns: np.ndarray, **given: Any) -> Evidence:
    """What a search that kept the best of all bars would show; out of sample, trial 7."""
    chosen = int(np.argmax(returns.mean(axis=0) / returns.std(axis=0)))
    validated = given.get("validated", True)
    settings: dict[str, Any] = {
        "judged": returns[FIRST:, min(7, returns.shape[1] - 1)] if validated else returns[:, chosen],
        "inside": returns[:, chosen],
        "sharpes": returns.mean(axis=0) / returns.std(axis=0, ddof=1),
        "returns_of": lambda rows: returns[:, rows],
        "periods_per_year": YEAR,
        "validated": True,
        "trades": 100,
        "sums": block_sums(returns, 10),
        "seed": 1,
    }
    return Evidence(**(settings | given))


def test_the_figures_are_those_of_the_formulas() -> None:
    returns = trials(1, best=0.002)
    found = judge(evidence(returns))
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    assert (found.trials, found.earlier, found.tested, found.halvings) == (TRIALS, 0, TRIALS, 252)
    assert found.years == pytest.approx((BARS - FIRST) / YEAR)
    assert found.inside == pytest.approx(sharpe(returns[:, 7], YEAR))
    assert found.outside == pytest.approx(sharpe(returns[FIRST:, 7], YEAR))
    assert isnan(found.benchmark)
    assert found.expected == pytest.approx(
        sqrt(min(ratios.var(ddof=1), 1 / (BARS - 1)) * YEAR) * expected_maximum(40)
    )
    assert found.deflated == pytest.approx(
        probabilistic_sharpe(ratios[7], BARS, benchmark=found.expected / sqrt(YEAR)), abs=0.01
    )
    assert found.intervals["sharpe"][0] == pytest.approx(found.outside)
    assert set(found.reality) == {"spa_lower", "spa", "spa_upper", "reality_check"}
    assert 1 <= found.effective <= TRIALS
    assert isnan(found.permutation)
    assert repr(found) == repr(judge(evidence(returns)))


def test_an_edge_is_real_with_and_without_validation() -> None:
    returns = trials(2, best=0.0025)
    for validated in (True, False):
        found = judge(evidence(returns, validated=validated))
        assert found.call == "likely real"
        assert found.superior >= 1
        assert isnan(found.outside) == (not validated)
        assert found.sentence.startswith("Likely real. In sample Sharpe ")
        assert f"probability of {found.chance:.1%}." in found.because or "less than 0.1%" in found.because


def test_noise_is_not_real() -> None:
    calls = [judge(evidence(trials(seed), validated=bool(seed % 2))).call for seed in range(10, 20)]
    assert calls.count("likely real") <= 1
    assert calls.count("likely overfit") >= 2


def test_what_collapses_out_of_sample_is_overfit() -> None:
    returns = trials(3)
    found = judge(evidence(returns, judged=-np.abs(returns[FIRST:, 0]) * 0.1 + returns[FIRST:, 0]))
    assert found.call == "likely overfit"
    assert f"In sample Sharpe {found.inside:.2f}; out of sample −" in found.because
    assert "After 40 trials the best of pure luck would show " in found.because


def test_a_share_of_a_rising_index_has_no_edge() -> None:
    random = np.random.default_rng(5)
    index = random.normal(0.0012, 0.01, BARS)
    returns = index[:, None] * (random.random((BARS, TRIALS)) < 0.7)
    held = {"benchmark": index[FIRST:], "benchmark_inside": index}
    without, beside = (judge(evidence(returns, **given)) for given in ({}, held))
    assert without.call == "likely real"
    assert beside.call != "likely real"
    assert beside.chance > 0.2
    assert beside.benchmark == pytest.approx(sharpe(index[FIRST:], YEAR))
    assert beside.expected > beside.benchmark_inside
    assert "(holding the benchmark " in beside.because


def test_beating_a_falling_index_is_not_enough() -> None:
    random = np.random.default_rng(6)
    index = random.normal(-0.003, 0.01, BARS)
    returns = 0.003 * random.normal(size=(BARS, TRIALS)) - 0.00005
    held = {"benchmark": index, "benchmark_inside": index}
    found = judge(evidence(returns, validated=False, judged=returns[:, 0], inside=returns[:, 0], **held))
    assert found.superior > 0
    assert found.call != "likely real"


def test_earlier_trials_are_paid_for() -> None:
    returns = trials(7, best=0.0014)
    alone = judge(evidence(returns))
    assert alone.call == "likely real"
    others = np.random.default_rng(1).normal(0, 0.02, 60 * TRIALS)
    after = judge(evidence(returns, earlier=others))
    assert (after.trials, after.earlier) == (61 * TRIALS, 60 * TRIALS)
    assert after.chance > alone.chance
    assert after.call != "likely real"
    assert "2,440 trials, 2,400 of them of earlier runs, the best" in after.because


def test_one_trial_is_no_search() -> None:
    returns = trials(8, best=0.003)[:, [7]]
    given = {"sums": block_sums(returns, 10), "judged": returns[FIRST:, 0]}
    found = judge(evidence(returns, **given))
    assert found.call == "likely real"
    assert found.trials == 1
    assert isnan(found.overfit)
    assert found.expected == 0.0
    assert "After" not in found.because
    poor = judge(evidence(returns - 0.004, **(given | {"judged": returns[FIRST:, 0] - 0.004})))
    assert poor.call == "cannot tell"


def test_nothing_that_can_be_recomputed_leaves_the_result_out_of_sample() -> None:
    returns = trials(9, best=0.003)
    found = judge(evidence(returns, sharpes=np.full(TRIALS, nan)))
    assert (found.tested, found.superior, dict(found.reality)) == (0, 0, {})
    assert found.chance == pytest.approx(2 * found.chance_outside)
    assert found.call == "likely real"
    swept = judge(evidence(returns, sharpes=np.full(TRIALS, nan), validated=False))
    assert swept.call == "cannot tell"
    assert isnan(swept.chance)


def test_many_trials_are_looked_at_by_rank() -> None:
    random = np.random.default_rng(10)
    sharpes, asked = random.normal(0, 0.02, 2500), []

    def returns_of(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return sharpes[rows] * 0.01 + 0.01 * np.random.default_rng(0).normal(size=(300, len(rows)))

    inside = random.normal(0, 0.01, 300)
    given = {"judged": inside, "inside": inside, "sums": np.empty((0, 0, 3))}
    found = judge(evidence(trials(1), sharpes=sharpes, returns_of=returns_of, validated=False, **given))
    assert len(asked) == len(set(asked)) == found.tested == 1000
    assert {int(np.argmax(sharpes)), int(np.argmin(sharpes))} <= set(asked)
    assert isnan(found.overfit)
    assert found.chance == pytest.approx(looks(1 - (1 - found.chance) ** 0.4, 2500, 1000))


FLAT, WRONG = np.zeros(BARS), np.full(BARS, nan)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"judged": np.full(20, 0.01)}, "Only 20 bars with a return"),
        ({"judged": np.empty(0)}, "not all numbers"),
        ({"judged": FLAT}, "Only 0 bars with a return"),
        ({"judged": np.full(BARS, 0.001)}, "never vary"),
        ({"judged": WRONG, "inside": WRONG}, "not all numbers"),
        ({"inside": WRONG}, "not all numbers"),
        ({"trades": 3}, "Only 3 trades"),
        ({"trades": 1}, "Only 1 trade:"),
        ({"judged": WRONG, "sharpes": np.empty(0), "sums": np.empty((0, 0, 3))}, "not all numbers"),
        ({"benchmark": WRONG[FIRST:], "benchmark_inside": WRONG}, "not all numbers"),
    ],
)
@pytest.mark.parametrize("validated", [True, False])
def test_too_little_says_nothing(given: dict[str, Any], reason: str, validated: bool) -> None:
    returns = trials(11, best=0.01)
    if "benchmark" in given and not validated:
        given = given | {"benchmark": WRONG}
    found = judge(evidence(returns, validated=validated, **given))
    assert found.call == "cannot tell"
    assert reason in found.because


def test_a_choice_that_never_traded_in_sample_is_no_edge() -> None:
    returns = trials(12)
    found = judge(evidence(returns, inside=FLAT))
    assert found.call == "cannot tell"
    assert found.chance_search == 1.0
    assert isnan(found.deflated)
    assert "In sample" not in found.because


def test_rotations_are_counted_where_there_are_weights() -> None:
    returns = trials(13)
    asset = np.random.default_rng(1).normal(0, 0.01, (BARS - FIRST, 1))
    foresight = np.append(np.sign(asset[1:, 0]), 0.0)[:, None]
    found = judge(evidence(returns, weights=foresight, asset_returns=asset))
    assert found.permutation == pytest.approx(1 / (BARS - FIRST - 1))


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"periods_per_year": 0.0}, "periods_per_year"),
        ({"benchmark": FLAT[FIRST:]}, "benchmark"),
        ({"benchmark": FLAT, "benchmark_inside": FLAT}, "benchmark"),
        ({"weights": np.zeros((3, 1))}, "weights"),
        ({"sums": np.zeros((3, 2, 3))}, "sums"),
    ],
)
def test_evidence_that_does_not_fit_together(given: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        evidence(trials(1), **given)
    assert error.value.parameter == parameter


def test_the_rule_by_hand() -> None:
    assert looks(0.01, 100, 100) == pytest.approx(0.01)
    assert looks(0.01, 300, 100) == pytest.approx(1 - 0.99**3)
    assert looks(0.01, 5, 0) == pytest.approx(1 - 0.99**5)
    assert combined(0.02, nan) == 0.02
    assert combined(nan, 0.02) == 0.04
    assert combined(0.5, 0.02) == 0.04
    assert combined(0.01, 0.16) == 0.04
    assert combined(0.01, 0.03) == 0.02
    assert combined(0.001, 0.24) == pytest.approx(0.06)
    assert combined(0.9, 0.9) == 1.0
    assert (level(0.3), level(nan)) == (0.05, 0.025)
    assert edge(0.8, 0.5) == pytest.approx(0.3)
    assert edge(0.8, -0.5) == edge(0.8, nan) == 0.8


SHOWN = Verdict(
    call="cannot tell", because="", trials=412, earlier=0, effective=9, years=6.0, inside=1.31, outside=0.22,
    benchmark=nan, benchmark_inside=nan, chance=0.61, chance_search=0.3, chance_outside=0.31, expected=1.18,
    probabilistic=0.7, deflated=0.41, overfit=0.58, halvings=252, track_record=56.0, backtest_length=4.0,
    reality={"spa": 0.3}, superior=0, tested=412, permutation=0.2, intervals={},
)  # fmt: skip


def test_the_call_follows_the_signs() -> None:
    assert decide(SHOWN) == (
        "likely overfit",
        "In sample Sharpe 1.31; out of sample 0.22. After 412 trials the best of pure luck would show 1.18 "
        "(deflated Sharpe 0.41, PBO 0.58).",
    )
    assert decide(replace(SHOWN, overfit=0.2))[0] == "likely overfit"
    assert decide(replace(SHOWN, overfit=0.2, deflated=0.6))[0] == "cannot tell"
    assert decide(replace(SHOWN, overfit=0.2, outside=0.7))[0] == "cannot tell"
    assert decide(replace(SHOWN, overfit=nan, outside=nan))[0] == "likely overfit"
    assert decide(replace(SHOWN, overfit=0.2, outside=nan))[0] == "cannot tell"
    assert decide(replace(SHOWN, reality={"spa": 0.04}))[0] == "cannot tell"
    assert decide(replace(SHOWN, trials=1))[0] == "cannot tell"
    assert decide(replace(SHOWN, inside=0.4, benchmark=0.1, benchmark_inside=0.5))[0] == "cannot tell"
    assert decide(replace(SHOWN, chance=0.05))[0] == "likely real"
    assert decide(replace(SHOWN, chance=0.05, outside=nan))[0] == "likely overfit"
    assert decide(replace(SHOWN, chance=0.0), "Only 3 trades.") == ("cannot tell", "Only 3 trades.")


def test_the_words_say_what_was_compared() -> None:
    call, reason = decide(replace(SHOWN, chance=0.0004, outside=-0.001, benchmark=-0.4, inside=nan))
    assert call == "likely real"
    assert reason.startswith("Out of sample 0.00 (holding the benchmark −0.40). After 412 trials")
    assert reason.endswith(
        "Without an edge over cash and the benchmark at equal risk it would look as good with a probability "
        "of less than 0.1%."
    )
    _, reason = decide(replace(SHOWN, deflated=0.9, overfit=0.1, outside=0.7, chance=0.12))
    assert reason.endswith(
        "cash it would look as good with a probability of 12.0%, more than the 5.0% allowed."
    )
