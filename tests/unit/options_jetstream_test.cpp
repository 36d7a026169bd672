#include "net/options/capacity.hpp"
#include "net/options/compare.hpp"
#include "net/options/conf_parser.hpp"
#include "net/options/load.hpp"
#include "net/options/translate.hpp"
#include "net/options/validate.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <unistd.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// Loads a file as `-c` does, with flags after it.
load_result run(std::string_view text, std::vector<const char*> flags = {}) {
  auto path = (std::filesystem::temp_directory_path() / "vagus-XXXXXX").string();
  ::close(::mkstemp(path.data()));
  std::ofstream{path} << text;
  std::vector<const char*> arguments{"vagus", "-c", path.c_str()};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto result = load(static_cast<int>(arguments.size()), arguments.data(), {});
  std::filesystem::remove(path);
  return result;
}

options loaded(std::string_view text, std::vector<const char*> flags = {}) {
  auto result = run(text, std::move(flags));
  if (auto* print = std::get_if<print_request>(&result)) FAIL(print->err);
  return std::get<run_request>(result).opts;
}

options flags_only(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "vagus");
  return std::get<run_request>(load(static_cast<int>(flags.size()), flags.data(), {})).opts;
}

/// Errors of nats-server's language.
std::string errors(std::string_view text) {
  options opts;
  auto parsed = parse_conf(text, "f");
  REQUIRE_FALSE(parsed.error);
  translation work{opts, conf_language::nats_server, {}, {}, {}};
  translate(parsed.root, top_level_rules(), work);
  std::string result;
  for (auto& x : work.errors) result += to_string(x) + "\n";
  return result;
}

options inside(const std::string& text) {
  return loaded("jetstream {" + text + "}");
}

}  // namespace

TEST_CASE("jetstream options: on without a file, with a CAF file, and where a file asks for it") {
  CHECK(flags_only({}).jetstream);
  CHECK_FALSE(flags_only({"-js=false"}).jetstream);
  CHECK(loaded("vagus {\n}\n").jetstream);
  CHECK_FALSE(loaded("vagus {\n jetstream = false\n}\n").jetstream);
  CHECK_FALSE(loaded("port: 1").jetstream);
  CHECK(loaded("port: 1", {"-js"}).jetstream);
  CHECK_FALSE(loaded("jetstream: true", {"-js=false"}).jetstream);
  for (auto text : {"jetstream: true", "jetstream: on", "jetstream: enabled", "jetstream: Enable",
                    "jetstream {}", "jetstream { max_mem: 1 }"})
    CHECK(loaded(text).jetstream);
  for (auto text : {"jetstream: false", "jetstream: disabled", "jetstream: DISABLE",
                    "jetstream { enabled: false }", "jetstream { enable: no, max_mem: 1 }"})
    CHECK_FALSE(loaded(text).jetstream);
  CHECK(errors("jetstream: foo") ==
        "f:1:1: \"jetstream\" is \"enabled\" or \"disabled\", not \"foo\"\n");
  CHECK_FALSE(errors("jetstream: 1").empty());
}

TEST_CASE("jetstream options: store_dir may stand in two places, but only in one of them") {
  CHECK(flags_only({}).store_dir == "vagus-data");
  CHECK(flags_only({"-sd", "d"}).store_dir == "d");
  CHECK(flags_only({"--store_dir=d"}).store_dir == "d");
  CHECK(loaded("store_dir: d").store_dir == "d");
  CHECK(loaded("store_dir: \"\"").store_dir == "vagus-data");
  CHECK(inside("store_dir: d").store_dir == "d");
  CHECK(inside("store: d").store_dir == "d");
  CHECK(loaded("jetstream { store_dir: d }", {"-sd", "e"}).store_dir == "e");
  CHECK(loaded("vagus {\n store-dir = \"d\"\n}\n").store_dir == "d");
  CHECK(errors("jetstream { store_dir: a }\nstore_dir: b") ==
        "f:2:1: \"store_dir\" is given twice\n");
}

TEST_CASE("jetstream options: sizes of stores are numbers or strings with K, M, G or T") {
  CHECK(inside("max_mem: 1GB").max_memory_store == 1 << 30);
  CHECK(inside("max_mem_store: \"2G\"").max_memory_store == int64_t{2} << 30);
  CHECK(inside("max_memory_store: \"\"").max_memory_store == 0);
  CHECK(inside("max_file: \"3T\"").max_file_store == int64_t{3} << 40);
  CHECK(inside("max_file_store: 0").max_file_store == 0);
  CHECK(inside("max_file_store: -7").max_file_store == -1);
  CHECK(inside("").max_memory_store == -1);
  CHECK(inside("max_buffered_size: \"1K\", max_buffered_msgs: 5").max_buffered_size == 1024);
  CHECK(inside("max_buffered_msgs: 5").max_buffered_msgs == 5);
  CHECK(inside("max_buffered_size: -1, max_buffered_msgs: 0").max_buffered_size == 128 << 20);
  CHECK(inside("max_buffered_msgs: 0").max_buffered_msgs == 100'000);
  for (auto text :
       {"\"1GB\"", "\"10\"", "\"G\"", "true", "\"9000000000T\"", "\"-9223372036854775808K\""})
    CHECK_FALSE(errors(std::string{"jetstream { max_mem: "} + text + "}").empty());
  CHECK(loaded("vagus {\n jetstream { max-memory-store = \"64MB\" }\n}\n").max_memory_store ==
        64 << 20);
}

TEST_CASE("jetstream options: sync_interval is always or a duration") {
  CHECK(inside("").sync_interval == 0s);
  CHECK(inside("sync: always").sync_interval == 0s);
  CHECK(inside("sync_interval: Always").sync_interval == 0s);
  CHECK(inside("sync_interval: \"2m\"").sync_interval == 2min);
  CHECK_FALSE(errors("jetstream { sync_interval: \"x\" }").empty());
  CHECK_FALSE(errors("jetstream { sync_interval: \"-1s\" }").empty());
}

TEST_CASE("jetstream options: limits") {
  auto x = inside(
      "strict: false, domain: hub, request_queue_limit: 7,\n limits { max_ack_pending: 1, "
      "max_request_batch: 2, duplicate_window: \"3s\", default_max_consumers: 4, max_ha_assets: 5 "
      "}");
  CHECK_FALSE(x.js_strict);
  CHECK(x.js_domain == "hub");
  CHECK(x.js_max_ack_pending == 1);
  CHECK(x.js_max_request_batch == 2);
  CHECK(x.js_duplicate_window == 3s);
  CHECK(x.js_default_max_consumers == 4);
  CHECK(x.js_request_queue_limit == 7);
  CHECK(x.js_info_queue_limit == 7);
  CHECK(inside("info_queue_limit: 3").js_info_queue_limit == 3);
  CHECK(inside("limits { default_max_consumers: 0 }").js_default_max_consumers == 1000);
  CHECK(inside("limits { default_max_consumers: -4 }").js_default_max_consumers == -1);
  CHECK(inside("limits { max_ack_pending: -4 }").js_max_ack_pending == 0);
  CHECK(errors("jetstream { limits { x: 1 } }") == "f:1:22: unknown field \"x\"\n");
  CHECK_FALSE(errors("jetstream { limits: 1 }").empty());
}

TEST_CASE("jetstream options: what tunes clusters is accepted, encryption is refused by name") {
  CHECK(
      errors(
          "jetstream { unique_tag: a, extension_hint: no_extend, max_outstanding_catchup: 64M, "
          "max_concurrent_io: 4, meta_compact: 1, meta_compact_size: 1, meta_compact_sync: true }")
          .empty());
  CHECK_FALSE(errors("jetstream { max_concurrent_io: 3 }").empty());
  CHECK(errors("jetstream {\n key: a\n cipher: aes\n prev_key: b\n tpm {} \n}") ==
        "f:2:2: \"key\": vagus does not support this yet\n"
        "f:3:2: \"cipher\": vagus does not support this yet\n"
        "f:4:2: \"prev_key\": vagus does not support this yet\n"
        "f:5:2: \"tpm\": vagus does not support this yet\n");
  CHECK(errors("jetstream { limits { batch { max_msgs: 1 } } }") ==
        "f:1:22: \"batch\": vagus does not support this yet\n");
  CHECK(errors("jetstream { sync_always: true }") == "f:1:13: unknown field \"sync_always\"\n");
}

TEST_CASE("jetstream options: a domain is one token") {
  for (auto domain : {"a.b", "a b", "*", ">"}) {
    auto print =
        std::get<print_request>(run(std::string{"jetstream { domain: \""} + domain + "\" }"));
    CHECK(print.err.find("must be one token") != std::string::npos);
  }
}

TEST_CASE("jetstream options: limits can be reloaded, where and under which name cannot") {
  options before;
  auto change = [&](auto member, auto value) {
    auto after = before;
    after.*member = value;
    auto found = compare_options(before, after);
    REQUIRE(found.size() == 1);
    return found[0];
  };
  CHECK(change(&options::store_dir, "x").name == "StoreDir");
  CHECK_FALSE(change(&options::store_dir, "x").reloadable);
  CHECK_FALSE(change(&options::js_domain, "x").reloadable);
  CHECK_FALSE(change(&options::jetstream, false).reloadable);
  CHECK_FALSE(change(&options::sync_interval, 1s).reloadable);
  for (auto limit :
       {&options::max_memory_store, &options::max_file_store, &options::js_max_ack_pending,
        &options::js_max_request_batch, &options::js_default_max_consumers,
        &options::js_request_queue_limit, &options::js_info_queue_limit,
        &options::max_buffered_size, &options::max_buffered_msgs})
    CHECK(change(limit, 5).reloadable);
  CHECK(change(&options::js_duplicate_window, 1s).reloadable);
  CHECK(change(&options::js_strict, false).reloadable);
}

TEST_CASE("jetstream capacity: what is given counts, otherwise three quarters of what is there") {
  options opts;
  opts.max_memory_store = 5;
  opts.max_file_store = 0;
  CHECK(memory_store_limit(opts) == 5);
  CHECK(file_store_limit(opts) == 0);
  opts.max_memory_store = opts.max_file_store = -1;
  opts.store_dir = std::filesystem::temp_directory_path() / "vagus-not-there" / "yet";
  CHECK(memory_store_limit(opts) > 0);
  CHECK(file_store_limit(opts) > 0);
  CHECK_FALSE(std::filesystem::exists(opts.store_dir));
  CHECK(three_quarters(8) == 6);
  CHECK(three_quarters(UINT64_MAX) == INT64_MAX);
}
