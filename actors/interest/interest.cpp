#include "actors/interest/interest.hpp"

#include "actors/interest/nodes.hpp"
#include "net/subject.hpp"

#include <algorithm>

namespace vagus {

namespace {

/// Cuts the first token off `rest`.
std::string_view take_token(std::string_view& rest) {
  auto dot = rest.find('.');
  auto token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  return token;
}

bool is_wildcard(std::string_view token) {
  return token == "*" || token == ">";
}

void count(std::atomic<uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace

interest::interest()
    : root_{std::make_unique<trie_node>()},
      whole_{new std::atomic<uint64_t>[whole_counters] {}},
      two_{new std::atomic<uint64_t>[prefix_counters] {}},
      one_{new std::atomic<uint64_t>[prefix_counters] {}} {}

interest::~interest() {
  for (auto& part : literals_) part.for_each([](literal_node* n) { literal_node::destroy(n); });
}

uint64_t interest::hash_of(std::string_view subject) {
  return hash_bytes(subject);
}

// ---- stamps ----

uint64_t interest::sum_of(const stamp& s) const {
  return any_.load(std::memory_order_acquire) + whole_[s.whole].load(std::memory_order_acquire) +
         two_[s.two].load(std::memory_order_acquire) + one_[s.one].load(std::memory_order_acquire);
}

interest::stamp interest::take_stamp(std::string_view subject, uint64_t hash) const {
  stamp s;
  auto first = subject.find('.');
  auto second = first == std::string_view::npos ? first : subject.find('.', first + 1);
  s.whole = static_cast<uint32_t>(hash >> 40) % whole_counters;
  s.one = static_cast<uint32_t>(hash_of(subject.substr(0, first)) >> 40) % prefix_counters;
  s.two = static_cast<uint32_t>(hash_of(subject.substr(0, second)) >> 40) % prefix_counters;
  s.sum = sum_of(s);
  return s;
}

void interest::end_stamps(std::string_view pattern, bool wildcard) {
  if (!wildcard) {
    count(whole_[static_cast<uint32_t>(hash_of(pattern) >> 40) % whole_counters]);
  } else {
    auto rest = pattern;
    auto first = take_token(rest);
    auto second = rest.substr(0, rest.find('.'));
    if (is_wildcard(first)) {
      count(any_);
    } else if (is_wildcard(second)) {
      count(one_[static_cast<uint32_t>(hash_of(first) >> 40) % prefix_counters]);
    } else {
      auto prefix = pattern.substr(0, first.size() + 1 + second.size());
      count(two_[static_cast<uint32_t>(hash_of(prefix) >> 40) % prefix_counters]);
    }
  }
  count(changes_);
}

// ---- readers ----

void interest::collect(const node& at, match_result& into) {
  auto list = at.plain.read();
  const subscriber* substitute = nullptr;
  bool relieved = false;
  for (uint32_t i = 0; i < list.count; ++i) {
    const auto& s = list.at[i];
    if (s.destination.load(std::memory_order_acquire) == nullptr) continue;
    if (s.stands_in()) {
      substitute = &s;
      continue;
    }
    relieved = relieved || s.relieves();
    into.plain.push_back(&s);
  }
  if (substitute != nullptr && !relieved) into.plain.push_back(substitute);
  auto* queues = at.queues.load(std::memory_order_acquire);
  if (queues == nullptr) return;
  for (auto* group : queues->groups) {
    auto same = [&](const queue_match& q) { return q.id == group->id; };
    auto found = std::find_if(into.queues.begin(), into.queues.end(), same);
    if (found == into.queues.end()) found = into.queues.insert(found, queue_match{group->id, {}});
    auto members = group->members.read();
    for (uint32_t i = 0; i < members.count; ++i)
      if (members.at[i].destination.load(std::memory_order_acquire) != nullptr)
        found->members.push_back(&members.at[i]);
  }
}

void interest::match_trie(const trie_node& at, std::string_view rest, match_result& into) const {
  const trie_node* level = &at;
  for (;;) {
    if (auto* full = level->full.load(std::memory_order_acquire)) collect(*full, into);
    auto token = take_token(rest);
    bool last = rest.data() == nullptr;
    if (auto* partial = level->partial.load(std::memory_order_acquire)) {
      if (last)
        collect(*partial, into);
      else
        match_trie(*partial, rest, into);
    }
    auto* next = level->children.find(hash_of(token), token);
    if (next == nullptr) return;
    if (last) {
      collect(*next, into);
      return;
    }
    level = next;
  }
}

void interest::match(std::string_view subject, uint64_t hash, match_result& into) const {
  into.plain.clear();
  into.queues.clear();
  if (subject.empty() || subject.front() == '.' || subject.back() == '.' ||
      subject.find("..") != std::string_view::npos)
    return;
  if (auto* literal = literals_[hash >> 56].find(hash, subject)) collect(*literal, into);
  match_trie(*root_, subject, into);
}

bool interest::is_bound(std::string_view subject, std::string_view queue) const {
  auto hash = hash_of(subject);
  const auto* at = literals_[hash >> 56].find(hash, subject);
  if (at == nullptr) return false;
  auto any = [](subscriber_list::view list) {
    return std::any_of(list.at, list.at + list.count, [](const subscriber& s) {
      return s.destination.load(std::memory_order_acquire) != nullptr;
    });
  };
  if (queue.empty()) return any(at->plain.read());
  const auto* queues = at->queues.load(std::memory_order_acquire);
  return queues != nullptr &&
         std::any_of(queues->groups.begin(), queues->groups.end(), [&](const queue_group* g) {
           return g->name == queue && any(g->members.read());
         });
}

// ---- the writer ----

interest::node* interest::find_node(std::string_view pattern, bool wildcard) {
  if (!wildcard) {
    auto hash = hash_of(pattern);
    return literals_[hash >> 56].find(hash, pattern);
  }
  auto* at = root_.get();
  while (at != nullptr && pattern.data() != nullptr) {
    auto token = take_token(pattern);
    if (token == "*")
      at = at->partial.load(std::memory_order_relaxed);
    else if (token == ">")
      at = at->full.load(std::memory_order_relaxed);
    else
      at = at->children.find(hash_of(token), token);
  }
  return at;
}

interest::node& interest::node_for(std::string_view pattern, bool wildcard) {
  if (auto* found = find_node(pattern, wildcard)) return *found;
  if (!wildcard) {
    auto hash = hash_of(pattern);
    auto* made = literal_node::make(pattern, hash);
    literals_[hash >> 56].insert(made);
    return *made;
  }
  auto* at = root_.get();
  while (pattern.data() != nullptr) {
    auto token = take_token(pattern);
    auto hash = hash_of(token);
    auto* place = token == "*" ? &at->partial : token == ">" ? &at->full : nullptr;
    auto* next =
        place != nullptr ? place->load(std::memory_order_relaxed) : at->children.find(hash, token);
    if (next == nullptr) {
      next = new trie_node;
      next->token = token;
      next->hash = hash;
      if (place != nullptr)
        place->store(next, std::memory_order_release);
      else
        at->children.insert(next);
    }
    at = next;
  }
  return *at;
}

/// Unlinks the nodes on the way to `rest` that nobody needs any more; true if `at` is one of them.
bool interest::prune_trie(trie_node& at, std::string_view rest) {
  if (rest.data() != nullptr) {
    auto token = take_token(rest);
    auto* place = token == "*" ? &at.partial : token == ">" ? &at.full : nullptr;
    auto* next = place != nullptr ? place->load(std::memory_order_relaxed)
                                  : at.children.find(hash_of(token), token);
    if (next != nullptr && prune_trie(*next, rest)) {
      if (place != nullptr)
        place->store(nullptr, std::memory_order_release);
      else
        at.children.erase(next);
      retire([next] { delete next; });
    }
  }
  return at.unused() && at.childless();
}

void interest::prune(std::string_view pattern, bool wildcard) {
  if (wildcard) {
    prune_trie(*root_, pattern);
    return;
  }
  auto hash = hash_of(pattern);
  auto* literal = literals_[hash >> 56].find(hash, pattern);
  literals_[hash >> 56].erase(literal);
  retire([literal] { literal_node::destroy(literal); });
}

void interest::subscribe(const subscription_key& key, uint32_t generation, std::string_view sid) {
  bool wildcard = has_wildcard(key.subject);
  auto& at = node_for(key.subject, wildcard);
  if (key.queue.empty())
    at.plain.add(key.destination, key.slot, generation, sid);
  else
    add_queue_member(at, key, generation, sid);
  end_stamps(key.subject, wildcard);
  count(stats_.subscriptions);
  count(stats_.inserts);
}

bool interest::unsubscribe(const subscription_key& key) {
  bool wildcard = has_wildcard(key.subject);
  auto* at = find_node(key.subject, wildcard);
  if (at == nullptr) return false;
  bool removed = key.queue.empty() ? at->plain.remove(key.destination, key.slot)
                                   : remove_queue_member(*at, key);
  if (!removed) return false;
  if (at->unused()) prune(key.subject, wildcard);
  end_stamps(key.subject, wildcard);
  stats_.subscriptions.fetch_sub(1, std::memory_order_relaxed);
  count(stats_.removes);
  return true;
}

uint32_t interest::queue_id(std::string_view queue) {
  auto& name = queue_names_[std::string{queue}];
  if (name.uses++ == 0) name.id = ++last_queue_id_;
  return name.id;
}

void interest::add_queue_member(node& at, const subscription_key& key, uint32_t generation,
                                std::string_view sid) {
  auto id = queue_id(key.queue);
  auto* queues = at.queues.load(std::memory_order_relaxed);
  queue_group* group = nullptr;
  if (queues != nullptr)
    for (auto* g : queues->groups)
      if (g->id == id) group = g;
  if (group != nullptr) {
    group->members.add(key.destination, key.slot, generation, sid);
    return;
  }
  auto* replaced = queues == nullptr ? new queue_groups : new queue_groups{*queues};
  replaced->groups.push_back(new queue_group{id, std::string{key.queue}, {}});
  replaced->groups.back()->members.add(key.destination, key.slot, generation, sid);
  at.queues.store(replaced, std::memory_order_release);
  if (queues != nullptr) retire([queues] { delete queues; });
}

bool interest::remove_queue_member(node& at, const subscription_key& key) {
  auto name = queue_names_.find(std::string{key.queue});
  auto* queues = at.queues.load(std::memory_order_relaxed);
  if (name == queue_names_.end() || queues == nullptr) return false;
  auto& groups = queues->groups;
  auto same = [&](const queue_group* g) { return g->id == name->second.id; };
  auto found = std::find_if(groups.begin(), groups.end(), same);
  if (found == groups.end() || !(*found)->members.remove(key.destination, key.slot)) return false;
  if (--name->second.uses == 0) queue_names_.erase(name);
  auto* group = *found;
  if (group->members.live() > 0) return true;
  queue_groups* replaced = nullptr;
  if (groups.size() > 1) {
    replaced = new queue_groups{*queues};
    std::erase(replaced->groups, group);
  }
  at.queues.store(replaced, std::memory_order_release);
  retire([queues, group] {
    delete group;
    delete queues;
  });
  return true;
}

}  // namespace vagus
