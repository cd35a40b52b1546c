// Which rules of the joined style sheet stay: those whose names occur in a page, or in a script that may add them to one.
module.exports = {
  keyframes: true,
  variables: true,
  // Fonts and the colours of figures stay, because pictures within a page name them, too.
  fontFace: false,
  safelist: { variables: [/^--live-/] },
  // What the reader sets, not the page.
  dynamicAttributes: ["open", "aria-expanded", "data-theme", "data-mode"],
};
