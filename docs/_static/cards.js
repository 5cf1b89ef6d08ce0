// What a link leads to, on a card beside it: its title, and of an equation the formula, which lies ready in the page.
// The mouse may move onto the card, Escape takes it away, and the keyboard's focus brings it; a finger follows the link.
const card = document.createElement("div");
card.id = "card";
card.role = "tooltip";
card.hidden = true;
document.body.append(card);

let of = null; // the link whose card is shown
let waiting;
function later(what) {
  clearTimeout(waiting);
  waiting = setTimeout(what, 300);
}

function hide() {
  clearTimeout(waiting);
  of?.removeAttribute("aria-describedby");
  if (of) of.title = card.dataset.title;
  of = null;
  card.hidden = true;
}

function show(link) {
  if (of === link) return;
  hide();
  of = link;
  card.dataset.title = card.textContent = link.title;
  link.removeAttribute("title"); // or the browser says it a second time
  const formula = document.getElementById(`card-${link.hash.split("-").pop()}`);
  if (formula) card.append(formula.content.cloneNode(true));
  link.setAttribute("aria-describedby", "card");
  card.hidden = false;
  const at = link.getClientRects()[0];
  const below = at.bottom + 4 + card.offsetHeight < innerHeight || at.top < card.offsetHeight + 4;
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - card.offsetWidth - 8));
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${scrollY + (below ? at.bottom + 4 : at.top - 4 - card.offsetHeight)}px`;
}

const leave = () => later(() => of?.matches(":focus-visible") || hide());
for (const link of document.querySelectorAll("a.with-card")) {
  link.addEventListener("pointerenter", (event) => event.pointerType === "touch" || later(() => show(link)));
  link.addEventListener("pointerleave", leave);
  link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
  link.addEventListener("blur", hide);
}
card.addEventListener("pointerenter", () => clearTimeout(waiting));
card.addEventListener("pointerleave", leave);
addEventListener("keydown", (event) => event.key === "Escape" && hide());
