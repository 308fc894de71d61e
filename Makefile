# SPDX-License-Identifier: MIT
# Wraps CMake and the distribution's packages; every target does the set-up it needs first.
MAKEFLAGS += --no-print-directory
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

BUILD_PACKAGES = gcc libc6-dev cmake pkg-config liblua5.4-dev libcurl4-openssl-dev libssl-dev \
  lua-cjson lua-cjson-dev libsqlite3-dev libmicrohttpd-dev libsodium-dev libcsv-dev lua-argparse \
  ca-certificates
TEST_PACKAGES = libcmocka-dev lua-unit python3 python3-jsonschema lua5.4 git openssl
LINT_PACKAGES = clang-format clang-tidy lua-check lua5.4 git
# Node.js is often there from elsewhere; the packages are wanted only where the commands are missing.
CONTRACT_PACKAGES = $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
BENCH_PACKAGES = nginx curl jq valgrind $(CONTRACT_PACKAGES)

SUDO = $(if $(filter-out 0,$(shell id -u)),sudo)

# $(call install_missing,PACKAGES): installs those that are not there, says which.
define install_missing
@missing=""; for package in $(1); do \
  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || \
    missing="$$missing $$package"; done; \
if [ -n "$$missing" ]; then \
  echo "installing:$$missing"; \
  $(SUDO) apt-get update -q && \
  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -q -y --no-install-recommends $$missing; \
fi
endef

.PHONY: help
help:
	@echo "make demo      onboard three made-up tenants in the sandbox, twice"
	@echo "make test      build and run all tests"
	@echo "make build     build build/release/tshost"
	@echo "make install   install below PREFIX ($(PREFIX)); DESTDIR is honoured"
	@echo "make lint      formatting, naming, include directions, banned functions"
	@echo "make asan      the tests under address, undefined and leak sanitizers"
	@echo "make contract  drive the sandbox with the official npm package"
	@echo "make bench     measure, and compare with C, curl and the official npm package"
	@echo "make deps      install the Debian packages that all of these need"
	@echo "make clean     remove build/"

.PHONY: deps deps-build deps-test deps-lint deps-contract deps-bench
deps:
	$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES))
deps-build:
	$(call install_missing,$(BUILD_PACKAGES))
deps-test:
	$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES))
deps-lint:
	$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES))
deps-contract:
	$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(CONTRACT_PACKAGES))
deps-bench:
	$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES))

# $(call cmake_build,PRESET,TARGET,OPTIONS)
cmake_build = cmake --preset $(1) $(3) >build/$(1).log || { cat build/$(1).log; exit 1; }; \
  cmake --build --preset $(1) --target $(2) --parallel $(JOBS)

.PHONY: build
build: deps-build
	@mkdir -p build
	@$(call cmake_build,release,tshost,-DBUILD_TESTING=OFF)

.PHONY: demo
demo: build
	@rm -rf build/demo && mkdir -p build/demo
	@echo "== first run: what is missing is created"
	@build/release/tshost --sandbox=build/demo/account.db onboard.lua \
	  scripts/examples/tenants.csv --secrets-dir build/demo/secrets
	@echo "== second run: nothing changes"
	@build/release/tshost --sandbox=build/demo/account.db onboard.lua \
	  scripts/examples/tenants.csv --secrets-dir build/demo/secrets
	@echo "== the secrets, one file per tenant"
	@ls -l build/demo/secrets

.PHONY: test
test: deps-test
	@mkdir -p build
	@$(call cmake_build,release,all,-DBUILD_TESTING=ON)
	ctest --preset release --parallel $(JOBS)

.PHONY: asan
asan: deps-test
	@mkdir -p build
	@$(call cmake_build,asan,all)
	ctest --preset asan --parallel $(JOBS)

.PHONY: lint
lint: deps-lint
	@mkdir -p build
	@$(call cmake_build,release,all,-DBUILD_TESTING=ON)
	tests/lint/selftest
	tests/lint/run build/release

.PHONY: contract
contract: deps-contract build
	tests/contract/run-npm build/release

# BENCH=loop,cold chooses among the groups.
.PHONY: bench
bench: deps-bench
	@mkdir -p build
	@$(call cmake_build,release,tshost bench_c_loop bench_measure,-DBUILD_TESTING=ON)
	tests/bench/run build/release

.PHONY: install
install: build
	cmake --install build/release --prefix $(PREFIX)

.PHONY: clean
clean:
	rm -rf build
