#include "net/tcp_transport.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace vagus {

using boost::asio::ip::tcp;

tcp_transport::tcp_transport(tcp::socket socket) : socket_{std::move(socket)} {
  boost::system::error_code ignored;  // a peer that is gone already shows at the first read
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay{true}, ignored);
  auto remote = socket_.remote_endpoint(ignored);
  address_ = remote.address().to_string(ignored);
  port_ = remote.port();
}

io_result tcp_transport::read(char* to, size_t capacity) {
  for (;;) {
    auto n = ::recv(socket_.native_handle(), to, capacity, 0);
    if (n > 0) return {io_result::kind::done, static_cast<size_t>(n)};
    if (n == 0) return {io_result::kind::closed, 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {io_result::kind::would_block, 0};
    return {io_result::kind::failed, 0};
  }
}

io_result tcp_transport::write(const iovec* parts, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  for (;;) {
    auto n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (n >= 0) return {io_result::kind::done, static_cast<size_t>(n)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {io_result::kind::would_block, 0};
    return {io_result::kind::failed, 0};
  }
}

void tcp_transport::await_readable() {
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& ec) {
                       if (!ec && self->events_ != nullptr) self->events_->on_readable();
                     });
}

void tcp_transport::await_writable() {
  socket_.async_wait(tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& ec) {
                       if (!ec && self->events_ != nullptr) self->events_->on_writable();
                     });
}

void tcp_transport::close_write() {
  boost::system::error_code ignored;  // the peer may be gone already
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void tcp_transport::close() {
  events_ = nullptr;
  boost::system::error_code ignored;  // nothing is left to do for a socket that cannot be closed
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace vagus
