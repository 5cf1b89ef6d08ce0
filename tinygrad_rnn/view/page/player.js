/* Plays what the page holds. Every number stands in it as text; here classes are switched and texts are chosen, and no
   number is worked out but the reader's own guess. Without JavaScript the page shows picture, ledgers and steps. */
(() => {
  "use strict";
  const el = (tag, set = {}, ...kids) => {
    const { data, aria = {}, ...rest } = set, made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, data);
    for (const name in aria) made.setAttribute(`aria-${name}`, aria[name]);
    made.append(...kids.filter((kid) => kid !== null));
    return made;
  };
  const button = (textContent, onclick, set) => el("button", { type: "button", textContent, onclick, ...set });
  const signed = (text) => (text.startsWith("−") ? `(${text})` : text), bare = (percent) => percent.replace(" %", "");

  function mount(root) {
    if (root.classList.contains("bptt-playing")) return;
    const $ = (what) => root.querySelector(what), $$ = (what) => [...root.querySelectorAll(what)];
    const D = JSON.parse($(".bptt-data").textContent), { steps, weights, cols } = D;
    const items = $$(".bptt-steps > li"), ids = items.map((li) => li.id), leds = $$(".bptt-led"), fig = $(".bptt-fig"), said = $(".bptt-said"), scroller = $(".bptt-scroll");
    const [slider, reach, copies, predict] = ["slider", "reach", "copies", "predict"].map((role) => $(`[data-role=${role}]`));
    const textOf = (at, what) => at?.querySelector(what)?.textContent ?? "", text = (k) => textOf(items[k], ".f"), gives = (k) => text(k).split(/ \+?= /)[0];
    const single = (c) => cols[c][0] === cols[c][1], when = (c) => (single(c) ? cols[c][0] : cols[c].join("…"));
    const copy = (w, c) => (single(c) ? `${weights[w].name}(${cols[c][0]})` : `${weights[w].name}, t = ${cols[c].join(" to ")}`);

    // What the tape says: who hands its error to whom, on which lines; which boxes are copies, and which are costs.
    const many = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));
    const into = new Map(), made = new Map(), bridged = new Map(), lines = new Map(), shares = new Map(), nodes = new Map();
    const whole = D.boxes.length === 0, boxes = new Map(D.boxes), home = (node) => (whole ? node : boxes.get(node));
    const part = (id) => (id ? fig.querySelector(`#${CSS.escape(`${root.id}-${whole ? "" : "f-"}${id}`)}`) : null), box = (node) => part(home(node));
    const isHome = (node) => Boolean(node) && home(node) === node;
    steps.forEach((s, k) => (s.b ? many(into, s.to, k) : made.set(s.node, k)));
    for (const [before, after] of D.bridges) many(bridged, before, after);
    for (const line of fig.querySelectorAll("[data-c]")) for (const edge of line.dataset.c.split(" ")) many(lines, edge, line);
    for (const node of new Set([...into.keys(), ...made.keys()])) if (box(node)) many(nodes, box(node), node);
    weights.forEach((w, j) => w.rows.forEach((row, c) => isHome(row.copy) && shares.set(box(row.copy), [j, c])));
    const costs = new Map(D.costs.map(([node, t]) => [box(node), cols.findIndex(([a, b]) => a <= t && t <= b)]));
    const boxAt = (at) => [at, at?.parentNode, at && fig.querySelector(`#${CSS.escape(at.id.replace(/_name$/, ""))}`)].find((each) => nodes.has(each));
    const tiles = new Map($$(".bptt-led .cell").map((cell) => [cell, cell.querySelector(".tile")]));
    const shades = (cell) => [...tiles.get(cell).children].map((each) => 100 * parseFloat(each.style.getPropertyValue("--a")));
    weights.forEach((w, j) => [w.total, ...w.rows].forEach((amount, c) => { amount.a = shades(leds[j].children[c]); }));

    // Which share is looked at (weight, column, entry); which step and entry of it, if any, and from where one came there.
    const S = { w: 0, c: 0, e: 0, k: null, i: 0, trail: [], alone: null, sample: 0, film: null }, guessed = new Set();
    let path = [];
    const W = () => weights[S.w], row = () => W().rows[S.c], walking = () => S.k !== null && !S.trail.length;
    const other = () => W()?.others.find((each) => each.name === reach?.value) ?? null;

    // ---- the road of an error: back from a copy to the costs that it came from
    function road(node, found = new Set(), seen = new Set()) {
      seen.add(node);
      for (const k of into.get(node) ?? []) if (found.add(k) && !seen.has(steps[k].node)) road(steps[k].node, found, seen);
      for (const far of bridged.get(node) ?? []) if (!seen.has(far)) road(far, found, seen).gap = true;
      return found;
    }
    const time = (s) => s.t ?? steps[made.get(s.to)]?.t;

    // ---- the picture; a line's way back has its head at the other end
    fig.querySelector("svg").append($(".bptt-head").content.querySelector("defs").cloneNode(true));
    fig.querySelector("marker").id = `${root.id}-back`;
    fig.style.setProperty("--back", `url(#${root.id}-back)`);
    function carry(k, lost) {
      const { edge, l, node, to } = steps[k], e = (l[S.alone === null ? 0 : S.alone + 1] ?? l[0]) / 100;
      for (const line of lines.get(edge) ?? []) {
        line.classList.add(lost ? "lost" : "way");
        line.style.setProperty("--e", Math.max(e, parseFloat(line.style.getPropertyValue("--e")) || 0).toFixed(2));
      }
      if (!lost) for (const each of [node, to]) box(each)?.classList.add("on");
    }
    function picture() {
      for (const name of ["way", "lost", "on", "now", "fwd", "sel", "hov"]) {
        for (const each of fig.querySelectorAll(`.${name}`)) { each.classList.remove(name); each.style.removeProperty("--e"); }
      }
      const s = steps[S.k], o = other(), here = box(s?.b ? s.to : s?.node);
      root.style.setProperty("--w", leds[S.w]?.style.getPropertyValue("--w") ?? "");
      root.classList.toggle("lit", !walking() || s.b === 1);
      for (const [each, [w]] of shares) each.classList.toggle("copyof", w === S.w);
      if (walking()) { if (s.b) for (let k = 0; k <= S.k; k++) if (steps[k].b) carry(k); }
      else if (S.alone !== null) steps.forEach((each, k) => each.b && each.l[S.alone + 1] && carry(k));
      else {
        const found = road(row().copy);
        for (const k of found) carry(k, o?.reach && time(steps[k]) - cols[S.c][0] >= o.reach);
        if (found.gap) for (const id of D.gaps) part(id)?.classList.add("way");
        if (isHome(row().copy)) box(row().copy)?.classList.add("sel");
        part(`t${cols[S.c][0]}`)?.classList.add("sel");
      }
      if (s?.b) for (const line of lines.get(s.edge) ?? []) line.classList.add("now");
      else if (s) for (const [edge, all] of lines) if (edge.startsWith(`${s.node.slice(1)}-`)) for (const line of all) line.classList.add("fwd");
      here?.classList.add(s.b ? "now" : "fwd");
      bring(here ?? leds[S.w]?.children[S.c + 1], scroller);
      const pic = $(".bptt-pic:not([hidden])"), op = pic?.querySelector(`#${CSS.escape(`${root.id}-${s ? (s.b ? s.to : s.node) : row().copy}`)}`);
      for (const each of pic?.querySelectorAll(".now") ?? []) each.classList.remove("now");
      op?.classList.add("now");
      bring(op, pic);
    }
    /* Scrolls a picture inside its own place; the page stays where it is. */
    function bring(each, place) {
      if (!each || !place) return;
      const a = each.getBoundingClientRect(), b = place.getBoundingClientRect();
      if (a.left < b.left || a.right > b.right) place.scrollLeft += a.left + a.width / 2 - b.left - b.width / 2;
      if (place !== scroller) place.scrollTop += a.top + a.height / 2 - b.top - b.height / 2;
    }

    // ---- the ledger
    function paint(tile, a, name = "tile") {
      [...tile.children].forEach((each, i) => { each.style.setProperty("--a", a[i] / 100); each.className = i === S.e && W().names.length > 1 ? "pick" : ""; });
      tile.classList.toggle("was", name === "was");
      return tile;
    }
    function fill(cell, now, was, shown, from) {
      const [, place, percent, entry, last] = cell.children, tile = paint(tiles.get(cell), now.a), two = was && `${was.a}` !== `${now.a}`;
      place.replaceChildren(...(two ? [paint(tile.cloneNode(true), was.a, "was")] : []), tile);
      place.classList.toggle("two", Boolean(two));
      percent.replaceChildren(...(was && was.p !== now.p ? [el("s", {}, bare(was.p)), ` ${bare(now.p)}`] : [now.p]));
      entry.textContent = shown ?? "";
      last.replaceChildren(from);
    }
    const veiled = () => predict.checked && !guessed.has(asked()) && (S.k !== null ? Boolean(steps[S.k].ask) : S.alone === null && W().names.length > 1);
    function ledger() {
      leds.forEach((led, w) => { led.hidden = w !== S.w; });
      if (!weights.length) return;
      const w = W(), o = other(), [sum, ...cells] = leds[S.w].children, now = walking() ? steps[S.k].n : Infinity;
      const here = w.rows.filter((r) => r.n <= now).sort((a, b) => a.n - b.n), all = here.length === w.rows.length;
      const total = all ? (o?.total ?? w.total) : { ...(here.at(-1)?.s ?? w.total), p: "so far" };
      fill(sum, total, all && o ? w.total : null, total.v[S.e], o && all ? `cos ${o.cos}` : walking() || !w.rows[0].f.length ? "" : S.alone !== null ? `of C(${when(S.alone)}):` : `to ${single(S.c) ? copy(S.w, S.c) : when(S.c)}:`);
      sum.classList.toggle("wait", !here.length);
      cells.forEach((cell, c) => {
        const r = w.rows[c], mine = o?.rows[c] ?? r, on = c === S.c && S.alone === null, wait = r.n > now, entry = on && S.k === null && veiled() ? "?" : mine.v[S.e];
        const from = (!walking() && (S.alone === null ? row().f[c] : r.f[S.alone])) || "", lost = from && o?.reach && S.alone === null && cols[c][0] - cols[S.c][0] >= o.reach;
        const words = from && `${S.alone === null ? `C(${when(c)}) ` : ""}${bare(from)}`;
        fill(cell, mine, r, entry, lost ? el("s", {}, words) : words);
        cell.classList.toggle("sel", on);
        cell.classList.toggle("wait", wait);
        cell.setAttribute("aria-pressed", on);
        const gave = from && `; ${lost ? "lost: " : ""}the cost at ${when(S.alone ?? c)} gives ${S.alone === null ? copy(S.w, S.c) : "it"} ${from}`;
        cell.setAttribute("aria-label", `${copy(S.w, c)}: ${wait ? "not yet" : `${mine.p || "a part"} of the gradient${mine.p === r.p ? "" : `, not ${r.p}`}; entry ${w.names[S.e]} ${entry ?? ""}`}${gave}`);
      });
    }

    // ---- the panel
    const why = (node, back, before) => (back ? (into.get(node) ?? []).filter((k) => k < before) : [made.get(node)]).filter((k) => k !== undefined && !steps[k].q);
    function whys(node, back, before, entry, label = "why?") {
      return why(node, back, before).map((k, j, all) => button(all.length > 1 ? `${j ? "+" : "why?"} from ${gives(made.get(steps[k].node) ?? k)}` : label, () => {
        stop();
        S.trail.push([S.k, S.i]);
        open(k, entry);
      }, { className: "why", title: text(k), data: { node }, aria: { label: `Why ${gives(k)}: ${text(k)}` } }));
    }
    function open(k, entry = -1) { Object.assign(S, { k, i: entry < 0 ? steps[k].big ?? 0 : entry }); draw(true); }
    const name = (node, words) => el("span", { className: "nm", data: { node }, textContent: words });
    /* Numbers that can be chosen, with the arrows too; of a large table, those around the chosen one. */
    function table(values, wide, chosen, hide, heads, tops, corner) {
      const high = values.length / wide, at = [Math.floor(chosen / wide), chosen % wide];
      const near = (n, most, i) => { const first = Math.max(0, Math.min(n - most, i - (most >> 1))); return [...Array(Math.min(n, most)).keys()].map((k) => k + first); };
      const is = near(high, 7, at[0]), js = near(wide, wide > 6 ? 5 : 6, at[1]), hot = (mine, i) => (mine === i ? "hot" : "");
      const body = is.map((i) => el("tr", {}, heads ? el("th", { scope: "row", className: hot(at[0], i), textContent: heads[i] }) : null, ...js.map((j) => {
        const k = i * wide + j, on = k === chosen;
        return el("td", { className: on ? "pick" : "", tabIndex: on ? 0 : -1, data: { k }, textContent: on && hide ? "?" : values[k] });
      })));
      const top = tops ? el("thead", {}, el("tr", {}, el("td", {}, ...corner), ...js.map((j) => el("th", { scope: "col", className: hot(at[1], j), textContent: tops[j] })))) : null;
      const choose = (k, focus) => {
        if (!(k >= 0 && k < values.length)) return;
        S[S.k === null ? "e" : "i"] = k;
        draw(true);
        if (focus) said.querySelector(".pick")?.focus({ preventScroll: true });
      };
      const onkeydown = (e) => {
        const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[e.key];
        if (by) { e.preventDefault(); choose(chosen + by, true); }
      };
      const whole = el("table", { onclick: (e) => choose(+e.target.dataset.k), onkeydown }, top, el("tbody", {}, ...body));
      return [whole, ...(is.length < high || js.length < wide ? [el("p", { textContent: `${is.length} × ${js.length} of ${high} × ${wide}` })] : [])];
    }
    function sharePanel() {
      const w = W(), r = row(), o = other(), mine = o?.rows[S.c] ?? r, last = into.get(r.copy)?.at(-1), hide = veiled();
      const title = el("h2", {}, el("b", { textContent: copy(S.w, S.c) }), ` gives ${mine.p === r.p ? r.p : `${mine.p}, not ${r.p},`} of ${textOf(leds[S.w], ".n")}`);
      if (!r.copy && !single(S.c)) return [title, el("p", { textContent: "Not drawn one by one: this is what they give together." })];
      if (last === undefined) return [title, el("p", { textContent: "No error comes back to it." })];
      const sample = Math.min(S.sample, r.x.length - 1);
      if (sample < 0) return [title, ...stepPanel(last, true), ...wayBack(r)];
      const [label, error, d, read, x, product] = r.x[sample], m = x.length, i = Math.floor(S.e / m), j = S.e % m, more = r.x.length - 1;
      const [[errorNode], [readNode]] = steps[last].o, values = product.length ? product : r.v, shown = (v) => (hide ? "?" : v);
      const instead = mine.v[S.e] !== r.v[S.e] && !hide && mine.v.length ? `   (${o.name}: ${mine.v[S.e]})` : "";
      return [title, ...(more ? [el("div", { className: "row" }, ...r.x.map(([words], k) => button(words, () => { S.sample = k; draw(true); }, { aria: { pressed: k === sample } })))] : []),
        el("p", { textContent: `The ${o?.reach ? "whole error" : "error that came back"}, times what it multiplied${more ? `, in ${label}` : ""}:` }),
        el("p", { className: "f", textContent: w.names.length < d.length * m ? `${text(last)}, of the length ${r.v[0]}` : `${w.names[S.e]}:  ${signed(d[i])} · ${signed(x[j])} = ${shown(values[S.e])}${more ? `, + ${more} more = ${shown(r.v[S.e])}` : ""}${instead}` }), ...question(hide),
        ...(values.length === d.length * m ? table(values, m, S.e, hide, d, x, [name(errorNode, error), " ↓", el("br"), name(readNode, read), " →"]) : []),
        el("div", { className: "row" }, ...whys(errorNode, true, last, i, "why this error?"), ...whys(readNode, false, last, j, `whence ${read}?`)), ...wayBack(r)];
    }
    function wayBack(r) {
      const found = road(r.copy), arrived = steps.findIndex((s) => s.w === S.w && s.node === r.copy) + 1, line = el("div", { className: "row" });
      let t = null;
      for (const k of [...found].sort((a, b) => a - b)) {
        // An error is whole with the last of its parts.
        const s = steps[k];
        if (s.q || into.get(s.to).at(-1) !== k || !isHome(s.to) || shares.has(box(s.to))) continue;
        if (time({ to: s.to }) !== t) line.append(el("b", { textContent: `t=${(t = time({ to: s.to }))}` }));
        line.append(button(gives(k), () => { stop(); S.trail = [[null, 0]]; open(k); }, { title: text(k), data: { node: s.to } }));
      }
      return t ? [el("p", { textContent: `The way back, ${found.size} of ${arrived} steps${found.gap ? " (not all drawn)" : ""}:` }), line] : [];
    }
    /* The numbers of an array, and among them the one that is read. */
    function marked(numbers, i) {
      const words = numbers.split(/([^\s[\]]+)/);
      return i < 0 || numbers.includes("more") || words.length < 2 * i + 2 ? [numbers] : words.map((word, k) => (k === 2 * i + 1 ? el("b", { textContent: word }) : word));
    }
    const place = ({ d, m }) => (!d ? "" : d > 1 ? `entry (${Math.floor(S.i / m) + 1}, ${(S.i % m) + 1})` : `entry (${S.i + 1})`);
    function stepPanel(k, brief) {
      const s = steps[k], li = items[k], entry = s.e?.[brief ? s.big : S.i], hide = !brief && veiled();
      const clone = (what, from = li) => from.querySelector(what)?.cloneNode(true) ?? null;
      const rows = [...li.querySelectorAll("dl > div")].map((div, i) => {
        const [title, numbers] = div.children, [node, back] = s.o?.[i] ?? [], result = div.className === "r", to = entry?.[2][i] ?? -1;
        const grid = !brief && s.e && result && !div.previousElementSibling?.matches(".r");
        const shown = grid ? table(s.e.map(([value]) => value), s.m, S.i, hide) : result && hide ? ["?"] : marked(numbers.textContent, to);
        return el("div", { className: `item ${div.className}`, data: node ? { node } : {} }, el("span", { className: "nm", textContent: title.textContent }), el("div", { className: "num" }, el("div", {}, ...shown), ...(node ? whys(node, back === 1, k, to) : [])));
      });
      let worked = textOf(li, ".w"), line = k;
      const all = s.b ? into.get(s.to) : [], nth = all[1] ? `, part ${all.indexOf(k) + 1} of ${all.length}` : "";
      if (entry && !brief && S.i !== s.big) worked = `Entry ${place(s).slice(6)}: ${entry[1]}${entry[1] && " = "}${entry[0]}`;
      if (hide) worked = worked.replace(/[^ ]+$/, "?");
      while (line && !items[line].querySelector(".s")) line--;
      return [brief ? null : el("h2", {}, ...clone("p").childNodes, nth), clone(".f"), el("p", { textContent: worked }), ...(brief ? [] : question(hide)), ...rows, brief ? null : clone(".s", items[line])].filter(Boolean);
    }
    const alonePanel = () => [el("h2", { textContent: `C(${when(S.alone)}) alone` }), el("p", { textContent: `Its error only. Last row: what it gives each copy of ${W().name}, in % of the gradient.` }), el("div", { className: "row" }, button("all costs", () => share(S.w, S.c)))];
    const crumbs = () => (S.trail.length ? [el("div", { className: "row" }, ...S.trail.map(([k], j, all) => (j && j < all.length - 3 ? null : button(`‹ ${k === null ? `share of ${copy(S.w, S.c)}` : gives(k)}`, () => back(j)))))] : []);
    function back(j) { stop(); [[S.k, S.i]] = S.trail.splice(j); draw(true); }

    // ---- a guess: which of the listed ones it is; what each means is said where the list is made
    const asked = () => (S.k === null ? `${S.w} ${S.c} ${S.e}` : `${S.k} ${S.i}`);
    function question(hide) {
      if (!hide) return [];
      const shown = S.k === null ? row().v[S.e] : steps[S.k].e?.[S.i][0], value = parseFloat(shown?.replace("−", "-")), off = Math.max(0.0051, 0.02 * Math.abs(value));
      const own = [[shown, ""], [[value - off, value + off, 0, 0], [-value - off, off - value, 1, 1]]];
      const [what, spans] = S.k !== null && (!steps[S.k].e || S.i === steps[S.k].big) ? steps[S.k].ask : own;
      const field = el("input", { autocomplete: "off", inputMode: "decimal" }), verdict = el("span", { role: "status" });
      const done = () => { guessed.add(asked()); draw(false); };
      const onsubmit = (e) => {
        e.preventDefault();
        const given = field.value.trim(), guess = given ? Number(given.replace("−", "-").replace(",", ".")) : NaN;
        const [, , kind, term] = spans.find(([low, high]) => low <= guess && guess <= high) ?? [];
        const says = Number.isNaN(guess) ? "Write a number, such as −0.25." : kind === undefined ? `Not ${given}. Work it out with the numbers here.` : D.says[kind].replace("{}", what[term]);
        if (kind === 0) { done(); said.prepend(el("p", { role: "status", textContent: says })); } else verdict.textContent = says;
      };
      const words = `What is ${S.k === null ? `the share of ${W().names[S.e]}` : place(steps[S.k]) || "the result"}?`;
      return [el("form", { onsubmit }, el("label", {}, `${words} `, field), el("button", { textContent: "Check" }), button("Show it", done), verdict)];
    }

    // ---- what is shown after each move
    const digits = (e, w = S.w) => { const n = weights[w].m, high = weights[w].names.length / n; return n > 1 ? [Math.floor(e / n) + 1, (e % n) + 1].join(Math.max(n, high) > 9 ? "." : "") : `${e + 1}`; };
    function draw(spoken) {
      ledger();
      said.replaceChildren(...crumbs(), ...(S.k !== null ? stepPanel(S.k) : S.alone !== null ? alonePanel() : sharePanel()));
      said.parentNode.scrollTop = 0;
      picture();
      const s = steps[S.k], chapter = !s ? "sum" : s.b ? `t${s.t}` : "forward", at = s ? path.findIndex((k) => k >= S.k) : -1;
      for (const b of $$("[data-w][aria-pressed]")) b.setAttribute("aria-pressed", +b.dataset.w === S.w);
      for (const b of $$("[data-k]")) if (b.dataset.c) b.setAttribute("aria-current", b.dataset.c === chapter);
      slider.value = s ? at : slider.max;
      $(".bptt-count").textContent = s ? `${at + 1} / ${path.length}` : `t = ${when(S.c)}`;
      slider.setAttribute("aria-valuetext", s ? text(S.k) : `share of ${copy(S.w, S.c)}`);
      if (!spoken || S.film) { $(".bptt-live").textContent = ""; return; }
      $(".bptt-live").textContent = s ? `${text(S.k)}. ${textOf(items[S.k], ".w")}` : [...said.querySelectorAll("h2, .f")].map((each) => each.textContent).join(". ");
      if (S.alone === null) history.replaceState(null, "", s ? `#${ids[S.k]}` : `#${root.id}-${W().id}-${cols[S.c][0]}-${digits(S.e)}`);
    }
    function share(w, c, spoken = true, entry = null) {
      const fresh = w !== S.w || entry !== null;
      Object.assign(S, { w, c, k: null, trail: [], alone: null, sample: 0 });
      const a = row().a.map(Math.abs);
      if (fresh) S.e = entry ?? Math.max(0, W().names.length > 1 ? a.indexOf(Math.max(...a)) : 0);
      draw(spoken);
    }
    function step(k, spoken = true) {
      if (!steps[k]) return;
      const s = steps[k], c = cols.findIndex(([a, b]) => a === s.t && b === s.t), w = s.w ?? weights.findIndex((each) => each.rows.some((r) => r.copy === s.to));
      Object.assign(S, { k, trail: [], alone: null, i: s.big ?? 0 }, c < 0 ? {} : { c }, w < 0 || w === S.w || S.film ? {} : { w, e: 0 });
      if (reach) reach.value = "";
      draw(spoken);
    }
    function move(by) {
      stop();
      if (S.k === null) { if (cols[S.c + by]) share(S.w, S.c + by); return; }
      const at = path.findIndex((k) => k >= S.k);
      step(path[Math.max(0, Math.min(path.length - 1, (at < 0 ? path.length : at) + by))]);
    }
    function repath() { path = [...steps.keys()].filter((k) => copies.checked || !steps[k].q); slider.max = path.length - 1; }
    const reel = $("[data-do=film]");
    function running(timer) { S.film = timer; reel.setAttribute("aria-pressed", Boolean(timer)); reel.textContent = timer ? "❚❚ stop" : "▶ film"; }
    function stop() { clearInterval(S.film); running(null); }
    /* The error goes back, and the ledger fills; who wants no motion sees a column more each time. */
    function film() {
      if (S.film) return stop();
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const frames = [...steps.keys()].filter((k) => steps[k].b && (!steps[k].q || (weights.length && steps[k].w === S.w))).filter((k, j, all) => !still || steps[k].t !== steps[all[j + 1]]?.t);
      let j = S.k === null || !steps[S.k].b ? 0 : frames.findIndex((k) => k > S.k);
      const next = () => { if (j >= 0 && j < frames.length) return step(frames[j++], still); stop(); if (weights.length) share(S.w, S.c, still); };
      if (still) return next();
      running(setInterval(next, Math.max(100, Math.min(450, 15000 / frames.length))));
    }

    // ---- what is tapped, pointed at, or typed
    for (const b of $$("[data-w][aria-pressed]")) b.onclick = () => { stop(); share(+b.dataset.w, S.c); };
    for (const b of $$(".bptt-chapters button")) b.onclick = () => { stop(); if (b.dataset.c === "sum") share(S.w, S.c); else step(+b.dataset.k); };
    leds.forEach((led, w) => led.addEventListener("click", (e) => {
      const cell = e.target.closest(".cell"), tile = e.target.closest(".tile");
      if (!cell) return;
      stop();
      share(w, cell.dataset.t === undefined ? S.c : +cell.dataset.t, true, tile && tile !== e.target && weights[w].names.length > 1 ? [...tile.children].indexOf(e.target) : null);
    }));
    fig.addEventListener("click", (e) => {
      const at = boxAt(e.target.closest("[id]"));
      if (!at) return;
      stop();
      if (shares.has(at)) return share(...shares.get(at));
      if (weights.length && costs.has(at) && steps.some((s) => s.b && s.l.length > 1)) { Object.assign(S, { alone: costs.get(at), k: null, trail: [] }); return draw(true); }
      const node = nodes.get(at).find(isHome) ?? nodes.get(at)[0], found = (into.get(node) ?? []).filter((k) => !steps[k].q);
      step(found.at(-1) ?? made.get(node));
    });
    function mark(e) {
      for (const each of $$(".hov")) each.classList.remove("hov");
      const over = e.type === "mouseleave" ? null : e.target.closest("[data-node], button.cell, .bptt-fig [id]");
      const at = !over ? null : over.dataset.node ? box(over.dataset.node) : over.dataset.t ? box(W().rows[over.dataset.t].copy) : boxAt(over);
      if (!at) return;
      at.classList.add("hov");
      if (shares.get(at)?.[0] === S.w) leds[S.w].children[shares.get(at)[1] + 1].classList.add("hov");
      for (const each of said.querySelectorAll("[data-node]")) each.classList.toggle("hov", box(each.dataset.node) === at);
    }
    for (const what of ["mouseover", "mouseleave", "focusin"]) root.addEventListener(what, mark);
    const acts = { previous: () => move(-1), next: () => move(1), film,
      fit: (b) => { const on = root.classList.toggle("fit"); b.setAttribute("aria-pressed", on); b.textContent = on ? "100 %" : "fit"; picture(); },
      ops: (b) => {
        const on = b.getAttribute("aria-pressed") !== "true", high = fig.offsetHeight;
        if (!$(".bptt-pic")) fig.after(el("div", { className: "bptt-pic", tabIndex: 0, role: "group", aria: { label: "Every op in a box" } }, $(".bptt-template").content.cloneNode(true)));
        b.setAttribute("aria-pressed", on);
        if (on) $(".bptt-pic").style.height = `${high}px`;
        $(".bptt-pic").hidden = !on;
        fig.hidden = on;
        picture();
      } };
    for (const b of $$("[data-do]")) b.onclick = () => acts[b.dataset.do](b);
    if (reach) reach.onchange = () => { stop(); share(S.w, S.c); };
    copies.onchange = () => { repath(); draw(false); };
    predict.onchange = () => { stop(); draw(false); };
    slider.oninput = () => { stop(); step(path[slider.value]); };
    const keys = { ArrowLeft: acts.previous, ArrowRight: acts.next, p: film, Escape: () => { if (S.trail.length) back(S.trail.length - 1); else if (weights.length) share(S.w, S.c); } };
    const inView = () => [...document.querySelectorAll(".bptt-playing")].find((each) => { const { top, bottom } = each.getBoundingClientRect(); return bottom > innerHeight / 3 && top < innerHeight / 1.5; });
    document.addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented || !keys[e.key] || e.target.matches("input, select, textarea, [contenteditable]")) return;
      if (!root.contains(e.target) && (!e.target.contains(root) || inView() !== root)) return;
      e.preventDefault(); // and a page may turn its own pages with the arrows
      e.stopImmediatePropagation();
      keys[e.key]();
    });
    function linked() {
      let hash = location.hash;
      try { hash = decodeURIComponent(hash); } catch { /* then it names nothing here */ }
      const k = ids.indexOf(hash.slice(1)), [, id, t, entry] = hash.slice(1 + root.id.length).match(/^-(.+?)-(\d+)(?:-([\d.]+))?$/) ?? [];
      if (k >= 0) { step(k, false); return true; }
      const w = hash.startsWith(`#${root.id}-`) ? weights.findIndex((each) => each.id === id) : -1, c = cols.findIndex(([a, b]) => a <= t && t <= b);
      if (w < 0 || c < 0) return false;
      const e = weights[w].names.findIndex((_, i) => digits(i, w) === entry);
      S.w = -1; // a new one, whose largest entry is shown if none is named
      share(w, c, false, e < 0 ? null : e);
      return true;
    }
    root.classList.add("bptt-playing");
    for (const each of $$("[hidden]")) each.hidden = false;
    $(".bptt-all").open = false;
    for (const li of items) li.removeAttribute("id"); // a link to a step leads to the player, which shows it
    repath();
    new ResizeObserver(() => { $("[data-do=fit]").hidden = !root.classList.contains("fit") && scroller.scrollWidth <= scroller.clientWidth; }).observe(scroller);
    const land = () => root.scrollIntoView();
    if (weights.length) { S.w = -1; share(...D.start, false); } else step(0, false);
    if (linked()) { land(); addEventListener("load", () => requestAnimationFrame(land)); }
    addEventListener("hashchange", () => { if (linked()) land(); });
  }
  const all = () => document.querySelectorAll(".bptt").forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
