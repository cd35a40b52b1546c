// The definition of a term beside its link, while the pointer is on the link or on the tip, or the keyboard on the link.
// Escape puts it away. On a touch screen the link leads to the glossary at once.

const DELAY = 150, GRACE = 250; // milliseconds: before a tip opens under the pointer, and for the pointer's way to it
const tip = document.createElement("div");
tip.id = "term-tip";
tip.setAttribute("role", "tooltip");
tip.hidden = true;
document.body.append(tip);
let owner = null, waiting = 0;

function later(action, milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(action, milliseconds);
}

function hide() {
  clearTimeout(waiting);
  owner?.removeAttribute("aria-describedby");
  owner = null;
  tip.hidden = true;
}

function show(link, definition) {
  hide();
  owner = link;
  tip.replaceChildren(definition.content.cloneNode(true));
  tip.hidden = false;
  link.setAttribute("aria-describedby", tip.id);
  const line = link.getClientRects()[0], margin = 8;
  const left = Math.min(line.left, document.documentElement.clientWidth - tip.offsetWidth - margin);
  const below = line.bottom + tip.offsetHeight + margin < innerHeight;
  tip.style.left = `${Math.max(margin, left) + scrollX}px`;
  tip.style.top = `${(below ? line.bottom + 4 : line.top - tip.offsetHeight - 4) + scrollY}px`;
}

for (const term of document.querySelectorAll("a > .std-term")) {
  const link = term.parentElement;
  const definition = document.querySelector(`template[data-terms~="${decodeURIComponent(link.hash.slice(1))}"]`);
  if (!definition) continue;
  link.addEventListener("focus", () => link.matches(":focus-visible") && show(link, definition));
  link.addEventListener("blur", hide);
  link.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse" && owner !== link) later(() => show(link, definition), DELAY);
  });
  link.addEventListener("pointerleave", () => later(hide, GRACE));
}
tip.addEventListener("pointerenter", () => clearTimeout(waiting));
tip.addEventListener("pointerleave", () => later(hide, GRACE));
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
