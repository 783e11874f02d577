"""The report of a result: an HTML page, and small pictures of it."""
