#include "storage_model.hpp"

#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

using namespace vagus;
using namespace vagus::testing;

namespace {

const char* const filters[] = {"",      ">",   "a.*", "a.>", "*.b", "a.b", "c.d.e",
                               "*.*.e", "c.>", "x",   "*",   "no",  "a.b1"};

class random_run {
public:
  random_run(bench_store::kind kind, uint64_t seed, bool packs = false)
      : model_{kind == bench_store::kind::lmdb}, store_{kind}, random_{seed}, packs_{packs} {}

  void run(int batches) {
    configure();
    for (int i = 0; i < batches; ++i) {
      store_.now += pick(4) == 0 ? static_cast<int64_t>(pick(3)) * second : 1000;
      batch();
      compare_state();
      if (pick(10) == 0) compare_lookups();
      if (pick(25) == 0) hold();
      if (pick(40) == 0) look_back();
      if (pick(60) == 0) reopen();
      if (pick(80) == 0) configure();
    }
    compare_lookups();
    if (auto* lmdb = dynamic_cast<lmdb_store*>(&*store_)) {
      auto findings = lmdb->verify(10, {});
      for (const auto& f : findings) UNSCOPED_INFO(f.text << " " << f.seq);
      REQUIRE(findings.empty());
    }
  }

private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  std::string subject() {
    static const std::string deep(600, 'q');
    switch (pick(8)) {
      case 0:
        return "c.d.e";
      case 1:
        return "x";
      case 2:
        return "long." + deep + std::to_string(pick(3));
      case 3:
        return "c.d" + std::to_string(pick(30)) + ".e";
      default:
        return "a.b" + (pick(3) == 0 ? "" : std::to_string(pick(6)));
    }
  }

  /// Some of those that may be packed are large enough for that.
  std::string payload() {
    if (!packs_ || pick(3) == 0) return std::string(pick(60), 'p');
    std::string bytes(pick(700), static_cast<char>('a' + pick(26)));
    for (auto& c : bytes)
      if (pick(8) == 0) c = static_cast<char>(random_());
    return bytes;
  }

  void configure() {
    store_limits limits;
    limits.duplicate_window_ns = static_cast<int64_t>(1 + pick(5)) * second;
    if (pick(2)) limits.max_msgs = static_cast<int64_t>(20 + pick(200));
    if (pick(3) == 0) limits.max_bytes = static_cast<int64_t>(2000 + pick(9000));
    if (pick(2)) limits.max_msgs_per_subject = static_cast<int64_t>(1 + pick(12));
    if (pick(3) == 0) limits.max_age_ns = static_cast<int64_t>(3 + pick(20)) * second;
    if (pick(2)) limits.subject_delete_marker_ttl_ns = static_cast<int64_t>(1 + pick(9)) * second;
    if (pick(4) == 0) limits.max_msg_size = 40;
    limits.discard_new = pick(3) == 0;
    limits.discard_new_per_subject = pick(2) == 0;
    limits.compress = packs_ && pick(4) > 0;
    send({configure_proposal{limits, "{}"}});
  }

  void random_store(store_proposal& p) {
    p.subject = keep(subject());
    p.payload = keep(payload());
    if (pick(9) == 0) p.headers = "NATS/1.0\r\nNats-Marker-Reason: Purge\r\n\r\n";
    if (pick(3) == 0) p.headers = "NATS/1.0\r\nA: b\r\n\r\n";
    if (pick(2)) p.msg_id = keep("id" + std::to_string(pick(300)));
    if (pick(12) == 0) p.expected_last_seq = model_.state().last_seq - pick(2);
    if (pick(12) == 0) {
      if (pick(2)) p.expected_subject = filters[2 + pick(9)];
      auto seqs = model_.matching(p.expected_subject.empty() ? p.subject : p.expected_subject, 0);
      p.expected_last_subject_seq = seqs.empty() || pick(5) == 0 ? 0 : seqs.back();
    }
    if (pick(20) == 0) p.expected_last_msg_id = keep("id" + std::to_string(pick(300)));
    if (pick(10) == 0)
      p.ttl_ns = pick(3) == 0 ? ttl_never : static_cast<int64_t>(pick(9) + 1) * second;
    p.rollup_subject = pick(25) == 0;
    p.rollup_all = pick(250) == 0;
    p.skip = pick(30) == 0;
    p.wants_previous = pick(10) == 0;
    if (pick(15) == 0) {
      p.seq = model_.state().last_seq + pick(4);
      p.time_ns = store_.now - static_cast<int64_t>(pick(3)) * second;
    }
    if (pick(30) == 0) p.refused = store_proposal::refusal::after_sequences;
    if (pick(30) == 0) p.refused = store_proposal::refusal::after_ids;
  }

  proposal random_proposal() {
    auto last = model_.state().last_seq;
    switch (pick(20)) {
      case 0:
      case 1:
      case 2:
        if (pick(8) == 0) return delete_proposal{last};
        return delete_proposal{last < 150 ? pick(last + 1) : last - pick(150)};
      case 3: {
        if (pick(4)) return expire_proposal{};
        purge_proposal p;
        p.filter = filters[pick(std::size(filters))];
        if (pick(3) == 0) p.keep = pick(5);
        if (pick(2)) p.up_to = last + (pick(10) == 0 ? 7 : 0) - std::min(last, pick(60));
        return p;
      }
      case 4:
        if (pick(3) == 0) return consumer_delete_proposal{keep("c" + std::to_string(pick(9)))};
        return consumer_put_proposal{keep("c" + std::to_string(pick(9))), keep(subject())};
      default: {
        store_proposal p;
        random_store(p);
        return p;
      }
    }
  }

  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  /// Each proposal is made when those before it are in the model, so that expectations often hold.
  void batch() {
    batch_builder bytes{store_.now};
    std::vector<outcome> expected;
    model_.begin(store_.now);
    for (auto count = 1 + pick(12); count > 0; --count) {
      auto p = random_proposal();
      bytes.add(p);
      expected.push_back(model_.apply(p));
    }
    finish(bytes, expected);
  }

  void send(const std::vector<proposal>& proposals) {
    batch_builder bytes{store_.now};
    std::vector<outcome> expected;
    model_.begin(store_.now);
    for (const auto& p : proposals) {
      bytes.add(p);
      expected.push_back(model_.apply(p));
    }
    finish(bytes, expected);
  }

  void finish(const batch_builder& bytes, const std::vector<outcome>& expected) {
    model_.end();
    auto result = store_->append(bytes.bytes());
    INFO(result.error.text);
    REQUIRE_FALSE(result.error);
    REQUIRE(result.outcomes.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      const auto& got = result.outcomes[i];
      INFO("proposal " << i << " of batch " << result.number);
      REQUIRE(to_text(got.error) == std::string{to_text(expected[i].error)});
      REQUIRE(got.seq == expected[i].seq);
      REQUIRE(got.duplicate == expected[i].duplicate);
      REQUIRE(got.removed == expected[i].removed);
      REQUIRE(got.text == expected[i].text);
      REQUIRE(got.previous == expected[i].previous);
    }
    REQUIRE(result.markers == model_.markers());
    kept_.clear();
  }

  void compare_state() {
    auto state = store_.state();
    auto wanted = model_.state();
    REQUIRE(state.msgs == wanted.msgs);
    REQUIRE(state.first_seq == wanted.first_seq);
    REQUIRE(state.num_subjects == wanted.num_subjects);
    REQUIRE(state == wanted);
  }

  void compare_lookups() {
    auto opened = store_->read();
    compare_lookups(**opened, model_);
  }

  /// A snapshot that stays as it is while batches are applied.
  void hold() {
    if (dynamic_cast<lmdb_store*>(&*store_) == nullptr) return;
    held_ = std::move(*store_->read());
    then_.emplace(model_);
  }

  void look_back() {
    if (held_) compare_lookups(*held_, *then_);
  }

  void reopen() {
    held_.reset();
    store_.reopen();
  }

  void compare_lookups(store_snapshot& snapshot, const model& now) {
    auto last = now.state().last_seq;
    for (const auto* filter : filters) {
      auto from = pick(3) ? last - std::min(last, pick(200)) : 0;
      INFO("filter '" << filter << "' from " << from);
      auto wanted = now.matching(filter, from);
      auto got = *snapshot.next(filter, from, 1 + pick(20));
      REQUIRE(got.empty() == wanted.empty());
      wanted.resize(std::min(wanted.size(), got.size()));
      REQUIRE(got == wanted);
      REQUIRE(*snapshot.count(filter, from) == now.matching(filter, from).size());
      auto all = now.matching(filter, 0);
      REQUIRE(*snapshot.last(filter) == (all.empty() ? 0 : all.back()));
      REQUIRE(*snapshot.last_per_subject(filter, from) == now.last_per_subject(filter, from));
      compare_subjects(snapshot, now, filter);
    }
    for (int i = 0; i < 20; ++i) compare_message(snapshot, now, last - std::min(last, pick(200)));
    compare_walk(snapshot, now, pick(2) ? last - std::min(last, pick(300)) : 0);
    REQUIRE(*snapshot.consumers({}, 100) == names(now));
  }

  void compare_walk(store_snapshot& snapshot, const model& now, uint64_t from) {
    std::vector<uint64_t> seen;
    for (auto m = snapshot.next_message(from); m; m = snapshot.next_message(m->seq + 1))
      seen.push_back(m->seq);
    REQUIRE(seen == now.matching(">", from));
  }

  void compare_subjects(store_snapshot& snapshot, const model& now, const char* filter) {
    std::map<std::string, uint64_t> seen;
    for (std::string after;;) {
      auto page = *snapshot.subjects(filter, after, 3);
      for (const auto& s : page) REQUIRE(seen.emplace(s.subject, s.msgs).second);
      if (page.size() < 3) break;
      after = page.back().subject;
    }
    REQUIRE(seen == now.counts(filter));
  }

  void compare_message(store_snapshot& snapshot, const model& now, uint64_t seq) {
    auto got = snapshot.message(seq);
    auto at = now.messages().find(seq);
    REQUIRE(static_cast<bool>(got) == (at != now.messages().end()));
    if (!got) return;
    REQUIRE(got->subject == at->second.subject);
    REQUIRE(got->headers == at->second.headers);
    REQUIRE(got->payload == at->second.payload);
    REQUIRE(got->time_ns == at->second.time_ns);
    REQUIRE(got->expires_ns == at->second.expires_ns);
    auto first = *snapshot.seq_at_time(got->time_ns);
    REQUIRE(now.messages().at(first).time_ns == got->time_ns);
    auto before = now.messages().find(first);
    REQUIRE((before == now.messages().begin() || std::prev(before)->second.time_ns < got->time_ns));
  }

  std::vector<std::string> names(const model& now) const {
    std::vector<std::string> result;
    for (const auto& [name, row] : now.consumers()) result.push_back(name);
    return result;
  }

  model model_;
  bench_store store_;
  std::optional<model> then_;
  std::unique_ptr<store_snapshot> held_;
  std::mt19937_64 random_;
  bool packs_;
  std::deque<std::string> kept_;
};

uint64_t seed_for(uint64_t fallback) {
  auto* given = std::getenv("VAGUS_SEED");
  return given ? std::strtoull(given, nullptr, 10) : fallback;
}

}  // namespace

TEST_CASE("storage: random batches do to the LMDB store what they do to a plain model") {
  auto seed = seed_for(GENERATE(1u, 2u, 3u, 4u));
  INFO("VAGUS_SEED=" << seed);
  random_run{bench_store::kind::lmdb, seed}.run(600);
}

TEST_CASE("storage: random batches do to an LMDB store that packs what they do to a plain model") {
  auto seed = seed_for(GENERATE(21u, 22u, 23u));
  INFO("VAGUS_SEED=" << seed);
  random_run{bench_store::kind::lmdb, seed, true}.run(600);
}

TEST_CASE("storage: random batches do to the memory store what they do to a plain model") {
  auto seed = seed_for(GENERATE(11u, 12u, 13u));
  INFO("VAGUS_SEED=" << seed);
  random_run{bench_store::kind::memory, seed}.run(600);
}
