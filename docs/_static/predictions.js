// Of a prediction that is typed is said what was foreseen for it, and of any other what stands last. The list of all
// answers stays closed: it has the right one.
function numbersIn(text, many) {
  const plain = text.replaceAll("−", "-").replace(/[()[\]\s]/g, "");
  const parts = many ? plain.split(",").filter(Boolean) : [plain.replace(",", ".")];
  return parts.map((part) => part.split("/").map((digits) => (digits ? Number(digits) : NaN)).reduce((a, b) => a / b));
}
// Whole numbers are exact; of others, three digits are enough.
function isNear(said, meant) {
  return Math.abs(said - meant) <= (Number.isInteger(meant) ? 0 : 1e-3 * Math.abs(meant));
}
function isMeant(text, answer) {
  if (typeof answer === "string") return text.replace(/["'“”]/g, "").trim().toLowerCase() === answer.toLowerCase();
  const many = Array.isArray(answer);
  const meant = [answer].flat();
  const said = numbersIn(text, many);
  return said.length === meant.length && said.every((number, k) => isNear(number, meant[k]));
}
function asksFor(answer) {
  if (Array.isArray(answer)) return "Type numbers, with commas between them.";
  return typeof answer === "string" ? "Type a word." : "Type a number.";
}
for (const box of document.querySelectorAll(".prediction")) {
  const form = box.querySelector("form");
  const answers = [...box.querySelectorAll(".answers > details")];
  const says = form.querySelector("[role=status]");
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = form.querySelector("input").value;
    if (!text.trim()) {
      says.textContent = asksFor(JSON.parse(answers[0].dataset.answer));
      return;
    }
    const found = answers.find((one) => one.dataset.answer && isMeant(text, JSON.parse(one.dataset.answer))) ?? answers.at(-1);
    says.replaceChildren(...[...found.children].slice(1).map((part) => part.cloneNode(true)));
  };
}
