# Every command of this house, on one screen. `just` lists them.

default:
    @just --list --unsorted

# What must hold before you push; needs no rights. CI runs this and the root-only tests.
check: fmt clippy test docs

# Refuse code that rustfmt would change
fmt:
    cargo fmt --all -- --check

# Refuse every warning of clippy
clippy:
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

# The whole workspace, real processes included; no rights needed
test:
    cargo test --workspace --locked

# The same, one process per test (cargo-nextest)
nextest:
    cargo nextest run --workspace --locked

# Refuse licences, sources and duplicates that deny.toml does not allow (cargo-deny, network)
deny:
    cargo deny --locked check
    cd fuzz && cargo deny --locked check --config ../deny.toml

# The pages of the crates, every warning an error
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# Six agents, four acts, on loopback
demo *flags:
    cargo run --release --locked -- demo {{ flags }}

# Only the house rules
tidy:
    cargo test --locked -p hale-test-tidy

# Rewrite golden traces and transcripts; commit only what you can explain
bless:
    UPDATE_EXPECT=1 cargo test --workspace --locked

# Tests that make network namespaces; as root
root-tests:
    cargo test -p hale-test-cluster --features root --locked --test rights --test disks --test admin_floods

# The binary of an older commit beside today's; builds it from this clone's history
yesterday:
    HALE_YESTERDAY="$(tests/cluster/yesterday)" cargo test -p hale-test-cluster --features yesterday --locked --test yesterday

# Agents built with handlers that stumble over what a test sends them
poison:
    cargo test -p hale-daemon --features trial --locked --test poisoned

# What an agent costs at rest and how soon a death is known; as root, on a quiet machine
bench *flags:
    cargo build --release --locked -p hale-daemon
    cargo run --release --locked -p hale-test-bench -- {{ flags }}

# What the ledger costs: `just bench-ledger cycles`, `size`, or as root `lease`; with `--keep` docs/benchmarks/ledger.md is written anew
bench-ledger *flags:
    cargo build --release --locked -p hale-daemon -p hale-test-bench-ledger
    target/release/bench-ledger {{ flags }}

# What nine kinds of floods cost one agent, and four its admin socket: memory and processor, printed; as root, on a quiet machine
floods:
    cargo build --release --locked -p hale-daemon
    cargo test --release --locked -p hale-test-cluster --features root --test stories --test admin_floods -- flood --nocapture

# Fifty agents on hosts of their own, and a network that is spoiled; as root
cluster:
    cargo build --release --locked -p hale-daemon
    HALE_HOSTS=50 HALE_PROGRAM="$PWD/target/release/hale" cargo test --locked -p hale-test-cluster --features root --test spaces -- --test-threads 1

# Everything breaks for so many minutes; did hale keep its word? As root; `just chaos 30 --seed 12 --keep`
chaos minutes *flags:
    cargo build --locked -p hale-daemon -p hale-test-chaos
    target/debug/hale-test-chaos --minutes {{ minutes }} {{ flags }}

# Every figure of docs/benchmarks/detection.md, written anew; names play some: `just experiments crash --seeds 3`
experiments *flags:
    cargo run --profile fleet --locked -p hale-test-experiments -- {{ flags }}

# Random fleets, faults and liars before every law: `just swarm --seeds 20000`, `just swarm --seeds 5000 --insiders`
swarm *flags:
    cargo run --profile fleet --locked -p hale-test-swarm -- {{ flags }}

# Bytes that grow towards code not yet seen, at one door: `just fuzz frame 180`; needs nightly and cargo-fuzz (docs/HACKING.md)
fuzz target seconds="180":
    cargo run --locked -p hale-test-fuzz -- seeds {{ target }} fuzz/corpus/{{ target }}
    cargo +nightly fuzz run --sanitizer none {{ target }} fuzz/corpus/{{ target }} tests/fuzz/corpus/{{ target }} -- -max_len=4096 -timeout=20 -max_total_time={{ seconds }}

# What is kept of the finds of one target: the files that reach the most, in tests/fuzz/corpus
fuzz-keep target:
    rm -rf fuzz/corpus/merged fuzz/corpus/merge.txt && mkdir -p fuzz/corpus/merged
    cargo +nightly fuzz run --sanitizer none {{ target }} fuzz/corpus/merged fuzz/corpus/{{ target }} tests/fuzz/corpus/{{ target }} -- -max_len=4096 -set_cover_merge=1 -merge_control_file=fuzz/corpus/merge.txt
    cargo run --locked -p hale-test-fuzz -- keep fuzz/corpus/merge.txt tests/fuzz/corpus/{{ target }}

# Exactly what CI runs; as root, on Debian 12
ci:
    .ci/run
