# The commands of the book. Each sets up what it needs, says what it does, and ends by saying where the result is.

BIN := .venv/bin
READY := .venv/.ready
MODULES := node_modules/.package-lock.json
CHECKERS := node_modules/cspell/package.json
BUILD := $(BIN)/jupyter-book build --all -W --keep-going --quiet
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
# Each core has a worker of pytest: none of them shall compute on several.
ONE_EACH := OPENBLAS_NUM_THREADS=1
NPM_CI := $(WITH_NODE) npm ci --silent
PYTHON ?= $(shell for name in python3 python python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; done)

# Where notebooks run: glibc would give the memory of a larger array back to the system, and ask for it again for the next.
book second test lab: export MALLOC_TOP_PAD_ := 67108864

.PHONY: help book pdf test spelling valid again second links lab bench lighthouse lock clean node check-python

help:
	@echo "make book    build the site in _build/html"
	@echo "make pdf     build the site, and of it the whole book as one PDF"
	@echo "make test    build the site, then check the code, the site, the PDF and every notebook"
	@echo "make again   build the site twice, once without a network, and compare"
	@echo "make lab     open the chapters in JupyterLab"
	@echo "make links   check that what the book links to elsewhere is there (needs a network)"
	@echo "make bench   compare speed and size with other libraries (downloads PyTorch)"
	@echo "make lighthouse   score every page; RUNS=5, PAGES=\"neuron losses\", STOCK=1 to compare with a stock Jupyter Book"
	@echo "make lock    compile requirements.txt again, with the newest versions"
	@echo "make clean   remove everything that was built; .venv and node_modules stay"

book: $(READY) $(MODULES)
	@echo "Building the site: every notebook is run. This takes some minutes."
	@rm -rf _build
	@$(BUILD) . >/dev/null || { \
		echo "The site was not built: a notebook, a reference or a picture is wrong; the messages above name it."; exit 1; }
	@echo "The site is in _build/html: open _build/html/index.html in a browser, or serve it with"
	@echo "    $(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 0"

pdf: book
	@echo "Making the PDF of the site, with Chromium. This takes a minute or two."
	@$(BIN)/python exts/pdf.py

test: $(READY) $(CHECKERS)
	@echo "Checking the style of the code (ruff)."
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet --output-format concise . || { \
		echo "The style is not the project's: run $(BIN)/ruff check --fix . and $(BIN)/ruff format ."; exit 1; }
	@$(MAKE) --no-print-directory spelling
	@$(MAKE) --no-print-directory again
	@$(MAKE) --no-print-directory valid
	@echo "Testing the code, the built site and the PDF (pytest), and running every notebook to compare its outputs (nbval)."
	@$(ONE_EACH) $(BIN)/pytest -n auto --nbval tests chapters
	@echo "All checks passed. The site they were made on is in _build/html."

# Nothing may depend on the day, the hour, the order of a set, or another machine.
again:
	@$(MAKE) --no-print-directory -j2 book second
	@diff -rq _build/html build/again/_build/html || { echo "The files above differ from one build to the next."; exit 1; }
	@echo "Both builds are the same."

second: $(READY) $(MODULES)
	@echo "Building the site a second time, without a network, to see that it comes out the same, byte for byte."
	@rm -rf build/again
	@$(BIN)/python tests/offline.py $(BUILD) --path-output build/again . >/dev/null

spelling: $(READY) $(CHECKERS)
	@echo "Checking the spelling (cspell)."
	@rm -rf _build/prose
	@$(BIN)/python tests/prose.py _build/prose
	@$(WITH_NODE) npx --no-install cspell lint --config tests/spelling.json --no-progress --no-summary '_build/prose/**/*.txt' || { \
		echo "A word above is wrong, or is missing in tests/words.txt."; exit 1; }

valid: $(READY) $(CHECKERS)
	@echo "Checking the HTML of every page (html-validate)."
	@$(WITH_NODE) npx --no-install html-validate --config tests/valid.mjs '_build/html/*.html' '_build/html/chapters/*.html'

links: $(READY) $(MODULES)
	@echo "Asking for every address outside that the book links to. This takes some minutes, and needs a network."
	@$(BIN)/jupyter-book build --builder linkcheck --quiet . >/dev/null || { \
		echo "Some addresses did not answer: _build/linkcheck/output.txt names them."; exit 1; }
	@echo "Every address answers."

lab: $(READY)
	@echo "Opening the chapters in JupyterLab; Ctrl-C here ends it. A live figure that was saved shows an error until its"
	@echo "notebook is run: choose Run > Run All Cells."
	@$(BIN)/jupyter lab chapters

bench: $(READY)
	@echo "Installing the libraries to compare with (PyTorch is a large download)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@echo "Measuring. Leave the machine alone meanwhile."
	@$(BIN)/python -m benchmarks
	@echo "Ratios below 1 mean that nnlib is faster; benchmarks/README.md holds the tables."

lighthouse: $(READY) $(MODULES)
	@test -d node_modules/lighthouse || { echo "Installing Lighthouse and MathJax into node_modules."; \
		$(NPM_CI); }
	@echo "Measuring the site in _build/html. Leave the machine alone meanwhile."
	@$(WITH_NODE) $(BIN)/python -m benchmarks.lighthouse --runs $(or $(RUNS),5) $(if $(STOCK),--stock) $(PAGES)

lock: .venv/bin/python
	@echo "Compiling requirements.txt from pyproject.toml, with the newest versions."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra test \
		--no-emit-index-url --no-header --output-file requirements.txt pyproject.toml
	@echo "-e ." >> requirements.txt
	@$(MAKE) --no-print-directory $(READY) node
	@echo "Taking the KaTeX that sphinxcontrib-katex typesets with."
	@$(WITH_NODE) npm install --package-lock-only --save-exact --silent \
		katex@$$($(BIN)/python -c 'import sphinxcontrib.katex; print(sphinxcontrib.katex.katex_version)')
	@echo "The new versions are in requirements.txt, package.json and package-lock.json."

clean:
	@rm -rf _build build nnlib.egg-info .pytest_cache .ruff_cache .hypothesis
	@find nnlib tests exts benchmarks chapters \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} + 2>/dev/null || true
	@echo "Everything that was built is removed. The environment is still in .venv and node_modules."

# ---- the environment: made once, and again when the lock changes ----------------------------------------------------

check-python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found on the PATH."; exit 1; }
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no command $(PYTHON): install Python 3.11 or newer."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)."; exit 1; }

.venv/bin/python: | check-python
	@echo "Making a Python environment in .venv ($$("$(PYTHON)" --version))."
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; \
		echo "It could not be made; on Debian and Ubuntu, install the package python3-venv first."; exit 1; }

$(READY): requirements.txt .venv/bin/python
	@echo "Installing the packages of requirements.txt into .venv. This takes a few minutes, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	@$(BIN)/python -c "import matplotlib.font_manager" 2>/dev/null
	@mkdir -p .venv/etc/ipython  # a kernel warns that it does not encrypt; only this machine speaks to it
	@echo 'c.IPKernelApp.log_level = "ERROR"' > .venv/etc/ipython/ipython_kernel_config.py
	@touch $@

# Formulas are typeset at build time by Node, 18 or newer.
node: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH"; \
	if ! { node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && command -v npm; } >/dev/null 2>&1; then \
		echo "Node 18 or newer was not found: installing it into .venv (a download of about 60 MB)."; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[node]'; \
	fi

# What package-lock.json has: KaTeX and PurgeCSS for the book; for `make test` what checks spelling and HTML, too; the
# rest, which is large, when `make lighthouse` asks for it.
$(MODULES): package-lock.json | node
	@echo "Installing KaTeX and PurgeCSS into node_modules."
	@$(NPM_CI) --omit=dev --omit=optional
	@touch $@

$(CHECKERS): package-lock.json | node
	@echo "Installing what checks spelling and HTML into node_modules."
	@$(NPM_CI) --omit=optional
	@touch $@ $(MODULES)
