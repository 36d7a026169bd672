#pragma once

#include "actors/interest/interest.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace vagus {

/// The members of one queue group on one pattern.
struct interest::queue_group {
  uint32_t id;
  std::string name;
  subscriber_list members;
};

/// The queue groups of one pattern; replaced as a whole when one is added or has become empty.
struct interest::queue_groups {
  std::vector<queue_group*> groups;
};

/// What literal subjects and places in the trie have in common. A list with at most a few groups is
/// the normal case, so that they are searched.
struct interest::node {
  subscriber_list plain;
  std::atomic<queue_groups*> queues{nullptr};

  ~node() {
    auto* q = queues.load(std::memory_order_relaxed);
    if (q == nullptr) return;
    for (auto* g : q->groups) delete g;
    delete q;
  }

  bool unused() const {
    return plain.live() == 0 && queues.load(std::memory_order_relaxed) == nullptr;
  }
};

/// The subject's bytes follow the node in the same allocation.
struct interest::literal_node : node {
  uint64_t hash;
  uint32_t size;

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), size}; }

  static literal_node* make(std::string_view subject, uint64_t hash) {
    void* at = ::operator new(sizeof(literal_node) + subject.size());
    auto* made = new (at) literal_node;
    made->hash = hash;
    made->size = static_cast<uint32_t>(subject.size());
    std::memcpy(reinterpret_cast<char*>(made + 1), subject.data(), subject.size());
    return made;
  }

  static void destroy(literal_node* n) {
    n->~literal_node();
    ::operator delete(n);
  }
};

struct interest::trie_node : node {
  uint64_t hash = 0;
  std::string token;
  rcu_table<trie_node> children;             ///< literal tokens
  std::atomic<trie_node*> partial{nullptr};  ///< `*`
  std::atomic<trie_node*> full{nullptr};     ///< `>`

  std::string_view key() const { return token; }

  ~trie_node() {
    children.for_each([](trie_node* n) { delete n; });
    delete partial.load(std::memory_order_relaxed);
    delete full.load(std::memory_order_relaxed);
  }

  bool childless() const {
    return children.size() == 0 && partial.load(std::memory_order_relaxed) == nullptr &&
           full.load(std::memory_order_relaxed) == nullptr;
  }
};

}  // namespace vagus
