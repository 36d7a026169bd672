#include "net/asio_descriptor.hpp"

#include <boost/asio/detail/epoll_reactor.hpp>

namespace vagus {

namespace {

using boost::asio::detail::epoll_reactor;

int descriptor_of(epoll_reactor& reactor);

/// Asio has no public way to its descriptor. An explicit instantiation may name a private member,
/// so that another Asio fails to compile here rather than misbehaves.
template <int epoll_reactor::*Descriptor>
struct descriptor_reader {
  friend int descriptor_of(epoll_reactor& reactor) { return reactor.*Descriptor; }
};

template struct descriptor_reader<&epoll_reactor::epoll_fd_>;

}  // namespace

int asio_descriptor(boost::asio::io_context& io) {
  auto& reactor = boost::asio::use_service<epoll_reactor>(io);
  reactor.init_task();  // else nobody looks at the descriptor before the first socket is there
  return descriptor_of(reactor);
}

}  // namespace vagus
