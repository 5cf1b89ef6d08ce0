// What scrolls inside itself must be within reach of the keyboard; what fits needs no stop on the way.
const scrollers = "article :is(pre, .math, .drawing, .table-wrapper, .cell_output, .output)";
function reach() {
  for (const box of document.querySelectorAll(scrollers)) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    const hidden = scrolls && getComputedStyle(box).overflow === "visible";
    if (scrolls && !hidden) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", reach);
addEventListener("load", () => {
  reach();
  window.MathJax?.startup?.promise?.then(reach); // formulas have no width before
});

// The captions of the sidebar's groups are headings, and say of which level.
for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");
