#pragma once

#include "net/event_loop.hpp"
#include "net/transport.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace vagus {

/// Plain TCP. The socket is made non-blocking and gets TCP_NODELAY. Its readiness comes from the
/// loop's poller, not from Asio: while a connection goes on reading, waiting for more costs no
/// system call.
class tcp_transport final : public transport,
                            private watcher,
                            public std::enable_shared_from_this<tcp_transport> {
public:
  /// May be called from any thread; everything else belongs to `loop`.
  tcp_transport(event_loop& loop, boost::asio::ip::tcp::socket socket);
  ~tcp_transport() override;

  void bind(transport_events* events) override;

  io_result read(char* to, size_t capacity) override;
  io_result write(const iovec* parts, size_t count) override;
  void await_readable() override { want(EPOLLIN); }
  void await_writable() override { want(EPOLLOUT); }
  void close_write() override;
  void close() override;
  std::string remote_address() const override { return address_; }
  int remote_port() const override { return port_; }

private:
  void on_ready(uint32_t events) override;
  void want(uint32_t event);
  void watch(uint32_t wanted);

  event_loop& loop_;
  int descriptor_ = -1;
  transport_events* events_ = nullptr;
  uint64_t place_ = 0;    ///< in the poller, while events_ is set
  uint32_t wanted_ = 0;   ///< that was asked for and has not come
  uint32_t watched_ = 0;  ///< that epoll reports
  std::string address_;
  int port_ = 0;
};

}  // namespace vagus
