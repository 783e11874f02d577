"""Data sources."""

__all__: list[str] = []
