"""Data sources."""

from windtunnel_plugins.sources.arch import Arch
from windtunnel_plugins.sources.bokeh import Bokeh
from windtunnel_plugins.sources.csv import Csv
from windtunnel_plugins.sources.frame import Frame
from windtunnel_plugins.sources.parquet import Parquet
from windtunnel_plugins.sources.sql import Sql
from windtunnel_plugins.sources.synthetic import Synthetic

__all__ = ["Arch", "Bokeh", "Csv", "Frame", "Parquet", "Sql", "Synthetic"]
