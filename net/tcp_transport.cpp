#include "net/tcp_transport.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace vagus {

using boost::asio::ip::tcp;

tcp_transport::tcp_transport(event_loop& loop, tcp::socket socket) : loop_{loop} {
  boost::system::error_code ignored;  // a peer that is gone already shows at the first read
  socket.native_non_blocking(true, ignored);
  socket.set_option(tcp::no_delay{true}, ignored);
  auto remote = socket.remote_endpoint(ignored);
  address_ = remote.address().to_string(ignored);
  port_ = remote.port();
  descriptor_ = socket.release(ignored);
}

tcp_transport::~tcp_transport() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void tcp_transport::bind(transport_events* events) {
  events_ = events;
  place_ = loop_.descriptors().add(*this);
}

io_result tcp_transport::read(char* to, size_t capacity) {
  for (;;) {
    auto n = ::recv(descriptor_, to, capacity, 0);
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
    auto n = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (n >= 0) return {io_result::kind::done, static_cast<size_t>(n)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {io_result::kind::would_block, 0};
    return {io_result::kind::failed, 0};
  }
}

void tcp_transport::want(uint32_t event) {
  wanted_ |= event;
  if ((watched_ & event) == 0) watch(wanted_ | watched_);
}

void tcp_transport::watch(uint32_t wanted) {
  // Out of memory or watches: the connection will notice at its next write, at the latest a PING.
  if (!loop_.descriptors().watch(place_, descriptor_, watched_, wanted))
    ::shutdown(descriptor_, SHUT_RDWR);
  watched_ = wanted;
}

void tcp_transport::on_ready(uint32_t events) {
  auto kept = shared_from_this();
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) events |= EPOLLIN | EPOLLOUT;
  auto came = events & wanted_;
  wanted_ &= ~came;
  if ((came & EPOLLIN) != 0 && events_ != nullptr) events_->on_readable();
  if ((came & EPOLLOUT) != 0 && events_ != nullptr) events_->on_writable();
  if (events_ == nullptr) return;
  // Reading goes on as a rule, and is watched until something comes that nobody wants to read;
  // writing was a matter of this one time.
  auto unwanted = events & ~wanted_ & (came == 0 ? UINT32_MAX : uint32_t{EPOLLOUT});
  if ((watched_ & unwanted) != 0) watch(watched_ & ~unwanted);
}

void tcp_transport::close_write() {
  ::shutdown(descriptor_, SHUT_WR);
}

void tcp_transport::close() {
  if (events_ != nullptr) loop_.descriptors().remove(place_);
  events_ = nullptr;
  if (descriptor_ < 0) return;
  ::shutdown(descriptor_, SHUT_RDWR);
  ::close(descriptor_);  // leaves the poller with it
  descriptor_ = -1;
}

}  // namespace vagus
