#pragma once

#include "net/event_loop.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace vagus {

/// Accepts TCP connections on one event loop and deals the sockets out to all. All members belong
/// to that loop's thread, but for the constructor. The sockets are of that loop's io_context: who
/// takes one elsewhere releases its descriptor.
class listener {
public:
  using socket_handler = std::function<void(event_loop& loop, boost::asio::ip::tcp::socket socket)>;
  using failure_handler = std::function<void(const boost::system::error_code& why)>;

  /// Binds and listens. @param port -1 for any free one; @param flag sets the port. Throws
  /// std::runtime_error that names the address and says what to do.
  listener(event_loop& on, const std::string& host, int port, std::string_view flag = "-p");

  /// Accepts until stop(). A failure that will not pass by itself (no file descriptors left) is
  /// reported, and accepting pauses until the next call.
  void accept(event_loops& deal_to, socket_handler on_socket, failure_handler on_failure);

  /// The same, but every socket stays on the loop that listens.
  void accept_here(socket_handler on_socket, failure_handler on_failure);

  void stop();

  int port() const { return port_; }

private:
  event_loop& target() { return loops_ != nullptr ? loops_->next() : home_; }
  void accept_next(event_loop& to);

  event_loop& home_;
  boost::asio::ip::tcp::acceptor acceptor_;
  int port_ = 0;
  event_loops* loops_ = nullptr;
  socket_handler on_socket_;
  failure_handler on_failure_;
};

}  // namespace vagus
