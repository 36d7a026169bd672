#include "options.hpp"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

namespace vagus::bench {

namespace {

std::vector<std::string> words(const std::string& text, char separator) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);)
    if (!word.empty()) result.push_back(word);
  return result;
}

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  to.insert(to.end(), more.begin(), more.end());
}

using setter = std::function<void(const std::string&)>;

std::map<std::string, setter> valued_flags(options& o) {
  return {
      {"--peer", [&o](const std::string& v) { o.peer = v; }},
      {"--vagus", [&o](const std::string& v) { o.vagus = v; }},
      {"--dir", [&o](const std::string& v) { o.directory = v; }},
      {"--stored", [&o](const std::string& v) { o.stored = std::strtoull(v.c_str(), {}, 10); }},
      {"--deleted", [&o](const std::string& v) { o.deleted = std::strtoull(v.c_str(), {}, 10); }},
      {"--consumed", [&o](const std::string& v) { o.consumed = std::strtoull(v.c_str(), {}, 10); }},
      {"--queued", [&o](const std::string& v) { o.queued = std::strtoull(v.c_str(), {}, 10); }},
      {"--filtered", [&o](const std::string& v) { o.filtered = std::strtoull(v.c_str(), {}, 10); }},
      {"--consumers",
       [&o](const std::string& v) { o.consumers = std::strtoull(v.c_str(), {}, 10); }},
      {"--relay", [&o](const std::string& v) { o.relay = v; }},
      {"--peer-args", [&o](const std::string& v) { append(o.peer_args, words(v, ' ')); }},
      {"--vagus-args", [&o](const std::string& v) { append(o.vagus_args, words(v, ' ')); }},
      {"--case", [&o](const std::string& v) { append(o.cases, words(v, ',')); }},
      {"--rounds", [&o](const std::string& v) { o.rounds = std::atoi(v.c_str()); }},
      {"--seconds", [&o](const std::string& v) { o.seconds = std::atof(v.c_str()); }},
      {"--max-others", [&o](const std::string& v) { o.max_others = std::atof(v.c_str()); }},
      {"--window", [&o](const std::string& v) { o.window = std::strtoull(v.c_str(), {}, 10); }},
      {"--chunk", [&o](const std::string& v) { o.chunk = std::strtoull(v.c_str(), {}, 10); }},
  };
}

std::map<std::string, bool*> switches(options& o) {
  return {{"--quick", &o.quick}, {"--verify", &o.verify}, {"--list", &o.list},
          {"--help", &o.help},   {"--tsv", &o.tsv},       {"--verbose", &o.verbose}};
}

std::string check(const options& o) {
  if (o.list || o.help) return {};
  if (o.vagus.empty() && o.peer.empty()) return "need --vagus PATH or --peer PATH, or both";
  if (o.stored < 10 || o.deleted == 0) return "--stored and --deleted are too small";
  // Whole batches of 500, by each of four publishers, and whole turns of the filter's subjects.
  if (o.consumed == 0 || o.consumed % 500 != 0) return "--consumed must be a multiple of 500";
  if (o.queued == 0 || o.queued % 2000 != 0) return "--queued must be a multiple of 2000";
  if (o.filtered == 0 || o.filtered % 10'000 != 0) return "--filtered must be a multiple of 10000";
  if (o.consumers == 0 || o.consumers > 1'000'000)
    return "--consumers must be a number from 1 to 1000000";
  if (o.rounds < 1 || o.seconds <= 0 || o.window == 0 || o.chunk == 0)
    return "--rounds, --seconds, --window and --chunk must be greater than zero";
  return {};
}

}  // namespace

std::string parse_options(int argc, char** argv, options& o) {
  const auto valued = valued_flags(o);
  const auto plain = switches(o);
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (auto it = plain.find(flag); it != plain.end()) {
      *it->second = true;
    } else if (auto with = valued.find(flag); with != valued.end() && i + 1 < argc) {
      with->second(argv[++i]);
    } else {
      return "unknown flag or missing value: " + flag;
    }
  }
  if (o.quick) {
    o.seconds = 0.1;
    o.warm_up = 0.02;
    o.stored = 10'000;
    o.deleted = 1'000;
    o.consumed = 5'000;
    o.queued = 4'000;
    o.filtered = 20'000;
    o.consumers = 200;
  }
  if (o.relay.empty()) {
    std::error_code ignored;
    o.relay =
        std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "vagus_relay";
  }
  return check(o);
}

std::string usage() {
  return "usage: vagus_bench --vagus PATH [--peer PATH] [options]\n"
         "  --peer PATH        the nats-server to compare with; without it vagus runs alone\n"
         "  --case NAME[,..]   only these cases; shell patterns such as '1:1*' are understood\n"
         "  --list             the cases and their goals\n"
         "  --rounds N         measurements of each server and case (default 5)\n"
         "  --seconds S        load per measurement (default 1)\n"
         "  --quick            tiny loads: shows that everything runs, measures nothing\n"
         "  --verify           parse every delivered message and check its sequence number\n"
         "  --tsv              a machine-readable table in place of the printed one\n"
         "  --verbose          each measurement as it is taken, with the server's pid\n"
         "  --max-others PCT   repeat a measurement (10 times at most) during which other "
         "programs\n"
         "                     used more than PCT percent of the machine\n"
         "  --peer-args ARGS   more flags for that server (split at spaces);\n"
         "  --vagus-args ARGS  the same for vagus\n"
         "  --window BYTES     undelivered bytes at which publishers pause (default 32 MiB)\n"
         "  --chunk BYTES      size of a publisher's writes (default 128 KiB)\n"
         "  --dir DIR          where stores are put, on a disk (default: the temporary directory)\n"
         "  --stored N         messages, over a tenth as many subjects, in the store that js-open\n"
         "                     opens (default 2 million; the goal is meant for 10000000)\n"
         "  --deleted N        messages that js-delete deletes (default 100,000; the goal: "
         "1000000)\n"
         "  --consumed N       messages of the stream that js-fetch, js-consume and js-ordered "
         "read\n"
         "                     (default 500,000)\n"
         "  --queued N         messages that go through js-workqueue (default 400,000)\n"
         "  --filtered N       messages among which js-filter finds its own (default 5 million)\n"
         "  --consumers N      durables that js-consumers and js-consumers-open have (default "
         "10,000)\n"
         "  --relay PATH       the floor's relay (default: vagus_relay beside this program)\n";
}

}  // namespace vagus::bench
