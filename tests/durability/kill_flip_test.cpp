// kill_flip_test --server PATH [--rounds N] [--seconds S] [--seed N] [--verbose]
// Damages one stream's files while no server runs, or the structure of its pages while one does.
// The server must start and go on, have all of the other streams, and of the damaged one what is
// right; what is not, it must say (README.md).
#include "tests/durability/kill_frame.hpp"
#include "tests/durability/kill_wire.hpp"
#include "tests/support/server_process.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <signal.h>
#include <sstream>

namespace {

using namespace vagus::test;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

struct settings {
  std::string server;
  int rounds = 12;
  double seconds = 0;  ///< rounds go on at least for so long
  uint64_t seed = 1;
  bool verbose = false;
};

/// Something is missing, and the server has not said so.
struct unreported : failure {
  using failure::failure;
};

/// One stream, of which every message was acknowledged.
class kept_stream {
public:
  explicit kept_stream(std::string name) : name_{std::move(name)} {}

  const std::string& name() const { return name_; }
  uint64_t size() const { return payloads_.size(); }

  void create(asker& client, bool packs) const {
    const auto* compression = packs ? "s2" : "none";
    const nlohmann::json request{
        {"name", name_}, {"subjects", {name_ + ".*"}}, {"compression", compression}};
    const auto answer = client.api("STREAM.CREATE." + name_, request.dump());
    if (!answer.contains("config")) throw failure{"not created: " + answer.dump()};
    const nlohmann::json config{{"durable_name", "c"}, {"ack_policy", "explicit"}};
    const nlohmann::json of{{"stream_name", name_}, {"config", config}};
    const auto consumer = client.api("CONSUMER.DURABLE.CREATE." + name_ + ".c", of.dump());
    if (!consumer.contains("config")) throw failure{"not created: " + consumer.dump()};
  }

  void publish(asker& client, std::mt19937_64& random, uint64_t count) {
    for (; count > 0; --count) {
      const auto id = name_ + std::to_string(size() + 1);
      const auto payload =
          id + std::string(random() % 9 == 0 ? random() % 9000 : random() % 90, 'x');
      const auto answer =
          client.ask(name_ + "." + std::to_string(random() % 7), payload, id).json();
      if (answer.value("seq", uint64_t{0}) != size() + 1)
        throw failure{"publishing " + id + ": " + answer.dump()};
      payloads_.push_back(payload);
    }
  }

  /// Takes the next message and waits for the answer to its acknowledgement.
  void finish_one(asker& client) {
    const auto next =
        client.ask("$JS.API.CONSUMER.MSG.NEXT." + name_ + ".c", R"({"batch":1,"no_wait":true})");
    if (next.reply.empty()) return;
    client.ask(next.reply, "+ACK");
    ++finished_;
  }

  /// Nothing may be wrong. With `said` (what the server has said) things may be missing, if it
  /// says so. Returns what was found, for the reader.
  std::string check(asker& client, bool damaged, const std::string& said) const {
    const auto info = client.api("STREAM.INFO." + name_);
    const bool reported = damaged && complains(said);
    const auto refuse = [&](const std::string& what) {
      if (!reported) throw unreported{name_ + ": " + what};
      return "reported in the log: " + what;
    };
    if (info.contains("error")) {
      if (!damaged) throw failure{name_ + ": " + info.dump()};
      return "the stream is set aside: " + info["error"].value("description", "");
    }
    const auto& state = info["state"];
    const auto last = state.value("last_seq", uint64_t{0});
    // Of the last batch in the log nobody can tell damage from a write that was cut short.
    const uint64_t lost = last < size() ? size() - last : 0;
    if (last > size() || state.value("messages", uint64_t{0}) != last || lost > (damaged ? 1 : 0))
      return refuse("not all of " + std::to_string(size()) + " messages: " + state.dump());
    uint64_t errors = 0;
    for (uint64_t seq = 1; seq <= last; ++seq) {
      const auto answer =
          client.ask("$JS.API.STREAM.MSG.GET." + name_, "{\"seq\":" + std::to_string(seq) + "}")
              .json();
      if (answer.contains("error")) {
        if (!damaged || answer["error"].value("code", 0) == 404)
          return refuse("message " + std::to_string(seq) + ": " + answer.dump());
        ++errors;
        continue;
      }
      if (answer["message"].value("data", "") != base64(payloads_[seq - 1]))
        throw failure{name_ + ": message " + std::to_string(seq) + " is another one"};
    }
    if (errors > 0) return std::to_string(errors) + " messages answer with an error";
    const auto consumer = client.api("CONSUMER.INFO." + name_ + ".c");
    if (consumer.contains("error")) return refuse("its consumer: " + consumer.dump());
    const auto floor = consumer["ack_floor"].value("stream_seq", uint64_t{0});
    if (floor > finished_ || finished_ - floor > (damaged ? 1 - lost : 0))
      return refuse(std::to_string(finished_) + " were acknowledged: " + consumer.dump());
    if (lost > 0 || floor < finished_) return "right but for the last change";
    return "right";
  }

private:
  /// Whether a line of the server's log is a warning or an error about the stream.
  bool complains(const std::string& log) const {
    std::istringstream lines{log};
    for (std::string line; std::getline(lines, line);)
      if ((line.find("[WRN]") != line.npos || line.find("[ERR]") != line.npos) &&
          line.find("'" + name_ + "'") != line.npos)
        return true;
    return false;
  }

  static std::string base64(std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      uint32_t group = 0;
      for (size_t k = 0; k < 3; ++k)
        group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
      for (size_t k = 0; k < 4; ++k)
        out += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
  }

  std::string name_;
  std::vector<std::string> payloads_;
  uint64_t finished_ = 0;
};

class flips {
public:
  static constexpr int rounds_of_a_store = 8;

  explicit flips(const settings& how) : how_{how}, random_{how.seed} {}

  void run() {
    const auto begin = steady::now();
    const auto over = [&] {
      return std::chrono::duration<double>(steady::now() - begin).count() >= how_.seconds;
    };
    for (int round = 0; round < how_.rounds || !over(); ++round) {
      try {
        one_round(round);
      } catch (const std::exception& e) {
        throw failure{"round " + std::to_string(round) + " (" + done_ + "): " + e.what() +
                      "\n  the server's log:\n" + read_file(dir_.path() + "/server.log")};
      }
    }
  }

  std::string summary() const {
    std::string text;
    for (const auto& [what, count] : found_) text += "\n  " + std::to_string(count) + " " + what;
    return text;
  }

private:
  server_options options() const { return {how_.server, {"-js", "-sd", store()}, {}}; }
  std::string store() const { return dir_.path() + "/store"; }

  void one_round(int round) {
    done_ = "before the damage";
    // All is read in each round: streams that grow for ever would take ever longer.
    const bool first = round % rounds_of_a_store == 0;
    if (first) begin();
    work(first);
    const auto victim = directory_of("VICTIM");
    const auto whole = dir_.path() + "/whole";
    fs::remove_all(whole);
    fs::copy(victim, whole, fs::copy_options::recursive);
    if (round % 2 == 0) {
      damage(victim);
      look();
    } else {
      look_while_damaging(victim);
    }
    // As it was before the damage, it must be right again.
    fs::remove_all(victim);
    fs::rename(whole, victim);
  }

  void begin() {
    fs::remove_all(store());
    streams_.clear();
    for (const char* name : {"VICTIM", "FIRST", "ZLAST"}) streams_.emplace_back(name);
  }

  void work(bool first) {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    for (auto& s : streams_) {
      if (first)
        s.create(client, how_.seed % 2 == 0);
      else
        s.check(client, false, {});
      s.publish(client, random_, 1 + random_() % 60);
      for (auto i = random_() % 20; i > 0; --i) s.finish_one(client);
    }
    const bool kill = random_() % 3 != 0;
    server.process().signal(kill ? SIGKILL : SIGTERM);
    if (!server.process().wait()) throw failure{"does not end"};
  }

  void look() {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    auto missed = look(server, client);
    server.stop();
    if (!missed.empty()) confirm(missed);
  }

  /// As the pages were in use before, nothing of them has to be read from the disk again.
  void look_while_damaging(const std::string& victim) {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    for (const auto& s : streams_) s.check(client, false, {});
    done_ = "data.mdb in use:";
    // Most pages are of former states, so that it takes some to meet one.
    for (auto times = 1 + random_() % (random_() % 2 == 0 ? 4 : 100); times > 0; --times)
      damage_structure(victim + "/data.mdb");
    auto missed = look(server, client);
    // What changes pages, whether it is taken or not.
    for (int i = 0; i < 40; ++i) client.ask("VICTIM." + std::to_string(i % 7), "more");
    client.ask("$JS.API.STREAM.MSG.DELETE.VICTIM", R"({"seq":2})");
    client.ask("$JS.API.STREAM.PURGE.VICTIM", R"({"filter":"VICTIM.3"})");
    for (size_t i = 1; i < streams_.size(); ++i) streams_[i].check(client, false, {});
    if (!server.process().alive()) throw failure{"the server has ended over a change"};
    server.stop();
    if (!missed.empty()) confirm(missed);
  }

  /// What the server missed of the damage, if anything.
  std::string look(server_process& server, asker& client) {
    std::string found, missed;
    try {
      found = streams_[0].check(client, true, server.log());
    } catch (const unreported& e) {
      // LMDB's pages have no checksums: a wrong key is like a message that was removed.
      if (!done_.starts_with("data.mdb")) throw;
      missed = e.what();
      found = "right for the server, but not for \"vagus store check\"";
    } catch (const failure&) {
      if (!server.process().alive()) throw failure{"the server has ended over it"};
      throw;
    }
    if (how_.verbose) std::printf("  %s: %s\n", done_.c_str(), found.c_str());
    ++found_[found.starts_with("right") ? found : "not right, and said so"];
    // With the damaged one written to as well: it may refuse, and the others may not.
    client.ask("VICTIM.1", "one more");
    for (size_t i = 1; i < streams_.size(); ++i) {
      streams_[i].publish(client, random_, 3);
      streams_[i].check(client, false, {});
    }
    return missed;
  }

  /// Damage that the server missed must be found by the check of everything.
  void confirm(const std::string& missed) const {
    child_process tool{{how_.server, "store", "check", directory_of("VICTIM")},
                       dir_.path() + "/check.log"};
    if (tool.wait() == 0) throw failure{missed + "\n  and \"store check\" does not find it"};
  }

  std::string directory_of(const std::string& stream) const {
    for (const auto& entry : fs::recursive_directory_iterator{store()})
      if (entry.is_directory() && entry.path().filename() == stream) return entry.path().string();
    throw failure{"no directory of " + stream};
  }

  void damage(const std::string& directory) {
    const std::string name = std::vector{"data.mdb", "data.mdb", "log.0", "log.1"}[random_() % 4];
    const auto path = directory + "/" + name;
    auto bytes = read_file(path);
    if (bytes.empty()) {
      done_ = name + " is empty";
      return;
    }
    const auto count = random_() % 2 == 0 ? 1 : 1 + random_() % 16;
    const bool near = random_() % 2 == 0;
    auto at = used(bytes);
    done_ = name + " of " + std::to_string(bytes.size()) + " bytes:";
    for (uint64_t i = 0; i < count; ++i) {
      if (!near && i > 0) at = used(bytes);
      const auto mask =
          static_cast<char>(random_() % 2 == 0 ? 1 << random_() % 8 : 1 + random_() % 255);
      bytes[at] = static_cast<char>(bytes[at] ^ mask);
      done_ += " " + std::to_string(at);
      at = std::min(at + 1 + random_() % 3, bytes.size() - 1);
    }
    std::fstream{path, std::ios::in | std::ios::out | std::ios::binary}.write(
        bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  /// Bits of a page's header or of one of its entries: LMDB's pages begin with number and flags,
  /// and then say where the places of their entries end.
  void damage_structure(const std::string& path) {
    constexpr size_t page_size = 4096, header = 16;
    auto bytes = read_file(path);
    auto number = [&](size_t at) {
      return static_cast<size_t>(static_cast<uint8_t>(bytes[at])) |
             static_cast<size_t>(static_cast<uint8_t>(bytes[at + 1])) << 8;
    };
    size_t page = 0;
    for (int tries = 0; tries < 200 && (page == 0 || (number(page + 10) & 7) == 0); ++tries)
      page = random_() % (bytes.size() / page_size) * page_size;
    auto at = page + 8 + random_() % 8;
    auto entries = (number(page + 12) - header) / 2;
    if ((number(page + 10) & 3) != 0 && entries - 1 < page_size / 2 && random_() % 3 != 0) {
      at = page + header + 2 * (random_() % entries);
      if (random_() % 2 == 0) at = page + number(at) + random_() % 8;
      at += random_() % 2;
    }
    at = std::min(at, bytes.size() - 1);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_() % 8));
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(at)).put(bytes[at]);
    done_ += " " + std::to_string(at);
  }

  /// A place in what is used, if chance finds one.
  size_t used(const std::string& bytes) {
    size_t at = 0;
    for (int tries = 0; tries < 50; ++tries) {
      at = random_() % bytes.size();
      if (bytes[at] != 0) return at;
    }
    return at;
  }

  settings how_;
  std::mt19937_64 random_;
  temp_dir dir_;
  std::vector<kept_stream> streams_;
  std::string done_;
  std::map<std::string, int> found_;
};

settings parse(int argc, char** argv) {
  settings how;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--verbose") {
      how.verbose = true;
      continue;
    }
    if (i + 1 == argc) return {};
    const std::string value = argv[++i];
    if (!read_common_flag(how, flag, value)) return {};
  }
  return how;
}

}  // namespace

int main(int argc, char** argv) {
  const auto how = parse(argc, argv);
  if (how.server.empty()) {
    std::fprintf(stderr,
                 "usage: kill_flip_test --server PATH [--rounds N] [--seconds S] [--seed N]\n"
                 "  [--verbose]\n");
    return 2;
  }
  return report("seed " + std::to_string(how.seed), [&] {
    flips test{how};
    test.run();
    return test.summary();
  });
}
