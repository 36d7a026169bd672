# The two commands: `make run` and `make test`. Each installs what is missing, builds, and does its job.
PACKAGES := g++ cmake ninja-build make ccache pkg-config libcaf-dev liblmdb-dev libxxhash-dev \
  libsnappy-dev libfmt-dev catch2 libspdlog-dev libboost1.81-dev libssl-dev nlohmann-json3-dev \
  liburcu-dev libnats-dev
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
JOBS ?= $(shell nproc)

.PHONY: run test build setup bench fuzz asan torture clean

run: build
	./build/vagus $(ARGS)

test: build-tests
	ctest --test-dir build --output-on-failure

# Asks dpkg first, so that a machine that has everything needs neither network nor root.
# A machine may have node and npm from elsewhere: Debian's are taken only where there are none.
setup:
	@node=$$(command -v node >/dev/null || echo nodejs; command -v npm >/dev/null || echo npm); \
	missing=$$(for p in $(PACKAGES) $$node; do \
	  dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "installing: $$missing"; \
	  $(SUDO) apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -qy --no-install-recommends $$missing; fi

build: setup
	cmake --preset release -DVAGUS_TESTS=OFF >/dev/null
	cmake --build --preset release --target vagus -j $(JOBS)

build-tests: setup
	cmake --preset release -DVAGUS_TESTS=ON
	cmake --build --preset release -j $(JOBS)

# Side by side with a nats-server: PEER names the program, BENCH_ARGS adds flags (tests/bench/README.md).
PEER ?= $(shell command -v nats-server)

bench:
	@if [ ! -x "$(PEER)" ]; then \
	  echo "make bench compares vagus with a nats-server: none in PATH, so name one:"; \
	  echo "  make bench PEER=/path/to/nats-server"; exit 1; fi
	@$(MAKE) --no-print-directory setup
	cmake --preset release -DVAGUS_TESTS=ON >/dev/null
	cmake --build --preset release --target vagus vagus_bench -j $(JOBS)
	./build/vagus_bench --vagus build/vagus --peer "$(PEER)" $(BENCH_ARGS)

# Each target for FUZZ_SECONDS; fails on the first finding (tests/fuzz/README.md).
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := parser subject transform connect configuration flags requests headers acks archive rows
FUZZ_PACKAGES := clang libclang-rt-14-dev

fuzz: PACKAGES += $(FUZZ_PACKAGES)
fuzz: setup
	cmake --preset fuzz >/dev/null
	cmake --build --preset fuzz --target fuzz_targets -j $(JOBS)
	@set -e; mkdir -p build-fuzz/findings; for t in $(FUZZ_TARGETS); do \
	  echo "fuzz: $$t for $(FUZZ_SECONDS) s"; mkdir -p build-fuzz/corpus/$$t; \
	  build-fuzz/tests/fuzz/fuzz_$$t -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 \
	    -print_final_stats=1 -verbosity=0 -artifact_prefix=build-fuzz/findings/$$t- \
	    build-fuzz/corpus/$$t tests/fuzz/corpus/$$t; done

asan: setup
	cmake --preset asan
	cmake --build --preset asan -j $(JOBS)
	ctest --test-dir build-asan --output-on-failure

# Power cuts, kill -9, exactly once and flipped bits for SECONDS each, from SEED on, and the tests
# that take long (tests/durability/README.md). What failed names its seed, which repeats it.
ROUNDS ?= 20
SECONDS ?= 300
SEED ?= $(shell date +%s)
OBJECT_MIB ?= 1024

torture: setup
	cmake --preset release -DVAGUS_TESTS=ON >/dev/null
	cmake --build --preset release --target vagus power_test kill_test exactly_once_test \
	  kill_sources_test kill_flip_test storage_tests -j $(JOBS)
	SECONDS=$(SECONDS) SEED=$(SEED) ./build/tests/durability/power_test "[.torture]"
	./build/kill_test --server build/vagus --rounds $(ROUNDS) --seconds $(SECONDS) --seed $(SEED) $(TORTURE_ARGS)
	for r in limits workqueue; do ./build/exactly_once_test --server build/vagus --retention $$r \
	  --rounds $(ROUNDS) --seconds $(SECONDS) --seed $(SEED) || exit 1; done
	./build/kill_sources_test --server build/vagus --rounds $(ROUNDS) --seed $(SEED)
	./build/kill_flip_test --server build/vagus --rounds $(ROUNDS) --seconds $(SECONDS) --seed $(SEED)
	./build/tests/unit/storage_tests "[.torture]"
	ctest --test-dir build -R '^clients: npm ci$$' --output-on-failure
	OBJECT_MIB=$(OBJECT_MIB) VAGUS_SERVER=$(CURDIR)/build/vagus \
	  CLIENT_MODULES=$(CURDIR)/build/tests/clients/node/packages node tests/clients/node/objects_large.test.mjs

clean:
	rm -rf build build-*
