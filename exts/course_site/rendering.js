// A long page is shown at once: the browser lays out what is in sight, and leaves the rest for later. When the page is
// there and nothing else is to be done, the rest follows, a little at a time: then the page has its true length.
{
  // Cells keep their frame, and titles their place. No `:has()` here: each part that arrives would be searched through.
  const LATER = [
    "section section > :is(p, ul, ol, dl, blockquote, .math)",
    "section section :is(.sd-card-header, .sd-tab-content, .admonition > p ~ *)",
    ".pst-scrollable-table-container",
    ".glossary > dd",
    "pre",
    ".cell_output > .output",
  ].map((part) => `article.bd-article ${part}`);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`@media screen { ${LATER} {
    content-visibility: auto;
    contain-intrinsic-size: auto none auto 8rem;
    overflow-clip-margin: 1rem; /* of a focus ring */
  } }`);
  document.adoptedStyleSheets.push(sheet);

  // What is wider than its column can be scrolled with the keyboard. The theme, once the page is loaded, would measure all
  // of it, in folds, too, and so have all laid out at once; here each part is measured when it gets its size.
  const WIDE = "pre, .cell_output > .output, .pst-scrollable-table-container";
  const settle = (part) => { part.tabIndex = part.scrollWidth > part.clientWidth ? 0 : -1; };
  const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => settle(target)));
  addEventListener("DOMContentLoaded", () => document.querySelectorAll(WIDE).forEach((part) => sized.observe(part)));
  addEventListener("contentvisibilityautostatechange", ({ target }) => target.matches(WIDE) && settle(target), true);

  const SHARE = 5; // milliseconds at a time: whatever the reader does is answered in between
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  const layOutTheRest = () => {
    const rest = [...document.querySelectorAll(LATER)];
    const layOutSome = () => {
      const end = performance.now() + SHARE;
      while (rest.length && performance.now() < end) {
        const part = rest.shift();
        part.style.contentVisibility = "visible";
        part.getBoundingClientRect(); // now
        if (part.matches(WIDE)) settle(part); // its size may have been guessed rightly
      }
      if (rest.length) whenIdle(layOutSome);
    };
    whenIdle(layOutSome);
  };
  addEventListener("load", (event) => {
    event.stopImmediatePropagation(); // so that the theme does not measure
    setTimeout(layOutTheRest, 1000); // fonts and figures in sight come first
  });
}
