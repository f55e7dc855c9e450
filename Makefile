# SPDX-License-Identifier: Apache-2.0
# The few commands that a person types; the build itself is CMake's (CMakeLists.txt, presets).

.PHONY: build run test bench lint format generate fuzz coverage soak clean help
.DEFAULT_GOAL := build

help:
	@echo 'make build     build/release/bin/luttpd and its role binaries'
	@echo 'make run       serve vhosts/ on port 8080'
	@echo 'make test      every test and the quick lint; the last line counts them'
	@echo 'make bench     against nginx, h2o and lighttpd'
	@echo 'make lint      every lint, clang-tidy included'
	@echo 'make format    lay out the C sources'
	@echo 'make generate  what is committed but follows from messages.lua and processes.lua'
	@echo 'make fuzz      every fuzz target for SECONDS=60 each'
	@echo 'make coverage  which lines of the parsers the unit tests and the fuzz corpora reach'
	@echo 'make soak      rude clients and kills under the sanitizers for SOAK_SECONDS=600'
	@echo 'make clean     remove build/'

build:
	@scripts/install-packages build
	@scripts/build release

run: build
	@mkdir -p build/state
	@exec build/release/bin/luttpd run -c vhosts/server.lua -s build/state

test:
	@scripts/install-packages build test
	@tests/run

bench: build
	@scripts/install-packages test bench
	@tests/bench/run

lint:
	@scripts/install-packages build test lint
	@scripts/build release
	@scripts/lint all

format:
	@scripts/install-packages test
	@scripts/format

generate:
	@scripts/install-packages build
	@luajit runtime/schema/gen.lua --docs .

SECONDS ?= 60
fuzz:
	@scripts/install-packages build test
	@scripts/build fuzz
	@LUTTPD_FUZZ_SECONDS=$(SECONDS) ctest --test-dir build/fuzz --output-on-failure --timeout 100000

coverage:
	@scripts/install-packages build test
	@tests/coverage

SOAK_SECONDS ?= 600
soak:
	@scripts/install-packages build test
	@scripts/build asan
	@LUTTPD_BUILD=build/asan LUTTPD_STRESS_SECONDS=$(SOAK_SECONDS) \
		/usr/bin/python3 -m pytest -q -s tests/integration/test_stress.py

clean:
	@rm -rf build
