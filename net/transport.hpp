#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <sys/uio.h>

namespace vagus {

/// What a transport tells its connection. Called on the connection's event loop only.
class transport_events {
public:
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;

protected:
  ~transport_events() = default;
};

/// The result of a read or write that never blocks.
struct io_result {
  enum class kind { done, would_block, closed, failed };
  kind state = kind::done;
  size_t bytes = 0;
};

/// A two-way stream of bytes: TCP now, TLS and WebSocket behind the same interface. Belongs to one
/// event loop; no member may be called from another thread.
class transport {
public:
  virtual ~transport() = default;

  /// @param events must stay valid until close() is called.
  virtual void bind(transport_events* events) = 0;

  virtual io_result read(char* to, size_t capacity) = 0;
  virtual io_result write(const iovec* parts, size_t count) = 0;

  /// Calls on_readable once, when there is something to read (or the end).
  virtual void await_readable() = 0;
  /// Calls on_writable once, when there is room.
  virtual void await_writable() = 0;

  /// Tells the peer that nothing more will come; reading goes on.
  virtual void close_write() = 0;

  /// Ends the connection; no event is delivered afterwards. Idempotent.
  virtual void close() = 0;

  virtual std::string remote_address() const = 0;
  virtual int remote_port() const = 0;
};

using transport_ptr = std::shared_ptr<transport>;

}  // namespace vagus
