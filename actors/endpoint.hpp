#pragma once

#include "net/protocol/frame_batch.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace vagus {

struct connection_record;

/// Counters of one connection, written by its own event loop only and read by anyone.
struct traffic_counters {
  std::atomic<uint64_t> in_msgs{0};
  std::atomic<uint64_t> in_bytes{0};
  std::atomic<uint64_t> out_msgs{0};
  std::atomic<uint64_t> out_bytes{0};
  std::atomic<uint64_t> stalls{0};

  /// Adds without a locked instruction: there is one writer.
  static void add(std::atomic<uint64_t>& counter, uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

/// Where messages can be delivered: what the interest snapshots know of a subscriber. Publishers on
/// any event loop read it; only the members named as such are ever written by them.
///
/// Lives as long as the subscriber, and beyond it until no reader of a snapshot can still see it.
class endpoint : public boost::intrusive_ref_counter<endpoint> {
public:
  endpoint(uint64_t client_id, size_t loops) : id{client_id}, open(loops) {}

  const uint64_t id;  ///< the client_id of INFO

  /// It must not lose what it was sent: publishers wait for it, however long that takes. Set before
  /// the first subscription.
  bool lossless = false;
  /// In a queue group it is taken by publishers on this loop, before all others; -1: like others.
  int serves_loop = -1;

  /// It asks who publishes what it gets (`frame_batch::publisher`). Set as above.
  bool wants_publisher = false;

  /// What such a destination is told of this client. Set before anything is published.
  std::weak_ptr<const connection_record> described;

  /// The actor that takes frame_batch_ptr messages. Set once, before the first subscription.
  caf::strong_actor_ptr actor;

  std::atomic<bool> closing{false};
  std::atomic<bool> headers{false};  ///< the client takes HMSG
  std::atomic<bool> echo{true};      ///< the client wants its own messages

  /// What an event loop has collected for this endpoint during the read at hand; slot i belongs to
  /// loop i alone.
  struct open_batch {
    frame_batch_ptr batch;
    size_t expected = 0;  ///< the size of the previous one
  };
  std::vector<open_batch> open;

  // What is written often, apart from what publishers only read.

  /// Bytes sent to the actor and not yet written to its socket. Added to by publishers, taken from
  /// by the connection.
  alignas(64) std::atomic<int64_t> pending{0};

  alignas(64) traffic_counters counters;
};

using endpoint_ptr = boost::intrusive_ptr<endpoint>;

}  // namespace vagus
