# The commands of the book. Each sets up what it needs, says what it does, and ends by saying where the result is.

BIN := .venv/bin
READY := .venv/.ready
PYTHON ?= $(shell for name in python3 python python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; done)

.PHONY: help book test lab bench lock clean node check-python

help:
	@echo "make book    build the site in _build/html"
	@echo "make test    build the site, then check the code, the site and every notebook"
	@echo "make lab     open the chapters in JupyterLab"
	@echo "make bench   compare speed and size with other libraries (downloads PyTorch)"
	@echo "make lock    compile requirements.txt again, with the newest versions"
	@echo "make clean   remove everything that was built; the environment in .venv stays"

book: $(READY) node
	@echo "Building the site: every notebook is run. This takes a minute or two."
	@rm -rf _build
	@$(BIN)/jupyter-book build --all -W --keep-going --quiet . >/dev/null || { \
		echo "The site was not built: a notebook, a reference or a picture is wrong; the messages above name it."; exit 1; }
	@echo "The site is in _build/html: open _build/html/index.html in a browser, or serve it with"
	@echo "    $(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 0"

test: $(READY)
	@echo "Checking the style of the code (ruff)."
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet --output-format concise . || { \
		echo "The style is not the project's: run $(BIN)/ruff check --fix . and $(BIN)/ruff format ."; exit 1; }
	@$(MAKE) --no-print-directory book
	@echo "Testing the code and the built site (pytest)."
	@$(BIN)/pytest -n auto --dist loadscope tests
	@echo "Running every notebook and comparing its outputs (nbval)."
	@$(BIN)/pytest -n auto --dist loadscope --nbval chapters
	@echo "All checks passed. The site they were made on is in _build/html."

lab: $(READY)
	@echo "Opening the chapters in JupyterLab; Ctrl-C here ends it. A live figure that was saved shows an error until its"
	@echo "notebook is run: choose Run > Run All Cells."
	@$(BIN)/jupyter lab chapters

bench: $(READY)
	@echo "Installing the libraries to compare with (PyTorch is a large download)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@echo "Measuring. Leave the machine alone meanwhile."
	@$(BIN)/python -m benchmarks
	@echo "The tables above are the result: ratios below 1 mean that nnlib is faster."

lock: .venv/bin/python
	@echo "Compiling requirements.txt from pyproject.toml, with the newest versions."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra test \
		--no-emit-index-url --no-header --output-file requirements.txt pyproject.toml
	@echo "-e ." >> requirements.txt
	@echo "The new versions are in requirements.txt; the next command installs them."

clean:
	@rm -rf _build build nnlib.egg-info .pytest_cache .ruff_cache .hypothesis
	@find nnlib tests exts benchmarks chapters \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} + 2>/dev/null || true
	@echo "Everything that was built is removed. The environment is still in .venv."

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
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -c "import matplotlib.font_manager" 2>/dev/null
	@touch $@

# Formulas are typeset at build time by Node, 18 or newer.
node: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH"; \
	if ! { node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && command -v npm; } >/dev/null 2>&1; then \
		echo "Node 18 or newer was not found: installing it into .venv (a download of about 60 MB)."; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[node]'; \
	fi
