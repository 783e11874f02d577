"""The compiled engine against the plain reference, on random markets, and the identities of accounting."""

from __future__ import annotations

import numpy as np
from engine_cases import Case, cases
from hypothesis import given

from windtunnel.engine import simulate
from windtunnel.engine.reference import reference


def assert_same(fast: object, slow: object, scale: float) -> None:
    for name in ("equity", "cash", "gross", "carry", "unpaid"):
        np.testing.assert_allclose(
            getattr(fast, name), getattr(slow, name), rtol=1e-9, atol=1e-9 * scale, err_msg=name
        )
    for name in ("bar", "symbol", "reason", "at_close"):
        np.testing.assert_array_equal(getattr(fast.fills, name), getattr(slow.fills, name), err_msg=name)
    for name in ("units", "price", "fee", "slippage", "position", "carry", "stop"):
        np.testing.assert_allclose(
            getattr(fast.fills, name), getattr(slow.fills, name), rtol=1e-9, atol=1e-9 * scale, err_msg=name
        )


@given(cases())
def test_kernel_equals_reference(case: Case) -> None:
    bars, orders, rules = case.bars, case.orders, case.rules
    fast, slow = simulate(bars, orders, rules), reference(bars, orders, rules)
    assert_same(fast, slow, max(rules.cash, float(np.abs(slow.gross).max())))
