"""``windtunnel verify`` and ``windtunnel check``: whether a result is real, and still the same."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from windtunnel.cli.options import ConfigArgument, JsonOption, SetOption

__all__ = ["check", "verify"]

ConfigsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="CONFIG", help="Experiments; those in configs/ if left out."),
]
UpdateOption = Annotated[bool, typer.Option("--update", help="Write the baselines from what comes out now.")]
BecauseOption = Annotated[
    str | None,
    typer.Option("--because", metavar="TEXT", help="Why results moved; kept in the baselines written."),
]
BaselinesOption = Annotated[
    Path, typer.Option("--baselines", metavar="DIR", help="Where baselines are kept.")
]


def verify(config: ConfigArgument, assignments: SetOption = None, as_json: JsonOption = False) -> None:
    """Prove that no part of an experiment knows the future.

    The experiment is run again on fresh data and plugins, cut off at some twenty bars, and with the prices
    after each of these halved and doubled. Nothing that was said before a cut may change. Then every plugin
    is asked with bars that begin later: once the warm-up that it states is over, it must say the same.
    Exit code 1 if something changes, or a warm-up is too short.
    """
    from windtunnel import experiment
    from windtunnel.cli.progress import Progress
    from windtunnel.cli.terminal import Terminal
    from windtunnel.testing import verify_experiment

    terminal = Terminal()
    loaded = experiment.load(config, overrides=assignments or ())
    with Progress(terminal, "data", silent=as_json) as progress:

        def tick(what: str, done: int, total: int) -> None:
            progress.expect(total)
            progress.tick(what, done, total)

        found = verify_experiment(loaded, tick=tick)
    if as_json:
        terminal.json({"clean": found.clean, **asdict(found)})
    else:
        for line in str(found).splitlines():
            terminal.say(line)
    if not found.clean:
        raise typer.Exit(1)


def check(
    configs: ConfigsArgument = None,
    update: UpdateOption = False,
    because: BecauseOption = None,
    baselines: BaselinesOption = Path("results/baselines"),
    as_json: JsonOption = False,
) -> None:
    """Run experiments again and compare them with their baselines.

    Says which figures moved, the first fill that differs, and what changed: data, config, plugins or
    versions. The runs are not kept. Exit code 1 if a result moved or has no baseline. An experiment that was
    not named and needs an extra which is not installed is skipped.
    """
    from windtunnel.cli.progress import Progress
    from windtunnel.cli.terminal import Terminal
    from windtunnel.errors import InvalidValueError
    from windtunnel.reporting.text import counted
    from windtunnel.testing import check as run_all
    from windtunnel.testing import experiments_in

    if because is not None and not update:
        raise InvalidValueError("--because", "needs --update: it is written into the baselines", because)
    chosen = configs or experiments_in("configs")
    if not chosen:
        raise InvalidValueError("CONFIG", "must name an experiment, for there is none in configs/", "")
    terminal = Terminal()
    with Progress(terminal, "check", silent=as_json) as progress:
        progress.expect(len(chosen))
        reports = run_all(
            chosen, baselines, update=update, because=because, skip=not configs, tick=progress.tick
        )
    told = [report for report in reports if report.state != "same"]
    if as_json:
        terminal.json({"experiments": [asdict(report) for report in reports]})
    else:
        for report in told:
            for line in str(report).splitlines():
                typer.echo(line)
        same = len(reports) - len(told)
        if same or not told:
            typer.echo(f"✓ {counted(same, 'other' if told else 'experiment')}")
    codes = {report.exit_code for report in reports}
    if codes != {0}:
        raise typer.Exit(1 if 1 in codes else max(codes))
