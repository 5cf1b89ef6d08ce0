"""Why no test can notice a mutant: `equivalent.toml`, read."""

import tomllib
from pathlib import Path


def reason(file: str, line: str, mutant: str) -> str:
    """Why nobody notices that a line of a file became another one; empty if that has not been said."""
    said = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text("utf-8"))
    before, after = ("".join(text.split()) for text in (line, mutant))
    for one in [*said["everywhere"], *said.get(file, ())]:
        was, becomes = ("".join(one[part].split()) for part in ("was", "is"))
        places = (k for k in range(len(before)) if before.startswith(was, k))
        if any(before[:k] + becomes + before[k + len(was) :] == after for k in places):
            return one["why"]
    return ""
