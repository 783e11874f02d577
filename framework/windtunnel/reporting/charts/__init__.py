"""The charts: one function each, which returns a Chart, or a sentence where there is nothing to draw."""
