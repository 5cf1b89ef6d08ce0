// What scrolls inside itself must be within reach of the keyboard; what fits needs no stop on the way. A formula in a
// line of text stands on that line; only one that is longer than the line becomes a box, which scrolls.
const scrollers = "article :is(pre, .math, .drawing, .table-wrapper, .cell_output, .output)";
function reach() {
  for (const box of document.querySelectorAll("article span.math")) {
    box.classList.remove("wide");
    const block = box.closest("p, li, dd, td, div, figcaption");
    box.classList.toggle("wide", box.offsetWidth > block.clientWidth && block.tagName !== "TD");
  }
  for (const box of document.querySelectorAll(scrollers)) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    const hidden = scrolls && getComputedStyle(box).overflow === "visible";
    if (scrolls && !hidden) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// A picture wider than the page can be seen whole, or in its own size. The button takes no room of its own.
const pictures = "article figure:is(.drawing, .tinygrad-rnn)";
const sizes = { "": ["Fit", "Fit the picture to the page"], whole: ["100 %", "100 %: the picture in its own size"] };
function fitButton(figure) {
  const button = document.createElement("button");
  button.className = "fit";
  button.type = "button";
  const say = () => ([button.textContent, button.ariaLabel] = sizes[figure.classList.contains("whole") ? "whole" : ""]);
  button.onclick = () => {
    figure.classList.toggle("whole");
    say();
    reach();
  };
  say();
  return button;
}
function offerToFit() {
  for (const figure of document.querySelectorAll(pictures)) {
    const wide = figure.classList.contains("whole") || figure.scrollWidth > figure.clientWidth;
    const button = figure.querySelector(":scope > button.fit");
    if (button) button.hidden = !wide;
    else if (wide) figure.prepend(fitButton(figure));
  }
}

addEventListener("resize", () => {
  reach();
  offerToFit();
});
addEventListener("load", () => {
  reach();
  offerToFit();
});

// The captions of the sidebar's groups are headings, and say of which level.
for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");
