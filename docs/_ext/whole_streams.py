"""What a cell printed, as it printed it: the same bytes in every build.

A kernel sends its output in pieces, cut wherever a clock happened to tick. MyST-NB merges the pieces, but ends
each with a line break of its own, so that a line may fall apart in one build and not in the next. Here
pieces that follow one another are joined first.
"""

from myst_nb.core import render
from nbformat import NotebookNode
from sphinx.application import Sphinx

merge_pieces = render.coalesce_streams


def coalesce_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            joined.append(output)
    return merge_pieces(joined)


def setup(_: Sphinx) -> dict[str, bool]:
    render.coalesce_streams = coalesce_streams
    return {"parallel_read_safe": True}
