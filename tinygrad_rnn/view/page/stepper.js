/* Turns the list of steps into a player. The list says all there is to say; here classes are switched, and no number
   is computed but the learner's own guess. Without JavaScript the list stays a list. */
(() => {
  "use strict";

  function mount(root) {
    if (root.classList.contains("bptt-playing")) return;
    const steps = [...root.querySelectorAll(".bptt-steps > li")];
    if (!steps.length) return;
    const role = (name) => root.querySelector(`[data-role="${name}"]`);
    const slider = role("slider"), until = role("until"), predict = role("predict"), speed = role("speed");
    const play = root.querySelector('[data-go="play"]');
    const count = root.querySelector(".bptt-count"), live = root.querySelector(".bptt-live"), say = root.querySelector(".bptt-say");
    const picture = root.querySelector(".bptt-picture");
    const inPicture = (id) => (id ? picture.querySelector(`#${CSS.escape(`${root.id}-${id}`)}`) : null);
    const asked = new Set(); // steps whose question has been answered
    let now = 0, timer = null;

    // When each value and each cotangent is known: a box shows it from that step on.
    const known = [];
    const note = (id, k, last) => {
      const box = inPicture(id);
      if (!box) return;
      const found = known.find((each) => each.box === box);
      if (!found) known.push({ box, at: k });
      else if (last) found.at = k;
    };
    const chosen = new Map(); // from a box to the first step that concerns it
    steps.forEach((li, k) => {
      const { phase, node, parent } = li.dataset;
      if (phase === "forward") note(`${node}_value`, k, false);
      else note(`${parent}_cotangent`, k, true);
      const box = inPicture(phase === "forward" ? node : parent);
      if (box && !chosen.has(box)) chosen.set(box, k);
    });
    for (const [box, k] of chosen) {
      box.addEventListener("click", () => go(k, true));
      for (const text of picture.querySelectorAll(`[id^="${CSS.escape(box.id)}_"]`)) text.addEventListener("click", () => go(k, true));
    }

    function go(k, spoken) {
      k = Math.max(0, Math.min(steps.length - 1, k));
      const li = steps[k];
      steps[now].classList.remove("bptt-shown");
      li.classList.add("bptt-shown");
      now = k;
      slider.value = k + 1;
      say.textContent = "";
      slider.setAttribute("aria-valuetext", `step ${k + 1} of ${steps.length}`);
      count.textContent = `${k + 1} / ${steps.length}`;
      ask(li);
      show(li, k);
      ledgers(Number(li.value));
      if (spoken && !timer) {
        live.textContent = `Step ${k + 1} of ${steps.length}: ${text(li, ".bptt-head")}. ${text(li, ".bptt-formula")}`;
      } else if (timer) live.textContent = "";
      if (spoken) history.replaceState(null, "", `#${li.id}`);
    }

    const text = (li, what) => (li.querySelector(what)?.textContent ?? "").trim();

    function show(li, k) {
      for (const { box, at } of known) box.classList.toggle("bptt-wait", at > k || (at === k && li.classList.contains("bptt-asked")));
      for (const old of picture.querySelectorAll(".bptt-now, .bptt-taken")) old.classList.remove("bptt-now", "bptt-taken", "bptt-forward");
      picture.querySelector(".bptt-back")?.remove();
      const { phase, node, edge, parent } = li.dataset;
      const box = inPicture(phase === "forward" ? node : parent);
      box?.classList.add("bptt-now");
      box?.classList.toggle("bptt-forward", phase === "forward");
      if (phase === "forward") {
        for (const line of picture.querySelectorAll(`[id^="${CSS.escape(`${root.id}-e${node.slice(1)}-`)}"]`)) line.classList.add("bptt-taken");
      } else back(inPicture(edge));
      if (box) bring(box);
    }

    /* The way back is a line of its own: the edge's curve, dashed, with its head at the other end. */
    function back(line) {
      const curve = line?.querySelector("path");
      if (!curve) return;
      line.classList.add("bptt-taken");
      const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
      group.setAttribute("class", "bptt-back");
      const way = curve.cloneNode(false);
      for (const name of ["style", "stroke", "stroke-width", "stroke-dasharray", "class"]) way.removeAttribute(name);
      group.append(way);
      const tip = curve.getPointAtLength(0), from = curve.getPointAtLength(11);
      const long = Math.hypot(tip.x - from.x, tip.y - from.y) || 1;
      const x = (from.x - tip.x) / long, y = (from.y - tip.y) / long;
      const head = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      const corner = (side) => `${tip.x + 11 * x + side * 5 * y},${tip.y + 11 * y - side * 5 * x}`;
      head.setAttribute("points", `${tip.x},${tip.y} ${corner(1)} ${corner(-1)}`);
      group.append(head);
      line.parentNode.append(group);
    }

    /* Scrolls the picture inside its own place; the page stays where it is. */
    function bring(box) {
      const inner = box.getBoundingClientRect(), outer = picture.getBoundingClientRect();
      if (inner.left < outer.left || inner.right > outer.right) picture.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
      if (inner.top < outer.top || inner.bottom > outer.bottom) picture.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
    }

    function ledgers(number) {
      for (const row of root.querySelectorAll(".bptt-ledgers tbody tr")) {
        const arrives = Number(row.dataset.arrives);
        row.classList.toggle("bptt-wait", arrives > number);
        row.classList.toggle("bptt-arrived", arrives === number);
      }
      for (const foot of root.querySelectorAll(".bptt-ledgers tfoot tr")) {
        const sums = JSON.parse(foot.dataset.sums).filter(([arrives]) => arrives <= number);
        foot.classList.toggle("bptt-wait", !sums.length);
        if (sums.length) foot.querySelectorAll("td").forEach((cell, i) => { cell.textContent = sums[sums.length - 1][1][i]; });
      }
    }

    // ---- guessing

    function ask(li) {
      li.querySelector(".bptt-ask")?.remove();
      const foreseen = JSON.parse(li.querySelector(".bptt-guess")?.textContent ?? "null");
      const wanted = predict.checked && !asked.has(li) && (foreseen || li.dataset.shape !== "");
      li.classList.toggle("bptt-asked", Boolean(wanted));
      if (!wanted) return;
      stop();
      const shapes = !foreseen || (asked.size % 3 === 2 && li.dataset.shape !== "");
      const form = document.createElement("form");
      form.className = "bptt-ask";
      const label = document.createElement("label");
      label.textContent = `${shapes ? "What shape has the result?" : foreseen.question} `;
      const field = document.createElement("input");
      field.autocomplete = "off";
      field.inputMode = shapes ? "text" : "decimal";
      label.append(field);
      const check = Object.assign(document.createElement("button"), { type: "submit", textContent: "Check" });
      const reveal = Object.assign(document.createElement("button"), { type: "button", textContent: "Show it" });
      form.append(label, " ", check, " ", reveal);
      const done = () => {
        asked.add(li);
        li.classList.remove("bptt-asked");
        form.remove();
        show(li, now);
      };
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const verdict = shapes ? judgeShape(field.value, li.dataset.shape) : judge(field.value.trim(), foreseen);
        if (verdict.startsWith("Right")) done();
        say.textContent = verdict;
      });
      reveal.addEventListener("click", done);
      li.querySelector(".bptt-formula").after(form);
    }

    function judgeShape(said, shape) {
      const sizes = (said.match(/\d+/g) ?? []).join(", ");
      return sizes === shape ? `Right: (${shape}).` : `Not (${sizes || said}). Look at what the formula multiplies: rows of the left factor, columns of the right one.`;
    }

    /* Which of the listed guesses it is; what each means, and how near is near, is said where the list is made. */
    function judge(said, { answers, otherwise }) {
      const guess = said ? Number(said.replace("−", "-").replace(",", ".")) : NaN;
      if (Number.isNaN(guess)) return "Write a number, such as −0.25.";
      return answers.find(([low, high]) => low <= guess && guess <= high)?.[2] ?? `Not ${said}. ${otherwise}`;
    }

    // ---- going

    function stop() {
      clearInterval(timer);
      timer = null;
      play.setAttribute("aria-pressed", "false");
      play.textContent = "Play";
    }

    function start() {
      if (now === steps.length - 1) go(0, false);
      play.setAttribute("aria-pressed", "true");
      play.textContent = "Pause";
      timer = setInterval(() => {
        if (now < steps.length - 1) go(now + 1, false);
        if (now === steps.length - 1) stop();
      }, Number(speed.value));
    }

    const moves = {
      first: () => go(0, true),
      previous: () => go(now - 1, true),
      next: () => go(now + 1, true),
      last: () => go(steps.length - 1, true),
      play: () => (timer ? stop() : start()),
    };
    for (const button of root.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => {
        if (button !== play) stop();
        moves[button.dataset.go]();
      });
    }
    slider.addEventListener("input", () => { stop(); go(Number(slider.value) - 1, true); });
    speed.addEventListener("change", () => { if (timer) { stop(); start(); } });
    predict.addEventListener("change", () => go(now, true));
    until.addEventListener("change", () => {
      if (!until.value) return;
      stop();
      const wanted = Object.entries(JSON.parse(until.value));
      const found = steps.findIndex((li, k) => k > now && wanted.every(([key, value]) => li.dataset[key] === value));
      if (found >= 0) go(found, true);
      else say.textContent = `Nothing of that kind comes after this step: ${until.selectedOptions[0].textContent}`;
      until.value = "";
    });
    const keys = { ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last", p: "play" };
    function press(event) {
      const typing = event.target.matches?.("input, select, textarea, [contenteditable]");
      if (event.ctrlKey || event.altKey || event.metaKey || typing || !keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation(); // a page may turn its own pages with the arrows
      if (keys[event.key] !== "play") stop();
      moves[keys[event.key]]();
    }
    root.addEventListener("keydown", press);
    // A page that is one player and nothing else: its keys work before anything was clicked.
    if (document.querySelectorAll(".bptt").length === 1 && root.parentElement.parentElement === document.body) {
      document.addEventListener("keydown", (event) => { if (!root.contains(event.target)) press(event); });
    }

    function linked() {
      const k = steps.findIndex((li) => `#${li.id}` === location.hash);
      if (k >= 0) { stop(); go(k, false); }
      return k >= 0;
    }
    addEventListener("hashchange", linked);
    root.classList.add("bptt-playing");
    root.querySelector(".bptt-controls").hidden = say.hidden = false;
    if (linked()) root.scrollIntoView();
    else go(0, false);
  }

  const all = () => document.querySelectorAll(".bptt").forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
