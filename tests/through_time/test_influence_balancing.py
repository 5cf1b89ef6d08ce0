"""Where the far past outweighs the near past, truncation has the wrong sign, and learning goes uphill.

Source: Tallec and Ollivier (2018), "Unbiased online recurrent optimization", the experiment on influence balancing.
"""

import numpy as np
import pytest

import tinygrad_rnn as tg

UNITS = 23
A = 0.5 * (np.eye(UNITS) + np.eye(UNITS, k=1))
v = np.where(np.arange(UNITS) < 10, 1.0, -1.0)
S0 = np.ones((1, UNITS))


def balance(params, x, s):
    s = tg.ops.linear(s, params["A"]) + params["theta"] * v
    return s, s[:, :1]


def test_the_sign_is_wrong_until_the_window_is_long_enough():
    T = 120
    net = tg.unfold(balance, {"A": A, "theta": np.array([0.5])}, np.zeros((T, 1, 1)), np.ones((T, 1, 1)),
                    loss="squared_error", s0=S0)  # fmt: skip
    found = tg.influence(net, "theta")[-1, ::-1, 0].cumsum()
    # By hand: ds(T)/dtheta over K copies is the sum over z < K of A^z v, and dC/ds_1 is s_1 - 1.
    s = S0[0]
    for _ in range(T):
        s = A @ s + 0.5 * v
    power, by_hand = v, []
    for _ in range(T):
        by_hand.append(power[0])
        power = A @ power
    np.testing.assert_allclose(found, (s[0] - 1) * np.cumsum(by_hand), rtol=1e-10)
    assert (np.sign(found[:40]) == -np.sign(found[-1])).all()
    assert (np.sign(found[40:]) == np.sign(found[-1])).all()


@pytest.mark.parametrize(("K", "goes_down"), [(1, False), (10, False), (100, True)])
def test_a_short_window_learns_away_from_the_solution(K, goes_down):
    params, away = {"A": A, "theta": np.array([0.5])}, []
    given = np.zeros((600, 1, 1)), np.ones((600, 1, 1))
    for window in tg.truncated(balance, params, *given, k1=1, k2=K, loss="squared_error", s0=S0):
        params["theta"] = params["theta"] - 1e-4 * window.grads["theta"]
        away.append(abs(params["theta"][0] + 1 / 6))  # where the first unit comes to rest at 1
    assert (away[-1] < away[0] / 2) if goes_down else (away[-1] > 1.2 * away[0])
