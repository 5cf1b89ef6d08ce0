/* Plays what the page holds. Every number stands in it as text; here classes are switched and texts are chosen, and no
   number is worked out but the reader's own guess. Without JavaScript the page shows picture, ledgers and steps. */
(() => {
  "use strict";
  const { abs, floor, max, min } = Math, set = (each, name, value) => each.setAttribute(`aria-${name}`, value);
  /* An element: "p.f" is a p of the class f. */
  const el = (what, given = {}, ...kids) => {
    const { data, aria = {}, ...rest } = given, [tag, className = ""] = what.split("."), made = Object.assign(document.createElement(tag), { className, ...rest });
    Object.assign(made.dataset, data);
    for (const name in aria) set(made, name, aria[name]);
    made.append(...kids.filter((kid) => kid !== null));
    return made;
  };
  const button = (text, onclick, given, kind = "") => el(`button${kind}`, { type: "button", onclick, ...given }, text);
  const p = (text, kind = "") => el(`p${kind}`, {}, text), line = (...kids) => el("div.row", {}, ...kids);
  const signed = (text) => (text.startsWith("−") ? `(${text})` : text), bare = (percent) => percent.replace(" %", "");
  const list = (text) => (text ? text.split(" ") : []), num = (text) => Number(text?.replaceAll("−", "-").replace(",", "."));

  function mount(root) {
    if (root.matches(".bptt-playing")) return;
    const $$ = (what, from = root) => [...from.querySelectorAll(what)], $ = (what) => root.querySelector(`.bptt-${what}`);
    const [fig, said, scroller, data, count, live, slider, reach, copies, predict, reel] = ["fig", "said", "scroll", "data", "count", "live", "slider", "reach select", "copies", "predict input", "film"].map($);
    const D = JSON.parse(data.textContent), { steps, weights, cols } = D;
    const items = $$(".bptt-steps > li"), ids = items.map((li) => li.id), leds = $$(".bptt-led"), tabs = $$(".bptt-weights button"), chapters = $$(".bptt-chapters button");
    const textOf = (at, what) => at?.querySelector(what)?.textContent ?? "", text = (k) => textOf(items[k], ".f"), gives = (k) => text(k).split(/ \+?= /)[0];
    const single = (c) => cols[c][0] === cols[c][1], when = (c) => [...new Set(cols[c])].join("…"), copy = (w, c) => textOf(leds[w].children[c + 1], ".n");
    const column = (t) => cols.findIndex(([a, b]) => a <= t && t <= b);

    // What the tape says: who hands its error to whom, on which lines; which boxes are copies, and which are costs.
    const many = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));
    const [into, made, bridged, lines, shares, nodes] = [...Array(6)].map(() => new Map());
    const boxes = new Map(D.boxes), part = (id) => id && $(`fig #${CSS.escape(`${root.id}-f-${id}`)}`), box = (node) => part(boxes.get(node)), isHome = (node) => node && boxes.get(node) === node;
    steps.forEach((s, k) => {
      s.n ??= k + 1;
      // A line is called by what it leaves
      s.node ??= `n${s.edge.split("-")[0]}`;
      if (s.b) many(into, s.to, k); else made.set(s.node, k);
    });
    /* An entry of a step: the form of them all, with the words of this one. */
    function entryOf(k, i) {
      const { e, f } = steps[k], own = e?.[i]; if (own === undefined) return null;
      const words = own.split(" "), [reads, value, ...worked] = (f ? f.replace(/¦/g, () => words.shift()) : own).split(" | ");
      return { reads: list(reads).map(Number), value, worked: worked.join(" | ") };
    }
    for (const pair of D.bridges) many(bridged, ...pair);
    for (const each of $$("[data-c]", fig)) for (const edge of each.dataset.c.split(" ")) many(lines, edge, each);
    for (const node of new Set([...into.keys(), ...made.keys()])) if (box(node)) many(nodes, box(node), node);
    weights.forEach((w, j) => w.rows.forEach((row, c) => isHome(row.copy) && shares.set(box(row.copy), [j, c])));
    const costs = new Map(D.costs.map(([node, t]) => [box(node), column(t)]));
    const boxAt = (at) => [at, at?.parentNode].find((each) => nodes.has(each)), on = (each, ...names) => each?.classList.add(...names);
    const tileOf = (cell) => cell.querySelector(".tile:not(.was)"), shades = (cell) => [...tileOf(cell).children].map((each) => +each.style.getPropertyValue("--a"));
    weights.forEach((w, j) => [w.total, ...w.rows].forEach((amount, c) => { amount.a = shades(leds[j].children[c]); }));

    // Which share is looked at (weight, column, entry); which step and entry of it, if any, and whence one came there.
    const S = { w: 0, c: 0, e: 0, k: -1, i: 0, trail: [], alone: -1, sample: 0, reel: false }, guessed = new Set();
    let path = [], timer = null, how = "pushState", kept = "";
    const far = () => reach?.selectedIndex, begun = far(), W = () => weights[S.w], several = () => W().names.length > 1, row = () => W().rows[S.c], walking = () => S.k >= 0 && !S.trail.length, sharing = () => S.k < 0 || S.reel;
    const go = (to) => Object.assign(S, { k: -1, trail: [], alone: -1, sample: 0, reel: false }, to);
    const other = () => W()?.others.find((each) => each.name === reach?.value) ?? null, at = (amount) => list(amount.v)[S.e];
    // The product that can be shown
    const given = () => { const cut = other()?.rows[S.c]; return cut?.d ? cut : row(); };

    // ---- the road of an error: back from a copy to the costs that it came from
    function road(node, found = new Set(), seen = new Set()) {
      seen.add(node);
      for (const k of into.get(node) ?? []) if (found.add(k) && !seen.has(steps[k].node)) road(steps[k].node, found, seen);
      for (const far of bridged.get(node) ?? []) if (!seen.has(far)) road(far, found, seen).gap = true;
      return found;
    }

    // ---- the picture; a line's way back has its head at the other end
    const along = (edge) => lines.get(edge) ?? [], timeOf = (node) => steps[made.get(node)]?.t;
    function carry(k, lost) {
      const { edge, l, node, to, o } = steps[k], e = (l[S.alone + 1] ?? l[0]) / 100;
      for (const line of along(edge)) {
        on(line, lost ? "lost" : "way");
        line.style.setProperty("--e", max(e, line.style.getPropertyValue("--e")).toFixed(2));
      }
      if (lost) return;
      for (const each of [node, to]) on(box(each), "on");
      for (const [each] of o ?? []) on(box(each), "via");
    }
    function picture() {
      for (const each of $$(".node, .edge, .cluster", fig)) { each.classList.remove("way", "lost", "on", "now", "fwd", "sel", "hov", "diff", "via"); each.style.removeProperty("--e"); }
      const s = steps[S.k], o = other(), here = box(s?.b ? s.to : s?.node);
      root.style.setProperty("--w", leds[S.w]?.style.getPropertyValue("--w") ?? "");
      root.classList.toggle("lit", !walking() || s.b === 1);
      for (const [each, [w]] of shares) each.classList.toggle("copyof", w === S.w);
      if (walking()) { if (s.b) for (let k = 0; k <= S.k; k++) if (steps[k].b) carry(k); }
      else if (S.alone >= 0) steps.forEach((each, k) => each.b && each.l[S.alone + 1] && carry(k));
      else {
        const found = road(row().copy);
        for (const k of found) carry(k, o?.reach && (steps[k].t ?? timeOf(steps[k].to)) - cols[S.c][0] >= o.reach);
        if (found.gap) for (const id of D.gaps) on(part(id), "way");
      }
      if (sharing() && S.alone < 0) {
        if (isHome(row().copy)) on(box(row().copy), "sel");
        on(part(`t${cols[S.c][0]}`), "sel");
      }
      if (o && !o.reach) for (const each of D.differing.flatMap(along)) on(each, "diff");
      if (s?.b) for (const each of along(s.edge)) on(each, "now");
      else if (s) for (const [edge, all] of lines) if (edge.startsWith(`${s.node.slice(1)}-`)) for (const each of all) on(each, "fwd");
      on(here, s?.b ? "now" : "fwd");
      bring(here ?? leds[S.w]?.children[S.c + 1], scroller);
      const op = $(`pic #${CSS.escape(`${root.id}-${s ? (s.b ? s.to : s.node) : row().copy}`)}`);
      for (const each of $$(".bptt-pic .now")) each.classList.remove("now");
      on(op, "now"); bring(op, $("pic"));
    }
    /* Scrolls a picture inside its own place; the page stays where it is. */
    function bring(each, place) {
      if (!each || !place) return;
      const [a, b] = [each, place].map((one) => one.getBoundingClientRect());
      if (a.left < b.left || a.right > b.right) place.scrollLeft += a.left + a.width / 2 - b.left - b.width / 2;
      if (place !== scroller) place.scrollTop += a.top + a.height / 2 - b.top - b.height / 2;
    }

    // ---- the ledger
    function paint(tile, a, was = false) {
      [...tile.children].forEach((each, i) => { each.style.setProperty("--a", a[i]); each.className = i === S.e && several() ? "pick" : ""; });
      tile.classList.toggle("was", was);
      return tile;
    }
    function fill(cell, now, was, shown, from) {
      const [, place, percent, entry, last] = cell.children, tile = paint(tileOf(cell), now.a), two = was && `${was.a}` !== `${now.a}`;
      place.replaceChildren(...(two ? [paint(tile.cloneNode(true), was.a, true)] : []), tile);
      place.classList.toggle("two", Boolean(two));
      percent.replaceChildren(...(was && was.p !== now.p ? [el("s", {}, bare(was.p)), ` ${bare(now.p)}`] : [now.p]));
      entry.textContent = shown ?? "";
      last.replaceChildren(from);
    }
    const veiled = () => predict.checked && !guessed.has(asked()) && (S.k >= 0 ? Boolean(steps[S.k].ask) : S.alone < 0 && several());
    function ledger() {
      leds.forEach((led, w) => { led.hidden = w !== S.w; });
      if (!weights.length) return;
      const w = W(), o = other(), [sum, ...cells] = leds[S.w].children, now = walking() ? steps[S.k].n : Infinity;
      const here = w.rows.filter((r) => r.n <= now).sort((a, b) => a.n - b.n), all = here.length === w.rows.length, last = here.at(-1) ?? w.total;
      const total = all ? (o?.total ?? w.total) : { ...(last.s ?? last), p: "so far" };
      fill(sum, total, all && o ? w.total : null, at(total), o && all ? `cos ${o.cos}` : walking() || !w.rows[0].f.length ? "" : S.alone >= 0 ? `of C(${when(S.alone)}):` : `to ${copy(S.w, S.c)}:`);
      sum.classList.toggle("wait", !here.length);
      cells.forEach((cell, c) => {
        const r = w.rows[c], mine = o?.rows[c] ?? r, sel = c === S.c && S.alone < 0, wait = r.n > now, entry = sel && S.k < 0 && veiled() ? "?" : at(mine);
        const from = (!walking() && (S.alone < 0 ? row().f[c] : r.f[S.alone])) || "", lost = from && o?.reach && S.alone < 0 && cols[c][0] - cols[S.c][0] >= o.reach;
        const words = from && `${S.alone < 0 ? `C(${when(c)}) ` : ""}${bare(from)}`;
        fill(cell, mine, r, entry, lost ? el("s", {}, words) : words);
        for (const [name, now] of Object.entries({ sel, wait })) cell.classList.toggle(name, now);
        set(cell, "pressed", sel);
        const gave = from && `; ${lost ? "lost: " : ""}the cost at ${when(S.alone < 0 ? c : S.alone)} gives ${S.alone < 0 ? copy(S.w, S.c) : "it"} ${from}`;
        set(cell, "label", `${copy(S.w, c)}: ${wait ? "not yet" : `${mine.p || "a part"} of the gradient${mine.p === r.p ? "" : `, not ${r.p}`}; entry ${w.names[S.e]} ${entry ?? ""}`}${gave}`);
      });
    }

    // ---- the panel
    const why = (node, back, before) => (back ? (into.get(node) ?? []).filter((k) => k < before) : [made.get(node)]).filter((k) => k !== undefined && !steps[k].q);
    /* What made a thing, as buttons; of several shares the largest first, and those that give nothing are counted. */
    function whys(node, back, before, i, label = "why?") {
      const all = why(node, back, before), size = (k) => abs(num(entryOf(k, i)?.value ?? "1")), some = all.filter(size).sort((a, b) => size(b) - size(a)), none = some[0] ? all.length - some.length : 0;
      return [...(some[0] ? some : all).map((k, j) => button(all.length > 1 ? `${j ? "+" : "why?"} from ${gives(made.get(steps[k].node) ?? k)}` : label, () => {
        S.trail.push([sharing() ? -1 : S.k, S.i]); open(k, i);
      }, { data: { node }, aria: { label: `Why ${gives(k)}: ${text(k)}` } }, ".why")), none ? `and ${none} that give 0` : ""];
    }
    function open(k, i = -1) { Object.assign(S, { k, i: i < 0 ? steps[k].m?.[2] ?? 0 : i, reel: false }); draw(true); }
    const name = (node, words) => el("span.nm", { data: { node } }, words);
    /* Numbers that can be chosen, with the arrows too; of a large table, those around the chosen one. */
    function table(values, wide, chosen, hide, heads, tops, corner) {
      const high = values.length / wide, at = [floor(chosen / wide), chosen % wide], near = (n, most, i) => Array.from({ length: min(n, most) }, (_, k) => k + max(0, min(n - most, i - (most >> 1))));
      const is = near(high, 7, at[0]), js = near(wide, wide > 6 ? 5 : 6, at[1]), hot = (mine, i) => (mine === i ? "hot" : "");
      const body = is.map((i) => el("tr", {}, heads ? el(`th.${hot(at[0], i)}`, { scope: "row" }, heads[i]) : null, ...js.map((j) => {
        const k = i * wide + j, pick = k === chosen;
        return el(pick ? "td.pick" : "td", { tabIndex: pick - 1, data: { k } }, pick && hide ? "?" : values[k]);
      })));
      const top = tops ? el("thead", {}, el("tr", {}, el("td", {}, ...corner), ...js.map((j) => el(`th.${hot(at[1], j)}`, { scope: "col" }, tops[j])))) : null;
      const choose = (k, focus) => {
        if (!values[k]) return;
        S[sharing() ? "e" : "i"] = +k;
        if (focus) softly(draw, true); else draw(true);
        if (focus) said.querySelector(".pick")?.focus({ preventScroll: true });
      };
      const onkeydown = (e) => { const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[e.key]; if (by) { e.preventDefault(); choose(chosen + by, true); } };
      return [el("table", { onclick: (e) => choose(e.target.dataset.k), onkeydown }, top, el("tbody", {}, ...body)), ...(is.length < high || js.length < wide ? [p(`${is.length} × ${js.length} of ${high} × ${wide}`)] : [])];
    }
    function sharePanel() {
      const w = W(), r = row(), o = other(), cut = o?.rows[S.c], mine = given(), last = into.get(r.copy)?.at(-1), hide = veiled(), part = cut?.p ?? r.p, parted = $$(".diff", fig).length;
      const title = el("h2", {}, el("b", {}, copy(S.w, S.c)), ` gives ${part === r.p ? part : `${part}, not ${r.p},`} of ${textOf(leds[S.w], ".n")}`);
      if (!r.copy && !single(S.c)) return [title, p("Not drawn one by one: this is what they give together.")];
      if (last === undefined) return [title, p("No error comes back to it.")];
      const sample = min(S.sample, r.x.length - 1), whose = mine === cut ? `error under ${o.name}` : cut && o.reach ? "whole error" : "error that came back";
      if (sample < 0) return [title, ...(cut && o.reach ? [p("With the whole error:")] : []), ...stepPanel(last, true), ...wayBack(r)];
      const [label, error, errors, read, reads, product] = r.x[sample], d = list(mine.d ?? errors), x = list(reads), m = x.length, i = floor(S.e / m), j = S.e % m, more = r.x.length - 1;
      const [[errorNode], [readNode]] = steps[last].o, values = list(product || mine.v), shown = (v) => (hide ? "?" : v);
      const instead = cut && !hide && at(cut) !== at(r) ? `   (${mine === cut ? `whole: ${at(r)}` : `${o.name}: ${at(cut)}`})` : "";
      return [title, ...(more ? [line(...r.x.map(([words], k) => button(words, () => { S.sample = k; draw(true); }, { aria: { pressed: k === sample } })))] : []),
        p(`The ${whose}, times what it multiplied${more ? `, in ${label}` : ""}:`),
        p(w.names.length < d.length * m ? `${text(last)}, of the length ${r.v}` : `${w.names[S.e]}:  ${signed(d[i])} · ${signed(x[j])} = ${shown(values[S.e])}${more ? `, + ${more} more = ${shown(at(r))}` : ""}${instead}`, ".f"), line(...whys(errorNode, true, last, i, mine === cut ? "why the whole error?" : "why this error?"), ...whys(readNode, false, last, j, `whence ${read}?`)), ...question(hide),
        ...(values.length === d.length * m ? [el("div.wide", {}, ...table(values, m, S.e, hide, d, x, [name(errorNode, error), " ↓", el("br"), name(readNode, read), " →"]))] : []),
        ...(parted ? [p(`The errors of the two differ on ${parted} lines: hollow arrowheads.`, ".says")] : []), ...wayBack(r)];
    }
    function wayBack(r) {
      const found = road(r.copy), chips = line(); let t = null;
      for (const k of [...found].sort((a, b) => a - b)) {
        // An error is whole with the last of its parts
        const s = steps[k];
        if (s.q || into.get(s.to).at(-1) !== k || !isHome(s.to) || shares.has(box(s.to))) continue;
        if (timeOf(s.to) !== t) chips.append(el("b", {}, `t=${(t = timeOf(s.to))}`));
        chips.append(button(gives(k), () => { S.trail = [[-1, 0]]; open(k); }, { title: text(k), data: { node: s.to } }));
      }
      return t ? [p(`Whole errors on the way back${found.gap ? ", where drawn" : ""}:`), chips] : [];
    }
    /* The numbers of an array, and among them the one that is read. */
    function marked(numbers, i) {
      const words = numbers.split(/([^\s[\]]+)/);
      return i < 0 || numbers.includes("more") || words.length < 2 * i + 2 ? [numbers] : words.map((word, k) => (k === 2 * i + 1 ? el("b", {}, word) : word));
    }
    const place = ({ m: [m, d] = [] }) => (!d ? "" : `Entry (${d > 1 ? `${floor(S.i / m) + 1}, ` : ""}${(S.i % m) + 1})`);
    function stepPanel(k, brief) {
      const s = steps[k], li = items[k], entry = entryOf(k, brief ? s.m?.[2] : S.i), hide = !brief && veiled();
      const clone = (what, from = li) => from.querySelector(what)?.cloneNode(true) ?? null;
      const rows = $$("dl > div", li).map((div, i) => {
        const [title, numbers] = div.children, [node, back] = s.o?.[i] ?? [], result = div.className === "r", to = entry?.reads[i] ?? -1;
        const grid = !brief && s.e && result && !div.previousElementSibling?.matches(".r");
        const shown = grid ? table(s.e.map((_, j) => entryOf(k, j).value), s.m[0], S.i, hide) : result && hide ? ["?"] : marked(numbers.textContent, to);
        return el(`div.item ${div.className}`, { data: node && { node } }, el("span.nm", {}, title.textContent), el("div.num", {}, el("div.wide", {}, ...shown), ...(node ? whys(node, back === 1, k, to) : [])));
      });
      let worked = entry && !brief && s.m[1] ? `${place(s)}: ${entry.worked}${entry.worked && " = "}${entry.value}` : textOf(li, ".w"), quoted = k;
      const all = s.b ? into.get(s.to) : [], nth = all[1] ? `, part ${all.indexOf(k) + 1} of ${all.length}` : "";
      if (hide) worked = worked.replace(/[^ ]+$/, "?");
      while (quoted && !items[quoted].querySelector(".s")) quoted--;
      return [brief ? null : el("h2", {}, ...clone("p").childNodes, nth), clone(".f"), p(worked), s.c && S.trail.length ? p(`You have arrived: ${s.c}, the cost at t = ${s.t}.`, ".says") : null, ...(brief ? [] : question(hide)), ...rows, brief ? null : clone(".s", items[quoted])].filter(Boolean);
    }
    const alonePanel = () => [el("h2", {}, `C(${when(S.alone)}) alone`), p(`Only its error is drawn. Where it is darkest it is ${D.longest[S.alone + 1]} long, each shade paler is ten times smaller.`), p(`Below: what C(${when(S.alone)}) gives each copy of ${W().name}, in % of the gradient.`), line(button("all costs", () => share(S.w, S.c)))];
    const crumbs = () => line(...S.trail.map(([k], j, all) => (j && j < all.length - 3 ? (j < 2 ? "…" : null) : button(`‹ ${k < 0 ? `share of ${copy(S.w, S.c)}` : gives(k)}`, () => back(j)))));
    function back(j) { [[S.k, S.i]] = S.trail.splice(j); draw(true); }

    // ---- a guess: which of the listed ones it is; what each means is said where the list is made
    const asked = () => (sharing() ? `${S.w} ${S.c} ${S.e} ${reach?.value}` : `${S.k} ${S.i}`);
    function question(hide) {
      if (!hide) return [];
      const shown = S.k < 0 ? at(given()) : entryOf(S.k, S.i)?.value, value = num(shown);
      const [what, foreseen] = S.k >= 0 && (!steps[S.k].e || S.i === steps[S.k].m[2]) ? steps[S.k].ask : [[shown, ""], [[value, 0, 0], [-value, 1, 1]]];
      const field = el("input", { autocomplete: "off", inputMode: "decimal" }), verdict = el("span", { role: "status" }), done = () => { guessed.add(asked()); draw(false); };
      const onsubmit = (e) => {
        e.preventDefault();
        const given = field.value.trim(), guess = given ? num(given) : NaN;
        const [, kind, term] = foreseen.find(([n]) => abs(guess - n) <= max(D.near[0], D.near[1] * abs(n))) ?? [];
        const says = isNaN(guess) ? "Write a number, such as −0.25." : kind === undefined ? `Not ${given}. Work it out with the numbers here.` : D.says[kind].replace("{}", what[term]);
        if (kind === 0) { done(); said.prepend(el("p", { role: "status" }, says)); } else verdict.textContent = says;
      };
      return [el("form", { onsubmit }, el("label", {}, "Your number for the question mark: ", field), el("button", {}, "Check"), button("Show it", done), verdict)];
    }

    // ---- what is shown after each move
    const digits = (e, w = S.w) => { const n = weights[w].m, high = weights[w].names.length / n; return n > 1 ? [floor(e / n) + 1, (e % n) + 1].join(max(n, high) > 9 ? "." : "") : `${e + 1}`; };
    function draw(spoken) {
      ledger(); picture();
      said.replaceChildren(crumbs(), ...(!sharing() ? stepPanel(S.k) : S.alone >= 0 ? alonePanel() : sharePanel()));
      said.parentNode.scrollTop = 0; for (const each of $$("b, .pick", said)) bring(each, each.closest(".wide"));
      const s = steps[S.k], chapter = !s ? "sum" : s.b ? `t${s.t}` : "forward", nth = s ? path.findIndex((k) => k >= S.k) : -1;
      for (const b of tabs) set(b, "pressed", +b.dataset.w === S.w);
      for (const b of chapters) set(b, "current", b.dataset.c === chapter);
      slider.value = s ? nth : slider.max;
      count.textContent = sharing() ? `t = ${when(S.alone < 0 ? S.c : S.alone)}` : `step ${nth + 1} of ${path.length}`;
      set(slider, "valuetext", s ? text(S.k) : `share of ${copy(S.w, S.c)}`);
      live.textContent = !spoken || timer ? "" : $$(sharing() ? "h2, .f, .says" : ".f, .f + p, .says", said).map((each) => each.textContent).join(". ");
      if (spoken && !timer) note(S.alone >= 0 ? undefined : s ? `#${ids[S.k]}` : `#${root.id}-${W().id}-${cols[S.c][0]}-${digits(S.e)}${far() === begun ? "" : `~${far()}`}`);
    }
    /* What the browser's Back returns to: what a reader went to on purpose, not each step of a walk. */
    function note(hash) {
      const seen = { ...S, reach: reach?.value }, same = JSON.stringify(history.state?.[root.id]) === JSON.stringify(seen);
      try { history[same ? "replaceState" : how]({ ...history.state, [root.id]: seen }, "", hash); } catch { /* a frame may have no address */ }
    }
    function softly(act, ...what) { how = "replaceState"; act(...what); how = "pushState"; }
    function share(w, c, spoken = true, entry = -1) {
      const fresh = w !== S.w;
      go({ w, c }); const a = row().a.map(abs);
      if (entry >= 0) S.e = entry; else if (fresh) S.e = several() ? a.indexOf(max(...a)) : 0;
      draw(spoken);
    }
    function step(k, spoken = true, reel = false) {
      const s = steps[k], c = column(s?.t), w = s?.w ?? weights.findIndex((each) => each.rows.some((r) => r.copy === s?.to));
      if (s) go({ k, i: s.m?.[2] ?? 0, reel, ...(c < 0 ? {} : { c }), ...(w < 0 || w === S.w ? {} : { w, e: 0 }) });
      if (reach) { kept = reel ? kept || reach.value : ""; reach.value = ""; }
      draw(spoken);
    }
    function move(by) {
      if (S.k < 0) { if (cols[S.c + by]) share(S.w, S.c + by); return; }
      const at = path.findIndex((k) => k >= S.k);
      step(path[max(0, min(path.length - 1, (at < 0 ? path.length : at) + by))]);
    }
    const every = [...steps.keys()], repath = () => { path = every.filter((k) => copies.checked || !steps[k].q); slider.max = path.length - 1; };
    const running = (now) => { timer = now; set(reel, "pressed", Boolean(now)); reel.textContent = now ? "❚❚ pause" : "▶ film"; }, stop = () => running(clearInterval(timer));
    /* The shares arrive one by one, slowly enough to be read; who wants no motion sees one more each time. */
    function film() {
      if (timer) return stop();
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches, shares = weights.length > 0;
      const frames = every.filter((k) => steps[k].b && (!shares || steps[k].w === S.w));
      let j = !steps[S.k]?.b ? 0 : frames.findIndex((k) => k > S.k);
      const next = () => { if (j >= 0 && j < frames.length) return softly(step, frames[j++], still, shares); stop(); if (reach) reach.value = kept; if (shares) softly(share, S.w, S.c, still); };
      if (!still) running(setInterval(next, min(3000, 15000 / frames.length)));
      next();
    }

    // ---- what is tapped, pointed at, or typed
    for (const b of tabs) b.onclick = () => share(+b.dataset.w, S.c);
    for (const b of chapters) b.onclick = () => (b.dataset.c === "sum" ? share(S.w, S.c) : step(+b.dataset.k));
    leds.forEach((led, w) => led.addEventListener("click", (e) => {
      const cell = e.target.closest(".cell"), entry = several() ? [...(e.target.closest(".tile")?.children ?? [])].indexOf(e.target) : -1;
      if (cell) share(w, +(cell.dataset.t ?? S.c), true, entry);
    }));
    fig.addEventListener("click", (e) => {
      const at = boxAt(e.target.closest("[id]")); if (!at) return;
      if (shares.has(at)) return share(...shares.get(at));
      if (weights.length && costs.has(at) && D.longest[1]) { go({ alone: costs.get(at) }); return draw(true); }
      const node = nodes.get(at).find(isHome) ?? nodes.get(at)[0], found = (into.get(node) ?? []).filter((k) => !steps[k].q);
      step(found.at(-1) ?? made.get(node));
    });
    function mark(e) {
      for (const each of $$(".hov")) each.classList.remove("hov");
      const over = e.type !== "mouseleave" && e.target.closest("[data-node], button.cell, .bptt-fig [id]"), at = !over ? null : over.dataset.node ? box(over.dataset.node) : over.dataset.t ? box(W().rows[over.dataset.t].copy) : boxAt(over);
      if (!at) return;
      on(at, "hov");
      if (shares.get(at)?.[0] === S.w) on(leds[S.w].children[shares.get(at)[1] + 1], "hov");
      for (const each of $$("[data-node]", said)) each.classList.toggle("hov", box(each.dataset.node) === at);
    }
    for (const what of ["mouseover", "mouseleave", "focusin"]) root.addEventListener(what, mark);
    const acts = { previous: () => softly(move, -1), next: () => softly(move, 1), film, fit: (b) => { set(b, "pressed", root.classList.toggle("fit")); picture(); },
      ops: (b) => {
        const high = fig.offsetHeight, pic = $("pic"), [ops] = $$("template", pic);
        ops?.replaceWith(ops.content); set(b, "pressed", root.classList.toggle("ops"));
        if (high) pic.style.height = `${high}px`;
        picture();
      } };
    for (const b of $$("[data-do]")) b.onclick = () => acts[b.dataset.do](b);
    if (reach) reach.onchange = () => share(S.w, S.c);
    copies.onchange = predict.onchange = () => { repath(); draw(false); };
    slider.oninput = () => softly(step, path[slider.value]);
    for (const what of ["click", "input"]) root.addEventListener(what, (e) => e.target === reel || stop(), true);
    const keys = { ArrowLeft: acts.previous, ArrowRight: acts.next, p: film, Escape: () => (S.trail[0] ? back(S.trail.length - 1) : weights[0] && share(S.w, S.c)) };
    const inView = () => $$(".bptt-playing", document).find((each) => { const { top, bottom } = each.getBoundingClientRect(); return bottom > innerHeight / 3 && top < innerHeight / 1.5; });
    document.addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented || !keys[e.key] || e.target.matches("input, select, textarea, [contenteditable]")) return;
      if (!root.contains(e.target) && (!e.target.contains(root) || inView() !== root)) return;
      e.preventDefault();
      // A page may turn its own pages with the arrows
      e.stopImmediatePropagation(); if (e.key !== "p") stop();
      keys[e.key]();
    });
    function linked() {
      let { hash } = location;
      try { hash = decodeURIComponent(hash); } catch { /* then it names nothing here */ }
      const k = ids.indexOf(hash.slice(1)), [, id, t, entry, cut] = hash.slice(1 + root.id.length).match(/^-(.+?)-(\d+)(?:-([\d.]+))?(?:~(\d+))?$/) ?? [];
      if (k >= 0) { step(k, false); return true; }
      const w = hash.startsWith(`#${root.id}-`) ? weights.findIndex((each) => each.id === id) : -1, c = column(t);
      if (w < 0 || c < 0) return false;
      // A new one, whose largest entry is shown if none is named
      S.w = -1; if (reach) reach.selectedIndex = cut ?? begun;
      share(w, c, false, weights[w].names.findIndex((_, i) => digits(i, w) === entry));
      return true;
    }
    on(root, "bptt-playing");
    for (const each of $$("[hidden]")) each.hidden = false;
    $("all").open = false;
    // A link to a step leads to the player, which shows it
    for (const li of items) li.removeAttribute("id");
    repath();
    new ResizeObserver(() => { $("fit").hidden = !root.matches(".fit") && scroller.scrollWidth <= scroller.clientWidth; }).observe(scroller);
    const land = () => root.scrollIntoView();
    if (weights.length) { S.w = -1; share(...D.start, false); } else step(0, false);
    if (linked()) { land(); addEventListener("load", () => requestAnimationFrame(land)); }
    softly(note);
    addEventListener("popstate", ({ state }) => {
      // A link, and not the way back
      if (!state?.[root.id]) return;
      Object.assign(S, structuredClone(state[root.id]));
      if (reach) reach.value = S.reach;
      stop(); draw(false);
    });
    addEventListener("hashchange", () => { if (!history.state?.[root.id] && linked()) { land(); softly(note); } });
  }
  document.querySelectorAll(".bptt").forEach(mount);
})();
