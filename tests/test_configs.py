"""Every experiment in ``configs/`` keeps to the past and gives the results that are written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from windtunnel import experiment
from windtunnel.testing import check, experiments_in, verify_experiment

REPOSITORY = Path(__file__).parents[1]
CONFIGS = experiments_in(REPOSITORY / "configs")


def test_there_are_experiments() -> None:
    assert "quickstart.yaml" in {config.name for config in CONFIGS}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_no_experiment_knows_the_future(config: Path) -> None:
    verification = verify_experiment(experiment.load(config))
    assert verification.clean, str(verification)
    assert len(verification.cuts) >= 15


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_no_result_has_moved(config: Path) -> None:
    (report,) = check([config], REPOSITORY / "results" / "baselines")
    assert report.state == "same", str(report)


def test_every_baseline_belongs_to_an_experiment() -> None:
    names = {experiment.load(config).experiment.name for config in CONFIGS}
    assert {path.stem for path in (REPOSITORY / "results" / "baselines").glob("*.json")} == names
