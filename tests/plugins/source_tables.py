"""What the tests of the sources share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from windtunnel.bars import Bars
from windtunnel.data import DataSection, Dataset, load
from windtunnel.plugin import DataSource


def dataset(source: DataSource, **section: Any) -> Dataset:
    return load(source, DataSection.model_validate({"use": source.name, **section}))


def bars(source: DataSource, **section: Any) -> Bars:
    return dataset(source, **section).bars


def small(*symbols: str) -> pd.DataFrame:
    """Three bars of each symbol; closes 1, 2, 3, then 11, 12, 13, …"""
    parts = [
        pd.DataFrame(
            {"time": pd.date_range("2020-01-01", periods=3), "close": np.arange(1.0, 4.0) + 10 * place}
        )
        for place, _ in enumerate(symbols)
    ]
    named = [part.assign(symbol=symbol) for part, symbol in zip(parts, symbols, strict=True)]
    return pd.concat(named, ignore_index=True)
