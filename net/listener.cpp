#include "net/listener.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace vagus {

using boost::asio::ip::tcp;

namespace {

/// Connections that the system holds ready before they are accepted.
constexpr int backlog = 4096;

tcp::endpoint resolve(event_loop& on, const std::string& host, int port) {
  boost::system::error_code failed;
  auto number = static_cast<unsigned short>(port < 0 ? 0 : port);
  auto address = boost::asio::ip::make_address(host, failed);
  if (!failed) return {address, number};
  tcp::resolver resolver{on.io()};
  auto found = resolver.resolve(host, std::to_string(number), failed);
  if (failed || found.empty())
    throw std::runtime_error{fmt::format(
        "cannot resolve the host to listen on, \"{}\": {}; name an address of this machine", host,
        failed.message())};
  return found.begin()->endpoint();
}

}  // namespace

listener::listener(event_loop& on, const std::string& host, int port, std::string_view flag)
    : home_{on}, acceptor_{on.io()} {
  auto at = resolve(on, host, port);
  boost::system::error_code failed;
  if (!acceptor_.open(at.protocol(), failed) &&
      !acceptor_.set_option(tcp::acceptor::reuse_address{true}, failed) &&
      !acceptor_.bind(at, failed))
    acceptor_.listen(backlog, failed);
  if (failed)
    throw std::runtime_error{fmt::format(
        "error listening on port: {}:{}: {}; stop what uses the port, or choose another with "
        "{} (-1: any free one)",
        host, port, failed.message(), flag)};
  port_ = acceptor_.local_endpoint().port();
}

void listener::accept(event_loops& deal_to, socket_handler on_socket, failure_handler on_failure) {
  loops_ = &deal_to;
  accept_here(std::move(on_socket), std::move(on_failure));
}

void listener::accept_here(socket_handler on_socket, failure_handler on_failure) {
  on_socket_ = std::move(on_socket);
  on_failure_ = std::move(on_failure);
  accept_next(target());
}

void listener::accept_next(event_loop& to) {
  acceptor_.async_accept(
      home_.io(), [this, &to](const boost::system::error_code& failed, tcp::socket socket) {
        if (failed == boost::asio::error::operation_aborted || !acceptor_.is_open()) return;
        if (failed == boost::asio::error::connection_aborted) {
          accept_next(to);
        } else if (failed) {
          on_failure_(failed);
        } else {
          on_socket_(to, std::move(socket));
          accept_next(target());
        }
      });
}

void listener::stop() {
  boost::system::error_code ignored;  // closing a listener has no error that matters
  acceptor_.close(ignored);
}

}  // namespace vagus
