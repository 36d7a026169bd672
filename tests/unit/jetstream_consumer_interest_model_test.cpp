#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// A stream with retention `interest` or a work queue, and consumers that come, read, acknowledge
/// and go at random; sets say which messages have to be there.
class retention_model {
public:
  retention_model(const char* kind, bool workqueue, size_t loops, unsigned seed)
      : random_{seed},
        world_{{}, loops},
        b_{world_},
        file_{kind == std::string{"file"}},
        workqueue_{workqueue} {
    b_.c.make(kind, fmt::format(R"(,"retention":"{}")", workqueue ? "workqueue" : "interest"));
  }

  void step() {
    auto names = std::vector<std::string>{};
    for (const auto& [name, c] : consumers_) names.push_back(name);
    auto what = random_() % 20;
    if (names.empty() || what == 0) return add();
    const auto& name = names[random_() % names.size()];
    if (what < 6) return publish(1 + random_() % 3);
    if (what < 11) return pull(name, 1 + random_() % 3);
    if (what == 11) return erase(name);
    if (what == 12 && file_) return restart();
    if (what == 13) return remove();
    return ack(name);
  }

  void check() {
    auto there = messages();
    CHECK(b_.c.state().at("messages") == there.size());
    for (auto& [name, c] : consumers_) {
      INFO("consumer " << name);
      auto info = b_.info(name);
      CHECK(info.at("num_pending") == ahead(c).size());
      CHECK(info.at("num_ack_pending") == c.delivered.size());
    }
  }

private:
  struct consumer {
    std::string filter;  ///< empty: everything
    std::set<uint64_t> needs;
    std::set<uint64_t> delivered;  ///< and not acknowledged
    uint64_t next = 1;

    bool takes(const std::string& subject) const { return filter.empty() || filter == subject; }
  };

  std::set<uint64_t> messages() const {
    if (workqueue_) return stored_;
    std::set<uint64_t> all;
    for (const auto& [name, c] : consumers_) all.insert(c.needs.begin(), c.needs.end());
    return all;
  }

  /// What the consumer has yet to be delivered.
  std::set<uint64_t> ahead(const consumer& c) const {
    std::set<uint64_t> result;
    for (auto seq : messages())
      if (seq >= c.next && c.takes(subjects_.at(seq))) result.insert(seq);
    return result;
  }

  void add() {
    std::string name(1, "ABC"[random_() % 3]);
    if (consumers_.contains(name)) return;
    consumer c;
    // Consumers of a work queue may not want the same.
    if (workqueue_ || random_() % 2 == 0) c.filter = fmt::format("s.{}", name);
    auto filter = c.filter.empty() ? "" : fmt::format(R"(,"filter_subject":"{}")", c.filter);
    auto answer = b_.api(fmt::format("CONSUMER.CREATE.S.{}", name),
                         fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"{}",)"
                                     R"("ack_policy":"explicit"{}}}}})",
                                     name, filter));
    INFO(answer.dump());
    REQUIRE(error_in(answer) == 0);
    for (auto seq : messages())
      if (c.takes(subjects_.at(seq))) c.needs.insert(seq);
    consumers_[name] = c;
  }

  void publish(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto subject = fmt::format("s.{}", "ABC"[random_() % 3]);
      b_.c.tell(subject, "x");
      subjects_[++last_] = subject;
      stored_.insert(last_);
      for (auto& [name, c] : consumers_)
        if (c.takes(subject)) c.needs.insert(last_);
    }
    world_.settle();
  }

  void pull(const std::string& name, size_t count) {
    auto& c = consumers_.at(name);
    b_.c.tell(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.{}", name),
              fmt::format(R"({{"batch":{},"no_wait":true}})", count), {}, "R.m");
    world_.settle();
    std::string expected;
    for (auto seq : ahead(c)) {
      if (count == 0) break;
      --count;
      expected += fmt::format("{} ", seq);
      c.delivered.insert(seq);
      c.next = seq + 1;
    }
    if (count > 0) expected += "<404 No Messages> ";
    CHECK(b_.heard() + ' ' == expected);
  }

  void gone(consumer& c, uint64_t seq) {
    c.needs.erase(seq);
    c.delivered.erase(seq);
  }

  void ack(const std::string& name) {
    auto& c = consumers_.at(name);
    if (c.delivered.empty()) return;
    auto at = std::next(c.delivered.begin(), static_cast<long>(random_() % c.delivered.size()));
    auto seq = *at;
    b_.c.tell(fmt::format("$JS.ACK.S.{}.1.{}.1.0.0", name, seq),
              random_() % 4 == 0 ? "+TERM" : "+ACK");
    world_.settle();
    gone(c, seq);
    if (workqueue_) stored_.erase(seq);
  }

  void erase(const std::string& name) {
    CHECK(b_.api(fmt::format("CONSUMER.DELETE.S.{}", name)).at("success") == true);
    consumers_.erase(name);
  }

  void remove() {
    auto there = messages();
    if (there.empty()) return;
    auto seq = *std::next(there.begin(), static_cast<long>(random_() % there.size()));
    b_.api("STREAM.MSG.DELETE.S", fmt::format(R"({{"seq":{}}})", seq));
    stored_.erase(seq);
    for (auto& [name, c] : consumers_) gone(c, seq);
  }

  void restart() {
    world_.restart_jetstream();
    b_.heard();
  }

  std::mt19937 random_;
  jetstream_world world_;
  consumer_bench b_;
  bool file_;
  bool workqueue_;
  std::map<uint64_t, std::string> subjects_;
  std::set<uint64_t> stored_;
  std::map<std::string, consumer> consumers_;
  uint64_t last_ = 0;
};

}  // namespace

TEST_CASE("retention: exactly what consumers need is there, whatever they do") {
  const auto* kind = GENERATE("memory", "file");
  bool workqueue = GENERATE(false, true);
  auto seed = GENERATE(range(1u, 6u));
  INFO("seed " << seed);
  retention_model m{kind, workqueue, 1 + seed % 2, seed};
  for (int i = 0; i < 80; ++i) {
    INFO("step " << i);
    m.step();
    m.check();
  }
}
