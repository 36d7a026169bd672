#include "net/options/load.hpp"
#include "net/options/usage.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

load_result run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "vagus");
  return load(static_cast<int>(arguments.size()), arguments.data(), {});
}

options opts(std::vector<const char*> arguments) {
  auto result = run(std::move(arguments));
  if (auto* print = std::get_if<print_request>(&result)) FAIL(print->err);
  return std::get<run_request>(result).opts;
}

print_request printed(std::vector<const char*> arguments) {
  return std::get<print_request>(run(std::move(arguments)));
}

}  // namespace

TEST_CASE("flags: none gives the defaults") {
  CHECK(opts({}) == options{});
}

TEST_CASE("flags: one dash or two, a space or an equals sign") {
  CHECK(opts({"-p", "5000"}).port == 5000);
  CHECK(opts({"-p=5000"}).port == 5000);
  CHECK(opts({"--port=5000"}).port == 5000);
  CHECK(opts({"--p", "0x1388"}).port == 5000);
  CHECK(opts({"-p", "1", "-p", "2"}).port == 2);
}

TEST_CASE("flags: port 0 is the default, -1 any free one") {
  CHECK(opts({"-p", "0"}).port == 4222);
  CHECK(opts({"-p", "-1"}).port == -1);
}

TEST_CASE("flags: the monitoring address follows the client address") {
  CHECK(opts({"-a", "127.0.0.1"}).http_host == "127.0.0.1");
}

TEST_CASE("flags: booleans take a value only after an equals sign") {
  CHECK(opts({"-D"}).debug);
  CHECK_FALSE(opts({"-D=false"}).debug);
  CHECK_FALSE(opts({"-T=0"}).logtime);
  CHECK(printed({"-D", "true"}).err == "vagus: unrecognized command: \"true\"\n");
}

TEST_CASE("flags: those that stand for several win over single ones") {
  CHECK(opts({"-DV"}).debug);
  CHECK(opts({"-DV"}).trace);
  CHECK_FALSE(opts({"-DV"}).trace_verbose);
  CHECK(opts({"-DVV"}).trace_verbose);
  CHECK(opts({"-VV"}).trace);
  CHECK_FALSE(opts({"-VV"}).debug);
  CHECK(opts({"-DV", "-D=false"}).debug);
}

TEST_CASE("flags: errors are Go's, with usage and exit code 1") {
  auto check = [](std::vector<const char*> arguments, std::string error) {
    auto print = printed(std::move(arguments));
    CHECK(print.err == error + "\n");
    CHECK(print.exit_code == 1);
    CHECK(print.out == usage_text());
  };
  check({"-foo"}, "flag provided but not defined: -foo");
  check({"-p", "x"}, "invalid value \"x\" for flag -p: parse error");
  check({"-p", "99999999999999999999"},
        "invalid value \"99999999999999999999\" for flag -p: value out of range");
  check({"-p"}, "flag needs an argument: -p");
  check({"-D=x"}, "invalid boolean value \"x\" for -D: parse error");
  check({"---p"}, "bad flag syntax: ---p");
  check({"-=1"}, "bad flag syntax: -=1");
}

TEST_CASE("flags: of missing features are refused by name") {
  auto print = printed({"--tls", "-p", "1", "--routes", "x"});
  CHECK(print.err ==
        "vagus: -tls: vagus does not support this yet (TLS)\n"
        "-routes: vagus does not support this yet (clustering)\n");
  CHECK(print.exit_code == 1);
  for (auto flag : {"--tls", "--tlscert=x", "--routes=x", "--cluster=x", "--no_advertise",
                    "--profile=1", "-ms=1"})
    CHECK(printed({flag}).err.find("does not support") != std::string::npos);
  CHECK(opts({"--tls=false"}) == options{});
}

TEST_CASE("flags: help and version, as flags and as words") {
  for (auto word : {"-h", "--help", "help", "HELP"}) CHECK(printed({word}).out == usage_text());
  for (auto word : {"-v", "--version", "version"}) CHECK(printed({word}).out == version_text());
  CHECK(version_text().find("nats-server protocol v") != std::string::npos);
  CHECK(printed({"-p", "1", "version"}).exit_code == 0);
  CHECK(printed({"--help_tls"}).exit_code == 0);
  CHECK(printed({"--", "-p"}).err == "vagus: unrecognized command: \"-p\"\n");
}

TEST_CASE("flags: what cannot be served is refused") {
  CHECK(printed({"-p", "70000"}).exit_code == 1);
  CHECK(printed({"-p", "-2"}).exit_code == 1);
  CHECK(printed({"-n", "a b"}).exit_code == 1);
  CHECK(printed({"--client_advertise", "a:b"}).exit_code == 1);
  CHECK(opts({"--client_advertise", "a:1"}).client_advertise == "a:1");
  CHECK(opts({"--client_advertise", "[::1]"}).client_advertise == "[::1]");
}

TEST_CASE("flags: every remaining one reaches its option") {
  auto x = opts({"-n",
                 "s",
                 "-P",
                 "pid",
                 "-m",
                 "8222",
                 "--ports_file_dir",
                 "d",
                 "-l",
                 "log",
                 "--logtime_utc",
                 "-s",
                 "-r",
                 "udp://x:1",
                 "--log_size_limit",
                 "5",
                 "--max_traced_msg_len",
                 "6",
                 "--user",
                 "u",
                 "--pass",
                 "p",
                 "--auth",
                 "t",
                 "--event_loops",
                 "3"});
  CHECK(x.server_name == "s");
  CHECK(x.pid_file == "pid");
  CHECK(x.http_port == 8222);
  CHECK(x.ports_file_dir == "d");
  CHECK(x.log_file == "log");
  CHECK(x.logtime_utc);
  CHECK(x.syslog);
  CHECK(x.remote_syslog == "udp://x:1");
  CHECK(x.log_size_limit == 5);
  CHECK(x.max_traced_msg_len == 6);
  CHECK(x.username == "u");
  CHECK(x.password == "p");
  CHECK(x.token == "t");
  CHECK(x.event_loops == 3);
}
