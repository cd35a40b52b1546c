// A long page is shown at once: the browser lays out what is in sight, and leaves the rest for later. When the page is
// there and nothing else is to be done, the rest follows, a little at a time: then the page has its true length.
{
  const LATER = [
    "section section > :not(:has(pre, .output), h2, h3, h4, section, span)",
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

  // The theme lets the keyboard scroll the code that is wider than its column, but looks before all of it is laid out
  // or unfolded.
  const settle = (code) => { if (code.scrollWidth > code.clientWidth) code.tabIndex = 0; };
  const laidOut = ({ target, skipped }) => skipped || settle(target);
  document.addEventListener("contentvisibilityautostatechange", laidOut, true);
  document.addEventListener("toggle", ({ target }) => target.querySelectorAll("pre").forEach(settle), true);

  const SHARE = 8; // milliseconds at a time: whatever the reader does is answered in between
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  addEventListener("load", () => {
    const rest = [...document.querySelectorAll(LATER)];
    const layOutSome = () => {
      const end = performance.now() + SHARE;
      while (rest.length && performance.now() < end) {
        const part = rest.shift();
        part.style.contentVisibility = "visible";
        part.getBoundingClientRect(); // now
        if (part.matches("pre")) settle(part);
      }
      if (rest.length) whenIdle(layOutSome);
    };
    setTimeout(() => whenIdle(layOutSome), 1000); // fonts and figures in sight come first
  });
}
