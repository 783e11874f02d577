"""``windtunnel run``."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from windtunnel.cli.options import ConfigArgument, JsonOption, OutOption, SetOption, require_writable

__all__ = ["run"]


def run(
    config: ConfigArgument,
    assignments: SetOption = None,
    out: OutOption = Path("results"),
    force: Annotated[bool, typer.Option("--force", help="Run again what has been run before.")] = False,
    require_verdict: Annotated[
        bool, typer.Option("--require-verdict", help="Exit with 1 unless the verdict is: likely real.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run an experiment and say whether it beat holding its benchmark.

    The run is kept in DIR/<name>/<id>: figures, equity, trades, fills and report.html. An experiment that has
    been run before, on the same data and with the same versions, is not run again but shown. A search that
    was cut off goes on where it was, for every trial is kept in DIR/ledger.db.
    """
    from windtunnel import experiment, runner
    from windtunnel.cli.again import overrides_to_try
    from windtunnel.cli.header import expected_fits, with_best, with_search, write_data, write_plugins
    from windtunnel.cli.progress import Progress
    from windtunnel.cli.stopping import Stopping
    from windtunnel.cli.summary import as_json as described
    from windtunnel.cli.summary import report_path, write_summary
    from windtunnel.cli.terminal import Terminal
    from windtunnel.errors import InvalidValueError
    from windtunnel.runner.searched import best_of
    from windtunnel.store import RunStore

    terminal = Terminal()
    require_writable("--out", out)
    loaded = experiment.load(config, overrides=assignments or ())
    if require_verdict and loaded.space is None and loaded.search is None:
        raise InvalidValueError(
            "--require-verdict", "needs an experiment that searches parameters", str(config)
        )
    aside = redirect_stdout(sys.stderr) if as_json else nullcontext()
    with aside, Progress(terminal, "data", last="backtest and report", silent=as_json) as progress:
        dataset = runner.dataset(loaded)
        fits = expected_fits(loaded, len(dataset.bars))
        before = None if force else runner.find(loaded, dataset, out)

        def announce(resolved: dict[str, Any]) -> None:
            progress.expect(sum(fits.values()), "backtest")
            if not as_json:
                write_plugins(terminal, resolved, fits, planned=True)

        def chosen(found: runner.Found) -> None:
            announce(with_best(loaded.resolved(), {"best": best_of(found.choice)}))

        if not as_json:
            write_data(terminal, loaded.resolved(), runner.describe_data(loaded, dataset))
        if before is not None and loaded.search is None:
            announce(with_best(loaded.resolved(), before.manifest.get("sweep")))
        elif loaded.search is not None:
            announce(with_search(loaded.resolved(), loaded.search))
        elif loaded.space is None:
            announce(loaded.resolved())
        run = before
        if run is None:
            with Stopping(possible=loaded.search is not None) as stopping:
                run = runner.perform(
                    loaded, dataset, out=out, tick=progress.tick, chosen=chosen, stopping=stopping
                ).stored
    report = report_path(RunStore(out), run)
    refused = require_verdict and run.manifest["verdict"]["call"] != "likely real"
    if as_json:
        terminal.json({"ran": before is None, **described(run, report)})
        raise typer.Exit(int(refused))
    if before is not None:
        terminal.say()
        terminal.say("It has been run before; what follows is from then. Add --force to run it again.")
    write_summary(terminal, run)
    for complaint in run.manifest["complaints"]:
        terminal.say(f"warning: {complaint}")
    terminal.say()
    terminal.copyable("report" if report else "folder", str(report or run.folder))
    elsewhere = [] if out == Path("results") else ["--out", str(out)]
    again = ["windtunnel", "run", str(config), *overrides_to_try(loaded, assignments or ()), *elsewhere]
    terminal.copyable("again", shlex.join(again))
    raise typer.Exit(int(refused))
