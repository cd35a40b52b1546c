// What the built pages are checked against: the HTML standard and what of accessibility can be seen in a file, by
// html-validate, which needs Node alone (the W3C's own checker needs Java). Off is only what the theme or docutils write
// and nothing can change; axe, in tests/test_site.py, looks at the same elements as a browser makes them.
export default {
  root: true,
  extends: ["html-validate:standard", "html-validate:a11y"],
  rules: {
    "no-implicit-button-type": "off", // the theme's buttons stand outside of forms, where all types are one
    "wcag/h32": "off", // the theme's search is sent by Enter; it has no button
    "text-content": "off", // the theme names some buttons by their title, which counts as a name
    "no-redundant-role": "off", // the theme's <main role="main">, for browsers that are no more
    "prefer-native-element": ["error", { exclude: ["list", "listitem"] }], // docutils' bibliography is made of <div>
    "empty-heading": "off", // the theme's title for printing, on the index, which has none
  },
};
