"""Initialisers have the spectra that their names promise."""

import numpy as np
import pytest

from tinygrad_rnn.train import identity, orthogonal, scale_to_radius, scaled_normal, spectral_radius


@pytest.mark.parametrize("shape", [(5,), (5, 3), (3, 5)])
def test_all_singular_values_of_an_orthogonal_matrix_are_its_gain(shape):
    w = orthogonal(*shape, gain=1.5, rng=0)
    assert w.shape == (shape * 2)[:2]
    np.testing.assert_allclose(np.linalg.svd(w, compute_uv=False), 1.5)


def test_orthogonal_matrices_are_drawn_evenly():
    # Of an even draw the mean is zero; without the correction of the signs the diagonal's is not.
    mean = np.mean([orthogonal(3, rng=seed) for seed in range(2000)], axis=0)
    assert np.abs(mean).max() < 0.06


def test_an_orthogonal_matrix_keeps_the_length_of_an_error_and_a_normal_one_does_not():
    e = np.random.default_rng(1).normal(size=20)
    kept, other = orthogonal(20, rng=2), scaled_normal(20, gain=0.5, rng=2)
    assert np.linalg.norm(e @ np.linalg.matrix_power(kept, 50)) == pytest.approx(np.linalg.norm(e))
    assert np.linalg.norm(e @ np.linalg.matrix_power(other, 50)) < 1e-6


def test_the_identity_hands_on():
    np.testing.assert_array_equal(identity(3, scale=0.9), np.diag([0.9] * 3))


def test_the_sum_over_a_scaled_normal_row_keeps_the_variance():
    w = scaled_normal(300, 400, gain=2.0, rng=3)
    assert w.shape == (300, 400)
    assert w.std() * np.sqrt(400) == pytest.approx(2.0, rel=0.01)
    assert spectral_radius(scaled_normal(400, rng=4)) == pytest.approx(1.0, abs=0.1)


def test_the_spectral_radius():
    U = np.array([[0.0, -2.0], [2.0, 0.0]])  # a turn by a right angle, twice as long: eigenvalues +-2i
    assert spectral_radius(U) == pytest.approx(2.0)
    assert spectral_radius(scale_to_radius(U, 0.9)) == pytest.approx(0.9)
    np.testing.assert_allclose(scale_to_radius(U, 0.9), U * 0.45)


def test_the_same_seed_draws_the_same():
    np.testing.assert_array_equal(orthogonal(3, rng=5), orthogonal(3, rng=np.random.default_rng(5)))
    np.testing.assert_array_equal(scaled_normal(3, rng=5), scaled_normal(3, rng=5))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: orthogonal(0), "rows is 0"),
        (lambda: scaled_normal(2, 2.5), "columns is 2.5"),
        (lambda: identity(-1), "n is -1"),
        (lambda: spectral_radius(np.ones((2, 3))), r"\(2, 3\)"),
        (lambda: spectral_radius(np.full((2, 2), np.nan)), "finite"),
        (lambda: scale_to_radius(np.array([[0.0, 1.0], [0.0, 0.0]]), 1.0), "is 0"),
    ],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
