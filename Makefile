# Muster. Needs Go and make; the race detector also needs a C compiler. `make` lists what there is.

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
STAMP    := -ldflags '-s -w -X main.version=$(VERSION) -X main.revision=$(REVISION)'

# One set of flags for everything: with other flags the go command would compile the engine a second time, which takes
# minutes. The version comes from STAMP, so the go command need not ask git.
export GOFLAGS := $(strip $(filter-out -trimpath -buildvcs=%,$(shell go env GOFLAGS)) -trimpath -buildvcs=false)
export CGO_ENABLED := 0

comma := ,
TOOL := go tool -modfile=tools/go.mod
LINT := bin/tools/lint

.DEFAULT_GOAL := help
.PHONY: help build slim demo dev test deploy-check acceptance race golden histories fuzz bench secrets clean
.PHONY: check check-format check-vet check-lint check-staticcheck check-workflows check-layout

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/muster, the engine within it
	@echo "building bin/muster $(VERSION); the first time takes minutes, for the engine is compiled too"
	@mkdir -p bin
	go build $(STAMP) -o bin/muster .

slim: ## build bin/muster-slim without the engine, for containers
	@mkdir -p bin
	go build -tags slim $(STAMP) -o bin/muster-slim .
	@! go version -m bin/muster-slim | grep -q 'go\.temporal\.io/server' || \
		{ echo 'bin/muster-slim contains the engine' >&2; exit 1; }

demo: build ## run two outages, an upgrade, a review, changes, an automatic response and a month of checks from beginning to end, and check each step
	bin/muster demo

dev: build ## run everything in one process on a data folder that stays
	bin/muster dev

test: ## run all tests; no C compiler needed
	go test -timeout 20m $$(go list ./... | grep -v /internal/acceptance$$)
	go test -timeout 30m ./internal/acceptance # it kills and drowns nodes: what else runs would have their time
	$(MAKE) deploy-check

deploy-check: slim ## hold the files for containers, systemd and Kubernetes against the program
	cd tools/deploy && MUSTER_SLIM=$(CURDIR)/bin/muster-slim go test -count=1 ./... # they read files of another module, which the cache does not watch

acceptance: ## run the system against real programs: a Temporal server, and postgresql, prometheus, prometheus-alertmanager and exim4-daemon-light of Debian
	MUSTER_REAL=required go test -count=1 -timeout 15m -run 'TestAReal' ./internal/acceptance

# Without the scripts of the command line: each of their hundreds of commands is a process of its own that does one thing.
race: ## run the tests of all packages that do not link the engine with the race detector
	@deps=$$(go list -test -f '{{or .ForTest .ImportPath}} {{join .Deps " "}}' ./...) || exit 1; \
		packages=$$(echo "$$deps" | awk '$(UNLINKED)' | sort); \
		CGO_ENABLED=1 go test -race -skip '^TestScripts$$' -timeout 20m $$packages

# An awk program: of packages with what they and their tests depend on, those that do not reach the engine.
UNLINKED = { sub(/\.test$$/, "", $$1); all[$$1] = 1; \
	for (i = 2; i <= NF; i++) if ($$i ~ /^go\.temporal\.io\/server(\/|$$)/) linked[$$1] = 1 } \
	END { for (p in all) if (!(p in linked)) print p }

check: check-format check-vet check-lint check-staticcheck check-workflows check-layout ## format, vet, lint, determinism, layout; no tests

check-format:
	@unformatted=$$($(TOOL) gofumpt -l .); test -z "$$unformatted" || \
		{ echo "not formatted (gofumpt -w FILE):"; echo "$$unformatted"; exit 1; } >&2

check-vet:
	go vet ./...

check-lint: $(LINT)
	go vet -vettool=$(CURDIR)/$(LINT) -errcheck.exclude=$(CURDIR)/tools/lint/errcheck.txt \
		-exhaustive.d -exhaustive.typeignore='^reflect\.Kind$$' ./...

check-staticcheck:
	$(TOOL) staticcheck ./...

check-workflows:
	$(TOOL) workflowcheck ./workflows/...

check-layout:
	go test ./internal/layout

$(LINT): $(wildcard tools/lint/*) tools/go.mod tools/go.sum
	@mkdir -p $(@D)
	cd tools && go build -o ../$@ ./lint

golden: ## write the golden files anew; look at the difference before you keep it
	@packages=$$(grep -rl --include='*_test.go' -E 'flag\.Bool\("update"' . | xargs -r -n1 dirname | sort -u); \
		for p in $$packages; do go test "$$p" -update || exit 1; done

histories: ## record the histories that workflows/testdata lacks; with ANEW=upgrade those of such a name anew
	@test -z "$(ANEW)" || rm -f workflows/testdata/histories/unreleased/$(ANEW)*.json
	go test -count=1 ./internal/acceptance -run 'HistoriesAsRecorded$$' -update
	go test -count=1 ./workflows ./internal/audit -run 'Histor|Leaf'

FUZZTIME ?= 10s
fuzz: ## fuzz each decoder for a short while (FUZZTIME=1m for longer)
	@grep -rHo --include='*_test.go' -E '^func Fuzz[A-Za-z0-9_]+' . | sort | \
		while IFS=: read -r file func; do \
			echo "$${file%/*}: $${func#func }"; \
			go test -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) "$${file%/*}" </dev/null || exit 1; \
		done

bench: build ## measure against a workflow written by hand, and how fast alerts are decoded; figures go to docs/performance.md. DB=postgres://… measures there, growth to 50,000 open incidents too
	bin/muster bench $(if $(DB),--db '$(DB)' --only life$(comma)open$(comma)deadlines$(comma)workers$(comma)growth)
	go test ./starter/ingest -run '^$$' -bench 'Decode|Formats' -benchtime 200ms

secrets: ## make the secret files that docker-compose.yml reads, unless they are there
	@umask 077; mkdir -p deploy/secrets; cd deploy/secrets; umask 022; \
		for s in postgres-password alertmanager-token; do \
			test -s $$s || { od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >$$s; echo "made deploy/secrets/$$s"; }; \
		done

clean: ## remove what was built
	rm -rf bin
