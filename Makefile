# Two commands do all set-up: `make run` and `make test`. The rest is for contributors; `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

BIN     := bin
TOOLS   := $(BIN)/tools
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# nodynamic: HEIC pictures are decoded in a WebAssembly sandbox, never by a library that happens to be installed.
GOFLAGS_BUILD := -tags nodynamic -ldflags "-s -w -X main.version=$(VERSION)"
GOTEST        := go test -tags nodynamic
PLUGINS := $(notdir $(wildcard cmd/smarket-provider-*))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.PHONY: run
run: build ## build, start on the embedded default with the bundled samples, print the address
	@command -v tesseract >/dev/null || echo 'Tesseract is not installed: photos will fail, XML and PDF work. apt-get install tesseract-ocr tesseract-ocr-por adds them.'
	@exec $(BIN)/smarket serve --demo

.PHONY: build
build: web ## build bin/smarket and bin/plugins/*, with the page where Node is there to build it
	go build $(GOFLAGS_BUILD) -o $(BIN)/smarket ./cmd/smarket
	@mkdir -p $(BIN)/plugins
	@for p in $(PLUGINS); do go build $(GOFLAGS_BUILD) -o $(BIN)/plugins/$$p ./cmd/$$p; done
	@cd $(BIN)/plugins && sha256sum smarket-provider-* > plugins.sum

# The page is embedded in the binary. Node is needed to build it; without Node the API runs alone, and says so.
WEB_SOURCES := $(shell find web graph -type f \( -path 'web/src/*' -o -path 'web/public/*' -o -path 'web/sw/*' -o -path 'web/scripts/*' \
	-o -name '*.graphqls' -o -path 'web/*.ts' -o -path 'web/*.json' -o -path 'web/index.html' \) \
	-not -path '*/node_modules/*' -not -path '*/generated/*' 2>/dev/null)

.PHONY: web
web: ## build the web page into web/dist
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web/dist/index.html; \
	  else echo 'Node is not installed: the API runs without its page. apt-get install nodejs npm adds it.'; fi

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund
	@cp web/package-lock.json $@

.PHONY: test
test: components conformance-deps $(TOOLS)/atlas ## install the real components if absent, then run every test with the race detector
	$(GOTEST) -race -timeout 30m ./...
	$(MAKE) --no-print-directory web-test

.PHONY: web-test
web-test: build ## the page: types, lint, unit tests, size
	cd web && npm run --silent check

.PHONY: web-e2e
web-e2e: components build ## the page in a real browser against the real server
	cd web && npm run --silent e2e

.PHONY: screenshots
screenshots: components build ## the pictures in docs/images, of each page of the real server with the bundled samples
	cd web && npm run --silent screenshots

.PHONY: security
security: components ## attack the running server, and print what was tried, expected and got
	cd test/security && $(GOTEST) -count=1 -parallel 6 -timeout 10m . -v -run TestAttacks -args -table | sed -n '/^LIST/,/^[0-9]* attacks/p; /^ *--- FAIL/p; /^\(ok\|FAIL\)/p'

.PHONY: chaos
chaos: components ## kill and freeze the running service ROUNDS times (100) as SEED (1) says, and count what was lost
	$(GOTEST) -count=1 -timeout 4h ./test/chaos -v -run TestNothingIsLost -args -rounds=$(or $(ROUNDS),100) -seed=$(or $(SEED),1)

.PHONY: compose-test
compose-test: ## bring the production compose file up on a Docker engine, and deploy, kill and roll back on it
	scripts/compose-test.sh

.PHONY: fuzz
fuzz: ## fuzz what strangers' bytes reach first; FUZZ_SECONDS for each target, 30 by default
	scripts/fuzz.sh $(or $(FUZZ_SECONDS),30)

.PHONY: bench
bench: ## the benchmarks of the paths that a user waits for
	$(GOTEST) -run '^$$' -bench 'PickUp|Chain|Hop|Call|Publish|Prepare' -benchmem ./worker ./providers ./internal/progress ./internal/document

.PHONY: bench-cost
bench-cost: ## what models cost for a month of N invoices (10000), one measure after the other, as bin/bench-cost.md and .json
	TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $(GOTEST) -v -count=1 -timeout 1h ./test/cost -args -invoices=$(or $(N),10000) -seed=$(or $(SEED),1) -out=$(CURDIR)/$(BIN)/bench-cost | grep -v '^=== '
	@cat $(BIN)/bench-cost.md

.PHONY: components
components: ## install PostgreSQL, Redis, nginx, Tesseract, Chromium and Node where absent
	@scripts/components.sh

.PHONY: conformance-deps
conformance-deps: test/conformance/node_modules/.installed ## the GraphQL clients that test/conformance runs
test/conformance/node_modules/.installed: test/conformance/package-lock.json
	cd test/conformance && npm ci --ignore-scripts --no-audit --no-fund
	cp test/conformance/package-lock.json $@ # the tests compare it: packages of another lock are not those that are meant

.PHONY: check
check: lint drift vuln test ## what CI runs

.PHONY: lint
lint: $(TOOLS)/golangci-lint $(TOOLS)/buf $(TOOLS)/actionlint components schema-breaking ## golangci-lint, buf, shell scripts, workflows, Prometheus' rules, breaking changes of the schema
	$(TOOLS)/golangci-lint run --allow-parallel-runners --build-tags nodynamic ./...
	$(TOOLS)/buf lint
	$(TOOLS)/buf breaking --against providers/proto/provider.v1.binpb
	shellcheck $$(git ls-files --cached --others --exclude-standard '*.sh') .ci/run test/ops/testdata/docker
	$(TOOLS)/actionlint
	@cd deploy/monitoring && promtool check config prometheus.yml >/dev/null && promtool test rules alerts_test.yml >/dev/null

.PHONY: schema-breaking
schema-breaking: conformance-deps ## fail when schema.graphql breaks clients in a way graph/breaking-allowed.txt does not list
	scripts/schema-breaking.sh

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## format the Go code
	$(TOOLS)/golangci-lint fmt ./...

.PHONY: generate
generate: $(TOOLS)/buf ## write generated code and documents anew
	$(TOOLS)/buf generate
	go generate ./...
	go run ./internal/config/cmd/configdoc > docs/configuration.md

.PHONY: drift
drift: generate ## fail when generated code differs from what is committed
	@if [ -n "$$(git status --porcelain -- $(GENERATED))" ]; then \
	  git --no-pager diff -- $(GENERATED); git status --porcelain -- $(GENERATED); \
	  echo 'Generated files differ from their sources: run make generate and commit.'; exit 1; fi

GENERATED := graph/generated graph/model schema.graphql resolvers providers/internal/providerpb docs/configuration.md

.PHONY: vuln
vuln: ## known vulnerabilities in what is called
	scripts/vuln.sh

.PHONY: tools
tools: $(TOOLS)/golangci-lint $(TOOLS)/buf $(TOOLS)/atlas $(TOOLS)/actionlint ## build the pinned tools

# Each heavy tool has a module of its own, so that its dependencies never become ours.
$(TOOLS)/golangci-lint: scripts/tools/golangci-lint/go.sum
	cd scripts/tools/golangci-lint && go build -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/buf: scripts/tools/buf/go.sum
	cd scripts/tools/buf && go build -o $(CURDIR)/$@ github.com/bufbuild/buf/cmd/buf
$(TOOLS)/actionlint: scripts/tools/actionlint/go.sum
	cd scripts/tools/actionlint && go build -o $(CURDIR)/$@ github.com/rhysd/actionlint/cmd/actionlint
$(TOOLS)/atlas: scripts/tools/atlas/go.sum
	cd scripts/tools/atlas && go build -o $(CURDIR)/$@ ariga.io/atlas/cmd/atlas

.PHONY: clean
clean: ## remove what was built; data/ stays
	rm -rf $(BIN)
