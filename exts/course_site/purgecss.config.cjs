// Which rules of the joined style sheet stay: those whose names occur in a tag of a page, or in a script that may add them.

// The words of the text name nothing: "table", "card" and "search" are classes of the theme, too.
const NAMING = /^(?:id|class|type|role|rel|aria-.*|data-.*)$/;
const named = (tag, attributes) => [
  tag,
  ...[...attributes.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].flatMap(([, name, value = ""]) => [
    name,
    ...(NAMING.test(name) ? value.split(/\s+/) : []),
  ]),
];
const names = (page) => [
  ...[...page.matchAll(/<([a-z][\w-]*)([^>]*)>/g)].flatMap(([, tag, attributes]) => named(tag, attributes)),
  ...[...page.matchAll(/<script[^>]*>(.*?)<\/script>/gs)].flatMap(([, script]) => script.match(/[\w-]+/g) ?? []),
];

module.exports = {
  keyframes: true,
  variables: true,
  // Fonts and the colours of figures stay, because pictures within a page name them, too. The classes are those that
  // Bootstrap gives to its hints and its menu.
  fontFace: false,
  safelist: { variables: [/^--live-/], standard: ["show", "fade", /tooltip/] },
  // What the reader sets, not the page.
  dynamicAttributes: ["open", "aria-expanded", "data-theme", "data-mode"],
  extractors: [{ extractor: names, extensions: ["html"] }],
};
