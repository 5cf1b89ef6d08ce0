"""A grammar of hostile traces: what runs, asks or leads elsewhere, in every place of a trace where text can stand.

Each is the JSON of a trace. Some must be refused, in a line; those that are taken must show text alone.
"""

import json
from contextlib import suppress
from dataclasses import asdict

import numpy as np

import tinygrad_rnn as tg

AWAY = "http://127.0.0.1:9/x"
RUN = "window.pwned=1"

# ---- what does something in a page
ELEMENTS = [
    f"<script>{RUN}</script>",
    f"<SCRIPT>{RUN}</SCRIPT>",
    f'<script href="data:text/javascript,{RUN}"/>',
    f'<script xmlns="http://www.w3.org/1999/xhtml">{RUN}</script>',
    f'<h:script xmlns:h="http://www.w3.org/1999/xhtml">{RUN}</h:script>',
    f'<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="{AWAY}"/></foreignObject>',
    f'<h:iframe xmlns:h="http://www.w3.org/1999/xhtml" src="{AWAY}"/>',
    f'<h:meta xmlns:h="http://www.w3.org/1999/xhtml" http-equiv="refresh" content="0;url={AWAY}"/>',
    f'<h:link xmlns:h="http://www.w3.org/1999/xhtml" rel="stylesheet" href="{AWAY}"/>',
    f'<h:img xmlns:h="http://www.w3.org/1999/xhtml" src="x" onerror="{RUN}"/>',
    f'<h:form xmlns:h="http://www.w3.org/1999/xhtml" action="{AWAY}"><h:input autofocus="1" onfocus="{RUN}"/></h:form>',
    f'<image href="{AWAY}"/>',
    f'<image xmlns:l="http://www.w3.org/1999/xlink" l:href="{AWAY}"/>',
    f'<feImage href="{AWAY}"/>',
    f'<use href="{AWAY}#a"/>',
    f'<a href="javascript:{RUN}"><text>a</text></a>',
    f'<a xmlns:l="http://www.w3.org/1999/xlink" l:href="{AWAY}"><text>a</text></a>',
    f'<animate attributeName="href" values="javascript:{RUN}"/>',
    f'<set attributeName="onmouseover" to="{RUN}"/>',
    f'<animate onbegin="{RUN}" attributeName="x" dur="1s"/>',
    f'<handler type="application/javascript">{RUN}</handler>',
    f"<title><g><script>{RUN}</script></g></title>",
    f'<desc><h:script xmlns:h="http://www.w3.org/1999/xhtml">{RUN}</h:script></desc>',
    f"<title><style>&lt;/style>&lt;script>{RUN}&lt;/script></style></title>",
    f"<text><style>&lt;/style>&lt;img src=x onerror={RUN}></style></text>",
    f"<style><g/>@import '{AWAY}';</style>",
    f"<style>@import '{AWAY}';</style>",
    f"<style>@\\69mport '{AWAY}';</style>",
    f"<style>*{{background:u\\72l({AWAY})}}</style>",
    f"<style>*{{background:\\75\\72\\6c({AWAY})}}</style>",
    f"<style>*{{background:image-set('{AWAY}' 1x)}}</style>",
    f"<style>@font-face{{font-family:a;src:u\\rl({AWAY})}}*{{font-family:a}}</style>",
    f"<style>/*</style><style>*/*{{background:url({AWAY})}}</style>",
    f"<style><![CDATA[</style><script>{RUN}</script>]]></style>",
    f"<style>&lt;/style>&lt;script>{RUN}&lt;/script></style>",
    "<style>body{display:none}.bptt-steps{display:none!important}</style>",
    f"<!--><script>{RUN}</script>-->",
    f"<!----!><script>{RUN}</script>-->",
    f"<!--<meta http-equiv='refresh' content='0;url={AWAY}'>-->",
    f"<!-- --!><img src='x' onerror='{RUN}'>-->",
    f"<?x ><script>{RUN}</script>?>",
    f"<?xml-stylesheet href='{AWAY}'?>",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"<text><![CDATA[<script>{RUN}</script>]]></text>",
    f"<text>&lt;script>{RUN}&lt;/script></text>",
    f"<text>&#60;img src=x onerror={RUN}&#62;</text>",
    f"<title>&lt;/title>&lt;script>{RUN}&lt;/script></title>",
    f"<title><![CDATA[</title></svg><script>{RUN}</script>]]></title>",
    f"<desc>&lt;/desc>&lt;/svg>&lt;script>{RUN}&lt;/script></desc>",
]
ATTRIBUTES = [
    f'onload="{RUN}"',
    f'onclick="{RUN}"',
    f'ONMOUSEOVER="{RUN}"',
    f'onbegin="{RUN}"',
    f'x:onload="{RUN}" xmlns:x="http://www.w3.org/2000/svg"',
    f'style="background:url({AWAY})"',
    f'style="fill:u\\72l({AWAY})"',
    'style="position:fixed;inset:0"',
    f'fill="url({AWAY}#a)"',
    f'fill="u\\72l({AWAY}#a)"',
    f'stroke="red);@import url({AWAY}"',
    'fill="x]{}*{display:none}["',
    f'marker-end="url({AWAY}#a)"',
    f'filter="url({AWAY}#a)"',
    f'clip-path="url({AWAY}#a)"',
    f'mask="url({AWAY}#a)"',
    f'href="{AWAY}"',
    f'href="javascript:{RUN}"',
    f'src="{AWAY}"',
    f'xml:base="{AWAY}"',
    f'cursor="url({AWAY}),auto"',
    f'id="a&quot;&gt;&lt;script&gt;{RUN}&lt;/script&gt;"',
    f'class="a&quot; onload=&quot;{RUN}"',
    f'font-family="a&quot;&gt;&lt;img src=x onerror={RUN}&gt;"',
    f'd="M0 0&quot; onload=&quot;{RUN}"',
    f'transform="translate(0)&quot; onload=&quot;{RUN}"',
    'data-go="play"',
    'class="bptt-steps bptt-live bptt-controls"',
    'data-c="1-0 x"',
    f'data-c="1-0&quot; onload=&quot;{RUN}"',
    f'data-via="a&quot;&gt;&lt;script&gt;{RUN}&lt;/script&gt;"',
    f'data-via="{AWAY}"',
    'data-k="1"',
    'tabindex="0"',
    'contenteditable="true"',
]
ROOTS = [
    f'<!DOCTYPE svg [<!ENTITY a "<script>{RUN}</script>">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
    f'<!DOCTYPE svg SYSTEM "{AWAY}"><svg xmlns="http://www.w3.org/2000/svg"/>',
    f'<!DOCTYPE svg [<!ENTITY a SYSTEM "{AWAY}">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
    '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
    f'<?xml-stylesheet href="{AWAY}"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="{RUN}"/>',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="a b c d"/>',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e999 1"/>',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan nan"/>',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 -1 1"/>',
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9&quot; onload=&quot;{RUN}"/>',
    f"<script>{RUN}</script>",
    f"<html><body onload='{RUN}'/></html>",
    f"<svg></svg><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    "",
]
# ---- what is text, and must stay it
TEXTS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</textarea></code></p><img src=x onerror={RUN}>",
    f'"><svg onload={RUN}>',
    f"' onmouseover={RUN} x='",
    f'" autofocus onfocus={RUN} x="',
    f"<!--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"{{{{ ''.__class__ }}}}{{% raw %}}<img src=x onerror={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<base href='{AWAY}/'>",
    f"javascript:{RUN}",
    f"\\u003cscript\\u003e{RUN}",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    "\u2028\u2029\x00\x1b]0;owned\x07\x1b[2J\u202e",
]
PLACES = ["title", "op", "text", "formula", "read", "number", "result", "before", "entry", "worked", "terms",
          "weight", "source", "node", "edge", "parent", "account", "column", "copies", "cell", "sum", "part", "id",
          "entries", "worked out", "texts", "percent", "costs", "product", "other", "cosine", "origins", "boxes",
          "gaps", "costs of", "bridges", "start", "differing", "errors"]  # fmt: skip


def small() -> tg.Trace:
    """A trace of one time step."""
    cell = tg.cells.Guo()
    return tg.trace(tg.unfold(cell, cell.init(1, 1, 2, rng=0), np.ones((1, 1, 1)), np.eye(2)[:1, None]))


def written(trace: tg.Trace, place: str, text: str) -> str:
    """The trace with a text in a place, as JSON."""
    data = json.loads(trace.to_json())
    moments, account = data["moments"], data["accounts"][0]
    matrix = next(each for each in data["accounts"] if each["id"] == "V")
    column = matrix["shares"][0]
    share = next(m for m in moments if m["phase"] == "backward")
    match place:
        case "title":
            data["title"] = text
        case "read":
            share["read"] = [[text, "1"]]
        case "number":
            share["read"] = [["a", text]]
        case "result":
            share["result"] = [text, text]
        case "before":
            share["before"] = share["after"] = text
        case "terms":
            for m in moments:
                m["terms"] = [[text, 0.5], ["b", -0.5]]
        case "account":
            account["weight"] = text
        case "column":
            account["columns"] = [text] * len(account["columns"])
        case "copies":
            account["rows"][0]["copies"] = text
        case "cell":
            account["rows"][0]["cells"] = [text] * len(account["columns"])
        case "sum":
            account["sums"][-1][1] = [text] * len(account["columns"])
        case "part":
            data["parts"][0]["name"] = text
        case "id":
            for each in data["accounts"]:
                each["id"] = text
        case "entries":
            matrix["entries"] = [text] * len(matrix["entries"])
        case "worked out":
            for m in moments:
                for entry in m["entries"]:
                    entry["worked"] = entry["value"] = text
        case "texts":
            for amount in (column["share"], column["so_far"], matrix["total"]):
                amount["texts"] = [text] * len(amount["texts"])
        case "percent":
            column["share"]["percent"] = column["share"]["length"] = matrix["total"]["percent"] = text
        case "costs":
            column["costs"] = [text]
        case "product":
            a, b = matrix["shape"]
            told = {"label": text, "error": [text, [text] * a], "read": [text, [text] * b], "entries": [text] * (a * b)}
            column["products"] = [told, told]
        case "other" | "cosine" | "errors":
            other = {"name": text, "reach": 1, "shares": [matrix["total"]], "total": matrix["total"], "cosine": text}
            matrix["others"] = [other | {"errors": [[text] * matrix["shape"][0]]}]
        case "origins":
            for m in moments:
                m["origins"] = [[text, text]] * len(m["read"])
        case "boxes":
            data["figure"]["boxes"] = [[moments[0]["node"], text], [text, text]]
        case "gaps":
            data["figure"]["gaps"] = [text]
        case "costs of":
            data["costs"] = [[text, 1]]
        case "bridges":
            data["bridges"] = [[text, text]]
        case "differing":
            data["differing"] = [text]
        case "start":
            data["start"] = [text, 1]
        case _:
            for m in moments:
                m[place] = text
    return json.dumps(data)


def traces() -> list[tuple[str, str]]:
    """All of them: a name that says where what stands, and the JSON."""
    trace = small()
    data = asdict(trace)
    whole = json.loads(trace.to_json())
    head, tail = data["svg"].split("<style>", 1)[0], data["svg"].rpartition("</svg>")[0].split("</style>", 1)[1]
    pictures = [(f"svg {each}", f"{head}{tail}{each}</svg>") for each in ELEMENTS]
    pictures += [(f"in g {each}", f"{head}<g>{each}</g>{tail}</svg>") for each in ELEMENTS]
    pictures += [(f"g {each}", f"{head}{tail}<g {each}/></svg>") for each in ATTRIBUTES]
    pictures += [(f"path {each}", f"{head}{tail}<path {each}/></svg>") for each in ATTRIBUTES]
    pictures += [(f"root {each}", each) for each in ROOTS]
    found = [(name, json.dumps(whole | {"svg": picture})) for name, picture in pictures]
    # The textbook picture is read as every other: a part of the list must do.
    some = [(name, {**whole["figure"], "svg": picture}) for name, picture in pictures[::5]]
    found += [(f"figure {name}", json.dumps(whole | {"figure": figure})) for name, figure in some]
    for k, text in enumerate(TEXTS):
        # Each text in some places, each place with some texts; in the title, all.
        places = dict.fromkeys(["title", *(PLACES[(3 * k + j) % len(PLACES)] for j in range(7))])
        found += [(f"{place}: {text}", written(trace, place, text)) for place in places]
    return found


def taken() -> list[tuple[str, tg.Trace]]:
    """Those that are read; any other error than ValueError is a finding."""
    found = []
    for name, text in traces():
        with suppress(ValueError):
            found.append((name, tg.Trace.from_json(text)))
    return found
