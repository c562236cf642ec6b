# dispatch. `make help` lists what there is; every target sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup setup-check build demo demo-clean test test-agents test-bootstrap check types lint format dead shell bench sim chaos crash schemas clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## System packages (with consent, or as root), npm ci, build
	@sh scripts/setup.sh

setup-check: ## Only say what is missing
	@sh scripts/setup.sh --check

build: setup ## dist/
	@node scripts/build.mjs

demo: setup ## A day on a throw-away home: split, feed, run on two nodes, land, report; scripted agents, under a minute
	@npx tsx scripts/demo.ts

demo-clean: ## Remove what the demo left
	@npx tsx scripts/demo.ts --clean

test: setup ## Everything, real sshd, tmux and git included
	@npx vitest run $(VITEST_ARGS)

test-bootstrap: setup ## bootstrap.sh in a fresh Debian 12, agents and all, and a unit under a real systemd: as root, with network, three to six minutes
	@DISPATCH_TEST_BOOTSTRAP=1 npx vitest run test/bootstrap/debian.test.ts test/bootstrap/systemd.test.ts $(VITEST_ARGS)

# The programs are large (1.4 GB) and change often: no dependency, kept in a cache, at the versions that were tested.
AGENT_PACKAGES ?= $(HOME)/.cache/dispatch-agents
AGENTS = @anthropic-ai/claude-code@2.1.328 @openai/codex@0.169.0 @google/gemini-cli@0.61.0 @qwen-code/qwen-code@0.24.4 opencode-ai@1.18.33

test-agents: setup ## Real coding agents from npm against a local model server; needs the network once
	@mkdir -p $(AGENT_PACKAGES)
	@npm install --prefix $(AGENT_PACKAGES) --no-audit --no-fund $(AGENTS)
	@DISPATCH_AGENT_PACKAGES=$(AGENT_PACKAGES) npx vitest run test/agents

check: types lint format dead shell ## Types, lint, format, dead code, shell scripts

types: setup
	@npx tsc --noEmit

lint: setup
	@npx oxlint --type-aware --deny-warnings

format: setup
	@npx biome format .

dead: setup
	@npx knip

shell:
	@if command -v shellcheck >/dev/null 2>&1; then shellcheck bootstrap/bootstrap.sh scripts/setup.sh task-wrapper/launch.sh; \
	else echo 'shellcheck is not installed: shell scripts were NOT checked (apt install shellcheck)'; fi

bench: setup ## Figures of bench/README.md, on this machine
	@npx tsx bench/all.ts

sim: build ## 1,000 seeds of the simulator, fresh ones (ARGS='--seed 4711' for one)
	@node dist/dispatch.js sim $(or $(ARGS),--seeds 1000)

chaos: setup ## Kills, stops, cuts against real sshd, tmux and git, at full size: hours; ARGS='--scale 0.1' for less
	@npx tsx test/chaos/all.ts $(ARGS)

crash: setup ## Every durable step of a real run killed and made to fail, until all were, or ARGS='--minutes 30'
	@npx tsx test/crash/all.ts $(ARGS)

schemas: setup ## JSON Schemas for editors, from the same source as validation
	@npx tsx scripts/schemas.ts

clean: ## Remove what was built
	rm -rf dist .demo
