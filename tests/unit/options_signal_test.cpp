#include "net/options/signal.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

using namespace vagus;

namespace {

struct fake_processes {
  std::vector<int> running;
  std::vector<std::pair<int, int>> sent;

  process_table table() {
    return {[this](const std::string&) { return running; },
            [this](int pid, int number) -> std::string {
              sent.emplace_back(pid, number);
              return pid == 404 ? "No such process" : "";
            }};
  }
};

std::string outcome_of(std::string_view text, fake_processes& processes) {
  auto parsed = parse_signal(text);
  if (parsed.error) return *parsed.error;
  return send_signal(parsed.request, "vagus", processes.table()).value_or("sent");
}

}  // namespace

TEST_CASE("signal: each command has its signal") {
  auto number = [](std::string_view text) { return parse_signal(text).request.number; };
  CHECK(number("ldm") == SIGUSR2);
  CHECK(number("stop") == SIGKILL);
  CHECK(number("quit") == SIGINT);
  CHECK(number("term") == SIGTERM);
  CHECK(number("reopen") == SIGUSR1);
  CHECK(number("reload") == SIGHUP);
  CHECK(parse_signal("bogus").error == "unknown signal \"bogus\"");
}

TEST_CASE("signal: goes to the pid asked for") {
  fake_processes processes;
  CHECK(outcome_of("quit=42", processes) == "sent");
  CHECK(processes.sent == std::vector<std::pair<int, int>>{{42, SIGINT}});
  CHECK(outcome_of("quit=404", processes) == "signal \"quit\" to 404: No such process");
}

TEST_CASE("signal: without a pid it goes to the only server") {
  fake_processes processes{{7}, {}};
  CHECK(outcome_of("reload", processes) == "sent");
  processes.running = {};
  CHECK(outcome_of("reload=", processes) == "no vagus process is running");
  processes.running = {7, 8};
  CHECK(outcome_of("reload", processes) == "several vagus processes are running, name one:\n7\n8");
  CHECK(processes.sent.size() == 1);
}

TEST_CASE("signal: a star stands for all servers with that beginning") {
  fake_processes processes{{70, 71, 80}, {}};
  CHECK(outcome_of("reload=7*", processes) == "sent");
  CHECK(processes.sent.size() == 2);
  CHECK(outcome_of("reload=*", processes) == "sent");
  CHECK(processes.sent.size() == 5);
}

TEST_CASE("signal: nothing that kill(2) takes for many processes is a pid") {
  fake_processes processes;
  for (auto text : {"stop=0", "stop=-1", "stop=x", "stop=1=2", "stop= 1", "stop=99999999999"})
    CHECK(outcome_of(text, processes) != "sent");
  CHECK(processes.sent.empty());
}
