// Starts the live figures of a static page: native inputs move them, with keyboard, mouse or touch. Each starts when it
// comes near, or when it is reached in any other way; until then its still shows.

import { format, start } from "./figure.mjs";

function bringToLife(root) {
  if (root.live) return;
  const form = root.querySelector("form.live-controls");
  const program = JSON.parse(root.querySelector("script").textContent);
  const figure = start(root, program);
  const inputs = program.controls.map(({ name }) => root.querySelector(`[id="${root.id}-${name}"]`));

  const settings = () =>
    Object.fromEntries(
      program.controls.map(({ name, kind }, i) => [name, kind === "checkbox" ? Number(inputs[i].checked) : Number(inputs[i].value)]),
    );

  const update = () => {
    program.controls.forEach(({ kind, decimals }, i) => {
      if (kind !== "slider") return;
      const shown = format(Number(inputs[i].value), `.${decimals}f`);
      inputs[i].nextElementSibling.textContent = shown;
      inputs[i].setAttribute("aria-valuetext", shown);
    });
    figure.update(settings());
  };

  form.addEventListener("input", update);
  form.addEventListener("reset", () => setTimeout(update)); // after the inputs are back
  form.addEventListener("submit", (event) => event.preventDefault()); // Enter in a control
  root.live = { data: () => figure.data(settings()), program };
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      bringToLife(target);
    }
  },
  { rootMargin: "100% 0px" }, // a screen above and below
);

for (const root of document.querySelectorAll(".live:has(> form)")) {
  near.observe(root);
  for (const event of ["focusin", "input", "reset"]) {
    root.addEventListener(event, () => bringToLife(root), { capture: true, once: true });
  }
}
