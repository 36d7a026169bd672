#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// A consumer of the last message of each of very many subjects, of which messages are removed
/// while it is told of everything and while it is told of nothing; a set says what is to come.
class lasts_model {
public:
  lasts_model(const char* kind, unsigned seed) : random_{seed} {
    b_.c.make(kind);
    for (size_t n = 0; n < subjects; ++n) publish(n);
    for (size_t n = 0; n < 100; ++n) publish(random_() % subjects);
    world_.settle();
    for (const auto& [subject, seq] : last_) ahead_.insert(seq);
    b_.make(R"(,"deliver_policy":"last_per_subject","filter_subject":"s.*","ack_policy":"none")");
    made_ = true;
  }

  void step() {
    auto what = random_() % 10;
    if (what < 2) return publish(random_() % subjects), world_.settle();
    if (what < 5) return remove();
    if (what == 5) return purge();
    if (what < 8) return pull(1 + random_() % 4);
    b_.wait(6s);  // it is told of nothing any more
    b_.heard();
  }

  void check() { CHECK(b_.info().at("num_pending") == ahead_.size()); }

private:
  static constexpr size_t subjects = 1150;

  void publish(size_t n) {
    b_.c.tell(fmt::format("s.{}", n), "x");
    there_[++seq_] = n;
    last_[n] = seq_;
    if (made_) ahead_.insert(seq_);
  }

  void remove() {
    auto seq = std::next(there_.begin(), static_cast<long>(random_() % there_.size()))->first;
    CHECK(b_.api("STREAM.MSG.DELETE.S", fmt::format(R"({{"seq":{}}})", seq)).at("success") == true);
    there_.erase(seq);
    ahead_.erase(seq);
  }

  void purge() {
    auto n = random_() % subjects;
    b_.api("STREAM.PURGE.S", fmt::format(R"({{"filter":"s.{}"}})", n));
    std::erase_if(ahead_, [&](uint64_t seq) { return there_.at(seq) == n; });
    std::erase_if(there_, [&](const auto& m) { return m.second == n; });
  }

  void pull(size_t count) {
    std::string expected;
    for (size_t n = 0; n < count; ++n) {
      expected += fmt::format("{}{}", n == 0 ? "" : " ", *ahead_.begin());
      ahead_.erase(ahead_.begin());
    }
    CHECK(b_.pulls(fmt::format("{}", count)) == expected);
  }

  std::mt19937 random_;
  jetstream_world world_;
  consumer_bench b_{world_};
  std::map<uint64_t, size_t> there_;  ///< messages and their subjects
  std::map<size_t, uint64_t> last_;
  std::set<uint64_t> ahead_;
  uint64_t seq_ = 0;
  bool made_ = false;
};

}  // namespace

TEST_CASE("consumer: the last ones of very many subjects are counted exactly, told of it or not") {
  const auto* kind = GENERATE("memory", "file");
  auto seed = GENERATE(range(1u, 5u));
  INFO("seed " << seed);
  lasts_model m{kind, seed};
  m.check();
  for (int i = 0; i < 60; ++i) {
    INFO("step " << i);
    m.step();
    m.check();
  }
}
