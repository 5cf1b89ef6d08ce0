"""The site's search, with Sphinx's own script: what a student would type finds the page that explains it."""

from pathlib import Path

import pytest

PAGES = {
    "lessons/02_ordered_derivatives": "chain rule, ordered derivative, total derivative",
    "lessons/03_four_wrong_tapes": "reverse mode, automatic differentiation",
    "lessons/04_definitions": "hidden state, initial state, activation function",
    "lessons/05_error_propagation": "backpropagation, cross-entropy, softmax, bias",
    "lessons/06_unfolding": "BPTT, backpropagation through time, unrolling, unfolding",
    "lessons/07_matrix_form": "matrix form, learning rate, outer product",
    "lessons/08_errata": "errata, misprint",
    "lessons/09_why_added": "tied weights, shared weights, weight sharing",
    "lessons/10_influence": "influence matrix, credit assignment",
    "lessons/11_truncation": "truncation, truncated backpropagation, stateful",
    "lessons/13_vanishing_and_exploding": "vanishing, exploding, vanishing gradient, Jacobian, gradient clipping",
    "lessons/14_lstm_and_gru": "LSTM, GRU, forget gate",
    "lessons/15_real_time": "RTRL, UORO, online learning",
    "lessons/17_memory": "memory, checkpointing",
    "lessons/18_focused": "e-prop, eligibility trace",
    "lessons/19_bug_museum": "gradient check",
    "lessons/21_a_language_model": "language model, perplexity, Adam",
    "lessons/22_your_own_cell": "minimal gated unit, MGU, custom cell",
    "lessons/23_forecasting_a_laser": "forecasting, persistence, autoregression, NMSE",
    "lessons/24_would_evolution_do": "evolution strategy, gradient-free, random search",
    "lessons/25_the_error_surface": "error surface, loss landscape, local optima, chaos, bifurcation",
    "lessons/26_how_sensitive": "hyperparameter, grid search",
    "glossary": "adjoint, cotangent, delta, tangent",
    "changing_cells": "dropout, teacher forcing, scheduled sampling, layer normalisation, padding mask, many-to-one",
    "notation": "batch, PyTorch",
    "howto": "momentum, CSV, resume",
    "training": "log.jsonl, command line",
    "gallery": "picture, SVG",
    "lessons": "exercises",
}

# What the page lists, best first; Sphinx keeps its results the other way round.
FOUND = """query => Search._performSearch(...Search._parseQuery(query)).reverse().slice(0, 3).map(([page]) => page)"""


@pytest.fixture(scope="module")
def search(site, visit):
    page = visit(site / "search.html").page
    page.wait_for_function("() => Search.hasIndex()")
    yield lambda query: page.evaluate(FOUND, query)
    page.close()


@pytest.mark.parametrize(("page", "query"), [(page, query) for page in PAGES for query in PAGES[page].split(", ")])
def test_the_page_is_among_the_first_three(search, page, query):
    assert page in search(query)


def test_the_list_that_a_reader_sees_is_this_one(site, visit, search):
    page = visit(site / "search.html").page
    page.goto(f"{page.url}?q=truncation")
    page.wait_for_selector("#search-results .search-summary:has-text('found')")
    links = page.locator("#search-results ul.search > li > a").evaluate_all("links => links.map(a => a.pathname)")
    shown = [Path(link).relative_to(site.resolve()).with_suffix("").as_posix() for link in links[:3]]
    assert shown == search("truncation")
    page.close()
