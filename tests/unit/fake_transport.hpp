#pragma once

#include "net/event_loop.hpp"
#include "net/transport.hpp"

#include <deque>
#include <memory>
#include <string>

namespace vagus {

/// A transport in memory. The test plays the remote side: it lets bytes arrive, looks at what was
/// written, and decides how much is taken. Events come through the loop, as those of a socket do.
class fake_transport final : public transport, public std::enable_shared_from_this<fake_transport> {
public:
  /// @param loop null: no events are delivered
  explicit fake_transport(event_loop* loop) : loop_{loop} {}

  // ---- the remote side ----

  /// Bytes that one read brings (or several, if they are more than it asks for).
  void arrive(std::string bytes);
  /// The remote side has closed its writing half; reads say so once everything was read.
  void arrive_end();
  /// From now on reads and writes fail, as on a reset connection.
  void reset();
  /// Takes that many bytes more and then no others until told again.
  void take(size_t bytes);
  void take_all() { take(SIZE_MAX); }

  std::string written;  ///< what has been taken so far
  size_t writes = 0;    ///< calls that took something
  bool write_closed() const { return write_closed_; }
  bool closed() const { return closed_; }
  bool all_read() const { return arrived_.empty(); }

  // ---- transport ----
  void bind(transport_events* events) override { events_ = events; }
  io_result read(char* to, size_t capacity) override;
  io_result write(const iovec* parts, size_t count) override;
  void await_readable() override;
  void await_writable() override;
  void close_write() override { write_closed_ = true; }
  void close() override;
  std::string remote_address() const override { return "10.0.0.1"; }
  int remote_port() const override { return 1234; }

private:
  bool readable() const { return !arrived_.empty() || ended_ || broken_; }
  void post_readable();
  void post_writable();

  event_loop* loop_;
  transport_events* events_ = nullptr;
  std::deque<std::string> arrived_;
  size_t room_ = SIZE_MAX;
  bool ended_ = false;
  bool broken_ = false;
  bool awaiting_readable_ = false;
  bool awaiting_writable_ = false;
  bool write_closed_ = false;
  bool closed_ = false;
};

}  // namespace vagus
