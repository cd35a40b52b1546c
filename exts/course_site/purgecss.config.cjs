// Which rules of the joined style sheet stay: those whose names occur in a page, or in a script that may add them to one.
module.exports = {
  keyframes: true,
  // Fonts and variables stay, because pictures within a page name them, too.
  fontFace: false,
  variables: false,
  // What the reader sets, not the page.
  dynamicAttributes: ["open", "aria-expanded", "data-theme", "data-mode"],
};
