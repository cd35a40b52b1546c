// Starts the live figures of a static page: native inputs move them, with keyboard, mouse or touch.

import { format, start } from "./figure.mjs";

for (const element of document.querySelectorAll("form.live-controls")) {
  const root = element.parentElement;
  const program = JSON.parse(root.querySelector("script").textContent);
  const figure = start(root, program);
  const inputs = program.controls.map(({ name }) => root.querySelector(`[id="${root.id}-${name}"]`));

  const settings = () =>
    Object.fromEntries(
      program.controls.map(({ name, kind }, i) => [name, kind === "checkbox" ? Number(inputs[i].checked) : Number(inputs[i].value)]),
    );

  const update = () => {
    program.controls.forEach(({ kind, decimals }, i) => {
      if (kind === "slider") inputs[i].nextElementSibling.textContent = format(Number(inputs[i].value), `.${decimals}f`);
    });
    figure.update(settings());
  };

  element.addEventListener("input", update);
  element.addEventListener("reset", () => setTimeout(update)); // after the inputs are back
  element.addEventListener("submit", (event) => event.preventDefault()); // Enter in a control
  root.live = { data: () => figure.data(settings()), program };
}
