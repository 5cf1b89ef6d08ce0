"""Names that have broken programs, and a picture that is full of them."""

import numpy as np

import tinygrad_rnn as tg

NAMES = [
    "<b>bold</b>",
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "trailing\\",
    "new\nline",
    "{a|b}",
    "[square](round)",
    "&amp;",
    "&#60;",
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "]]><!-- -->",
    '"];evil[label="x',
    "javascript:alert(1)",
    "click n1 call alert(1)",
    "%%{init: {}}%%",
    "<",
    "<<B>html</B>>",
    "\\N",
    "\\GE",
    "שלום",
    "\u202eright to left override",
    "naïve 名前 ŷ",
    "🙂👩‍👩‍👧",
    "e\u0301 combining",
    "tab\tnul\0escape\x1b[31m",
    "half a pair \ud83d",
    "not a character \uffff",
    "a_b_c",
    "end",
    " ",
    "",
    "x" * 300,
]


def picture(name):
    """A network whose weight, caption and frame all bear this name."""

    def cell(params, x, s):
        return tg.ops.tanh(tg.ops.linear(s, params[name]), name=name), s

    params, x, d = {name: np.ones((2, 2))}, np.ones((2, 1, 1)), np.ones((2, 1, 2))
    net = tg.unfold(cell, params, x, d, loss="squared_error", s0=np.ones((1, 2)))
    net.backward()
    return net, tg.draw(net, captions={"x": [name, name]})
