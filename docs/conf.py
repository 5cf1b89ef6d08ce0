"""Sphinx configuration. `nox -s docs` builds the site; it opens from disk, without a network."""

import sys
from importlib.metadata import metadata
from pathlib import Path

HERE = Path(__file__).parent
# tests/ has layers.py, which reads the package's imports, and view/gallery.py, which draws all pictures
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "tests"), str(HERE.parent / "tests/view")]

project = "tinygrad_rnn"
author = "The tinygrad_rnn authors"
copyright = "2026, The tinygrad_rnn authors"
package = metadata("tinygrad-rnn")
release = version = package["Version"]

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "whole_streams",
    "tinygrad_rnn.view.sphinx",
    # docs/_ext: what these pages take from the code, formulas, links, pictures of the lessons, and a mended detail
    "generated",
    "formulas",
    "cross_links",
    "slides",
    "bibliography_roles",
]
exclude_patterns = ["_build", "_ext", "_generated", "conf.py", "jupyter_execute"]

# -- Lessons: percent-format files, executed at build ----------------------------------------------------

nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"  # a cache would keep what an older library computed
nb_execution_raise_on_error = True
nb_execution_in_temp = True  # a lesson may write files
nb_execution_timeout = 300  # seconds a cell; on a machine that has other work too, the longest take half of it
nb_output_stderr = "warn"  # a Python warning in a lesson is a warning of the build, and so an error
nb_merge_streams = True
nb_render_markdown_format = "myst"  # of what shows itself in Markdown, its formulas are read too
nb_ipywidgets_js = {}  # by default: scripts from a CDN

# -- Text and mathematics ----------------------------------------------------------------------------------

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"

html_math_renderer = "mathml"  # docs/_ext/formulas.py; the default is a program on a CDN

# -- API -----------------------------------------------------------------------------------------------------

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # autodoc lists them; twice is once too often
nitpick_ignore_regex = [
    # Other projects' names: linking them needs their inventories, that is, a network. Ours are all checked.
    (r"py:.*", rf"(np|numpy|nx|networkx|graphviz|matplotlib|IPython|{'|'.join(sys.stdlib_module_names)})\..*"),
    (r"py:.*", r"tinygrad_rnn\.autodiff\.passes\.[VL]"),  # type variables
    # What a public function hands on or reads, and nobody makes: it has no page.
    (r"py:class", r"tinygrad_rnn\.train\.(forecasting\.(Told|Score)|listener\.Listener|baselines\.Autoregression)"),
    (r"py:.*", r"tinygrad_rnn\.experiments\.many_weights\.ManyWeights"),
    (r"py:.*", r"Watched"),  # its module needs PyTorch
    (r"py:.*", r"(Array|NDArray|ArrayLike|Axes|Path|Callable|Iterator|Iterable|Mapping|Sequence|Any)"),
]

# -- Pages ---------------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "tinygrad_rnn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("site.js", "cards.js", "predictions.js")]
templates_path = ["_templates"]
html_theme_options = {
    "navigation_with_keys": False,  # the arrow keys belong to the stepper
    "top_of_page_buttons": [],  # the text of a page is linked below it
}

# Where the link below each page leads: what pyproject.toml calls Issues; if that is empty, the page feedback.md.
urls = dict(entry.split(", ", 1) for entry in package.get_all("Project-URL", []))
html_context = {"feedback_url": urls.get("Issues", "")}
