#pragma once

#include "net/transport.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace vagus {

/// Plain TCP. The socket is made non-blocking and gets TCP_NODELAY.
class tcp_transport final : public transport, public std::enable_shared_from_this<tcp_transport> {
public:
  explicit tcp_transport(boost::asio::ip::tcp::socket socket);

  void bind(transport_events* events) override { events_ = events; }

  io_result read(char* to, size_t capacity) override;
  io_result write(const iovec* parts, size_t count) override;
  void await_readable() override;
  void await_writable() override;
  void close_write() override;
  void close() override;
  std::string remote_address() const override { return address_; }
  int remote_port() const override { return port_; }

private:
  boost::asio::ip::tcp::socket socket_;
  transport_events* events_ = nullptr;
  std::string address_;
  int port_ = 0;
};

}  // namespace vagus
