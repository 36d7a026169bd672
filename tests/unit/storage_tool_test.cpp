#include "storage/tool.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

struct tool_run {
  explicit tool_run(const std::vector<std::string>& words) {
    std::ostringstream o, e;
    code = run_store_tool(words, o, e);
    out = o.str();
    err = e.str();
  }
  int code;
  std::string out, err;
};

void make_stream(const fs::path& dir, const char* name) {
  auto store = std::move(*lmdb_store::open(dir, name, small_steps()));
  batch_builder batch{second};
  store_proposal p;
  p.subject = "a";
  p.payload = "precious bytes";
  REQUIRE_FALSE(store->append(batch.add(p).add(p).add(delete_proposal{1}).bytes()).error);
}

}  // namespace

TEST_CASE("store tool: info shows every stream below a directory") {
  scratch dir;
  make_stream(dir.path() / "x" / "one", "ONE");
  make_stream(dir.path() / "two", "TWO");
  tool_run all{{"info", dir.path().string()}};
  REQUIRE(all.code == 0);
  REQUIRE(all.out.find("ONE") != std::string::npos);
  REQUIRE(all.out.find("TWO") != std::string::npos);
  REQUIRE(all.out.find("1 to 2") == std::string::npos);
  REQUIRE(all.out.find("2 to 2, 0 deleted") != std::string::npos);
}

TEST_CASE("store tool: check finds damage, names it, and answers 1") {
  scratch dir;
  make_stream(dir.path(), "ONE");
  REQUIRE(tool_run{{"check", dir.path().string()}}.code == 0);
  std::fstream file{dir.path() / "data.mdb", std::ios::in | std::ios::out | std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  file.clear();
  // Every copy of the page: which one is in use does not matter.
  for (auto at = bytes.find("precious"); at != std::string::npos;
       at = bytes.find("precious", at + 1))
    file.seekp(static_cast<std::streamoff>(at)).write("P", 1);
  file.close();
  tool_run checked{{"check", dir.path().string()}};
  REQUIRE(checked.code == 1);
  REQUIRE(checked.err.find("sequence 2") != std::string::npos);
}

TEST_CASE("store tool: backup copies each stream to its place") {
  scratch dir, to;
  make_stream(dir.path() / "one", "ONE");
  make_stream(dir.path() / "two", "TWO");
  REQUIRE(tool_run{{"backup", dir.path().string(), to.path().string()}}.code == 0);
  REQUIRE(tool_run{{"check", to.path().string()}}.code == 0);
  REQUIRE(tool_run{{"info", (to.path() / "two").string()}}.out.find("TWO") != std::string::npos);
  tool_run again{{"backup", dir.path().string(), to.path().string()}};
  REQUIRE(again.code == 1);
  REQUIRE(again.err.find("not empty") != std::string::npos);
}

TEST_CASE("store tool: other words are 2, no stream is 1") {
  scratch dir;
  REQUIRE(tool_run{{}}.code == 2);
  REQUIRE(tool_run{{"mend", "x"}}.code == 2);
  REQUIRE(tool_run{{"check"}}.code == 2);
  REQUIRE(tool_run{{"help"}}.code == 0);
  REQUIRE(tool_run{{"check", dir.path().string()}}.code == 1);
}

TEST_CASE("storage: a store that was not closed is not for reading before it is recovered") {
  scratch dir, copy;
  auto options = small_steps();
  options.sync = true;
  auto store = std::move(*lmdb_store::open(dir.path(), "ONE", options));
  batch_builder batch{second};
  store_proposal p;
  p.subject = "a";
  REQUIRE_FALSE(store->append(batch.add(p).bytes()).error);
  for (auto* name : {"data.mdb", "log.0", "log.1"})
    fs::copy_file(dir.path() / name, copy.path() / name);
  tool_run refused{{"info", copy.path().string()}};
  REQUIRE(refused.code == 1);
  REQUIRE(refused.err.find("not closed cleanly") != std::string::npos);
  std::move(*lmdb_store::open(copy.path(), "ONE", options)).reset();
  REQUIRE(tool_run{{"info", copy.path().string()}}.code == 0);
  REQUIRE((*(*lmdb_store::open(copy.path(), "ONE", options))->read())->state().msgs == 1);
  REQUIRE(tool_run{{"info", dir.path().string()}}.code == 0);
}
