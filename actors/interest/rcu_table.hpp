#pragma once

#include "actors/interest/rcu.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace vagus {

/// A hash table of pointers with one writer and any number of readers that take no lock: open
/// addressing, published slot by slot; a grown table replaces the old one, which is retired.
/// `Node` needs `uint64_t hash` and `std::string_view key()`. The table does not own its nodes.
template <class Node>
class rcu_table {
public:
  rcu_table() = default;
  rcu_table(const rcu_table&) = delete;
  rcu_table& operator=(const rcu_table&) = delete;
  ~rcu_table() { delete slots_.load(std::memory_order_relaxed); }

  /// For readers (inside a snapshot_guard) and the writer.
  Node* find(uint64_t hash, std::string_view key) const {
    auto* table = slots_.load(std::memory_order_acquire);
    if (table == nullptr) return nullptr;
    for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
      Node* node = table->at[i].load(std::memory_order_acquire);
      if (node == nullptr) return nullptr;
      if (node != tombstone() && node->hash == hash && node->key() == key) return node;
    }
  }

  /// Writer only. @pre no node with that key is in the table.
  void insert(Node* node) {
    auto* table = slots_.load(std::memory_order_relaxed);
    if (table == nullptr || (used_ + 1) * 4 > (table->mask + 1) * 3) table = grow();
    place(*table, node);
    ++used_;
    ++live_;
  }

  /// Writer only; the caller retires the node.
  void erase(Node* node) {
    auto* table = slots_.load(std::memory_order_relaxed);
    for (size_t i = node->hash & table->mask;; i = (i + 1) & table->mask) {
      if (table->at[i].load(std::memory_order_relaxed) != node) continue;
      table->at[i].store(tombstone(), std::memory_order_release);
      --live_;
      return;
    }
  }

  size_t size() const { return live_; }

  /// Calls `visit(Node*)` for every node. Writer only, or readers that accept a torn view.
  template <class F>
  void for_each(F&& visit) const {
    auto* table = slots_.load(std::memory_order_acquire);
    for (size_t i = 0; table != nullptr && i <= table->mask; ++i) {
      Node* node = table->at[i].load(std::memory_order_acquire);
      if (node != nullptr && node != tombstone()) visit(node);
    }
  }

private:
  struct slots {
    explicit slots(size_t size) : mask{size - 1}, at{new std::atomic<Node*>[size] {}} {}
    size_t mask;
    std::unique_ptr<std::atomic<Node*>[]> at;
  };

  static Node* tombstone() { return reinterpret_cast<Node*>(uintptr_t{1}); }

  static void place(slots& table, Node* node) {
    size_t i = node->hash & table.mask;
    while (table.at[i].load(std::memory_order_relaxed) != nullptr) i = (i + 1) & table.mask;
    table.at[i].store(node, std::memory_order_release);
  }

  slots* grow() {
    auto* old = slots_.load(std::memory_order_relaxed);
    size_t size = 4;
    while (size < live_ * 2 + 2) size *= 2;
    auto* table = new slots{size};
    for_each([&](Node* node) { place(*table, node); });
    slots_.store(table, std::memory_order_release);
    used_ = live_;
    if (old != nullptr) retire([old] { delete old; });
    return table;
  }

  std::atomic<slots*> slots_{nullptr};
  size_t used_ = 0;  ///< slots that are not empty, tombstones included
  size_t live_ = 0;
};

}  // namespace vagus
