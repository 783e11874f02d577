"""Many all-in accounts on one symbol, each walked from order to order rather than from bar to bar."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled, inlined
from windtunnel.engine.sweep.codes import KEEP, SHORT
from windtunnel.engine.sweep.figures import figures
from windtunnel.engine.sweep.tape import Tape, first_at_most, hold, mark, stream
from windtunnel.engine.terms import DUST

__all__ = ["segments"]

_PATTERN = (0x0000000000000000, 0x0101010101010101, 0x0202020202020202)
_SHORT = 0xFFFFFFFFFFFFFFFF


@inlined
def _pattern(code: int) -> Any:
    """Return eight bars of a code."""
    if code == SHORT:
        return np.uint64(_SHORT)
    if code == 1:
        return np.uint64(_PATTERN[1])
    return np.uint64(_PATTERN[2]) if code == KEEP else np.uint64(0)


@inlined
def _lowest(word: Any) -> int:
    """Return the place of the lowest byte that is not 0."""
    place = 0
    if word & np.uint64(0xFFFFFFFF) == np.uint64(0):
        place += 4
        word >>= np.uint64(32)
    if word & np.uint64(0xFFFF) == np.uint64(0):
        place += 2
        word >>= np.uint64(16)
    return place + int(word & np.uint64(0xFF) == np.uint64(0))


@inlined
def _run_end(words: Any, code: int, start: int, rows: int) -> int:
    """Return the first bar from ``start`` on whose code is another; ``rows`` if none is."""
    if start >= rows:
        return rows
    pattern = _pattern(code)
    place = start >> 3
    word = (words[place] ^ pattern) >> np.uint64(8 * (start & 7))
    if word != np.uint64(0):
        return min(rows, start + _lowest(word))
    place += 1
    while place < len(words):
        word = words[place] ^ pattern
        if word != np.uint64(0):
            return min(rows, 8 * place + _lowest(word))
        place += 1
    return rows


@inlined
def _next_signal(codes: Any, words: Any, table: Any, start: int, rows: int) -> int:
    """Return the first bar from ``start`` on that opens or flips; ``rows`` if none does.

    ``table`` holds the answer for every bar, or nothing.
    """
    if len(table) > 0:
        return table[start] if start < rows else rows
    t = start
    if 0 < t < rows and (codes[t] == 1 or codes[t] == SHORT) and codes[t] == codes[t - 1]:
        t = _run_end(words, codes[t], t + 1, rows)
    while t < rows and codes[t] != 1 and codes[t] != SHORT:
        t = _run_end(words, codes[t], t + 1, rows)
    return t


@inlined
def _next_change(codes: Any, words: Any, start: int, rows: int) -> int:
    """Return the first bar after ``start`` that asks for another side than there; ``rows`` if none does.

    Of the codes only 1 and KEEP have two lowest bits that differ, which is looked at in eight bars at once.
    """
    if codes[start] == SHORT:
        return _run_end(words, SHORT, start + 1, rows)
    ones = np.uint64(_PATTERN[1])
    place = (start + 1) >> 3
    skipped = np.uint64(8 * ((start + 1) & 7))
    while place < len(words):
        word = words[place]
        other = ((((word ^ (word >> np.uint64(1))) & ones) ^ ones) >> skipped) << skipped
        if other != np.uint64(0):
            return min(rows, 8 * place + _lowest(other))
        place += 1
        skipped = np.uint64(0)
    return rows


@inlined
def _touch(tape: Tape, side: float, stop: float, target: float, start: int, end: int, known: Any) -> int:
    """Return the first bar before ``end`` that touches stop or target; ``end`` if none does.

    ``known`` holds, by the bar at which the search began, where the stop was touched; -1 where not known.
    """
    bar = end
    if not np.isnan(stop):
        if known[start] < 0:
            known[start] = (
                first_at_most(tape, tape.low, 3, stop, start, end)
                if side > 0.0
                else first_at_most(tape, tape.high, 4, -stop, start, end)
            )
        bar = known[start]
    if not np.isnan(target):
        edge = min(bar + 1, end)
        reached = (
            first_at_most(tape, tape.high, 4, -target, start, edge)
            if side > 0.0
            else first_at_most(tape, tape.low, 3, target, start, edge)
        )
        bar = min(bar, reached)
    return bar


@inlined
def _left_at(tape: Tape, side: float, stop: float, target: float, bar: int) -> tuple[float, bool]:
    """Return the price at which a position leaves the bar that touches a level, and whether at its target."""
    open_ = tape.open[bar]
    worst = tape.low[bar] if side > 0.0 else tape.high[bar]
    if side * (open_ - target) >= 0.0:
        return open_, True
    if side * (worst - stop) <= 0.0:
        return (min(open_, stop) if side > 0.0 else max(open_, stop)), False
    return target, True


@inlined
def _trade(terms: Any, held: Any, units: float, price: float, slip: float) -> Any:
    """Fill so that ``units`` are held; return the holding, and 1 if a trade ended and won.

    ``held`` is cash, units, the price paid for them and the fee. A fill that turns a position around divides
    its fee by units.
    """
    cash, before, entry, entry_fee = held
    traded = units - before
    paid = price * (1.0 + slip) if traded > 0.0 else price * (1.0 - slip)
    fee = terms.fees * abs(traded) * paid + terms.fee_fixed
    ended = 0.0
    if units == 0.0:
        ended = fee
    elif before != 0.0:
        ended = fee * abs(before / traded)
    won = before * (paid - entry) - entry_fee - ended > DUST * abs(before) * entry
    return (cash - traded * paid - fee, units, paid, fee - ended), int(won)


@inlined
def _wanted(terms: Any, held: Any, side: float, price: float) -> float:
    """Return the units that are all of the equity, on a side, that the costs leave; 0 for none."""
    cash, before, _, _ = held
    slip = terms.slippage
    equity = cash + before * price
    room = equity - terms.fee_fixed
    if before != 0.0:
        room -= abs(before) * price * (slip + terms.fees * (1.0 - slip if before > 0.0 else 1.0 + slip))
    share = terms.long_share if side > 0.0 else terms.short_share
    notional = min(equity, room * share)
    return side * notional * (1.0 / price) if notional > DUST * equity and equity > 0.0 else 0.0


@inlined
def _side(code: int, terms: Any) -> float:
    """Return the side that a code asks for, 0 where the rules forbid it."""
    side = 1.0 if code == 1 else -1.0 if code == SHORT else 0.0
    return 0.0 if side > terms.most or side < terms.least else side


@inlined
def _level(entry: float, side: float, share: float) -> float:
    return entry * (1.0 + side * share) if share != 0.0 else np.nan


@inlined
def _note(edges: Any, sums: Any, noted: int, upto: int, path: Any) -> int:
    """Write Σr and Σr² so far at every edge up to a bar; return how many edges are written."""
    while noted < len(edges) and edges[noted] <= upto:
        sums[noted, 0], sums[noted, 1] = path[0], path[1]
        noted += 1
    return noted


@inlined
def _carry(
    tape: Tape, side: float, held: Any, start: int, stop: int, path: Any, edges: Any, sums: Any, noted: int
) -> Any:
    """Carry a position over the closes from ``start`` to ``stop``, stopping at edges on the way.

    Return the bar at whose close equity is gone, or ``stop``; the path; and how many edges are written.
    """
    while start < stop:
        end = stop
        if noted < len(edges) and edges[noted] < stop:
            end = max(start, edges[noted])
        if side > 0.0 and len(tape.sums) > 0:
            path = hold(tape, held[1], start, end, path)
        else:
            gone, path = stream(tape.close, held[0], held[1], start, end, path)
            if gone < end:
                return gone, path, noted
        noted = _note(edges, sums, noted, end, path)
        start = end
    return stop, path, noted


@inlined
def _walk(
    tape: Tape,
    codes: Any,
    words: Any,
    terms: Any,
    cash: float,
    table: Any,
    known: Any,
    edges: Any,
    sums: Any,
) -> Any:
    """Carry one account over all bars; return its path, trades and wins.

    At the bars ``edges``, Σr and Σr² of the bars before are written to ``sums``.
    """
    rows, later = len(tape.close), 0 if terms.at_close != 0.0 else 1
    prices = tape.open if later else tape.close
    path, held = (0.0, 0.0, cash, cash, 1.0), (cash, 0.0, 0.0, 0.0)
    trades, wins, cooldown = 0, 0, int(terms.cooldown)
    change, asked, noted = 0, 0.0, 0
    t = _next_signal(codes, words, table, 0, rows)
    while t + later < rows:
        side, bar = _side(codes[t], terms), t + later
        if held[1] == 0.0:
            units = _wanted(terms, held, side, prices[bar]) if side != 0.0 else 0.0
            if units == 0.0:
                t = _next_signal(codes, words, table, t + 1, rows)
                continue
            held, _ = _trade(terms, held, units, prices[bar], terms.slippage)
        if t >= change or side != asked:
            change, asked = _next_change(codes, words, t, rows), side
        end, last = min(rows, change + later), min(rows, change + 1)
        stop, target = _level(held[2], side, -terms.stop_share), _level(held[2], side, terms.target_share)
        touched = last
        if terms.stop_share + terms.target_share > 0.0:
            first = bar + 1 - later
            touched = _touch(tape, side, stop, target, first, last, known) if first < last else last
        ended = min(touched, end)
        gone = ended
        noted = _note(edges, sums, noted, bar, path)
        if ended > bar:
            path = mark(held[0] + held[1] * tape.close[bar], path)
            noted = _note(edges, sums, noted, bar + 1, path)
            gone, path, noted = _carry(tape, side, held, bar + 1, ended, path, edges, sums, noted)
        price, slip, units, again = 0.0, terms.slippage, 0.0, change + 1
        if gone < ended:
            price = tape.close[gone]
        elif touched < last:
            price, at_target = _left_at(tape, side, stop, target, touched)
            slip = 0.0 if at_target else slip
            again = max(touched + cooldown, t + 1)
        elif end < rows:
            price = prices[end]
            turned = _side(codes[change], terms)
            units = _wanted(terms, held, turned, price) if turned != 0.0 else 0.0
            again = max(change + 1, end + cooldown)
        else:
            trades += 1
            won = held[1] * (tape.close[rows - 1] - held[2]) - held[3]
            wins += won > DUST * abs(held[1]) * held[2]
            break
        held, won = _trade(terms, held, units, price, slip)
        trades += 1
        wins += won
        if gone < ended or (held[0] <= 0.0 and units == 0.0):
            path = mark(held[0], path)
            break
        if units != 0.0:
            t = change
            continue
        t = _next_signal(codes, words, table, again, rows)
        side = _side(codes[t], terms) if t + later == ended else 0.0
        units = _wanted(terms, held, side, prices[ended]) if side != 0.0 else 0.0
        if units != 0.0:
            held, _ = _trade(terms, held, units, prices[ended], terms.slippage)
        else:
            path = mark(held[0], path)
    _note(edges, sums, noted, rows, path)
    return path, trades, wins


@inlined
def _tabulate(codes: Any, table: Any) -> None:
    """Write the next signal from every bar on."""
    rows = len(table)
    following = rows
    for t in range(rows - 1, -1, -1):
        asks = codes[t] == 1 or codes[t] == SHORT
        if asks and (t == 0 or codes[t] != codes[t - 1]):
            following = t
        table[t] = following


@inlined
def _same_stops(row: Any, terms: Any, k: int) -> bool:
    """Say whether an item enters as the one before does, and at the same distance from its stops."""
    now, before = terms[k], terms[k - 1]
    same = row[k] == row[k - 1] and now.stop_share == before.stop_share and now.slippage == before.slippage
    return bool(same and now.at_close == before.at_close)


@compiled
def segments(
    tape: Tape,
    codes: Any,
    words: Any,
    row: Any,
    terms: Any,
    cash: float,
    periods: float,
    edges: Any,
    out: Any,
    sums: Any,
) -> None:
    """Run an account for each item and write its total return, Sharpe ratio, drawdown, trades and win rate.

    Parameters
    ----------
    tape : Tape
        Of T bars, all present.
    codes, words : array of uint8, ``[R, 8 W]``, and the same memory as uint64, ``[R, W]``
        Exposure of each bar: 0, 1, SHORT or KEEP; both of the latter never in one row. Padded to whole words.
    row, terms : array, ``[K]``
        The row of ``codes`` and the record of terms of each item.
    cash, periods : float
        Starting cash; bars in a year.
    edges : array of int64, ``[S]``
        Bars, in order, at which to write what the returns before them add up to.
    out : array of float64, ``[K, 5]``
    sums : array of float64, ``[K, S, 2]``
    """
    rows = len(tape.close)
    known, table, tabled = np.full(rows, -1), np.empty(rows, np.int64), -1
    for k in range(len(row)):
        if row[k] != tabled and k + 1 < len(row) and row[k + 1] == row[k]:
            _tabulate(codes[row[k]], table)
            tabled = row[k]
        if k > 0 and terms[k].stop_share > 0.0 and not _same_stops(row, terms, k):
            known[:] = -1
        path, trades, wins = _walk(
            tape,
            codes[row[k]],
            words[row[k]],
            terms[k],
            cash,
            table[: rows if row[k] == tabled else 0],
            known,
            edges,
            sums[k],
        )
        figures(rows, cash, periods, path, float(trades), float(wins), out[k])
