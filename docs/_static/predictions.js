// A prediction that is typed opens the answer that was foreseen for it, and the last one if none was.
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
for (const box of document.querySelectorAll(".prediction")) {
  const form = box.querySelector("form");
  const answers = [...box.querySelectorAll(":scope > details")];
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = form.querySelector("input").value;
    if (!text.trim()) return;
    const found = answers.find((one) => one.dataset.answer && isMeant(text, JSON.parse(one.dataset.answer))) ?? answers.at(-1);
    for (const one of answers) one.open = one === found;
    form.querySelector("output").textContent = found.querySelector("p").textContent;
  };
}
