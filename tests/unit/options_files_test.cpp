#include "net/options/caf_file.hpp"
#include "net/options/load.hpp"
#include "net/options/translate.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <stdlib.h>
#include <unistd.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// A file for the time of one test.
class temporary_file {
public:
  explicit temporary_file(std::string_view text) {
    std::string name = (std::filesystem::temp_directory_path() / "vagus-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    path_ = name;
    std::ofstream{path_} << text;
  }
  ~temporary_file() { std::filesystem::remove(path_); }
  const char* path() const { return path_.c_str(); }

private:
  std::string path_;
};

load_result run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "vagus");
  return load(static_cast<int>(arguments.size()), arguments.data(), {});
}

run_request loaded(std::string_view text, std::vector<const char*> flags = {}) {
  temporary_file file{text};
  flags.insert(flags.begin(), {"-c", file.path()});
  auto result = run(flags);
  if (auto* print = std::get_if<print_request>(&result)) FAIL(print->err);
  return std::get<run_request>(result);
}

/// What is printed, with the file's name replaced by F.
std::string refused(std::string_view text, std::vector<const char*> flags = {}) {
  temporary_file file{text};
  flags.insert(flags.begin(), {"-c", file.path()});
  auto print = std::get<print_request>(run(flags));
  auto at = print.err.find(file.path());
  while (at != std::string::npos) {
    print.err.replace(at, std::string{file.path()}.size(), "F");
    at = print.err.find(file.path());
  }
  return print.err;
}

std::string config(const std::string& name) {
  auto path = std::filesystem::path{VAGUS_TEST_DATA} / "../../../configs" / name;
  return read_text_file(path.string()).text.value();
}

}  // namespace

TEST_CASE("options file: flags override it") {
  auto request = loaded("port: 5000\ndebug: true\nhost: h", {"-p", "6000", "-D=false"});
  CHECK(request.opts.port == 6000);
  CHECK_FALSE(request.opts.debug);
  CHECK(request.opts.host == "h");
  CHECK(request.opts.config_digest.starts_with("sha256:"));
}

TEST_CASE("options file: -t says whether it is valid") {
  CHECK(refused("port: 4222", {"-t"}) ==
        "vagus: configuration file F is valid "
        "(sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e)\n");
  CHECK(refused("ping_interval: 5", {"-t"}) ==
        "vagus: F:1:1: \"ping_interval\" should be a duration: \"5s\"\n");
  CHECK(refused("", {"-t"}) == "vagus: F: the configuration is empty\n");
  CHECK(std::get<print_request>(run({"-t"})).exit_code == 1);
}

TEST_CASE("options file: a warning does not stop the start") {
  CHECK(loaded("ping_interval: 5")
            .warnings.ends_with("\"ping_interval\" should be a duration: \"5s\"\n"));
}

TEST_CASE("options file: what contradicts itself is refused") {
  CHECK(refused("lame_duck_duration: 30s\nlame_duck_grace_period: 30s") ==
        "vagus: lame_duck_grace_period (30s) must be less than lame_duck_duration (30s)\n");
  CHECK(refused("max_pending: 1000\nmax_payload: 1001") ==
        "vagus: max_payload (1001) cannot be more than max_pending (1000)\n");
}

TEST_CASE("options file: zero means the default") {
  auto opts = loaded("max_payload: 0\nping_max: 0\nwrite_deadline: \"0\"\nport: 0").opts;
  CHECK(opts.max_payload == options{}.max_payload);
  CHECK(opts.ping_max == 2);
  CHECK(opts.write_deadline == 10s);
  CHECK(opts.port == 4222);
}

TEST_CASE("options file: one that cannot be read is an error") {
  CHECK(std::get<print_request>(run({"-c", "/nonexistent"})).err ==
        "vagus: /nonexistent: No such file or directory\n");
  CHECK(std::get<print_request>(run({"-c", "/"})).exit_code == 1);
}

TEST_CASE("caf file: the beginning tells it from nats-server's language") {
  for (auto text :
       {"vagus {", "vagus = {", "  ; c\nvagus {}", "[vagus]\n", "scheduler { }", "\n\nvagus{"})
    CHECK(looks_like_caf(text));
  for (auto text : {"", "# c\nvagus {", "// c", "port: 1", "{", "vagus: 1", "authorization {",
                    "vagus", "logger x"})
    CHECK_FALSE(looks_like_caf(text));
}

TEST_CASE("caf file: the same keys, with dashes or underscores") {
  auto request = loaded(
      "vagus {\n port = 5000\n max-payload = \"2MB\"\n write_deadline = 5s\n ping-interval = 2min\n"
      " authorization { user = \"a\", password = \"b\" }\n}\n"
      "scheduler {\n max-threads = 3\n}\n");
  CHECK(request.opts.port == 5000);
  CHECK(request.opts.max_payload == 2 << 20);
  CHECK(request.opts.write_deadline == 5s);
  CHECK(request.opts.ping_interval == 2min);
  CHECK(request.opts.username == "a");
  CHECK(caf::get_or(request.caf, "scheduler.max-threads", 0) == 3);
  CHECK(request.caf.find("vagus") == request.caf.end());
}

TEST_CASE("caf file: hours, sections and carriage returns") {
  CHECK(loaded("[vagus]\r\nlame-duck-duration = 2h\r\n").opts.lame_duck_duration == 2h);
  CHECK(loaded("[vagus]\nport=1\n[vagus.authorization]\nuser=\"u\"\n").opts.username == "u");
}

TEST_CASE("caf file: errors name the place") {
  CHECK(
      refused("vagus {\n  port = \"x\"\n  bogus = 1\n}\n") ==
      "vagus: F:2:3: \"port\" must be an integer, not a string\nF:3:3: unknown field \"bogus\"\n");
  CHECK(refused("vagus {\n mqtt = true\n}\n") ==
        "vagus: F:2:2: \"mqtt\": vagus does not support this yet\n");
  CHECK(refused("vagus {\n}\nbogus {\n}\n") ==
        "vagus: F:3:1: \"bogus\" is no group of CAF's and not inside \"vagus\"\n");
  CHECK(refused("vagus {\n port =\n}\n").starts_with("vagus: F: not valid: "));
}

TEST_CASE("caf file: a key or group written twice is an error") {
  CHECK(refused("vagus {\n port = 1\n port = 2\n}\n") ==
        "vagus: F:3:2: \"vagus.port\" is written twice\n");
  CHECK(refused("vagus {\n max-payload = 1\n max_payload = 2\n}\n").find("twice") !=
        std::string::npos);
  CHECK(refused("vagus {\n}\nvagus {\n}\n") == "vagus: F:3:1: \"vagus\" is written twice\n");
}

TEST_CASE("caf file: nesting is bounded") {
  CHECK(refused("vagus { a = " + std::string(100'000, '[')).find("nest too deeply") !=
        std::string::npos);
}

TEST_CASE("configs: each file loads") {
  CHECK(loaded(config("vagus.conf")).opts.port == 4222);
  CHECK(loaded(config("secured.conf")).opts.username == "alice");
  CHECK(loaded(config("nats-server.conf")).opts.password == "s3cret!");
}

TEST_CASE("configs: vagus.conf mentions every key") {
  auto text = config("vagus.conf");
  for (auto rules :
       {top_level_rules(), authorization_rules(), jetstream_rules(), jetstream_limit_rules()})
    for (auto& rule : rules) {
      INFO(rule.names[0]);
      auto key = std::string{rule.names[0]};
      auto pattern = rule.supported && key != "users" ? "\\b" + key + " [={]" : "\\b" + key + "\\b";
      CHECK(std::regex_search(text, std::regex{pattern}));
    }
}

TEST_CASE("configs: the commented values of vagus.conf are the defaults") {
  auto text = std::regex_replace(config("vagus.conf"),
                                 std::regex{"\n  ; (?=(  )*([a-z_]+ [={]|\\}))"}, "\n");
  auto opts = loaded(text).opts;
  CHECK(opts.server_tags.size() == 2);
  CHECK(opts.username == "alice");
  const options defaults;  // what follows is an example there
  opts.http_port = defaults.http_port;
  opts.server_tags = {};
  opts.server_metadata = {};
  opts.username = opts.password = opts.remote_syslog = {};
  opts.max_sub_tokens = 0;
  opts.config_file = opts.config_digest = {};
  CHECK(opts == defaults);
}
