#include "net/subject.hpp"
#include "world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <random>
#include <set>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// One MSG as a client has heard it; payloads are the numbers of the messages.
struct heard_message {
  std::string subject, sid;
  int number;
};

std::vector<heard_message> messages_in(const std::string& text) {
  std::vector<heard_message> found;
  for (size_t at = 0; at < text.size();) {
    auto line = text.substr(at, text.find("\r\n", at) - at);
    auto first = line.find(' '), second = line.find(' ', first + 1), last = line.rfind(' ');
    REQUIRE(line.substr(0, first) == "MSG");
    auto size = std::stoul(line.substr(last + 1));
    auto body = text.substr(at + line.size() + 2, size);
    found.push_back({line.substr(first + 1, second - first - 1),
                     line.substr(second + 1, last - second - 1), std::stoi(body)});
    at += line.size() + 2 + size + 2;
  }
  return found;
}

/// What the server should know, as a list that is searched.
struct model {
  struct entry {
    size_t client;
    std::string sid, subject, queue;
    int delivered = 0, max = 0;
  };
  std::vector<entry> entries;

  entry* find(size_t client, const std::string& sid) {
    for (auto& e : entries)
      if (e.client == client && e.sid == sid) return &e;
    return nullptr;
  }
  void subscribe(entry e) {
    if (find(e.client, e.sid) == nullptr) entries.push_back(std::move(e));
  }
  void unsubscribe(size_t client, const std::string& sid, int max) {
    auto* e = find(client, sid);
    if (e == nullptr) return;
    e->max = max > e->delivered ? max : 0;
    if (max <= e->delivered) entries.erase(entries.begin() + (e - entries.data()));
  }
  void note_delivered(size_t client, const std::string& sid) {
    auto* e = find(client, sid);
    REQUIRE(e != nullptr);
    if (++e->delivered == e->max) entries.erase(entries.begin() + (e - entries.data()));
  }
};

/// Some clients that do random things.
class crowd {
public:
  crowd(unsigned seed, size_t loops) : random_{seed}, world_{{}, loops} {
    for (size_t i = 0; i < 5; ++i)
      clients_.push_back(std::make_unique<client>(world_, client::usual, i % loops));
  }

  size_t pick(size_t n) { return random_() % n; }
  model& wanted() { return model_; }
  world& all() { return world_; }
  client& at(size_t i) { return *clients_[i]; }
  size_t size() const { return clients_.size(); }

  std::string pattern() {
    static const std::vector<std::string> all{"a", "b", "a.b", "a.*",   "*.b", "a.>",
                                              "*", ">", "*.*", "a.b.c", "*.>", "b.>"};
    return all[pick(all.size())];
  }
  std::string subject() {
    static const std::vector<std::string> all{"a", "b", "c", "a.b", "a.c", "b.b", "a.b.c", "a..b"};
    return all[pick(all.size())];
  }
  std::string queue() { return pick(2) ? "" : pick(2) ? "q1" : "q2"; }
  std::string sid() { return std::to_string(pick(4)); }

  /// Sends in up to three pieces.
  void send(size_t who, const std::string& text) {
    size_t cut = pick(text.size() + 1), second = cut + pick(text.size() - cut + 1);
    for (auto piece : {text.substr(0, cut), text.substr(cut, second - cut), text.substr(second)})
      if (!piece.empty()) at(who).sends(piece);
  }

private:
  std::minstd_rand random_;
  world world_;
  std::vector<std::unique_ptr<client>> clients_;
  model model_;
};

void change_interest(crowd& c) {
  auto who = c.pick(c.size());
  auto sid = c.sid();
  if (c.pick(2) == 0) {
    auto subject = c.pattern(), queue = c.queue();
    c.send(who, fmt::format("SUB {} {} {}\r\n", subject, queue, sid));
    c.wanted().subscribe({who, sid, subject, queue});
  } else {
    auto max = c.pick(3) == 0 ? static_cast<int>(c.pick(6)) : 0;
    c.send(who, fmt::format("UNSUB {} {}\r\n", sid, max));
    c.wanted().unsubscribe(who, sid, max);
  }
  c.all().settle();
}

/// Publishes one message and compares who hears it with the model.
void publish_and_compare(crowd& c, int number) {
  auto subject = c.subject();
  std::set<std::pair<size_t, std::string>> plain;
  std::map<std::string, std::set<std::pair<size_t, std::string>>> groups;
  for (const auto& e : c.wanted().entries) {
    if (!subject_matches(e.subject, subject)) continue;
    (e.queue.empty() ? plain : groups[e.queue]).insert({e.client, e.sid});
  }
  auto body = std::to_string(number);
  c.send(c.pick(c.size()), fmt::format("PUB {} {}\r\n{}\r\n", subject, body.size(), body));
  c.all().settle();
  for (size_t i = 0; i < c.size(); ++i) {
    for (const auto& m : messages_in(c.at(i).hears_all())) {
      std::pair<size_t, std::string> receiver{i, m.sid};
      INFO("message " << number << " to " << subject << " at client " << i << " sid " << m.sid);
      REQUIRE(m.number == number);
      REQUIRE(m.subject == subject);
      bool expected = plain.erase(receiver) > 0;
      for (auto it = groups.begin(); !expected && it != groups.end(); ++it)
        if (it->second.count(receiver)) {
          expected = true;
          groups.erase(it);
          break;
        }
      REQUIRE(expected);
      c.wanted().note_delivered(i, m.sid);
    }
  }
  INFO("message " << number << " to " << subject);
  REQUIRE(plain.empty());
  REQUIRE(groups.empty());
}

}  // namespace

TEST_CASE("connection: random operations of some clients agree with a plain list") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  for (size_t loops : {1, 2, 3}) {
    crowd c{seed, loops};
    for (int i = 0; i < 1500; ++i) {
      if (c.pick(2) == 0)
        change_interest(c);
      else
        publish_and_compare(c, i);
    }
  }
}

TEST_CASE("connection: whatever happens at once, no message comes twice or before an earlier one") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  crowd c{seed, 2};
  for (int i = 0; i < 3000; ++i) {
    auto who = c.pick(c.size());
    auto body = fmt::format("{}", i);
    switch (c.pick(4)) {
      case 0:
        c.send(who, fmt::format("SUB {} {}\r\n", c.pattern(), c.sid()));
        break;
      case 1:
        c.send(who, fmt::format("UNSUB {} {}\r\n", c.sid(), c.pick(4)));
        break;
      default:
        // Only client 0 publishes, so that the numbers are in the order in which they were sent.
        c.send(0, fmt::format("PUB {} {}\r\n{}\r\n", c.subject(), body.size(), body));
    }
    if (c.pick(10) == 0) c.all().settle();
  }
  c.all().settle();
  for (size_t i = 0; i < c.size(); ++i) {
    std::map<std::string, int> last;
    for (const auto& m : messages_in(c.at(i).hears_all())) {
      auto [it, first] = last.insert({m.sid, m.number});
      INFO("client " << i << " sid " << m.sid);
      if (!first) REQUIRE(it->second < m.number);
      it->second = m.number;
    }
  }
  CHECK(c.all().counters.pending == 0);
}
