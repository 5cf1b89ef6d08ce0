"""Citations without the ARIA roles that docutils gives them: some are deprecated, and its list has no list items."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def visit(self: HTML5Translator, node: nodes.citation) -> None:
    before = len(self.body)
    HTML5Translator.visit_citation(self, node)
    for role in (' role="list"', ' role="doc-biblioentry"'):
        self.body[before:] = [text.replace(role, "") for text in self.body[before:]]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(nodes.citation, override=True, html=(visit, None))
    return {"parallel_read_safe": True}
