# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export CGO_ENABLED := 0

CACHE := $(CURDIR)/.cache
BED   := $(CACHE)/bin/bed
LINT  := $(CACHE)/bin/golangci-lint
# Modules with code of ours; test/bed/build/* and test/tools only pin what they build.
MODULES := . test/bed test/bench

.PHONY: build test test-fast lint bench bench-causes demo demo-down docs clean bed

build: ## bin/meshctl
	go build -buildvcs=auto -ldflags '-s -w' -o bin/meshctl ./cmd/meshctl

bed: ## the command of the test bed, and all that it runs
	cd test/bed && go build -o $(BED) ./cmd/bed
	$(BED) build

test-fast: ## what needs no cluster: the inner loop
	go test ./...

test: build bed ## everything: unit, txtar, testscript, API server, bed, parity with the peer
	$(BED) build istioctl
	go test -timeout 20m ./...
	# What these run are programs, which go's test cache does not look into.
	for m in test/bed test/bench; do (cd $$m && go test -count=1 -timeout 20m ./...); done

$(LINT): test/tools/go.mod test/tools/go.sum
	cd test/tools && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT) ## the rules of the house
	for m in $(MODULES); do (cd $$m && $(LINT) run --config $(CURDIR)/.golangci.yml ./...); done

bench: build bed ## side by side with istioctl, as ratios; half an hour; writes docs/speed.md; ONLY=proxy-status measures just what has this in its name, and replaces those rows
	$(BED) build istioctl
	cd test/bench && go run ./cmd/bench -meshctl $(CURDIR)/bin/meshctl -istioctl $(CACHE)/bin/istioctl -page $(CURDIR)/docs/speed.md $(if $(ONLY),-only "$(ONLY)")

bench-causes: build bed ## how long it takes until the cause is named, on each way to be broken
	$(BED) build istioctl
	cd test/bench && go run ./cmd/bench -meshctl $(CURDIR)/bin/meshctl -istioctl $(CACHE)/bin/istioctl -causes

demo: build bed ## the main job, for real, on a control plane of its own
	test/demo/run

demo-down: ## end the demo's control plane
	$(BED) down --name demo

docs: build bed ## the generated reference, and the tour from a run of the demo
	rm -rf docs/reference && bin/meshctl docs docs/reference
	go test ./cmd -run TestAnalyzePage -update
	cd test/bed && go test -count=1 ./agree -update
	$(BED) down --name demo
	test/demo/run 2>&1 | tee $(CACHE)/demo.log
	$(BED) down --name demo
	test/demo/docs $(CACHE)/demo.log

clean: ## all that was built or cached here
	rm -rf bin $(CACHE)
