# Everything runs on Node 24. Where the node on PATH is older, the npm package `node` brings one below build/.
SHELL := /bin/bash
NODE_MAJOR := 24
SYSTEM_NODE := $(shell node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
NODE_BIN := $(CURDIR)/build/node/node_modules/node/bin
ifeq ($(shell test $(SYSTEM_NODE) -ge $(NODE_MAJOR) && echo yes),yes)
NODE := $(shell command -v node)
NODE_STAMP :=
else
NODE := $(NODE_BIN)/node
NODE_STAMP := $(NODE)
export PATH := $(NODE_BIN):$(PATH)
endif
INSTALLED := node_modules/.installed
CONSOLE := build/console/app.js
# What belongs to the project: files that somebody left here are no concern of the checks. Without git, all of them.
LINTED = $(wildcard $(shell git ls-files -- '*.ts' '*.json' 'src/console/*.js' 2>/dev/null))
BIOME = node node_modules/.bin/biome check --config-path=.biome.jsonc --no-errors-on-unmatched
# Moray's client and SQLite's are partly machine code. Where npm has none for this platform, as for SmartOS, it is compiled,
# which takes a C++ compiler and Python.
COMPILED := microtime better-sqlite3
LOAD_COMPILED := require("microtime"); new (require("better-sqlite3"))(":memory:")
.DELETE_ON_ERROR:

.PHONY: help demo test test-engines check types lint imports unused format run docs plans check-docs bench torture torture-resume package deb audit clean install which-node

help:
	@echo 'make demo    the whole story on two datacenters, on real data (1.1 GB in ./build/demo); KEEP=1 leaves them up'
	@echo 'make test    types, lint and all tests that need npm packages alone; TESTS="test/config ..." for some'
	@echo 'make test-engines   the tests that need the Debian packages of .ci/packages; none is skipped'
	@echo 'make run     one server, data below ./build/data; CONFIG=FILE for another configuration, WORKERS=N for N processes'
	@echo 'make check   types, lint, format, imports, unused code, and whether the docs agree with the code'
	@echo 'make bench   the tables of docs/performance.md, also in build/bench.json; QUICK=1 in two minutes'
	@echo 'make torture processes, lines and a disk that fail under load, held against a model; MINUTES=3, HOURS=, KILLS=, ENGINE=, SEED= repeats'
	@echo 'make docs    rewrite the parts of the docs that come from the code: tables and OpenAPI documents'
	@echo 'make plans   rewrite the SQL of the list queries and the plans that the databases have for it'
	@echo 'make format  rewrite the sources in the house format'
	@echo 'make package an npm package of the tree, build/imgapi-VERSION.tgz, that installs without a registry'
	@echo 'make deb     a Debian package of the tree, build/imgapi_VERSION_ARCHITECTURE.deb, with Node and systemd units in it'
	@echo 'make audit   known faults of the packages that are shipped, as the npm registry has them; fails on serious ones'
	@echo 'make clean   remove what was installed, built, and left by demos, tours and tests, except ./build/data'

$(NODE_BIN)/node:
	@command -v npm >/dev/null || { echo 'Neither Node $(NODE_MAJOR) nor npm is on PATH: install one of them' >&2; exit 1; }
	@echo 'Node $(SYSTEM_NODE) found, $(NODE_MAJOR) is needed: installing it below build/node'
	@mkdir -p build/node && cd build/node && echo '{"private":true}' > package.json && \
	    npm install --silent --no-audit --no-fund --ignore-scripts=false node@$(NODE_MAJOR)
	@touch $@

# `npm ci` refuses a lock file without the optional packages of other platforms, which some registries do not carry;
# `npm install --no-save` installs the same locked versions and never writes the lock file.
$(INSTALLED): package.json package-lock.json .npmrc .taprc $(NODE_STAMP) | build
	@echo 'Installing the packages of package-lock.json; the first time it may take some minutes' >&2
	@npm install --no-save --silent --no-audit --no-fund || npm install --no-save --no-audit --no-fund
	@node -e '$(LOAD_COMPILED)' 2>build/load.log || npm rebuild --ignore-scripts=false $(COMPILED) || { cat build/load.log; exit 1; }
	@node src/packaging/join-modules.ts
	@node node_modules/.bin/tap build >build/tap-build.log 2>&1 || { cat build/tap-build.log; exit 1; }
	@touch $@

# The modules of the console in one file; they are served one by one where it is not.
$(CONSOLE): $(wildcard src/console/browser/*.js src/console/*.ts src/packaging/join-console.ts) $(INSTALLED)
	@node src/packaging/join-console.ts
	@mkdir -p $(@D) && touch $@

install: $(INSTALLED) $(CONSOLE)

build:
	@mkdir -p build

which-node: install
	@echo $(NODE)

run: install
	@exec node src/main.ts $(if $(CONFIG),-f $(CONFIG)) $(if $(WORKERS),--workers $(WORKERS))

demo: install
	@node test/demo/main.ts $(if $(KEEP),--keep)

types: install
	@node node_modules/.bin/tsc -p .
	@node node_modules/.bin/tsc -p src/console/browser

lint: install
	@$(BIOME) $(LINTED)

# Who may import whom.
imports: install
	@node -e 'require.resolve("@swc/core")' # without it the cruiser reads no TypeScript, and finds nothing wrong
	@node node_modules/.bin/depcruise --config .dependency-cruiser.json src lib test

# Files, exports and packages that nobody uses.
unused: install
	@node node_modules/.bin/knip --config .knip.json --no-progress

format: install
	@$(BIOME) --write $(LINTED)

check: types lint imports unused check-docs

test: check
	@node test/run.ts --again $(TESTS)

# What has to be installed first is in .ci/packages.
test-engines: install
	@IMGAPI_ALL_ENGINES=1 node test/run.ts --needs-packages --again $(TESTS)

docs: install
	@node test/docs/generated.ts

plans: install
	@node test/lib/documents/plans/write.ts

check-docs: install
	@node test/docs/generated.ts --check

bench: install
	@node test/bench/main.ts $(BENCH)

# Never part of the tests: how much it finds is a question of time.
torture: install
	@TAP_TIMEOUT=1000000 MINUTES=$(MINUTES) HOURS=$(HOURS) KILLS=$(KILLS) ENGINE=$(ENGINE) SEED=$(SEED) node test/torture/main.ts

torture-resume: install
	@TAP_TIMEOUT=3600 GIB=$(GIB) node test/torture/resume.ts

# Where packages are left.
TO ?= build

package: install
	@node src/packaging/package.ts --to $(TO)

deb: install
	@node src/packaging/deb.ts --to $(TO)

# No part of the checks: what a registry learns today says nothing of the change that is checked.
audit: install
	@node src/packaging/audit.ts

clean:
	@src/cli/bin/node-24 test/runner/own-run.ts 2>/dev/null || true
	@rm -rf node_modules .tap
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name data -exec rm -rf {} +; fi
