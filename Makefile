# Everything runs on Node 24. Where the node on PATH is older, the npm package `node` brings one below build/.
SHELL := /bin/bash
NODE_MAJOR := 24
SYSTEM_NODE := $(shell node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
NODE_DIR := $(CURDIR)/build/node
ifeq ($(shell test $(SYSTEM_NODE) -ge $(NODE_MAJOR) && echo yes),yes)
NODE_STAMP :=
else
NODE_STAMP := $(NODE_DIR)/node_modules/node/bin/node
export PATH := $(NODE_DIR)/node_modules/node/bin:$(PATH)
endif
INSTALLED := node_modules/.installed
JOBS ?= 2

.PHONY: help demo test check types lint format run bench faults clean install

help:
	@echo 'make demo    the whole story on two datacenters, on real data; KEEP=1 leaves them up'
	@echo 'make test    types, lint and all tests that need npm packages alone'
	@echo 'make run     one server, data below ./build/data'
	@echo 'make check   types, lint, format'
	@echo 'make bench   the table of timings, also in build/bench.json'
	@echo 'make format  rewrite the sources in the house format'

$(NODE_DIR)/node_modules/node/bin/node:
	@mkdir -p $(NODE_DIR)
	@echo 'Node $(SYSTEM_NODE) found, $(NODE_MAJOR) is needed: installing it below build/node'
	@cd $(NODE_DIR) && echo '{"private":true}' > package.json && \
	    npm install --silent --no-audit --no-fund --ignore-scripts=false node@$(NODE_MAJOR)

$(INSTALLED): package-lock.json .taprc $(NODE_STAMP)
	@npm ci --silent --no-audit --no-fund
	@npx tap build >/dev/null
	@touch $@

install: $(INSTALLED)

run: install
	@node src/main.ts $(if $(CONFIG),-f $(CONFIG))

demo: install
	@node test/demo/main.ts $(if $(KEEP),--keep)

types: install
	@npx tsc -p .

lint: install
	@npx biome check --config-path=.biome.jsonc

format: install
	@npx biome check --config-path=.biome.jsonc --write

check: types lint

test: check
	@node test/run.ts $(TESTS)

bench: install
	@node test/bench/main.ts $(BENCH)

clean:
	rm -rf build node_modules
