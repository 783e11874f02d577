"""How good volatility forecasts are: the S&P 500 one day ahead, and intervals over 5 and 24 bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from row import Row, shared

from windtunnel import Bars
from windtunnel.learn import LearnedSection, answers, conformal, realised_volatility, silent
from windtunnel.learn.losses import Coverage, confidence_set, coverage, diebold_mariano, qlike
from windtunnel.market import Market
from windtunnel.panels import rolling_mean
from windtunnel.plugin import VolatilityModel
from windtunnel.values import FloatArray, Forecast, Request
from windtunnel_plugins.sources import Arch
from windtunnel_plugins.volatility import Ensemble, Ewma, Forest, Garch, GjrGarch, Har
from windtunnel_plugins.volatility._past import variances

REFIT, NOMINAL, HORIZONS, SYMBOLS, SEED = 250, 0.8, (5, 24), 100, 7
MODELS: Mapping[str, VolatilityModel] = {
    "ewma": Ewma(),
    "garch": Garch(),
    "gjr_garch": GjrGarch(),
    "har": Har(),
    "forest": Forest(),
    "ensemble (gjr_garch, har)": Ensemble(members=(GjrGarch(), Har())),
    "ensemble (gjr_garch, har, forest)": Ensemble(),
}
BANDED = ("ewma", "gjr_garch", "har")


def measure() -> list[Row]:
    """Return the losses, the agreement with arch and the coverage of intervals."""
    bars = Bars.from_frame(Arch().load(Request(symbols=("SP500",))).frame)
    first = int(np.searchsorted(bars.time, np.datetime64("2005-01-01"))) - 1
    rows = [*_losses(bars, first), *_agreement()]
    for horizon in HORIZONS:
        rows += _coverage("S&P 500, 2005-2018", bars, first, horizon)
        rows += _coverage(f"median of {SYMBOLS} symbols, 2014-2018", _symbols(), 252, horizon)
    return rows


def _forecast(model: VolatilityModel, bars: Bars, first: int, horizon: int) -> Forecast:
    """Forecast on a schedule; every bar before ``first`` is left out."""
    market, section = Market(bars), LearnedSection(use=model.name, refit=REFIT, first=first)
    return answers(
        model,
        section,
        market,
        lambda view: model.fit(view, horizon),
        lambda view, state: model.forecast(view, state, horizon),
        silent,
    )


def _losses(bars: Bars, first: int) -> Iterator[Row]:
    said = {
        name: _forecast(model, bars, first, 1).mean[first:-1, 0] ** 2 / bars.periods_per_year
        for name, model in MODELS.items()
    }
    squares = variances(Market(bars), "squared")[:, 0]
    ranges = variances(Market(bars), "garman_klass")[:, 0]
    said["root mean square of 21 days"] = rolling_mean(squares[1:], 21)[first - 1 : -1]
    for proxy, came in (("squared returns", squares), ("Garman-Klass", ranges)):
        losses = {name: qlike(came[first + 1 :] * 1e4, variance * 1e4) for name, variance in said.items()}
        inside = confidence_set(np.stack(list(losses.values()), axis=1), list(losses), seed=SEED)
        for name, loss in losses.items():
            yield _loss_row(name, loss, losses["ewma"], inside[name], proxy, proxy == "squared returns")


def _loss_row(name: str, loss: FloatArray, naive: FloatArray, inside: float, proxy: str, asked: bool) -> Row:
    test = diebold_mariano(loss, naive)
    error = test.difference / test.statistic if test.difference else 0.0
    better = test.difference < 0 and test.p < 0.05 and inside > 0.1
    judged = asked and name not in ("ewma", "root mean square of 21 days")
    return Row(
        exam="volatility, S&P 500, one day ahead, 2005-2018",
        model=name,
        figure=f"QLIKE on {proxy}, less that of ewma",
        value=test.difference,
        low=test.difference - 1.96 * error,
        high=test.difference + 1.96 * error,
        baseline=f"ewma {naive.mean():.4f}",
        floor="Diebold-Mariano p < 0.05 and inside the 10% model confidence set" if judged else "",
        met=better if judged else None,
        note=f"QLIKE {loss.mean():.4f} (% squared), Diebold-Mariano p {test.p:.2g}, "
        f"confidence set p {inside:.3f}, refitted every {REFIT} days on all of the past",
    )


def _agreement() -> Iterator[Row]:
    """Compare with the forecasts that arch itself made, refitted as it was."""
    oracle = pd.read_parquet(shared() / "oracles/volatility/rolling_forecasts_sp500.parquet")
    close = 100 * np.exp(np.cumsum([0.0, *(oracle["ret"] / 100)]))
    days = np.datetime64("1999-01-01", "ns") + np.arange(len(close)) * np.timedelta64(1, "D")
    market = Market(Bars.from_arrays(days, close))
    models = {
        "h_garch11": Garch(innovations="normal"),
        "h_gjr": GjrGarch(innovations="normal"),
        "h_garch11_t": Garch(),
    }
    for column, model in models.items():
        worst = 0.0
        for start in range(2500, len(oracle), 250):
            state = model.fit(market.until(start + 1), 1)
            assert state is not None
            said = model.forecast(market.until(start + 250), state, 1).mean[start:, 0]
            variance = said**2 / market.periods_per_year - state["parameters"][0][0] ** 2
            expected = oracle[column].to_numpy()[start : start + 250]
            off = variance[: len(expected)] * 1e4 / expected - 1
            worst = max(worst, float(np.abs(off).max()))
        yield Row(
            exam="volatility, arch's own rolling forecasts",
            model=f"{model.name}, {model.innovations}",
            figure="largest relative difference of the variance",
            value=worst,
            floor="at most 0.001",
            met=worst <= 0.001,
            note=f"2,530 forecasts of column {column}, parameters refitted every 250 days",
        )


def _coverage(what: str, bars: Bars, first: int, horizon: int) -> Iterator[Row]:
    came = realised_volatility(bars.close, horizon, bars.periods_per_year)
    naive = _held(came, _forecast(MODELS["ewma"], bars, first, horizon), first)
    for name in BANDED:
        forecast = conformal(_forecast(MODELS[name], bars, first, horizon), bars, NOMINAL)
        every = _held(came, forecast, first)
        held = _middle(every)
        width = float(np.nanmedian(forecast.high[first:] / forecast.low[first:]))
        yield Row(
            exam=f"volatility interval, {what}, next {horizon} bars",
            model=f"{name}, conformal",
            figure=f"coverage of a nominal {NOMINAL:.0%} interval",
            value=held.share,
            low=held.low,
            high=held.high,
            baseline=f"ewma's own Gaussian interval {_middle(naive).share:.3f}",
            floor=f"{NOMINAL:.0%} inside the 95% binomial interval",
            met=held.low <= NOMINAL <= held.high,
            note=f"{held.windows} windows that do not overlap; mean of all symbols "
            f"{np.mean([one.share for one in every]):.3f}; median of high over low {width:.2f}",
        )


def _held(came: FloatArray, forecast: Forecast, first: int) -> list[Coverage]:
    """Return the coverage of each symbol."""
    low, high, horizon = forecast.low[first:], forecast.high[first:], forecast.horizon
    return [
        coverage(came[first:, column], low[:, column], high[:, column], horizon)
        for column in range(came.shape[1])
    ]


def _middle(every: list[Coverage]) -> Coverage:
    return sorted(every, key=lambda one: one.share)[len(every) // 2]


def _symbols() -> Bars:
    """Return every so many of the symbols that have all bars; a high or low that is none is widened."""
    prices = pd.read_parquet(shared() / "data/us_sp500_daily_2013_2018/prices.parquet").dropna()
    counts = prices["symbol"].value_counts()
    whole = np.sort(counts.index[counts == counts.max()].to_numpy(dtype=str))
    chosen = whole[np.linspace(0, len(whole) - 1, SYMBOLS).astype(int)]
    wide = prices[prices["symbol"].isin(chosen)].pivot(index="date", columns="symbol").sort_index()
    fields = {name: wide[name][list(chosen)].to_numpy() for name in ("open", "high", "low", "close")}
    stacked = np.stack(list(fields.values()))
    return Bars.from_arrays(
        pd.to_datetime(wide.index).to_numpy(),
        fields["close"],
        open=fields["open"],
        high=stacked.max(axis=0),
        low=stacked.min(axis=0),
        volume=wide["volume"][list(chosen)].to_numpy(dtype=float),
        symbols=list(chosen),
    )
